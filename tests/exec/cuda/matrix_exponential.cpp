// heavy: many plans, each with a kernel of its own
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
template <class T>
inline constexpr double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-10;
}  // namespace

TEST_CASE_TEMPLATE("cuda: exponentials of matrices", T, float, double) {
  auto const exponential = [](auto const& a) { return linalg::expm(a); };
  same_within(tolerance<T>, exponential, numbers<T, 1, 1>(1));
  same_within(tolerance<T>, exponential, eval(numbers<T, 2, 6, 6>(2) * static_cast<T>(0.01)));
  same_within(tolerance<T>, exponential, numbers<T, 2, 9, 9>(3));
  same_within(tolerance<T>, [](auto const& a) { return linalg::expm(transpose(a)); }, eval(numbers<T, 5, 5>(4) * static_cast<T>(3)));
  tensor<T, 2, 2> wrong = {{1, 2}, {3, std::numeric_limits<T>::infinity()}};
  same_within(tolerance<T>, exponential, wrong);
}
