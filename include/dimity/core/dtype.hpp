// Element types as values, and NumPy's promotion rules over them.
#pragma once

#include <dimity/core/float8.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace DIMITY_NAMESPACE {

template <class T>
struct dual;

/// The element types that a tensor can have.
enum class dtype : std::uint8_t { boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, dual32, dual64, float16, bfloat16, float8_e4m3fn, float8_e5m2, none };

namespace detail {

template <class T>
struct dtype_of_type {
  static constexpr dtype value = [] {
    if constexpr (std::is_same_v<T, bool>) return dtype::boolean;
    else if constexpr (std::is_same_v<T, float>) return dtype::float32;
    else if constexpr (std::is_same_v<T, double>) return dtype::float64;
    else if constexpr (std::is_same_v<T, float16>) return dtype::float16;
    else if constexpr (std::is_same_v<T, bfloat16>) return dtype::bfloat16;
    else if constexpr (std::is_same_v<T, float8_e4m3fn>) return dtype::float8_e4m3fn;
    else if constexpr (std::is_same_v<T, float8_e5m2>) return dtype::float8_e5m2;
    else if constexpr (std::is_same_v<T, dual<float>>) return dtype::dual32;
    else if constexpr (std::is_same_v<T, dual<double>>) return dtype::dual64;
    else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
      return sizeof(T) == 1 ? dtype::int8 : sizeof(T) == 2 ? dtype::int16 : sizeof(T) == 4 ? dtype::int32 : dtype::int64;
    else if constexpr (std::is_integral_v<T>)
      return sizeof(T) == 1 ? dtype::uint8 : sizeof(T) == 2 ? dtype::uint16 : sizeof(T) == 4 ? dtype::uint32 : dtype::uint64;
    else return dtype::none;
  }();
};

template <dtype D> struct type_of_dtype;
template <> struct type_of_dtype<dtype::boolean> { using type = bool; };
template <> struct type_of_dtype<dtype::int8> { using type = std::int8_t; };
template <> struct type_of_dtype<dtype::int16> { using type = std::int16_t; };
template <> struct type_of_dtype<dtype::int32> { using type = std::int32_t; };
template <> struct type_of_dtype<dtype::int64> { using type = std::int64_t; };
template <> struct type_of_dtype<dtype::uint8> { using type = std::uint8_t; };
template <> struct type_of_dtype<dtype::uint16> { using type = std::uint16_t; };
template <> struct type_of_dtype<dtype::uint32> { using type = std::uint32_t; };
template <> struct type_of_dtype<dtype::uint64> { using type = std::uint64_t; };
template <> struct type_of_dtype<dtype::float16> { using type = float16; };
template <> struct type_of_dtype<dtype::bfloat16> { using type = bfloat16; };
template <> struct type_of_dtype<dtype::float8_e4m3fn> { using type = float8_e4m3fn; };
template <> struct type_of_dtype<dtype::float8_e5m2> { using type = float8_e5m2; };
template <> struct type_of_dtype<dtype::float32> { using type = float; };
template <> struct type_of_dtype<dtype::float64> { using type = double; };
template <> struct type_of_dtype<dtype::dual32> { using type = dual<float>; };
template <> struct type_of_dtype<dtype::dual64> { using type = dual<double>; };

}  // namespace detail

/// The dtype of a C++ element type; dtype::none when a tensor cannot hold it.
template <class T>
inline constexpr dtype dtype_of = detail::dtype_of_type<T>::value;

/// The C++ element type of a dtype.
template <dtype D>
using type_of = typename detail::type_of_dtype<D>::type;

/// Types that a tensor can hold.
template <class T>
concept element = dtype_of<T> != dtype::none;

constexpr bool is_dual_number(dtype d) { return d == dtype::dual32 || d == dtype::dual64; }
/// Floating-point numbers of 16 and 8 bits, which are computed with in float32.
constexpr bool is_storage_float(dtype d) { return d >= dtype::float16 && d <= dtype::float8_e5m2; }
constexpr bool is_float8(dtype d) { return d == dtype::float8_e4m3fn || d == dtype::float8_e5m2; }
constexpr bool is_floating(dtype d) { return d >= dtype::float32 && d <= dtype::float8_e5m2; }
constexpr bool is_signed_integer(dtype d) { return d >= dtype::int8 && d <= dtype::int64; }
constexpr bool is_unsigned_integer(dtype d) { return d >= dtype::uint8 && d <= dtype::uint64; }
constexpr bool is_integer(dtype d) { return d >= dtype::int8 && d <= dtype::uint64; }

/// Bytes of one element.
constexpr std::size_t size_of(dtype d) {
  switch (d) {
    case dtype::boolean: case dtype::int8: case dtype::uint8: case dtype::float8_e4m3fn: case dtype::float8_e5m2: return 1;
    case dtype::int16: case dtype::uint16: case dtype::float16: case dtype::bfloat16: return 2;
    case dtype::int32: case dtype::uint32: case dtype::float32: return 4;
    case dtype::dual64: return 16;
    case dtype::none: return 0;
    default: return 8;
  }
}

constexpr char const* name_of(dtype d) {
  constexpr char const* names[] = {"bool",   "int8",   "int16",   "int32",   "int64",        "uint8",        "uint16",
                                   "uint32", "uint64", "float32", "float64", "dual<float32>", "dual<float64>", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "none"};
  return names[static_cast<int>(d)];
}

/// The dtype of an operation on two tensors: NumPy's table (`np.promote_types`), extended by duals, bfloat16 and 8-bit floats. 64-bit integers of different sign, and
/// 32-bit integers with float32, need float64 to hold every value. float16 and bfloat16 hold those of 8 bits, and neither holds the other: together they are float32.
/// So are two different floats of 8 bits, and one of them with small integers.
constexpr dtype promote(dtype a, dtype b) {
  if (a == b) return a;
  if (is_dual_number(a) || is_dual_number(b)) {
    bool const wide = a == dtype::dual64 || b == dtype::dual64 || a == dtype::float64 || b == dtype::float64;
    return wide ? dtype::dual64 : dtype::dual32;
  }
  if (is_floating(a) && is_floating(b) && is_float8(a) != is_float8(b) && is_storage_float(a) && is_storage_float(b)) return is_float8(a) ? b : a;
  if (is_floating(a) && is_floating(b)) return a == dtype::float64 || b == dtype::float64 ? dtype::float64 : dtype::float32;
  if (is_floating(a) || is_floating(b)) {
    dtype const f = is_floating(a) ? a : b, i = is_floating(a) ? b : a;
    if (is_storage_float(f)) return i == dtype::boolean || (size_of(i) == 1 && !is_float8(f)) ? f : size_of(i) <= 2 ? dtype::float32 : dtype::float64;
    return f == dtype::float32 && size_of(i) <= 2 ? dtype::float32 : dtype::float64;
  }
  if (a == dtype::boolean) return b;
  if (b == dtype::boolean) return a;
  if (is_signed_integer(a) == is_signed_integer(b)) return size_of(a) > size_of(b) ? a : b;
  dtype const s = is_signed_integer(a) ? a : b, u = is_signed_integer(a) ? b : a;
  if (size_of(s) > size_of(u)) return s;
  switch (size_of(u)) {
    case 1: return dtype::int16;
    case 2: return dtype::int32;
    case 4: return dtype::int64;
    default: return dtype::float64;
  }
}

/// The dtype of an operation on a tensor and a plain C++ scalar: the scalar is weak, it decides only when it is of a higher kind
/// (bool < integer < floating point < dual). `float_tensor * 2.0` stays float; `int_tensor * 2.5` takes the scalar's own type.
constexpr dtype promote_scalar(dtype tensor, dtype scalar) {
  auto const kind = [](dtype d) { return d == dtype::boolean ? 0 : is_integer(d) ? 1 : is_dual_number(d) ? 3 : 2; };
  if (kind(scalar) > kind(tensor)) {
    if (is_dual_number(scalar) && tensor == dtype::float64) return dtype::dual64;
    return scalar;
  }
  return tensor;
}

/// What a floating-point function (exp, mean, ...) of this dtype computes in, as in NumPy: integers become float64.
constexpr dtype floating_result(dtype d) { return is_floating(d) ? d : dtype::float64; }

/// What sum and prod of this dtype accumulate in and return, as in NumPy: small integers widen to 64 bits.
constexpr dtype sum_result(dtype d) {
  if (d == dtype::boolean || is_signed_integer(d)) return dtype::int64;
  if (is_unsigned_integer(d)) return dtype::uint64;
  return d;
}

}  // namespace DIMITY_NAMESPACE
