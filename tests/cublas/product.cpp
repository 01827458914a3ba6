// heavy: every call is a product of 256 x 256 x 256 or more, emulated element by element
// Of products through cuBLASLt (exec/cuda/cublas.hpp, library_product.hpp): an executable of its own, because all files of a program agree on DIMITY_CUBLAS. Here the library is emulated and checks what it is asked.
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {

#ifdef DIMITY_CUDA_EMULATION
/// Calls of the library that `f` makes; the last of them is in emulated_cublas::last.
template <class F>
long calls_of(F const& f) {
  long const before = emulated_cublas::calls;
  f();
  return emulated_cublas::calls - before;
}
emulated_cublas::call const& last = emulated_cublas::last;
#else
struct {
  struct {
    unsigned epilogue = 0;
    int transposes_a = 0, transposes_b = 0, compute = 0;
  } what;
  struct {
    int batch = 0, type = 0;
    long rows = 0, columns = 0, leading = 0;
  } a, b, c, d;
  double alpha = 0, beta = 0;
} last;
template <class F>
long calls_of(F const& f) {
  long const before = detail::cublas_library::get().started();
  f();
  return detail::cublas_library::get().started() - before;
}
#endif
/// What only the emulation tells.
#define CHECK_CALL(...)  \
  if (test::emulated) {  \
    CHECK((__VA_ARGS__));  \
  }

constexpr long runs = static_cast<long>(std::size(test::schedules));
constexpr auto product = [](auto const& a, auto const& b) { return matmul(a, b); };
constexpr auto product_of_rows = [](auto const& a, auto const& b) { return matmul(a, transpose(b)); };
constexpr auto product_of_columns = [](auto const& a, auto const& b) { return matmul(transpose(a), b); };

constexpr auto loss = [](auto const& w1, auto const& w2, auto const& x) { return mean(square(matmul(gelu_tanh(matmul(x, w1)), w2))); };
constexpr auto step = [](auto const& w1, auto const& w2, auto const& x) {
  auto const [l, g] = value_and_grad<0, 1>(loss)(w1, w2, x);
  return std::tuple{w1 - 0.5f * std::get<0>(g), w2 - 0.5f * std::get<1>(g), l};
};

}  // namespace

TEST_CASE("cublas: layouts") {
  auto const a = numbers<float, 192, 320>(1);
  auto const a_columns = numbers<float, 320, 192>(2);
  auto const b = numbers<float, 320, 288>(3);
  auto const b_rows = numbers<float, 288, 320>(4);
  CHECK(calls_of([&] { same_within(2e-4, product, a, b); }) == runs);
  CHECK_CALL(last.what.transposes_a == 0 && last.what.transposes_b == 0 && last.d.rows == 288 && last.d.columns == 192 && last.beta == 0 && last.what.epilogue == 1u);
  CHECK(calls_of([&] { same_within(2e-4, product_of_rows, a, b_rows); }) == runs);
  CHECK_CALL(last.what.transposes_a == 1 && last.what.transposes_b == 0);
  CHECK(calls_of([&] { same_within(2e-4, product_of_columns, a_columns, b); }) == runs);
  CHECK_CALL(last.what.transposes_a == 0 && last.what.transposes_b == 1);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& y) { return matmul(transpose(x), transpose(y)); }, a_columns, b_rows); }) == runs);
  // Rows that lie apart and begin anywhere.
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& y) { return matmul(slice<1, 3, 259>(x), slice<1, 5, 261>(slice<0, 1, 257>(y))); }, numbers<float, 256, 320>(6), b); }) == runs);
  CHECK_CALL(last.a.leading == 288 && last.b.leading == 320 && last.a.rows == 256 && last.d.columns == 256);
  // Neither axis has neighbours; what is small; what does not exist.
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& y) { return matmul(slice<1, 0, 320, 2>(x), slice<0, 0, 160>(y)); }, numbers<float, 320, 320>(5), b); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, 192, 320>(1), numbers<float, 320, 48>(2)); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, 128, 128>(1), numbers<float, 128, 128>(2)); }) == 0);
  CHECK(calls_of([&] { same_within(0, product, numbers<std::int32_t, 256, 256>(1), numbers<std::int32_t, 256, 256>(2)); }) == 0);
}

TEST_CASE("cublas: types") {
  auto const a = numbers<float, 256, 256>(1);
  auto const b = numbers<float, 256, 256>(2);
  CHECK(calls_of([&] { same_within(1e-11, product, numbers<double, 256, 256>(1), numbers<double, 256, 256>(2)); }) == runs);
  CHECK(calls_of([&] { same_within<fast_cuda>(1e-1, product, a, b); }) == runs);
#ifdef DIMITY_CUDA_EMULATION
  CHECK(last.what.compute == CUBLAS_COMPUTE_32F_FAST_TF32);
#endif
  CHECK(calls_of([&] { same_within<strict_cuda>(2e-4, product, a, b); }) == 0);
  auto const f16 = [](auto const& x, auto const& y) { return std::tuple{cast<float>(matmul(x, y)), matmul(x, y)}; };
  auto const rounded = [](auto const& x, auto const& y) { return matmul(x, y); };
  CHECK(calls_of([&] { same_within(2e-2, rounded, cast<bfloat16>(a), cast<bfloat16>(b)); }) == runs);
  CHECK(calls_of([&] { same_within(2e-2, rounded, cast<float16>(a), cast<float16>(b)); }) == runs);
  CHECK(calls_of([&] { same_within(1e-3, [](auto const& x, auto const& y) { return cast<float>(matmul(x, y)); }, cast<bfloat16>(a), cast<bfloat16>(b)); }) == runs);
  // Two results of one product are an epilogue of ours.
  CHECK(calls_of([&] { same_within(2e-2, f16, cast<bfloat16>(a), cast<bfloat16>(b)); }) == 0);
  // Eight bits: where both have neighbours along the terms.
  CHECK(calls_of([&] { same_within(test::emulated ? 1e-3 : 5e-2, [](auto const& x, auto const& y) { return cast<float>(matmul(x, transpose(y))); }, cast<float8_e4m3fn>(a), cast<float8_e4m3fn>(b)); }) == runs);
  CHECK(calls_of([&] { same_within(1e-3, [](auto const& x, auto const& y) { return cast<float>(matmul(x, y)); }, cast<float8_e4m3fn>(a), cast<float8_e4m3fn>(b)); }) == 0);
  CHECK(calls_of([&] { same_within(0, [](auto const& x, auto const& y) { return matmul(cast<std::int32_t>(x), transpose(cast<std::int32_t>(y))); }, numbers<std::int8_t, 256, 256>(1), numbers<std::int8_t, 256, 256>(2)); }) == runs);
}

TEST_CASE("cublas: epilogues that the library has") {
  auto const x = numbers<float, 192, 320>(1);
  auto const w = numbers<float, 320, 288>(2);
  auto const r = numbers<float, 192, 288>(3);
  auto const b = numbers<float, 288>(4);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return matmul(x, w) + b; }, x, w, b); }) == runs);
  CHECK_CALL(last.what.epilogue == 4u);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); }, x, w, b); }) == runs);
  CHECK_CALL(last.what.epilogue == 6u);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return gelu_tanh(b + matmul(x, w)); }, x, w, b); }) == runs);
  CHECK_CALL(last.what.epilogue == 36u);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b, auto const& r) { return r + (matmul(x, w) + b); }, x, w, b, r); }) == runs);
  CHECK_CALL(last.what.epilogue == 4u && last.beta == 1);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return r - 0.125f * matmul(x, w); }, x, w, r); }) == runs);
  CHECK_CALL(last.alpha == -0.125 && last.beta == 1);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return relu(-matmul(x, w) - 0.5f * r); }, x, w, r); }) == runs);
  CHECK_CALL(last.alpha == -1 && last.beta == -0.5 && last.what.epilogue == 2u);
  // 16 bits, rounded once at the end.
  CHECK(calls_of([&] { same_within(2e-2, [](auto const& x, auto const& w, auto const& b) { return gelu_tanh(matmul(x, w) + b); }, cast<bfloat16>(x), cast<bfloat16>(w), cast<bfloat16>(b)); }) == runs);
#ifdef DIMITY_CUDA_EMULATION
  CHECK(last.d.type == CUDA_R_16BF);
#endif
  CHECK_CALL(last.what.epilogue == 36u);
  // A layer's gradient wants what the activation was given.
  auto const keeps = [](auto const& x, auto const& w, auto const& b) {
    auto const u = matmul(x, w) + b;
    return std::tuple{gelu_tanh(u), u};
  };
  CHECK(calls_of([&] { same_within(2e-4, keeps, x, w, b); }) == runs);
  CHECK_CALL(last.what.epilogue == (36u | 128u));
}

TEST_CASE("cublas: epilogues that are kernels of ours") {
  auto const x = numbers<float, 192, 320>(1);
  auto const w = numbers<float, 320, 288>(2);
  auto const r = numbers<float, 192, 288>(3);
  auto const b = numbers<float, 288>(4);
  auto const column = numbers<float, 192, 1>(5);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return tanh(matmul(x, w) + b); }, x, w, b); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w) { return gelu(matmul(x, w)); }, x, w); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& c) { return matmul(x, w) + c; }, x, w, column); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return relu(matmul(x, w)) + r; }, x, w, r); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) * r; }, x, w, r); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r, auto const& b) { return matmul(x, w) + r + b * 2.0f + 2.0f * r; }, x, w, r, b); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return 2.0f * (matmul(x, w) + b); }, x, w, b); }) == 0);
  CHECK(calls_of([&] { same_within(1e-11, [](auto const& x, auto const& w, auto const& b) { return matmul(x, w) + b; }, numbers<double, 256, 256>(1), numbers<double, 256, 256>(2), numbers<double, 256>(3)); }) == 0);
}

TEST_CASE("cublas: what looks like a sum of a product and something else") {
  auto const x = numbers<float, 192, 320>(1);
  auto const w = numbers<float, 320, 288>(2);
  auto const r = numbers<float, 192, 304>(3);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w) { auto const y = matmul(x, w); return y + y; }, x, w); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w) { auto const y = matmul(x, w); return y - 0.5f * y; }, x, w); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w) { auto const y = matmul(x, w); return relu(y) + y; }, x, w); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) + 0.0f * slice<1, 0, 288>(r); }, x, w, r); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) - slice<1, 8, 296>(r); }, x, w, r); }) == runs);
  CHECK_CALL(last.c.leading == 304 && last.beta == -1);
  // A deep chain beside the product is looked at once.
  CHECK(calls_of([&] {
    same_within(2e-4, [](auto const& x, auto const& w, auto const& r) {
      auto y = slice<1, 0, 288>(r);
      auto const f = [](auto const& v) { return v * (1.0f - v); };
      return matmul(x, w) + f(f(f(f(f(f(f(f(f(f(f(f(0.01f * y))))))))))));
    }, x, w, r);
  }) == 0);
}

TEST_CASE("cublas: the memory of an argument") {
  // Over the residual, which is an operand; what is kept for a gradient must not be there.
  auto const x = numbers<float, 256, 256>(1);
  auto const w = numbers<float, 256, 256>(2);
  auto const r = numbers<float, 256, 256>(3);
  auto const there_x = to_cuda(x);
  auto const there_w = to_cuda(w);
  auto const add = [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) + r; };
  auto const both = [](auto const& x, auto const& w, auto const& r) {
    auto const u = matmul(x, w) + r;
    return std::tuple{u, gelu_tanh(u)};
  };
  CHECK(calls_of([&] { test::compare(compile(add, cuda{})(there_x, there_w, to_cuda(r)), compile(add)(x, w, r), 2e-4); }) == 1);
  test::compare(compile(both, cuda{})(there_x, there_w, to_cuda(r)), compile(both)(x, w, r), 2e-4);
}

TEST_CASE("cublas: batches") {
  // Of matrices that share their columns: one product.
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); }, numbers<float, 2, 4, 64, 160>(1), numbers<float, 160, 256>(2), numbers<float, 256>(3)); }) == runs);
  CHECK_CALL(last.d.batch == 1 && last.d.columns == 512);
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, 2, 3, 96, 160>(1), numbers<float, 2, 3, 160, 192>(2)); }) == runs);
  CHECK_CALL(last.d.batch == 6);
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, 96, 320>(1), numbers<float, 6, 320, 192>(2)); }) == runs);
  CHECK_CALL(last.d.batch == 6);
  // Heads beside one another, as attention has them.
  auto const scores = [](auto const& q, auto const& k) { return matmul(permute<0, 2, 1, 3>(q), permute<0, 2, 3, 1>(k)); };
  CHECK(calls_of([&] { same_within(2e-4, scores, numbers<float, 1, 192, 4, 128>(1), numbers<float, 1, 192, 4, 128>(2)); }) == runs);
  CHECK_CALL(last.d.batch == 4);
  CHECK(calls_of([&] { same_within(2e-4, scores, numbers<float, 2, 192, 4, 96>(1), numbers<float, 2, 192, 4, 96>(2)); }) == 0);
  // Residuals that all entries share, and that lie otherwise; entries backwards.
  auto const a = numbers<float, 8, 128, 128>(1);
  auto const b = numbers<float, 8, 128, 128>(2);
  auto const sum = [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) + r; };
  CHECK(calls_of([&] { same_within(2e-4, sum, a, b, numbers<float, 128, 128>(3)); }) == runs);
  CHECK_CALL(last.c.stride == 0 && last.beta == 1);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w, auto const& r) { return matmul(x, w) + permute<1, 0, 2>(r); }, a, b, numbers<float, 128, 8, 128>(3)); }) == runs);
  CHECK(calls_of([&] { same_within(2e-4, [](auto const& x, auto const& w) { return matmul(flip(x, axis<0>), w); }, a, b); }) == 0);
}

TEST_CASE("cublas: extents chosen at run time") {
  auto const layer = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
  auto const w = numbers<float, 256, 256>(2);
  auto const b = numbers<float, 256>(3);
  CHECK(calls_of([&] { same_within(2e-4, layer, numbers<float, dyn, 256>(1, 256), w, b); }) == runs);
  CHECK(calls_of([&] { same_within(2e-4, layer, numbers<float, dyn, 256>(1, 300), w, b); }) == runs);
  CHECK(calls_of([&] { same_within(2e-4, layer, numbers<float, dyn, 256>(1, 7), w, b); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, layer, numbers<float, dyn, 256>(1, 0), w, b); }) == 0);
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, dyn, dyn, dyn>(1, 2, 192, 250), numbers<float, dyn, dyn, dyn>(2, 2, 250, 190)); }) == runs);
}

TEST_CASE("cublas: in loops, whose operands begin anywhere") {
  auto const f = [](auto const& x, auto const& ws) { return scan([](auto const& s, auto const& w) { return std::tuple{relu(matmul(s, w) * 0.0625f), sum(s)}; }, x, ws); };
  CHECK(calls_of([&] { same_within(2e-4, f, numbers<float, 257, 257>(1), numbers<float, 3, 257, 257>(2)); }) == 3 * runs);
}

TEST_CASE("cublas: a training step as a graph") {
  auto w1 = eval(0.05f * numbers<float, 256, 320>(1));
  auto w2 = eval(0.05f * numbers<float, 320, 256>(2));
  auto const x = numbers<float, 256, 256>(3);
  auto v1 = to_cuda(w1);
  auto v2 = to_cuda(w2);
  auto const there = to_cuda(x);
  auto const here_step = compile(step);
  auto const there_step = compile(step, cuda{.graph = true});
  tensor<float> l;
  cuda_tensor<float> m;
  long const calls = calls_of([&] {
    for (int i = 0; i < 4; ++i) {
      std::tie(w1, w2, l) = here_step(std::move(w1), std::move(w2), x);
      std::tie(v1, v2, m) = there_step(std::move(v1), std::move(v2), there);
    }
  });
  CHECK(calls > 0);
  test::check_close(to_host(v1), w1, 1e-3);
  test::check_close(to_host(v2), w2, 1e-3);
  CHECK(float(to_host(m)) == doctest::Approx(float(l)).epsilon(1e-3));
}

TEST_CASE("cublas: extents that a recording meets first") {
  auto const w = numbers<float, 256, 256>(2);
  auto const there = to_cuda(w);
  auto const f = compile(product, cuda{.graph = true});
  for (int const n : {7, 512, 512, 640, 7, 512, 640, 640}) {
    auto const x = numbers<float, dyn, 256>(1, n);
    auto const there_x = to_cuda(x);
    for (int i = 0; i < 3; ++i) test::check_close(to_host(f(there_x, there)), compile(product)(x, w), 2e-4);
  }
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cublas: failures") {
  auto const a = to_cuda(numbers<float, 320, 336>(1));
  auto const b = to_cuda(numbers<float, 336, 320>(2));
  auto const f = compile(product, cuda{});
  emulated_cublas::next_search = CUBLAS_STATUS_ALLOC_FAILED;
  CHECK_THROWS_AS(f(a, b), cublas_error);
  CHECK(calls_of([&] { f(a, b); }) == 1);  // as if nothing had been
  emulated_cublas::next_call = CUBLAS_STATUS_EXECUTION_FAILED;
  CHECK_THROWS_AS(f(a, b), cublas_error);
  emulated_cublas::next_call = CUBLAS_STATUS_ARCH_MISMATCH;
  auto const by_us = to_host(f(a, b));
  CHECK(calls_of([&] { test::check_close(to_host(f(a, b)), by_us, 0); }) == 0);
}

TEST_CASE("cublas: asked once for each problem, and where it has no way") {
  auto const a = numbers<float, 256, 272>(1);
  auto const b = numbers<float, 272, 256>(2);
  auto const there_a = to_cuda(a);
  auto const there_b = to_cuda(b);
  auto const f = compile(product, cuda{});
  auto result = f(there_a, there_b);
  long const searches = emulated_cublas::searches, allocations = emulation::memory_of_device::get().allocations;
  for (int i = 0; i < 3; ++i) result = f(there_a, there_b);
  CHECK(emulated_cublas::searches == searches);
  CHECK(emulation::memory_of_device::get().allocations == allocations + 3);  // the results

  emulated_cublas::supports_nothing = true;
  CHECK(calls_of([&] { same_within(2e-4, product, numbers<float, 256, 304>(1), numbers<float, 304, 256>(2)); }) == 0);
  emulated_cublas::supports_nothing = false;
}
#endif
