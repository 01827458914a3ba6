#include "../models.hpp"
#include "dimity_worker.hpp"

using namespace dimity;

namespace {

constexpr auto step = peers::compiled(models::step<models::label_loss>);

/// The suite's images and filters have their channels last; dimity's before height and width. They are turned around outside of the times, as a user's data would be.
template <extent_t In, extent_t Out>
void fill_filters(peers::request const& r, std::string const& name, tensor<float, Out, In, 3, 3>& weight) {
  tensor<float, 3, 3, In, Out> given(uninitialized);
  peers::fill(r, name, given);
  weight = permute<3, 2, 0, 1>(given);
}
template <extent_t In, extent_t Out>
void write_filters(peers::sink& to, tensor<float, Out, In, 3, 3> const& weight) {
  peers::write(to, eval(permute<2, 3, 1, 0>(weight)));
}

struct state {
  models::image_classifier<float> start, model;
  tensor<float, 32, 1, 28, 28> x;
  tensor<std::int32_t, 32> labels;
  tensor<float> loss;
};

peers::registered const all{[] {
  peers::makers()["conv_step-32"] = [](peers::request const& r) {
    auto s = std::make_shared<state>();
    peers::fill(r, "x", s->x);  // of one channel, wherever that axis is
    peers::fill(r, "labels", s->labels);
    fill_filters<1, 8>(r, "k1", s->start.first.weight);
    peers::fill(r, "c1", s->start.first.bias);
    fill_filters<8, 16>(r, "k2", s->start.second.weight);
    peers::fill(r, "c2", s->start.second.bias);
    tensor<float, 25, 16, 10> rows(uninitialized);
    peers::fill(r, "w", rows);
    s->start.last.weight = reshape<400, 10>(permute<1, 0, 2>(rows));
    peers::fill(r, "b", s->start.last.bias);
    auto const results = [](state& s, peers::sink& to) {
      peers::write(to, s.loss);
      write_filters<1, 8>(to, s.model.first.weight);
      peers::write(to, s.model.first.bias);
      write_filters<8, 16>(to, s.model.second.weight);
      peers::write(to, s.model.second.bias);
      peers::write(to, eval(reshape<400, 10>(permute<1, 0, 2>(reshape<16, 25, 10>(s.model.last.weight)))));
      peers::write(to, s.model.last.bias);
    };
    return peers::make_task(s, [](state& s) { std::tie(s.model, s.loss) = step(std::move(s.model), s.x, s.labels); }, results, [](state& s) { s.model = s.start; });
  };
}};

}  // namespace
