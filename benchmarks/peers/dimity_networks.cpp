#include "../models.hpp"
#include "dimity_worker.hpp"

using namespace dimity;

namespace {

// ------------------------------------------------------------------------------------------------------------- policy

template <class T>
struct policy {
  nn::linear<T, 48, 256> first;
  nn::linear<T, 256, 128> second;
  nn::linear<T, 128, 12> last;
  constexpr auto operator()(auto const& x) const { return last(tanh(second(tanh(first(x))))); }
};
constexpr auto act = peers::compiled([](auto const& model, auto const& x, auto) { return model(x); });

template <class Layer>
void fill_layer(peers::request const& r, std::string const& name, Layer& layer) {
  peers::fill(r, "w" + name, layer.weight);
  peers::fill(r, "b" + name, layer.bias);
}

template <extent_t Batch>
struct policy_state {
  policy<float> model;
  tensor<float, Batch, 48> x;
  tensor<float, Batch, 12> y;
};

template <extent_t Batch>
void add_policy() {
  using state = policy_state<Batch>;
  peers::makers()["policy-" + std::to_string(Batch)] = [](peers::request const& r) {
    auto s = std::make_shared<state>();
    peers::fill(r, "x", s->x);
    fill_layer(r, "1", s->model.first);
    fill_layer(r, "2", s->model.second);
    fill_layer(r, "3", s->model.last);
    return peers::make_task(s, [](state& s) { s.y = act(s.model, s.x, std::move(s.y)); }, [](state& s, peers::sink& to) { peers::write(to, s.y); });
  };
}

// ------------------------------------------------------------------------------------------------------- training step

constexpr auto step = peers::compiled(models::step<models::label_loss>);

template <extent_t Batch>
struct training_state {
  models::classifier<float> start, model;
  tensor<float, Batch, 784> x;
  tensor<std::int32_t, Batch> labels;
  tensor<float> loss;
};

template <extent_t Batch>
void add_training() {
  using state = training_state<Batch>;
  peers::makers()["mlp_step-" + std::to_string(Batch)] = [](peers::request const& r) {
    auto s = std::make_shared<state>();
    peers::fill(r, "x", s->x);
    peers::fill(r, "labels", s->labels);
    fill_layer(r, "1", s->start.first);
    fill_layer(r, "2", s->start.second);
    fill_layer(r, "3", s->start.last);
    auto const results = [](state& s, peers::sink& to) {
      peers::write(to, s.loss);
      for_each_parameter(s.model, [&](std::string_view, auto const& value) { peers::write(to, value); });
    };
    return peers::make_task(s, [](state& s) { std::tie(s.model, s.loss) = step(std::move(s.model), s.x, s.labels); }, results, [](state& s) { s.model = s.start; });
  };
}

// ---------------------------------------------------------------------------------------------------------------- LSTM

constexpr extent_t steps = 128, width = 64;
constexpr auto lstm = peers::compiled([](auto const& xs, auto const& w, auto const& u, auto const& bias, auto) {
  return models::lstm<width>(xs, w, u, bias);
});

peers::registered const all{[] {
  add_policy<1>();
  add_policy<64>();
  add_training<32>();
  add_training<256>();
  using states = tensor<float, steps, width>;
  using matrix = tensor<float, width, 4 * width>;
  using gates = tensor<float, 4 * width>;
  peers::add<states, states, matrix, matrix, gates>("lstm-128x64", {"xs", "w", "u", "bias"}, [](states& hs, states const& xs, matrix const& w, matrix const& u, gates const& bias) {
    hs = lstm(xs, w, u, bias, std::move(hs));
  });
}};

}  // namespace
