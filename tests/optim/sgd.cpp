// SGD against a loop over scalars, over several steps.
#include "reference.hpp"

namespace {

using namespace test;

template <class T>
void check_sgd(optim::sgd_options o, double bound) {
  auto model = start<T>();
  auto state = optim::sgd(model, o);
  std::vector<double> p = flat(model), v(p.size(), 0.0);
  for (int step = 0; step < 4; ++step) {
    auto const gradients = gradient_at<T>(step);
    std::tie(model, state) = optim::update(state, model, gradients);
    std::vector<double> const d = flat(gradients);
    for (std::size_t i = 0; i < p.size(); ++i) {
      double const g = d[i] + o.weight_decay * p[i];
      v[i] = o.momentum * v[i] + g;
      p[i] -= o.learning_rate * (o.nesterov ? g + o.momentum * v[i] : v[i]);
    }
    check_close(flat(model), p, bound);
    check_close(flat(state.velocity), v, bound);
  }
}

}  // namespace

TEST_CASE("sgd: plain, momentum, Nesterov, weight decay") {
  check_sgd<double>({.learning_rate = 0.1}, 1e-14);
  check_sgd<double>({.learning_rate = 0.1, .momentum = 0.9}, 1e-14);
  check_sgd<double>({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}, 1e-14);
  check_sgd<double>({.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.05, .nesterov = true}, 1e-14);
  check_sgd<float>({.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.05}, 1e-6);
}
TEST_CASE("hyperparameters can change between steps, without another program") {
  auto model = start<double>();
  auto state = optim::sgd(model, {.learning_rate = 0.1});
  auto const before = flat(model), d = flat(gradient_at<double>(0));
  state.learning_rate = 0.5;
  std::tie(model, state) = optim::update(state, model, gradient_at<double>(0));
  auto const after = flat(model);
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(after[i] == doctest::Approx(before[i] - 0.5 * d[i]));
}
