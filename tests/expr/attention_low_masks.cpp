// Attention with rows whose mask is finite and low everywhere: the softmax of what is there, forwards and backwards, as with all scores at once.
// heavy: compiled derivatives
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <limits>

using namespace dimity;

namespace {

template <bool Causal>
inline constexpr attention_options in_blocks{.causal = Causal, .block_queries = 4, .block_keys = 8};
template <bool Causal>
inline constexpr attention_options as_a_whole{.causal = Causal};
template <attention_options O>
constexpr auto attend = [](auto const& u, auto const&... x) { return sum(scaled_dot_product_attention<O>(x...) * u); };
template <attention_options O>
constexpr auto result_and_gradients = [](auto const& u, auto const&... x) { return std::tuple{scaled_dot_product_attention<O>(x...), grad<1, 2, 3, 4>(attend<O>)(u, x...)}; };
template <attention_options O>
constexpr auto slope_along = [](auto const& x, auto const& u, auto const& y, auto const& m) { return sum(grad<1>(attend<O>)(y, x, y, y, m) * u); };

/// Rows of numbers that are added to scores: ordinary ones, and -1e9, the lowest float and -infinity everywhere, or but for one key.
template <class T, extent_t Keys>
tensor<T, 9, Keys> masks() {
  auto m = eval(random::normal<T, 9, Keys>(key{5}));
  T const lowest = std::numeric_limits<T>::lowest();
  for (int j = 0; j < Keys; ++j) {
    m(2, j) = T(-1e9);
    m(3, j) = lowest;
    m(4, j) = -std::numeric_limits<T>::infinity();
    m(6, j) = j == 3 ? m(6, j) : T(-1e9);
    m(7, j) = j == 3 ? m(7, j) : lowest;
    m(8, j) = T(-1e4);
  }
  return m;
}

template <class T, bool Causal>
void check(double within) {
  auto const u = eval(random::normal<T, 2, 9, 3>(key{1}));
  auto const q = eval(random::normal<T, 2, 9, 5>(key{2}));
  auto const k = eval(random::normal<T, 2, 13, 5>(key{3}));
  auto const v = eval(random::normal<T, 2, 13, 3>(key{4}));
  auto const mask = masks<T, 13>();
  auto const [y, d] = compile(result_and_gradients<in_blocks<Causal>>)(u, q, k, v, mask);
  auto const [whole_y, whole_d] = compile(result_and_gradients<as_a_whole<Causal>>)(u, q, k, v, mask);
  CHECK(eval(all(isfinite(whole_y)))());
  CHECK(allclose(y, whole_y, within, within));
  CHECK(allclose(std::get<0>(d), std::get<0>(whole_d), within, within));
  CHECK(allclose(std::get<1>(d), std::get<1>(whole_d), within, within));
  CHECK(allclose(std::get<2>(d), std::get<2>(whole_d), within, within));
  CHECK(allclose(std::get<3>(d), std::get<3>(whole_d), within, within));
  // A row without anything is 0; one of equal numbers is a mean, however low they are.
  CHECK(eval(all(pick<0>(pick<0>(y, 1), 4) == T(0)))());
  if (!Causal) CHECK(allclose(eval(pick<0>(pick<0>(y, 1), 3)), eval(mean(pick<0>(v, 1), axis<0>)), within, within));
}

}  // namespace

TEST_CASE("rows that a finite mask rules out have the gradients of their softmax") {
  check<float, false>(2e-5);
  check<float, true>(2e-5);
  check<double, false>(1e-6);  // in double -1e9 leaves digits of the scores, but not all
}
TEST_CASE("second derivatives of attention with numbers that are added to the scores, low ones too") {
  auto const x = eval(random::normal<float, 13, 3>(key{1})), u = eval(random::normal<float, 13, 3>(key{2}));
  auto const y = eval(random::normal<float, 13, 3>(key{3}));
  tensor<float, 13, 13> bias = zeros<float, 13, 13>();
  auto const low = masks<float, 13>();
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 13; ++j) bias(i, j) = low(i, j);
  auto const [dx, dm] = grad<0, 3>(slope_along<in_blocks<false>>)(x, u, y, bias);
  auto const [ex, em] = grad<0, 3>(slope_along<as_a_whole<false>>)(x, u, y, bias);
  CHECK(eval(all(isfinite(ex)))());
  CHECK(allclose(dx, ex, 2e-5, 2e-5));
  CHECK(allclose(dm, em, 2e-5, 2e-5));
}
