// Conversion between every two types of numbers, in vectors and in tails, against static_cast.
#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <tuple>

using namespace dimity;

namespace {

/// Values that a conversion to To keeps, or, between integers, any bits: those outside of To's range wrap around.
template <class From, class To>
tensor<From, 71> values() {
  tensor<From, 71> x;
  std::uint64_t state = 88172645463325252ull;
  for (std::size_t i = 0; i < x.size(); ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if constexpr (std::is_integral_v<From>) {
      x.data()[i] = static_cast<From>(state >> (i % 3 == 0 ? 56 : i % 3 == 1 ? 40 : 0));
      if (i == 5) x.data()[i] = std::numeric_limits<From>::min();
      if (i == 6) x.data()[i] = std::numeric_limits<From>::max();
    } else {
      // With a fraction, which is cut off.
      double const size = std::is_integral_v<To> ? (sizeof(To) == 1 ? 127.0 : sizeof(To) == 2 ? 32767.0 : 2147483000.0) : 1e6;
      double const from = std::is_unsigned_v<To> ? 0.0 : -size;
      x.data()[i] = static_cast<From>(from + (size - from) * (static_cast<double>(state >> 11) * 0x1p-53));
    }
  }
  return x;
}
template <class From, class To>
int count_wrong() {
  auto const x = values<From, To>();
  tensor<To, 71> const y = cast<To>(x);
  int wrong = 0;
  for (extent_t i = 0; i < 71; ++i) wrong += y(i) != static_cast<To>(x(i));
  return wrong;
}

}  // namespace

TEST_CASE_TEMPLATE("every type to every other", From, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, float, double) {
  auto const to = [&]<class To>(To) {
    CAPTURE(name_of(dtype_of<To>));
    CHECK(count_wrong<From, To>() == 0);
  };
  std::apply([&](auto... types) { (to(types), ...); }, std::tuple<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, float, double>{});
}
TEST_CASE("numbers and truth values") {
  auto const x = values<std::int8_t, std::int8_t>();
  tensor<bool, 71> const is_odd = cast<std::int32_t>(x) % 2 != 0;
  tensor<std::uint8_t, 71> const bytes = cast<std::uint8_t>(is_odd);
  tensor<float, 71> const floats = cast<float>(is_odd);
  tensor<bool, 71> const back = cast<bool>(x), from_floats = cast<bool>(cast<float>(x) * 0.001f);
  for (extent_t i = 0; i < 71; ++i) {
    CHECK(bytes(i) == (x(i) % 2 != 0 ? 1 : 0));
    CHECK(floats(i) == (x(i) % 2 != 0 ? 1.0f : 0.0f));
    CHECK(back(i) == (x(i) != 0));
    CHECK(from_floats(i) == (x(i) != 0));
  }
}
TEST_CASE("several types in one kernel share its lanes") {
  auto const pixels = values<std::uint8_t, float>();
  auto const offsets = values<std::int16_t, float>();
  tensor<double, 71> const weights = cast<double>(values<std::int32_t, double>());
  tensor<double, 71> const y = cast<double>(cast<float>(pixels) * (1.0f / 255.0f)) * weights + cast<double>(offsets);
  for (extent_t i = 0; i < 71; ++i) CHECK(y(i) == doctest::Approx(static_cast<double>(static_cast<float>(pixels(i)) * (1.0f / 255.0f)) * weights(i) + static_cast<double>(offsets(i))).epsilon(1e-12));
}
