// heavy: many factorisations, each with a plan and a kernel of its own
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
template <class T>
inline constexpr double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-12;
constexpr auto factors = [](auto const& a) { return linalg::qr(a); };

/// Both sides find the same values; vectors may have other signs, so they are held against what they are for.
template <class T, extent_t N>
void check_eigh(tensor<T, 2, N, N> const& x) {
  auto const a = eval(x + permute<0, 2, 1>(x));
  auto const [w, v] = compile([](auto const& m) { return linalg::eigh(m); })(a);
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const [w_there, v_there] = to_host(compile([](auto const& m) { return linalg::eigh(m); }, cuda{})(to_cuda(a)));
    test::check_close(w_there, w, tolerance<T> * 4);
    test::check_close(eval(matmul(permute<0, 2, 1>(v_there), v_there)), eval(zeros<T, 2, N, N>() + eye<T, N>()), tolerance<T>);
    test::check_close(eval(matmul(a, v_there)), eval(v_there * expand_dims<1>(w_there)), tolerance<T> * 4);
  }
  emulation::order = emulation::schedule::round_robin;
}
}  // namespace

TEST_CASE_TEMPLATE("cuda: QR factorisations", T, float, double) {
  same_within(tolerance<T>, factors, numbers<T, 1, 1>(1));
  same_within(tolerance<T>, factors, numbers<T, 3, 5, 3>(2));
  same_within(tolerance<T>, factors, numbers<T, 9, 9>(3));
  same_within(tolerance<T>, factors, numbers<T, 70, 12>(4));
  same_within(tolerance<T>, [](auto const& a) { return linalg::qr(transpose(a)); }, numbers<T, 4, 33>(5));
  same_within(tolerance<T>, factors, eval(numbers<T, 6, 4>(6) * static_cast<T>(1e20)));
  same_within(tolerance<T>, factors, eval(zeros<T, 4, 2>()));
}

TEST_CASE_TEMPLATE("cuda: eigenvalues of symmetric matrices", T, float, double) {
  check_eigh(numbers<T, 2, 1, 1>(1));
  check_eigh(numbers<T, 2, 2, 2>(1));
  check_eigh(numbers<T, 2, 7, 7>(2));
  check_eigh(numbers<T, 2, 24, 24>(3));
}

TEST_CASE("cuda: eigenvalues of special matrices, and gradients") {
  auto const values = [](auto const& m) { return linalg::eigvalsh(m); };
  same_within(1e-12, values, tensor<double, 3, 3>{{0, 1, 0}, {1, 0, 0}, {0, 0, 0}});
  same_within(1e-12, values, eval(ones<double, 5, 5>()));
  same_within(1e-12, values, eval(zeros<double, 4, 4>()));
  tensor<double, 3, 3> wrong = zeros<double, 3, 3>();
  wrong(2, 0) = std::numeric_limits<double>::infinity();
  same_within(1e-12, values, wrong);
  same_within(1e-9, grad([](auto const& m) {
                auto const w = linalg::eigvalsh(m + transpose(m));
                return sum(w * square(w));
              }),
              numbers<double, 5, 5>(1));
  same_within(1e-9, grad([](auto const& m) {
                auto const [q, r] = linalg::qr(m);
                return sum(square(q + 1.0)) + sum(square(r));
              }),
              numbers<double, 6, 4>(2));
}
