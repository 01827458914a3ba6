// heavy: many factorisations, each with a plan and a kernel of its own
#include "matrices.hpp"

using namespace dimity;
using test::determinant, test::numbers, test::positive, test::regular, test::same_within, test::solve;

TEST_CASE("cuda: matrices that do not fit into the memory of a block") {
  // 120 rows of floats are more than 40 KiB.
  auto const big = [] {
    tensor<float, 1, 120, 120> a = numbers<float, 1, 120, 120>(7);
    for (int i = 0; i < 120; ++i) a(0, i, (i + 3) % 120) += 30.0f;
    return a;
  }();
  same_within(1e-3, solve, big, numbers<float, 1, 120, 2>(8));
  same_within(1e-3, determinant, big);
  same_within(1e-3, [](auto const& a) { return linalg::cholesky(matmul(a, permute<0, 2, 1>(a))); }, big);
}

TEST_CASE("cuda: singular and indefinite matrices, and gradients") {
  tensor<double, 3, 3> const singular = {{1, 2, 3}, {2, 4, 6}, {1, 1, 1}};
  same_within(1e-10, determinant, tensor<double, 2, 2>{{0, 0}, {0, 0}});
  same_within(1e-10, determinant, tensor<double, 2, 2>{{0, 1}, {2, 0}});
  same_within(1e-10, determinant, tensor<double, 0, 0>{});
  auto const [sign, logarithm] = to_host(compile(determinant, cuda{})(to_cuda(singular)));
  CHECK((double(sign) == 0 || double(logarithm) < -30));
  auto const factors = to_host(eval(linalg::cholesky(to_cuda(tensor<double, 2, 2>{{1, 2}, {2, 1}}))));
  CHECK(factors(0, 0) == 1);
  CHECK(std::isnan(factors(1, 1)));

  auto const likelihood = [](auto const& k, auto const& y) {
    auto const l = linalg::cholesky(matmul(k, transpose(k)) + 6.0 * eye<double, 6>());
    auto const z = linalg::triangular_solve(l, y);
    return sum(square(z)) + 2.0 * sum(log(diagonal(l)));
  };
  same_within(1e-9, grad(likelihood), numbers<double, 6, 6>(1), numbers<double, 6, 1>(2));
  same_within(1e-9, grad([](auto const& a, auto const& b) { return sum(square(linalg::solve(a, b))) + std::get<1>(linalg::slogdet(a)); }), eval(numbers<double, 5, 5>(3) + 4.0 * eye<double, 5>()), numbers<double, 5, 2>(4));
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: factors of a batch are one kernel, and it needs its barriers") {
  auto const there = to_cuda(positive<float, 12>());
  long const before = emulation::launches;
  static_cast<void>(eval(linalg::cholesky(there)));
  CHECK(emulation::launches - before == 1);

  auto const a = regular<double, 12>();
  auto const b = numbers<double, 3, 12, 2>(5);
  auto const wanted = eval(linalg::solve(a, b));
  bool noticed = false;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    noticed = noticed || !allclose(to_host(eval(linalg::solve(to_cuda(a), to_cuda(b)))), wanted, 1e-6, 1e-6);
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed);
}
#endif
