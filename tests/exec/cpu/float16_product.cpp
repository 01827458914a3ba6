// Products of 16-bit matrices: every layout that is copied or used in place, against sums in double, and against the scalar reference.
#include "storage_products.hpp"

#include <dimity/threads.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace dimity;
using test::check_layouts;
using test::numbers;

namespace {

template <class T>
void check_sizes() {
  check_layouts<T, 1, 1, 1>();
  check_layouts<T, 1, 7, 5>();
  check_layouts<T, 1, 64, 64>();
  check_layouts<T, 3, 2, 4>();
  check_layouts<T, 5, 33, 17>();
  check_layouts<T, 17, 16, 16>();
  check_layouts<T, 31, 66, 1>();
  check_layouts<T, 40, 34, 50>();
  check_layouts<T, 64, 96, 3>();
}

}  // namespace

TEST_CASE("every layout of bfloat16") { check_sizes<bfloat16>(); }
TEST_CASE("every layout of float16") { check_sizes<float16>(); }
TEST_CASE("layouts of 8-bit floats, few rows and many") {
  check_layouts<float8_e4m3fn, 1, 64, 70>();
  check_layouts<float8_e4m3fn, 4, 33, 19>();
  check_layouts<float8_e4m3fn, 40, 34, 50>();
}
TEST_CASE("few rows of 16-bit floats, any number of columns and terms") {
  check_layouts<float16, 2, 16, 8>();
  check_layouts<float16, 3, 37, 31>();
  check_layouts<float16, 4, 2, 9>();
  check_layouts<bfloat16, 4, 35, 33>();
}

TEST_CASE_TEMPLATE("nothing to add up, and nothing to compute", T, float16, bfloat16) {
  tensor<T, 3, 0> const a;
  tensor<T, 0, 4> const b;
  tensor<T, 3, 4> const zeros_only = matmul(a, b);
  for (std::size_t i = 0; i < 12; ++i) CHECK(zeros_only.data()[i].bits == 0);
  tensor<T, 0, 5> const none = matmul(tensor<T, 0, 3>(), numbers<tensor<T, 3, 5>>());
  CHECK(none.size() == 0);
}
TEST_CASE_TEMPLATE("infinities and nan stay in their row and column", T, float16, bfloat16) {
  auto a = numbers<tensor<T, 5, 9>>();
  auto b = numbers<tensor<T, 9, 20>>();
  for (extent_t i = 0; i < 9; ++i) b(i, 3) = T(1);
  a(2, 8) = std::numeric_limits<T>::infinity();
  b(1, 7) = std::numeric_limits<T>::quiet_NaN();
  tensor<T, 5, 20> const y = matmul(a, b);
  CHECK(std::isinf(static_cast<float>(y(2, 3))));
  for (extent_t i = 0; i < 5; ++i)
    for (extent_t j = 0; j < 20; ++j) {
      if (j == 7) CHECK(std::isnan(static_cast<float>(y(i, j))));
      else if (i != 2) CHECK(std::isfinite(static_cast<float>(y(i, j))));
    }
}
TEST_CASE_TEMPLATE("batches, parts of larger matrices, and an epilogue", T, float16, bfloat16) {
  auto const a = numbers<tensor<T, 3, 10, 12>>(1);
  auto const b = numbers<tensor<T, 3, 12, 18>>(2);
  auto const bias = numbers<tensor<T, 18>>(3);
  tensor<T, 3, 10, 18> const y = relu(matmul(a, b) + bias);
  tensor<float, 3, 7, 18> const part = cast<float>(matmul(slice<1, 1, 8>(a), b));
  tensor<float, 3, 10, 18> const odd = cast<float>(matmul(slice<2, 1, 12>(a), slice<1, 1, 12>(b)));
  int wrong = 0;
  for (extent_t n = 0; n < 3; ++n)
    for (extent_t i = 0; i < 10; ++i)
      for (extent_t j = 0; j < 18; ++j) {
        float sum = 0, without_first = 0;
        for (extent_t l = 0; l < 12; ++l) {
          sum += static_cast<float>(a(n, i, l)) * static_cast<float>(b(n, l, j));
          if (l > 0) without_first += static_cast<float>(a(n, i, l)) * static_cast<float>(b(n, l, j));
        }
        wrong += y(n, i, j).bits != T(std::fmax(sum + static_cast<float>(bias(j)), 0.0f)).bits;
        if (i >= 1 && i < 8) wrong += part(n, i - 1, j) != sum;
        wrong += odd(n, i, j) != without_first;
      }
  CHECK(wrong == 0);
}
TEST_CASE_TEMPLATE("extents chosen at run time", T, float16, bfloat16, float8_e4m3fn) {
  for (extent_t const m : {1, 3, 5, 140})
    for (extent_t const k : {1, 31, 300})
      for (extent_t const n : {1, 17, 70}) {
        tensor<T, dyn, dyn> a(m, k), b(k, n), bt(n, k);
        for (std::size_t i = 0; i < a.size(); ++i) a.data()[i] = T(static_cast<float>(static_cast<int>(i * 7 % 15) - 7) * 0.25f);
        for (std::size_t i = 0; i < b.size(); ++i) b.data()[i] = T(static_cast<float>(static_cast<int>(i * 5 % 13) - 6) * 0.25f);
        for (extent_t i = 0; i < k; ++i)
          for (extent_t j = 0; j < n; ++j) bt(j, i) = b(i, j);
        tensor<float, dyn, dyn> const y = cast<float>(matmul(a, b)), z = cast<float>(matmul(a, transpose(bt)));
        int wrong = 0;
        for (extent_t i = 0; i < m; ++i)
          for (extent_t j = 0; j < n; ++j) wrong += y(i, j) != test::expected(a, b, k, i, j) || z(i, j) != y(i, j);
        CHECK(wrong == 0);
      }
}
TEST_CASE_TEMPLATE("threads give the same bits", T, float16, bfloat16) {
  tensor<T, 96, 200> const a = random::normal<T, 96, 200>(key{1});
  tensor<T, 200, 160> const b = random::normal<T, 200, 160>(key{2});
  tensor<T, 96, 160> const one = tanh(matmul(a, b)), three = eval(tanh(matmul(a, b)), cpu{.threads = 3});
  int wrong = 0;
  for (std::size_t i = 0; i < one.size(); ++i) wrong += one.data()[i].bits != three.data()[i].bits;
  CHECK(wrong == 0);
  // Few rows, and weights as (out, in).
  tensor<T, 2, 300> const x = cast<T>(random::normal<float, 2, 300>(key{3}));
  tensor<T, 4000, 300> const w = cast<T>(random::normal<float, 4000, 300>(key{4}));
  tensor<T, 4000> const bias = cast<T>(random::normal<float, 4000>(key{5}));
  tensor<T, 2, 4000> const alone = tanh(matmul(x, transpose(w)) + bias), shared = eval(tanh(matmul(x, transpose(w)) + bias), cpu{.threads = 3});
  tensor<float, 2, 4000> const wide = matmul(cast<float>(x), transpose(cast<float>(w))) + cast<float>(bias);
  for (std::size_t i = 0; i < alone.size(); ++i) wrong += alone.data()[i].bits != shared.data()[i].bits || std::fabs(static_cast<float>(alone.data()[i]) - std::tanh(wide.data()[i])) > 0.01f;
  CHECK(wrong == 0);
}
