#include "../models.hpp"
#include "dimity_worker.hpp"

using namespace dimity;

namespace {

using models::block;
using models::sequences;
constexpr auto forward = peers::compiled([](auto const& model, auto const& x, auto) { return model(x); });
constexpr auto step = peers::compiled(models::step<models::square_loss>);

void fill_block(peers::request const& r, block<float>& model) {
  char const* const names[] = {"gamma1", "beta1", "wqkv", "bqkv", "wo", "bo", "gamma2", "beta2", "w1", "b1", "w2", "b2"};
  std::size_t i = 0;
  for_each_parameter(model, [&](std::string_view, auto& value) { peers::fill(r, names[i++], value); });
}

struct forward_state {
  block<float> model;
  sequences x, y;
};
struct training_state {
  block<float> start, model;
  sequences x, target;
  tensor<float> loss;
};

peers::registered const both{[] {
  peers::makers()["transformer-8x64x128"] = [](peers::request const& r) {
    auto s = std::make_shared<forward_state>();
    fill_block(r, s->model);
    peers::fill(r, "x", s->x);
    return peers::make_task(s, [](forward_state& s) { s.y = forward(s.model, s.x, std::move(s.y)); }, [](forward_state& s, peers::sink& to) { peers::write(to, s.y); });
  };
  peers::makers()["transformer_step-8x64x128"] = [](peers::request const& r) {
    auto s = std::make_shared<training_state>();
    fill_block(r, s->start);
    peers::fill(r, "x", s->x);
    peers::fill(r, "target", s->target);
    auto const results = [](training_state& s, peers::sink& to) {
      peers::write(to, s.loss);
      for_each_parameter(s.model, [&](std::string_view, auto const& value) { peers::write(to, value); });
    };
    return peers::make_task(s, [](training_state& s) { std::tie(s.model, s.loss) = step(std::move(s.model), s.x, s.target); }, results, [](training_state& s) { s.model = s.start; });
  };
}};

}  // namespace
