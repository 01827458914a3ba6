// heavy: many factorisations, each with a plan and a kernel of its own
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
template <class T>
inline constexpr double tolerance = std::is_same_v<T, float> ? 5e-5 : 1e-12;
constexpr auto decompose = [](auto const& m) { return linalg::svd(m); };

/// Both sides find the same values; vectors may have other signs, so they are held against what they are for.
template <class T, extent_t B, extent_t M, extent_t N>
void check_svd(tensor<T, B, M, N> const& a) {
  auto const wanted = compile(decompose)(a);
  auto const& values = std::get<1>(wanted);
  double const size = 1 + static_cast<double>(max(values));
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const [u, s, vh] = to_host(compile(decompose, cuda{})(to_cuda(a)));
    test::check_close(s, values, tolerance<T> * size);
    test::check_close(eval(matmul(permute<0, 2, 1>(u), u)), eval(zeros<T, B, N, N>() + eye<T, N>()), tolerance<T>);
    test::check_close(eval(matmul(vh, permute<0, 2, 1>(vh))), eval(zeros<T, B, N, N>() + eye<T, N>()), tolerance<T>);
    test::check_close(eval(matmul(u * expand_dims<1>(s), vh)), a, tolerance<T> * size);
  }
  emulation::order = emulation::schedule::round_robin;
}
}  // namespace

TEST_CASE_TEMPLATE("cuda: singular values", T, float, double) {
  check_svd(numbers<T, 2, 1, 1>(1));
  check_svd(numbers<T, 2, 3, 2>(1));
  check_svd(numbers<T, 2, 7, 7>(2));
  check_svd(numbers<T, 2, 40, 11>(3));
}

TEST_CASE("cuda: singular values of special matrices, and gradients") {
  check_svd(eval(zeros<double, 2, 5, 3>()));
  check_svd(eval(ones<double, 2, 6, 4>()));
  check_svd(eval(ones<float, 2, 6, 4>()));
  check_svd(eval(zeros<double, 2, 4, 4>() + 3.0 * eye<double, 4>()));
  // Columns far apart, and equal tiny ones.
  auto tiny = numbers<float, 1, 8, 4>(4);
  for (int i = 0; i < 8; ++i) {
    tiny(0, i, 1) *= 1e-12f;
    tiny(0, i, 3) = tiny(0, i, 1);
  }
  check_svd(tiny);
  check_svd(eval(numbers<double, 1, 6, 3>(5) * 1e200));

  auto const values = [](auto const& m) { return linalg::svdvals(m); };
  tensor<double, 3, 2> wrong = zeros<double, 3, 2>();
  wrong(2, 0) = std::numeric_limits<double>::quiet_NaN();
  same_within(1e-12, values, wrong);
  same_within(1e-9, grad([](auto const& m) {
                auto const s = linalg::svdvals(m);
                return sum(s * square(s));
              }),
              numbers<double, 6, 4>(1));
}
