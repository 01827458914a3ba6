// Tensors of 8-bit floats: computed in float, rounded where they are stored; products with scales.
#include "storage_floats.hpp"

#include <dimity/plan/facts.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

using namespace dimity;
using namespace dimity_tests;

TEST_CASE_TEMPLATE("lanes of 8-bit floats convert as single ones, in any number", T, float8_e4m3fn, float8_e5m2) {
  golden::file const file("float8");
  auto const values = file.as<float>(name_of_type<T>() + "/float");
  constexpr extent_t many = 4096 + 37;
  REQUIRE(values.size() > many);
  tensor<float, many> x;
  for (std::size_t i = 0; i < many; ++i) x.data()[i] = values[values.size() - many + i];
  tensor<T, many> const narrow = cast<T>(x);
  tensor<float, many> const back = cast<float>(narrow);
  int wrong = 0;
  for (std::size_t i = 0; i < many; ++i) {
    T const one(x.data()[i]);
    float const value = one, got = back.data()[i];
    wrong += value != value ? got == got : narrow.data()[i].bits != one.bits || got != value;
  }
  CHECK(wrong == 0);
  auto const sizes = []<extent_t N>(std::integral_constant<extent_t, N>) {
    auto const y = numbers<T, N>(4);
    CHECK(is_rounded<T>(exp(y) + y, exp(wide(y)) + wide(y)));
    CHECK(is_rounded<T>(sum(y), sum(wide(y))));
  };
  sizes(std::integral_constant<extent_t, 0>{});
  sizes(std::integral_constant<extent_t, 1>{});
  sizes(std::integral_constant<extent_t, 17>{});
}

TEST_CASE_TEMPLATE("as ml_dtypes computes one operation on 8-bit floats", T, float8_e4m3fn, float8_e5m2) {
  golden_bits<T>("float8").check_operations();
}

TEST_CASE_TEMPLATE("8-bit floats move, meet other types, and are drawn", T, float8_e4m3fn, float8_e5m2) {
  tensor<T, 4, 6> x;
  for (int i = 0; i < 24; ++i) x.data()[i] = T::from_bits(static_cast<std::uint8_t>(37 * i));
  tensor<T, 6, 4> const turned = transpose(x);
  tensor<T, 8, 6> const twice = concat<0>(x, x);
  tensor<T, 3, 6> const taken = take(x, tensor<std::int64_t, 3>{3, 1, 0}, axis<0>);
  tensor<T, 2, 3> const part = slice<1, 1, 6, 2>(slice<0, 1, 3>(x));
  int wrong = 0;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 6; ++j) {
      auto const expected = x(i, j).bits;
      wrong += turned(j, i).bits != expected || twice(4 + i, j).bits != expected || (i == 3 && taken(0, j).bits != expected) || (i >= 1 && i < 3 && j % 2 == 1 && part(i - 1, j / 2).bits != expected);
    }
  CHECK(wrong == 0);
  auto const y = numbers<T, 5, 19>(5);
  tensor<double, 5, 19> const d = cast<double>(y) * 1.000001;
  tensor<bfloat16, 5, 19> const brain = cast<bfloat16>(y);
  tensor<T, 5, 19> const from_double = cast<T>(d), from_bool = cast<T>(y > 0), chosen = where(y > 0, y, 0.5), back = cast<T>(brain);
  tensor<std::int32_t, 5, 19> const integers = cast<std::int32_t>(y * 10);
  for (std::size_t k = 0; k < y.size(); ++k) {
    float const v = y.data()[k];
    wrong += from_double.data()[k].bits != T(d.data()[k]).bits || static_cast<float>(from_bool.data()[k]) != (v > 0 ? 1.0f : 0.0f) || chosen.data()[k].bits != (v > 0 ? y.data()[k] : T(0.5)).bits || integers.data()[k] != static_cast<std::int32_t>(v * 10) ||
             back.data()[k].bits != y.data()[k].bits;
  }
  CHECK(wrong == 0);
  tensor<T, 2000> const u = random::uniform<T, 2000>(key{1});
  for (T const e : u) wrong += !(static_cast<float>(e) >= 0) || static_cast<float>(e) >= 1;
  CHECK(wrong == 0);
  // Multiples of 2^-4 and 2^-3 below 1.
  CHECK(std::fabs(static_cast<float>(mean(cast<float>(u))) - (0.5f - static_cast<float>(std::numeric_limits<T>::epsilon()) / 4)) < 0.02f);
}

TEST_CASE_TEMPLATE("products of 8-bit floats with scales are one kernel", T, float8_e4m3fn, float8_e5m2) {
  tensor<float, 33, 70> const x = random::normal<float, 33, 70>(key{1}) * 1000.0f;
  tensor<float, 70, 45> const w = random::normal<float, 70, 45>(key{2}) * 0.001f;
  constexpr float largest = std::numeric_limits<T>::max();
  tensor<float, 33, 1> const scale_x = max(abs(x), axis<1>, keep_dims) / largest;
  tensor<float> const scale_w = max(abs(w)) / largest;
  tensor<T, 33, 70> const x8 = cast<T>(x / scale_x);
  tensor<T, 70, 45> const w8 = cast<T>(w / scale_w);
  constexpr auto layer = [](auto const& a, auto const& b, auto const& of_a, auto const& of_b) { return relu(matmul(a, b) * of_a * of_b); };
  tensor<float, 33, 45> const y = compile(layer)(x8, w8, scale_x, scale_w);
  CHECK(allclose(y, relu(matmul(cast<float>(x8) * scale_x, cast<float>(w8) * scale_w)), 1e-4, 1e-4));
  float const error = std::sqrt(static_cast<float>(mean(square(y - relu(matmul(x, w)))))), size = std::sqrt(static_cast<float>(mean(square(y))));
  CHECK(error < (std::is_same_v<T, float8_e4m3fn> ? 0.06f : 0.12f) * size);
  constexpr auto& p = compile(layer).template plan<tensor<T, 33, 70>, tensor<T, 70, 45>, tensor<float, 33, 1>, tensor<float>>;
  static_assert(step_count(p) == 1 && epilogue_count(p) == 1);
  // A row, and a transposed operand.
  tensor<T, 1, 70> const row = slice<0, 3, 4>(x8);
  CHECK(allclose(cast<float>(matmul(row, w8)), matmul(wide(row), wide(w8)), 1e-5, 1e-5));
  tensor<T, 45, 70> const turned = transpose(w8);
  CHECK(allclose(cast<float>(matmul(x8, transpose(turned))), matmul(wide(x8), wide(w8)), 1e-5, 1e-5));
  // Extents chosen at run time.
  tensor<T, dyn, 70> rows(33);
  for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = x8.data()[i];
  tensor<float, dyn, 45> const at_run_time = cast<float>(matmul(rows, w8));
  tensor<float, 33, 45> const known = cast<float>(matmul(x8, w8));
  REQUIRE(at_run_time.size() == known.size());
  for (std::size_t i = 0; i < known.size(); ++i) CHECK(std::fabs(at_run_time.data()[i] - known.data()[i]) <= 1e-5f * (1 + std::fabs(known.data()[i])));
}
TEST_CASE("a tolerance is not rounded to 8 bits") {
  tensor<float8_e4m3fn, 2> const a{0x1p-8, 1}, b{0x1p-9, 1};
  CHECK(!allclose(a, b, 0, 0.001));
  CHECK(allclose(a, b, 0, 0.002));
  CHECK(!allclose(tensor<float8_e4m3fn, 1>{1}, tensor<float8_e4m3fn, 1>{1.125}));
}
