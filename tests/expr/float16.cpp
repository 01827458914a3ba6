// Tensors of 16-bit floats: computed in float, rounded where they are stored.
#include "storage_floats.hpp"

#include <cmath>
#include <cstdint>
#include <type_traits>

using namespace dimity;
using namespace dimity_tests;

TEST_CASE_TEMPLATE("element types of results", T, float16, bfloat16) {
  tensor<T, 3> const x{1, 2, 3};
  tensor<std::int8_t, 3> const i8{1, 2, 3};
  tensor<std::int16_t, 3> const i16{1, 2, 3};
  tensor<std::int32_t, 3> const i32{1, 2, 3};
  tensor<float, 3> const f{1, 2, 3};
  tensor<double, 3> const d{1, 2, 3};
  static_assert(std::is_same_v<type_in<decltype(x + x)>, T> && std::is_same_v<type_in<decltype(x * 2.0)>, T> && std::is_same_v<type_in<decltype(3 - x)>, T>);
  static_assert(std::is_same_v<type_in<decltype(x + i8)>, T> && std::is_same_v<type_in<decltype(x + i16)>, float> && std::is_same_v<type_in<decltype(x + i32)>, double>);
  static_assert(std::is_same_v<type_in<decltype(x + f)>, float> && std::is_same_v<type_in<decltype(x + d)>, double>);
  static_assert(std::is_same_v<type_in<decltype(x + cast<float16>(x) * cast<bfloat16>(x))>, float>);
  static_assert(std::is_same_v<type_in<decltype(exp(x))>, T> && std::is_same_v<type_in<decltype(mean(x))>, T> && std::is_same_v<type_in<decltype(sum(x))>, T> && std::is_same_v<type_in<decltype(x < x)>, bool>);
  static_assert(std::is_same_v<type_in<decltype(argmax(x, axis<0>))>, std::int64_t> && std::is_same_v<type_in<decltype(cumulative_sum(x, axis<0>))>, T>);
  tensor<T, 3> const y = x + i8;
  CHECK(static_cast<float>(y(2)) == 6.0f);
  tensor<float, 3> const z = x + f;
  CHECK(z(1) == 4.0f);
}

TEST_CASE_TEMPLATE("as NumPy and ml_dtypes compute one operation", T, float16, bfloat16) {
  golden_bits<T> const golden("float16");
  golden.check_operations();
  golden.check_exact(tanh(golden.load("a")), "tanh");
}

TEST_CASE_TEMPLATE("rounded once, where they are stored", T, float16, bfloat16) {
  auto const x = numbers<T, 7, 37>(1), y = numbers<T, 7, 37>(2);
  auto const b = numbers<T, 37>(3);
  auto const wx = wide(x), wy = wide(y);
  auto const wb = wide(b);
  CHECK(is_rounded<T>(x * y + b, wx * wy + wb));
  CHECK(is_rounded<T>(tanh(x) * 0.1 + exp(-square(y)), tanh(wx) * 0.1f + exp(-square(wy))));
  CHECK(is_rounded<T>(where(x < y, x, y * 2), where(wx < wy, wx, wy * 2)));
  CHECK(is_rounded<T>(gelu(x), gelu(wx)));
  CHECK(is_rounded<T>(x * 0.999, wx * 0.999f));  // 0.999 is 1 in bfloat16
  CHECK(is_rounded<T>(sum(x * y, axis<1>), sum(wx * wy, axis<1>)));
  CHECK(is_rounded<T>(sum(x, axis<0>), sum(wx, axis<0>)));
  CHECK(is_rounded<T>(mean(square(x - y)), mean(square(wx - wy))));
  CHECK(is_rounded<T>(max(x, axis<1>), max(wx, axis<1>)));
  CHECK(is_rounded<T>(softmax(x + b, axis<-1>), softmax(wx + wb, axis<-1>)));
  CHECK(is_rounded<T>(cumulative_sum(x, axis<1>), cumulative_sum(wx, axis<1>)));
  CHECK(is_rounded<T>(logsumexp(x, axis<1>), logsumexp(wx, axis<1>)));
  tensor<float, 7> const unrounded = cast<float>(sum(x * y, axis<1>));
  CHECK(allclose(unrounded, sum(wx * wy, axis<1>), 1e-6, 1e-6));
  tensor<std::int64_t, 4> const counts{1, 2, 3, 5000};
  tensor<T, 4> const converted = cast<T>(counts);
  for (int i = 0; i < 4; ++i) CHECK(converted.data()[i].bits == T(counts.data()[i]).bits);
  tensor<float, 7, 37> const to_own_type = cast<float>(cast<T>(x * y));
  for (std::size_t i = 0; i < to_own_type.size(); ++i) CHECK(to_own_type.data()[i] == static_cast<float>(T(wx.data()[i] * wy.data()[i])));
  // What the user asks for is done.
  tensor<float, 7, 37> const rounded = cast<float>(cast<T>(wx * wy));
  int different = 0;
  for (std::size_t i = 0; i < rounded.size(); ++i) {
    CHECK(rounded.data()[i] == static_cast<float>(T(wx.data()[i] * wy.data()[i])));
    different += rounded.data()[i] != wx.data()[i] * wy.data()[i];
  }
  CHECK(different > 100);
  CHECK(eval(any(x != x))() == false);
  CHECK(eval(argmax(x, axis<1>))(3) == eval(argmax(wx, axis<1>))(3));
}

TEST_CASE_TEMPLATE("elements move without a change", T, float16, bfloat16) {
  tensor<T, 4, 6> x;
  for (int i = 0; i < 24; ++i) x.data()[i] = T::from_bits(static_cast<std::uint16_t>(0x1234 + 97 * i));
  x(1, 1) = T::from_bits(0x7fff);  // a nan with all its bits
  auto const bits = [](auto const& from, std::size_t i) { return from.data()[i].bits; };
  tensor<T, 6, 4> const turned = transpose(x);
  tensor<T, 24> const flat = reshape<24>(x);
  tensor<T, 2, 3> const part = slice<1, 1, 6, 2>(slice<0, 1, 3>(x));
  tensor<T, 8, 6> const twice = concat<0>(x, x);
  tensor<T, 3, 6> const taken = take(x, tensor<std::int64_t, 3>{3, 1, 0}, axis<0>);
  tensor<T, 4, 6> copied = x;
  tensor<T, 4, 6> const mirrored = flip(x, axis<1>);
  int wrong = 0;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 6; ++j) {
      std::uint16_t const expected = bits(x, i * 6 + j);
      wrong += bits(turned, j * 4 + i) != expected || bits(flat, i * 6 + j) != expected || bits(twice, 24 + i * 6 + j) != expected || bits(copied, i * 6 + j) != expected || bits(mirrored, i * 6 + 5 - j) != expected;
      if (i >= 1 && i < 3 && j % 2 == 1) wrong += bits(part, (i - 1) * 3 + j / 2) != expected;
      if (i == 3) wrong += bits(taken, j) != expected;
    }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("sizes that fill no vector, and none at all", T, float16, bfloat16) {
  auto const check = []<extent_t N>(std::integral_constant<extent_t, N>) {
    auto const x = numbers<T, N>(4);
    CHECK(is_rounded<T>(exp(x) + x, exp(wide(x)) + wide(x)));
    CHECK(is_rounded<T>(sum(x), sum(wide(x))));
  };
  check(std::integral_constant<extent_t, 1>{});
  check(std::integral_constant<extent_t, 2>{});
  check(std::integral_constant<extent_t, 15>{});
  check(std::integral_constant<extent_t, 17>{});
  check(std::integral_constant<extent_t, 1000>{});
  tensor<T, 0> const none;
  CHECK(eval(sum(none))().bits == 0);
  CHECK(eval(none * 2).size() == 0);
}

TEST_CASE_TEMPLATE("beside other element types in one kernel", T, float16, bfloat16) {
  auto const x = numbers<T, 5, 19>(5);
  auto const wx = wide(x);
  tensor<double, 5, 19> const d = cast<double>(wx) * 1.000001;
  tensor<std::int32_t, 5, 19> const i = cast<std::int32_t>(x * 10);
  tensor<bool, 5, 19> const positive = x > 0;
  tensor<double, 5, 19> const mixed = x + d;
  int wrong = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    wrong += mixed.data()[k] != static_cast<double>(wx.data()[k]) + d.data()[k] || i.data()[k] != static_cast<std::int32_t>(wx.data()[k] * 10) || positive.data()[k] != (wx.data()[k] > 0);
  }
  CHECK(wrong == 0);
  tensor<T, 5, 19> const from_double = cast<T>(d), from_integer = cast<T>(i), from_bool = cast<T>(positive);
  for (std::size_t k = 0; k < x.size(); ++k) {
    wrong += from_double.data()[k].bits != T(d.data()[k]).bits || from_integer.data()[k].bits != T(i.data()[k]).bits || static_cast<float>(from_bool.data()[k]) != (positive.data()[k] ? 1.0f : 0.0f);
  }
  CHECK(wrong == 0);
  tensor<T, 5, 19> const chosen = where(positive, x, 0.5);
  for (std::size_t k = 0; k < x.size(); ++k) wrong += chosen.data()[k].bits != (positive.data()[k] ? x.data()[k] : T(0.5)).bits;
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("random numbers, and tensors that are filled", T, float16, bfloat16) {
  tensor<T, 20000> const u = random::uniform<T, 20000>(key{1}), v = random::uniform<T, 20000>(key{3}, 2, 3);
  float const step = std::is_same_v<T, bfloat16> ? 0x1p-8f : 0x1p-11f;
  int outside = 0;
  for (std::size_t i = 0; i < 20000; ++i) {
    float const x = u.data()[i], y = v.data()[i];
    outside += x < 0 || x >= 1 || x / step != std::floor(x / step) || y < 2 || y >= 3;
  }
  CHECK(outside == 0);
  CHECK(std::fabs(static_cast<float>(mean(cast<float>(u))) - 0.5f) < 0.01f);
  tensor<T, 500> const n = random::normal<T, 500>(key{2});
  CHECK(is_rounded<T>(n, eval(random::normal<float, 500>(key{2}))));
  tensor<T, 4> const steps = arange<T, 4>(T(1), T(0.5)), filled = full<T, 4>(0.1);
  CHECK(static_cast<float>(steps(3)) == 2.5f);
  tensor<T, 131> const line = linspace<T, 131>(0, 1);
  for (int i = 0; i < 131; ++i) CHECK(line.data()[i].bits == T(static_cast<float>(i) * (1.0f / 130)).bits);
  CHECK(filled(2).bits == T(0.1).bits);
  CHECK(allclose(filled, filled));
}
