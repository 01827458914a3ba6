// Cells: PyTorch's equations in NumPy, batches, and how many kernels and products a step is.
// heavy: many compiled steps
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "recurrent.hpp"

using namespace dimity;
using namespace recurrent_test;

namespace {

constexpr auto apply = [](auto const& cell, auto const& x, auto const& state) { return cell(x, state); };
/// The first outputs are those of one step.
template <class T>
void check_values(double tolerance) {
  tensor<T, 2, 3> const x = row(data().get<T, 4, 2, 3>("recurrent/x"), 0);
  auto const h = data().get<T, 2, 5>("recurrent/h"), c = data().get<T, 2, 5>("recurrent/c");
  auto const first = [](char const* name) { return eval(pick<0>(data().get<T, 4, 2, 5>(name), 0)); };
  CHECK(allclose(parameters<nn::rnn_cell<T, 3, 5>, T, 1>("rnn")(x, h), first("rnn/forward"), tolerance, tolerance));
  CHECK(allclose(parameters<nn::rnn_cell<T, 3, 5>, T, 1>("rnn")(x), first("rnn/zeros"), tolerance, tolerance));
  CHECK(allclose(parameters<nn::gru_cell<T, 3, 5>, T, 3>("gru")(x, h), first("gru/forward"), tolerance, tolerance));
  CHECK(allclose(parameters<nn::gru_cell<T, 3, 5>, T, 3>("gru")(x), first("gru/zeros"), tolerance, tolerance));
  auto const cell = parameters<nn::lstm_cell<T, 3, 5>, T, 4>("lstm");
  auto const [next, memory] = cell(x, std::tuple{h, c});
  CHECK(allclose(next, first("lstm/forward"), tolerance, tolerance));
  CHECK(allclose(std::get<0>(cell(x)), first("lstm/zeros"), tolerance, tolerance));
  // Rows by themselves.
  for (int b = 0; b < 2; ++b) {
    tensor<T, 3> const one = row(x, b);
    tensor<T, 5> const own_h = row(h, b), own_c = row(c, b);
    auto const [one_h, one_c] = cell(one, std::tuple{own_h, own_c});
    CHECK(allclose(one_h, row(next, b), tolerance, tolerance));
    CHECK(allclose(one_c, row(memory, b), tolerance, tolerance));
  }
}

}  // namespace

TEST_CASE("NumPy's values, for rows and for one") {
  check_values<double>(1e-14);
  check_values<float>(1e-5);
}
TEST_CASE("two batch axes, vmap, and a batch chosen at run time") {
  auto const cell = parameters<nn::lstm_cell<double, 3, 5>, double, 4>("lstm");
  auto const x = eval(random::normal<double, 3, 2, 3>(key{1}));
  auto const h = eval(random::normal<double, 3, 2, 5>(key{2})), c = eval(random::normal<double, 3, 2, 5>(key{3}));
  auto const [next, memory] = cell(x, std::tuple{h, c});
  auto const mapped_state = vmap<whole, mapped, mapped>(apply)(cell, x, std::tuple{h, c});
  CHECK(allclose(std::get<0>(mapped_state), next));
  CHECK(allclose(std::get<1>(mapped_state), memory));
  for (extent_t const n : {0, 1, 3}) {
    tensor<double, dim<"batch">, 2, 3> some(n);
    std::copy_n(x.data(), some.size(), some.data());
    tensor<double, dim<"batch">, 2, 5> some_h(n), some_c(n);
    std::copy_n(h.data(), some_h.size(), some_h.data());
    std::copy_n(c.data(), some_c.size(), some_c.data());
    auto const [own, own_memory] = cell(some, std::tuple{some_h, some_c});
    for (extent_t i = 0; i < n; ++i) CHECK(allclose(row(own, i), row(next, i)));
    auto const [start, start_memory] = cell(some);
    CHECK(start.extent(0) == static_cast<std::size_t>(n));
    CHECK(own_memory.size() == start_memory.size());
  }
}
TEST_CASE("parameters: PyTorch's names, uniform in one over the square root of the width") {
  auto const cell = nn::init<nn::gru_cell<float, 100, 16>>(key{1});
  std::vector<std::string> names;
  for_each_parameter(cell, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"weight_ih", "weight_hh", "bias_ih", "bias_hh"});
  for_each_parameter(cell, [&](std::string_view, auto const& p) {
    float const most = max(abs(p));
    CHECK((most <= 0.25f && most > 0.2f));
  });
}
TEST_CASE("nan stays in its row") {
  auto const cell = parameters<nn::lstm_cell<float, 3, 5>, float, 4>("lstm");
  tensor<float, 2, 3> x = ones<float, 2, 3>();
  x(1, 0) = std::numeric_limits<float>::quiet_NaN();
  auto const [h, c] = cell(x);
  CHECK((std::isfinite(h(0, 0)) && std::isfinite(c(0, 4)) && h(1, 0) != h(1, 0) && c(1, 4) != c(1, 4)));
}
TEST_CASE("plans: two products and one loop, of the rnn without gates too") {
  using x_t = tensor<float, 32>;
  using h_t = tensor<float, 64>;
  constexpr auto& lstm = compile(apply).plan<nn::lstm_cell<float, 32, 64>, x_t, std::tuple<h_t, h_t>>;
  static_assert(contraction_count(lstm) == 2 && kernel_count(lstm) == 1 && step_count(lstm) == 3 && epilogue_count(lstm) == 1);
  constexpr auto& gru = compile(apply).plan<nn::gru_cell<float, 32, 64>, x_t, h_t>;
  static_assert(contraction_count(gru) == 2 && kernel_count(gru) == 1 && step_count(gru) == 3 && epilogue_count(gru) == 2);
  constexpr auto& rnn = compile(apply).plan<nn::rnn_cell<float, 32, 64>, x_t, h_t>;
  static_assert(contraction_count(rnn) == 2 && kernel_count(rnn) == 1 && step_count(rnn) == 3);
  constexpr auto& batched = compile(apply).plan<nn::lstm_cell<float, 32, 64>, tensor<float, 8, 32>, std::tuple<tensor<float, 8, 64>, tensor<float, 8, 64>>>;
  static_assert(contraction_count(batched) == 2 && kernel_count(batched) == 1 && step_count(batched) == 3);
  CHECK(contraction_flops(lstm) == 2 * 256 * (32 + 64));
}
TEST_CASE("a step allocates nothing") {
  auto const cell = nn::init<nn::lstm_cell<float, 32, 64>>(key{1});
  tensor<float, 32> const x = random::normal<float, 32>(key{2});
  std::tuple<tensor<float, 64>, tensor<float, 64>> state;
  state = cell(x, state);
  std::size_t const before = test::allocation_count();
  for (int i = 0; i < 3; ++i) state = cell(x, state);
  CHECK(test::allocation_count() == before);
  CHECK(std::isfinite(std::get<0>(state)(63)));
}
