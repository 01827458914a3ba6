// Models with std::optional fields on a GPU: a program for each combination of them, as on this machine.
#include "on_cuda.hpp"

#include "../transform/optional_models.hpp"

#include <optional>
#include <utility>

using namespace dimity;
using test::apply_model;
using test::numbers;

namespace {

template <class T>
using layer = test::layer_of<T, 12>;
template <class T>
struct net {
  layer<T> first, second;
  constexpr auto operator()(auto const& x) const { return second(first(x)); }
};
constexpr auto loss = [](auto const& m, auto const& x) { return mean(square(m(x))); };
constexpr auto train = [](auto const& m, auto const& s, auto const& x) {
  auto const g = grad(loss)(m, x);
  return optim::update(s, m, g);
};
net<float> example(bool first, bool second) {
  net<float> m{{numbers<float, 12, 12>(1), std::nullopt}, {numbers<float, 12, 12>(2), std::nullopt}};
  if (first) m.first.bias = numbers<float, 12>(3);
  if (second) m.second.bias = numbers<float, 12>(4);
  return m;
}
void check_same(net<float> const& got, net<float> const& wanted) {
  test::check_close(got.first.weight, wanted.first.weight, 1e-4);
  test::check_close(got.second.weight, wanted.second.weight, 1e-4);
  REQUIRE(got.first.bias.has_value() == wanted.first.bias.has_value());
  REQUIRE(got.second.bias.has_value() == wanted.second.bias.has_value());
  if (wanted.first.bias) test::check_close(*got.first.bias, *wanted.first.bias, 1e-4);
  if (wanted.second.bias) test::check_close(*got.second.bias, *wanted.second.bias, 1e-4);
}

}  // namespace

TEST_CASE("cuda: what is there of a model decides which program runs") {
  auto const x = numbers<float, 5, 12>(5);
  auto const x_there = to_cuda(x);
  for (int which = 0; which < 4; ++which) {
    CAPTURE(which);
    auto const m = example((which & 1) != 0, (which & 2) != 0);
    auto const there = to_cuda(m);
    static_assert(std::is_same_v<std::remove_const_t<decltype(there)>, net<on_cuda<float>>>);
    CHECK(there.first.bias.has_value() == m.first.bias.has_value());
    test::check_close(to_host(compile(apply_model, cuda{})(there, x_there)), compile(apply_model)(m, x), 1e-4);
    check_same(to_host(grad(loss)(there, x_there)), grad(loss)(m, x));
  }
}

TEST_CASE("cuda: a training step of such a model, in place, recorded or not") {
  for (bool const graph : {false, true}) {
    auto m = example(true, false);
    auto s = optim::adamw(m, {.learning_rate = 1e-2});
    auto there = to_cuda(m);
    auto s_there = to_cuda(s);
    auto const x = numbers<float, 5, 12>(5);
    auto const x_there = to_cuda(x);
    auto const step = compile(train);
    auto const step_there = compile(train, cuda{.graph = graph});
    float const* const bias = there.first.bias->data();
    for (int i = 0; i < 4; ++i) {
      std::tie(m, s) = step(std::move(m), std::move(s), x);
      std::tie(there, s_there) = step_there(std::move(there), std::move(s_there), x_there);
      CHECK(there.first.bias->data() == bias);
    }
    check_same(to_host(there), m);
  }
}

TEST_CASE("cuda: an optional that is used and not there, and a state that does not fit its model") {
  constexpr auto uses = [](auto const& m, auto const& x) { return matmul(x, m.weight) + *m.bias; };
  auto const x = to_cuda(numbers<float, 5, 12>(5));
  auto const m = to_cuda(layer<float>{numbers<float, 12, 12>(1), std::nullopt});
  CHECK_THROWS_AS(compile(uses, cuda{})(m, x), presence_error);
  auto const full = to_cuda(example(true, true));
  auto const state = to_cuda(optim::adamw(example(true, false)));
  CHECK_THROWS_AS(compile(train, cuda{})(full, state, x), presence_error);
}

TEST_CASE("cuda: optionals and extents chosen at run time") {
  for (int n : {1, 9}) {
    auto const x = numbers<float, dim<"batch">, 12>(5, n);
    auto const m = example(false, true);
    auto const y = to_host(compile(apply_model, cuda{})(to_cuda(m), to_cuda(x)));
    CHECK(y.extent(0) == static_cast<std::size_t>(n));
    test::check_close(y, compile(apply_model)(m, x), 1e-4);
  }
}
