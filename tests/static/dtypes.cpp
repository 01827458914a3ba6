// Element types and promotion; the whole table against NumPy's is in tests/expr.
#include <dimity/dimity.hpp>

using namespace dimity;

static_assert(dtype_of<float> == dtype::float32 && dtype_of<double> == dtype::float64 && dtype_of<bool> == dtype::boolean);
static_assert(dtype_of<signed char> == dtype::int8 && dtype_of<long long> == dtype::int64 && dtype_of<unsigned short> == dtype::uint16);
static_assert(dtype_of<dual<float>> == dtype::dual32);
static_assert(dtype_of<long double> == dtype::none && dtype_of<void*> == dtype::none);
static_assert(std::is_same_v<type_of<dtype::uint32>, std::uint32_t>);
static_assert(element<float> && element<bool> && element<dual<double>> && !element<long double> && !element<float const*>);

// Two tensors.
static_assert(promote(dtype::int8, dtype::uint8) == dtype::int16);
static_assert(promote(dtype::int64, dtype::uint64) == dtype::float64);
static_assert(promote(dtype::int16, dtype::float32) == dtype::float32);
static_assert(promote(dtype::int32, dtype::float32) == dtype::float64);
static_assert(promote(dtype::boolean, dtype::int8) == dtype::int8);
static_assert(promote(dtype::float64, dtype::dual32) == dtype::dual64);
constexpr bool promotion_is_symmetric() {
  for (int a = 0; a < static_cast<int>(dtype::none); ++a)
    for (int b = 0; b < static_cast<int>(dtype::none); ++b)
      if (promote(static_cast<dtype>(a), static_cast<dtype>(b)) != promote(static_cast<dtype>(b), static_cast<dtype>(a))) return false;
  return true;
}
static_assert(promotion_is_symmetric());

// A tensor and a plain number: the number decides only when it is of a higher kind.
static_assert(promote_scalar(dtype::float32, dtype::float64) == dtype::float32);
static_assert(promote_scalar(dtype::int8, dtype::int64) == dtype::int8);
static_assert(promote_scalar(dtype::int32, dtype::float64) == dtype::float64);
static_assert(promote_scalar(dtype::boolean, dtype::int32) == dtype::int32);

static_assert(floating_result(dtype::int32) == dtype::float64 && floating_result(dtype::float32) == dtype::float32);
static_assert(sum_result(dtype::int8) == dtype::int64 && sum_result(dtype::uint8) == dtype::uint64 && sum_result(dtype::boolean) == dtype::int64);

// What may be stored where without cast<T>().
static_assert(detail::stores<float, double> && detail::stores<int, double> && detail::stores<bool, float> && detail::stores<std::int16_t, float>);
static_assert(!detail::stores<double, float> && !detail::stores<float, int> && !detail::stores<int, float>);
