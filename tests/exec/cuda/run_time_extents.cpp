// heavy: kernels without optimisation, with sanitizers, take minutes and 3 GB to compile
// Extents that are chosen at run time, on a GPU: every kernel takes them as arguments.
#include "../../support/on_cuda.hpp"

using namespace dimity;
using namespace test;

namespace {
constexpr extent_t batch = dim<"batch">, length = dim<"length">;

}  // namespace

TEST_CASE("elementwise work on a batch of any size") {
  auto const f = [](auto const& x, auto const& b) { return tanh(x * b) + x; };
  for (int n : {0, 1, 3, 700}) {
    CAPTURE(n);
    same_on_cuda(f, numbers<float, batch, 12>(1, n), numbers<float, 12>(2));
    same_on_cuda(f, numbers<float, batch, 7>(1, n), numbers<float, 7>(2));
  }
}

TEST_CASE("layouts of run-time extents: broadcasts, transposes, slices, reshapes") {
  for (int n : {1, 5, 64}) {
    CAPTURE(n);
    auto const x = numbers<float, batch, 12>(1, n);
    auto const y = numbers<float, batch, 1>(2, n);
    same_on_cuda([](auto const& a, auto const& b) { return a * b - b; }, x, y);
    same_on_cuda([](auto const& a) { return transpose(a) * 2.0f; }, x);
    same_on_cuda([](auto const& a) { return slice<1, 2, 10, 3>(a) + 1.0f; }, x);
    same_on_cuda([](auto const& a) { return reshape<batch, 3, 4>(a) * 0.5f; }, x);
    same_on_cuda([](auto const& a, auto const& b) { return permute<2, 0, 1>(a) + b; }, numbers<float, batch, length, 8>(3, n, 6), numbers<float, batch, length>(4, n, 6));
    same_on_cuda([](auto const& a) { return where(a > 0.0f, a, arange<float, 12>()); }, x);
  }
}

TEST_CASE("rows: kept in registers where their length is known, read again where it is not") {
  auto const softmaxes = [](auto const& a) { return softmax(a, axis<-1>); };
  auto const normalized = [](auto const& a, auto const& g) { return (a - mean(a, axis<-1>, keep_dims)) / sqrt(var(a, axis<-1>, keep_dims) + 1e-5f) * g; };
  for (int n : {0, 1, 3, 65}) {
    CAPTURE(n);
    same_on_cuda(softmaxes, numbers<float, batch, 48>(1, n));
    same_on_cuda(softmaxes, numbers<float, batch, 1000>(1, n));
    same_on_cuda(normalized, numbers<float, batch, 40>(1, n), numbers<float, 40>(2));
  }
  for (int n : {1, 130, 700}) {
    CAPTURE(n);
    same_on_cuda(softmaxes, numbers<float, batch, 2, length>(1, 3, n));
    same_on_cuda([](auto const& a) { return a / sum(square(a), axis<1>, keep_dims); }, numbers<float, batch, length, 2>(1, 5, n));
  }
  // So many blocks share a row that the emulation takes its time.
  same_on_cuda(softmaxes, numbers<float, 3, length>(1, 700));
}

TEST_CASE("reductions: totals, columns, rows, with and without numbers of terms that are known") {
  for (int n : {0, 5000}) {
    CAPTURE(n);
    auto const x = numbers<float, batch, 12>(1, n);
    same_within(1e-4, [](auto const& a) { return std::tuple{sum(a), mean(a)}; }, x);
    same_within(1e-4, [](auto const& a) { return std::tuple{sum(a, axis<0>), mean(square(a), axis<0>)}; }, x);
    same_within(1e-4, [](auto const& a) { return std::tuple{sum(a, axis<1>), any(a > 3.9f, axis<1>)}; }, x);
    if (n > 0) same_within(1e-4, [](auto const& a) { return logsumexp(a, axis<1>); }, numbers<float, batch, length, 3>(2, 4, n));
  }
  same_within(1e-4, [](auto const& a) { return std::tuple{max(a), max(a, axis<0>), min(a, axis<1>)}; }, numbers<float, batch, 12>(1, 31));
  same_within(1e-4, [](auto const& a) { return std::tuple{sum(a, axis<1>), sum(a, axis<0>), var(a)}; }, numbers<float, batch, length>(2, 300, 9));
}

TEST_CASE_TEMPLATE("products with rows, columns, terms or entries that are chosen at run time", T, float, double, bfloat16) {
  auto const plain = [](auto const& a, auto const& b) { return matmul(a, b); };
  double const tolerance = std::is_same_v<T, double> ? 1e-12 : std::is_same_v<T, float> ? 1e-4 : 0.02;
  for (int n : {1, 5, 64, 150}) {
    CAPTURE(n);
    same_within(tolerance, plain, numbers<T, batch, 40>(1, n), numbers<T, 40, 24>(2));
    same_within(tolerance, plain, numbers<T, 24, 40>(2), numbers<T, 40, batch>(1, n));
    same_within(tolerance, [](auto const& a, auto const& b) { return matmul(transpose(a), b); }, numbers<T, batch, 40>(1, n), numbers<T, batch, 24>(2, n));
    same_within(tolerance, [](auto const& a, auto const& b) { return matmul(a, permute<0, 2, 1>(b)); }, numbers<T, batch, length, 16>(1, 3, n), numbers<T, batch, length, 16>(2, 3, n));
    same_within(tolerance, [](auto const& a, auto const& b, auto const& c) { return maximum(matmul(a, transpose(b)) + c, T(0)); }, numbers<T, batch, 40>(1, n), numbers<T, 30, 40>(2), numbers<T, 30>(3));
  }
  same_within(tolerance, plain, numbers<T, batch, 40>(1, 0), numbers<T, 40, 24>(2));
  same_within(tolerance, plain, numbers<T, 6, length>(1, 0), numbers<T, length, 24>(2, 0));
}
