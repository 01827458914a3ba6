#include <dimity/dimity.hpp>

#include "../golden/promotion.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace dimity;

namespace {

static_assert(dtype_of<bool> == dtype::boolean && dtype_of<signed char> == dtype::int8 && dtype_of<short> == dtype::int16 && dtype_of<int> == dtype::int32);
static_assert(dtype_of<long long> == dtype::int64 && dtype_of<std::uint8_t> == dtype::uint8 && dtype_of<unsigned> == dtype::uint32 && dtype_of<std::uint64_t> == dtype::uint64);
static_assert(dtype_of<float> == dtype::float32 && dtype_of<double> == dtype::float64 && dtype_of<dual<float>> == dtype::dual32 && dtype_of<dual<double>> == dtype::dual64);
static_assert(dtype_of<std::string> == dtype::none && dtype_of<long double> == dtype::none);
static_assert(element<float> && !element<char const*>);

template <int... I>
constexpr bool types_go_both_ways(std::integer_sequence<int, I...>) {
  return ((dtype_of<type_of<static_cast<dtype>(I)>> == static_cast<dtype>(I) && sizeof(type_of<static_cast<dtype>(I)>) == size_of(static_cast<dtype>(I))) && ...);
}
static_assert(types_go_both_ways(std::make_integer_sequence<int, static_cast<int>(dtype::none)>{}));

constexpr bool promotion_is_symmetric() {
  for (int a = 0; a < static_cast<int>(dtype::none); ++a)
    for (int b = 0; b < static_cast<int>(dtype::none); ++b)
      if (promote(static_cast<dtype>(a), static_cast<dtype>(b)) != promote(static_cast<dtype>(b), static_cast<dtype>(a))) return false;
  return true;
}
static_assert(promotion_is_symmetric());
constexpr bool promotion_is_numpys() {
  for (int a = 0; a < 11; ++a)
    for (int b = 0; b < 11; ++b)
      if (promote(static_cast<dtype>(a), static_cast<dtype>(b)) != static_cast<dtype>(golden::promote_types[a][b])) return false;
  return true;
}
static_assert(promotion_is_numpys());

static_assert(promote(dtype::dual32, dtype::float64) == dtype::dual64 && promote(dtype::dual32, dtype::int64) == dtype::dual32);
static_assert(promote_scalar(dtype::float32, dtype::float64) == dtype::float32 && promote_scalar(dtype::int8, dtype::int64) == dtype::int8);
static_assert(promote_scalar(dtype::int32, dtype::float32) == dtype::float32 && promote_scalar(dtype::boolean, dtype::int32) == dtype::int32);
static_assert(promote_scalar(dtype::float64, dtype::dual32) == dtype::dual64 && promote_scalar(dtype::dual64, dtype::float32) == dtype::dual64);
static_assert(floating_result(dtype::int8) == dtype::float64 && floating_result(dtype::float32) == dtype::float32);
static_assert(sum_result(dtype::boolean) == dtype::int64 && sum_result(dtype::uint8) == dtype::uint64 && sum_result(dtype::float32) == dtype::float32);

}  // namespace

TEST_CASE("dtypes have NumPy's names") {
  CHECK(std::string(name_of(dtype::boolean)) == "bool");
  CHECK(std::string(name_of(dtype::uint16)) == "uint16");
  CHECK(std::string(name_of(dtype::float64)) == "float64");
  CHECK(std::string(name_of(dtype::dual32)) == "dual<float32>");
  CHECK(std::string(name_of(dtype::none)) == "none");
}
