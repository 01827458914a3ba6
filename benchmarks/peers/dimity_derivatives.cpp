#include "dimity_worker.hpp"

using namespace dimity;

namespace {

constexpr auto logistic_loss = [](auto const& w, auto const& x, auto const& sign) { return mean(softplus(-sign * matmul(x, w))); };
constexpr auto logistic_hessian = peers::compiled([](auto const& w, auto const& x, auto const& sign, auto) { return hessian(logistic_loss)(w, x, sign); });

constexpr auto small_mlp = [](auto const& x, auto const& w1, auto const& b1, auto const& w2, auto const& b2) { return matmul(tanh(matmul(x, w1) + b1), w2) + b2; };
constexpr auto mlp_jacobian = peers::compiled([](auto const& x, auto const& w1, auto const& b1, auto const& w2, auto const& b2, auto) { return jacrev(small_mlp)(x, w1, b1, w2, b2); });

using parameters = tensor<float, 1 << 20>;
struct adamw_state {
  parameters start, gradient, start_m, start_v, p;
  optim::adamw_state<parameters> optimizer;
};
constexpr auto update = peers::compiled([](auto const& state, auto const& p, auto const& g) { return optim::update(state, p, g); });

peers::registered const all{[] {
  using vector = tensor<float, 32>;
  using square_matrix = tensor<float, 32, 32>;
  using samples = tensor<float, 256, 32>;
  using signs = tensor<float, 256>;
  peers::add<square_matrix, vector, samples, signs>("logistic_hessian-256x32", {"w", "x", "sign"}, [](square_matrix& h, vector const& w, samples const& x, signs const& sign) {
    h = logistic_hessian(w, x, sign, std::move(h));
  });
  using up = tensor<float, 32, 64>;
  using hidden = tensor<float, 64>;
  using down = tensor<float, 64, 32>;
  peers::add<square_matrix, vector, up, hidden, down, vector>("mlp_jacobian-32", {"x", "w1", "b1", "w2", "b2"}, [](square_matrix& j, vector const& x, up const& w1, hidden const& b1, down const& w2, vector const& b2) {
    j = mlp_jacobian(x, w1, b1, w2, b2, std::move(j));
  });

  peers::makers()["adamw-1048576"] = [](peers::request const& r) {
    auto s = std::make_shared<adamw_state>();
    peers::fill(r, "p", s->start);
    peers::fill(r, "g", s->gradient);
    peers::fill(r, "m", s->start_m);
    peers::fill(r, "v", s->start_v);
    s->optimizer = optim::adamw(s->start, {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01});
    auto const reset = [](adamw_state& s) {
      s.p = s.start;
      s.optimizer.first_moment = s.start_m;
      s.optimizer.second_moment = s.start_v;
      s.optimizer.step = 9;
    };
    auto const results = [](adamw_state& s, peers::sink& to) {
      peers::write(to, s.p);
      peers::write(to, s.optimizer.first_moment);
      peers::write(to, s.optimizer.second_moment);
    };
    return peers::make_task(s, [](adamw_state& s) { std::tie(s.p, s.optimizer) = update(std::move(s.optimizer), std::move(s.p), s.gradient); }, results, reset);
  };
}};

}  // namespace
