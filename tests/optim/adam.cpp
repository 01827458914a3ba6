// Adam and AdamW against a loop over scalars, over several steps.
#include "reference.hpp"

#include "allocations.hpp"

#include <dimity/plan/facts.hpp>

#include <utility>

namespace {

using namespace test;

template <class T, bool Decoupled>
void check_adam(double rate, double beta1, double beta2, double epsilon, double decay, double bound) {
  auto model = start<T>();
  auto state = [&] {
    if constexpr (Decoupled) return optim::adamw(model, {rate, beta1, beta2, epsilon, decay});
    else return optim::adam(model, {rate, beta1, beta2, epsilon, decay});
  }();
  std::vector<double> p = flat(model), m(p.size(), 0.0), v(p.size(), 0.0);
  for (int step = 1; step <= 5; ++step) {
    auto const gradients = gradient_at<T>(step);
    std::tie(model, state) = optim::update(state, model, gradients);
    std::vector<double> const d = flat(gradients);
    for (std::size_t i = 0; i < p.size(); ++i) {
      double const g = Decoupled ? d[i] : d[i] + decay * p[i];
      if (Decoupled) p[i] *= 1 - rate * decay;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      p[i] -= rate * (m[i] / (1 - std::pow(beta1, step))) / (std::sqrt(v[i] / (1 - std::pow(beta2, step))) + epsilon);
    }
    check_close(flat(model), p, bound);
    check_close(flat(state.first_moment), m, bound);
    check_close(flat(state.second_moment), v, bound);
    CHECK(static_cast<std::int32_t>(state.step) == step);
  }
}

template <class T>
struct large_model {
  tensor<T, 64, 64> weight;
  tensor<T, 4096> bias;
};
constexpr auto quadratic = [](auto const& model, auto const& target) { return sum(square(model.weight - target)) + sum(square(model.bias)); };
constexpr auto step = compile([](auto model, auto state, auto target) {
  auto [l, gradients] = value_and_grad(quadratic)(model, target);
  auto [next_model, next_state] = optim::update(state, model, gradients);
  return std::tuple{next_model, next_state, l};
});

}  // namespace

TEST_CASE("adam") {
  check_adam<double, false>(1e-2, 0.9, 0.999, 1e-8, 0, 1e-12);
  check_adam<double, false>(1e-2, 0.8, 0.99, 1e-6, 0.1, 1e-12);
  check_adam<float, false>(1e-2, 0.9, 0.999, 1e-8, 0, 2e-5);
}
TEST_CASE("adamw") {
  check_adam<double, true>(1e-2, 0.9, 0.999, 1e-8, 0.1, 1e-12);
  check_adam<float, true>(1e-2, 0.9, 0.999, 1e-8, 0.1, 2e-5);
}
TEST_CASE("a compiled step with donated arguments allocates nothing and lowers the loss") {
  large_model<float> model{full<float, 64, 64>(1.0f), full<float, 4096>(-1.0f)};
  auto state = optim::adamw(model, {.learning_rate = 1e-2, .weight_decay = 0});
  tensor<float, 64, 64> const target = full<float, 64, 64>(0.5f);
  tensor<float> l;
  std::tie(model, state, l) = step(std::move(model), std::move(state), target);
  float const first = l;
  auto const before = test::allocation_count();
  float const* const weight = model.weight.data();
  for (int i = 0; i < 20; ++i) std::tie(model, state, l) = step(std::move(model), std::move(state), target);
  CHECK(test::allocation_count() == before);
  CHECK(model.weight.data() == weight);
  CHECK(static_cast<float>(l) < 0.8f * first);
}

namespace {

template <class T>
struct pair_of_leaves {
  dimity::tensor<T, 40, 50> weight;
  dimity::tensor<T, 50> bias;
};
constexpr auto apply_update = dimity::compile([](auto const& state, auto const& parameters, auto const& gradients) { return dimity::optim::update(state, parameters, gradients); });

}  // namespace

TEST_CASE("an update alone is one pass a leaf: its moments are not read again for the step that waits for the corrected rate") {
  using namespace dimity;
  constexpr auto& plan = apply_update.plan<optim::adamw_state<pair_of_leaves<float>>, pair_of_leaves<float>, pair_of_leaves<float>>;
  static_assert(step_count(plan) == 3);  // two leaves and the numbers that they share
  static_assert(passes(plan) == 14);     // of each leaf four arrays are read and three written
}
