// Integer arithmetic as NumPy has it, for processors and GPUs: it wraps around, and division by zero gives zero.
#pragma once

#include <cstdint>
#include <type_traits>

#include <dimity/core/config.hpp>

// Functions that device code may call too. nvcc takes a constexpr function for one of the host's only.
#ifdef __CUDACC__
#define DIMITY_HOST_DEVICE __host__ __device__
#else
#define DIMITY_HOST_DEVICE
#endif

namespace DIMITY_NAMESPACE::detail {

/// Unsigned, and no narrower than int: C++ would promote std::uint16_t to int, in which 65535 * 65535 overflows.
template <class T>
struct wide_unsigned {
  using type = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;
};
template <>
struct wide_unsigned<bool> {
  using type = std::uint32_t;
};

template <class T>
DIMITY_HOST_DEVICE constexpr T floor_divide(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == T(-1)) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
    T const q = static_cast<T>(a / b);
    return static_cast<T>(q - ((a % b != 0) && ((a % b < 0) != (b < 0)) ? 1 : 0));
  } else {
    return static_cast<T>(a / b);
  }
}
/// With the sign of b.
template <class T>
DIMITY_HOST_DEVICE constexpr T integer_remainder(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == T(-1)) return 0;
    T const r = static_cast<T>(a % b);
    return static_cast<T>(r != 0 && ((r < 0) != (b < 0)) ? r + b : r);
  } else {
    return static_cast<T>(a % b);
  }
}
template <class T>
DIMITY_HOST_DEVICE constexpr T integer_power(T base, T exponent) {
  using U = std::make_unsigned_t<T>;
  if constexpr (std::is_signed_v<T>)
    if (exponent < 0) return static_cast<T>(base == 1 ? 1 : base == T(-1) ? (exponent % 2 == 0 ? 1 : -1) : 0);
  using P = typename wide_unsigned<T>::type;
  P result = 1, b = static_cast<P>(static_cast<U>(base));
  for (U e = static_cast<U>(exponent); e != 0; e = static_cast<U>(e >> 1)) {
    if (e & 1u) result *= b;
    b *= b;
  }
  return static_cast<T>(result);
}

}  // namespace DIMITY_NAMESPACE::detail
