// Registers for the Fourier transforms: of half and quarter width too, and with the exchanges of lanes that a transform needs.
// These are the vectors of g++ and clang rather than xsimd's: xsimd 8 has no batch narrower than a given one, and its zips mean different things on different machines.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/shape.hpp>
#include <dimity/exec/cpu/simd.hpp>

#include <cstring>
#include <type_traits>
#include <utility>

// These functions index arrays that are registers, with constants; the checks of UndefinedBehaviorSanitizer for that take ten times as long to compile as the functions. What they read from memory and
// write there is still checked by AddressSanitizer.
#define DIMITY_FFT_INLINE __attribute__((always_inline, no_sanitize("undefined"))) inline
#define DIMITY_FFT_LAMBDA __attribute__((always_inline, no_sanitize("undefined")))

namespace DIMITY_NAMESPACE::detail {

template <class T, int W>
struct lanes_of {
  typedef T type __attribute__((vector_size(W * sizeof(T))));
};
template <class T>
struct lanes_of<T, 1> {
  using type = T;
};
/// W elements in a register; W is a power of two.
template <class T, int W>
using lanes = typename lanes_of<T, W>::type;

/// The largest number of lanes that n elements fill.
template <class T>
constexpr int lanes_for(extent_t n) {
  int w = native_lanes<T>();
  while (w > n) w /= 2;
  return w;
}

template <int W, class T>
DIMITY_FFT_INLINE lanes<T, W> read_lanes(T const* from) {
  lanes<T, W> x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <int W, class T>
DIMITY_FFT_INLINE void write_lanes(T* to, lanes<T, W> const& x) {
  std::memcpy(to, &x, sizeof x);
}
template <int W, class T>
DIMITY_FFT_INLINE lanes<T, W> all_lanes(T x) {
  if constexpr (W == 1) return x;
  else return lanes<T, W>{} + x;
}

/// f(0), f(1), ... f(N - 1), each with its number as a type: arrays that are only indexed so live in registers.
template <int N, class F>
DIMITY_FFT_INLINE void unrolled(F const& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) DIMITY_FFT_LAMBDA { (f(std::integral_constant<int, I>{}), ...); }(std::make_integer_sequence<int, N>{});
}

/// Lane i of the result is lane Pattern::at(i) of a and b one behind the other.
template <class Pattern, int W, class V, int... I>
DIMITY_FFT_INLINE auto exchange_by(V const& a, V const& b, std::integer_sequence<int, I...>) {
#ifdef __CUDACC__  // nvcc does not expand packs in this builtin's arguments
  using T = std::remove_cvref_t<decltype(a[0])>;
  T const from[] = {Pattern::template at<W>(I) < W ? a[Pattern::template at<W>(I) % W] : b[Pattern::template at<W>(I) % W]...};
  return read_lanes<static_cast<int>(sizeof...(I))>(from);
#else
  return __builtin_shufflevector(a, b, Pattern::template at<W>(I)...);
#endif
}
template <class Pattern, int W, int Out = W, class V>
DIMITY_FFT_INLINE auto exchange_lanes(V const& a, V const& b) {
  return exchange_by<Pattern, W>(a, b, std::make_integer_sequence<int, Out>{});
}

namespace lane_pattern {
struct reversed {
  template <int W>
  static constexpr int at(int i) {
    return W - 1 - i;
  }
};
/// From the beginning (Half 0) or the middle of the first operand on.
template <int Half>
struct part {
  template <int W>
  static constexpr int at(int i) {
    return Half * W / 2 + i;
  }
};
/// Every other lane, from Offset.
template <int Offset>
struct alternate {
  template <int W>
  static constexpr int at(int i) {
    return 2 * i + Offset;
  }
};
/// The first lanes of both in turn (Half 0), or the last.
template <int Half>
struct interleaved {
  template <int W>
  static constexpr int at(int i) {
    return i / 2 + Half * W / 2 + (i % 2) * W;
  }
};
/// In every block of two groups of Group lanes: the groups number Which of a and of b.
template <int Group, int Which>
struct pair_of_groups {
  template <int W>
  static constexpr int at(int i) {
    int const block = i / (2 * Group), group = i / Group % 2, lane = i % Group;
    return block * 2 * Group + Which * Group + lane + group * W;
  }
};
/// In every block of four groups: a 4 x 4 transpose in two steps, in the forms that are single instructions within 16 bytes (unpack) and between them.
template <int Group, int Which>
struct first_of_four {
  template <int W>
  static constexpr int at(int i) {
    int const block = i / (4 * Group), group = i / Group % 4, lane = i % Group;
    int const source = Group == 1 ? group / 2 + 2 * Which : group % 2 + 2 * Which;
    int const operand = Group == 1 ? group % 2 : group / 2;
    return block * 4 * Group + source * Group + lane + operand * W;
  }
};
template <int Group, int Which>
struct second_of_four {
  template <int W>
  static constexpr int at(int i) {
    int const block = i / (4 * Group), group = i / Group % 4, lane = i % Group;
    int const source = Group == 1 ? group % 2 + 2 * Which : 2 * (group % 2) + Which;
    return block * 4 * Group + source * Group + lane + group / 2 * W;
  }
};
}  // namespace lane_pattern

template <int W, class V>
DIMITY_FFT_INLINE V reverse_lanes(V const& x) {
  if constexpr (W == 1) return x;
  else return exchange_lanes<lane_pattern::reversed, W>(x, x);
}

/// Two registers as one of twice the width, and the halves of one.
template <class T, int W>
DIMITY_FFT_INLINE lanes<T, 2 * W> joined(lanes<T, W> const& low, lanes<T, W> const& high) {
  if constexpr (W == 1) return lanes<T, 2>{low, high};
  else return exchange_lanes<lane_pattern::part<0>, W, 2 * W>(low, high);
}
template <class T, int W, int Half>
DIMITY_FFT_INLINE lanes<T, W / 2> half_of(lanes<T, W> const& x) {
  if constexpr (W == 2) return x[Half];
  else return exchange_lanes<lane_pattern::part<Half>, W, W / 2>(x, x);
}

/// Transposes the blocks of Group x Group lanes in W rows, from Group on; all smaller ones have been transposed.
template <int W, int Group, class V>
DIMITY_FFT_INLINE void transpose_groups(V* rows) {
  using namespace lane_pattern;
  if constexpr (Group >= W) {
    return;
  } else if constexpr (constexpr int bytes = static_cast<int>(sizeof(V)) / W; (Group == 1 && bytes == 4 && W >= 4) || (Group * bytes >= 16 && 4 * Group <= W)) {
    unrolled<W / 4>([&](auto n) DIMITY_FFT_LAMBDA {
      constexpr int i = n / Group * 4 * Group + n % Group;
      V const a = rows[i], b = rows[i + Group], c = rows[i + 2 * Group], d = rows[i + 3 * Group];
      V const ab0 = exchange_lanes<first_of_four<Group, 0>, W>(a, b), ab1 = exchange_lanes<first_of_four<Group, 1>, W>(a, b);
      V const cd0 = exchange_lanes<first_of_four<Group, 0>, W>(c, d), cd1 = exchange_lanes<first_of_four<Group, 1>, W>(c, d);
      rows[i] = exchange_lanes<second_of_four<Group, 0>, W>(ab0, cd0);
      rows[i + Group] = exchange_lanes<second_of_four<Group, 1>, W>(ab0, cd0);
      rows[i + 2 * Group] = exchange_lanes<second_of_four<Group, 0>, W>(ab1, cd1);
      rows[i + 3 * Group] = exchange_lanes<second_of_four<Group, 1>, W>(ab1, cd1);
    });
    transpose_groups<W, 4 * Group>(rows);
  } else {
    unrolled<W / 2>([&](auto n) DIMITY_FFT_LAMBDA {
      constexpr int i = n / Group * 2 * Group + n % Group;
      V const a = rows[i], b = rows[i + Group];
      rows[i] = exchange_lanes<pair_of_groups<Group, 0>, W>(a, b);
      rows[i + Group] = exchange_lanes<pair_of_groups<Group, 1>, W>(a, b);
    });
    transpose_groups<W, 2 * Group>(rows);
  }
}
/// The W x W elements in rows, transposed.
template <int W, class V>
DIMITY_FFT_INLINE void transpose_lanes(V* rows) {
  transpose_groups<W, 1>(rows);
}

/// How many blocks of W columns cover R of them, and where each begins: the last one ends with the last column, and so overlaps the one before it where they do not fit.
template <int W, int R>
inline constexpr int column_blocks = (R + W - 1) / W;
template <int W, int R>
constexpr int column_block(int number) {
  return number * W + W <= R ? number * W : R - W;
}

/// The columns of a row-major [W, R] whose rows are `row` elements apart: lane l of columns[b] is from[l * row + b].
template <int W, int R, class T>
DIMITY_FFT_INLINE void read_columns(T const* from, extent_t row, lanes<T, W>* columns) {
  if constexpr (W == 1) {
    unrolled<R>([&](auto b) DIMITY_FFT_LAMBDA { columns[b] = from[b]; });
  } else if constexpr (R >= W) {
    unrolled<column_blocks<W, R>>([&](auto number) DIMITY_FFT_LAMBDA {
      constexpr int first = column_block<W, R>(number);
      lanes<T, W> rows[W];
      unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { rows[l] = read_lanes<W>(from + l * row + first); });
      transpose_lanes<W>(rows);
      unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { columns[first + l] = rows[l]; });
    });
  } else {
    lanes<T, W / 2> low[R], high[R];
    read_columns<W / 2, R>(from, row, low);
    read_columns<W / 2, R>(from + W / 2 * row, row, high);
    unrolled<R>([&](auto b) DIMITY_FFT_LAMBDA { columns[b] = joined<T, W / 2>(low[b], high[b]); });
  }
}
/// The reverse: to[l * row + b] is lane l of columns[b].
template <int W, int R, class T>
DIMITY_FFT_INLINE void write_columns(T* to, extent_t row, lanes<T, W> const* columns) {
  if constexpr (W == 1) {
    unrolled<R>([&](auto b) DIMITY_FFT_LAMBDA { to[b] = columns[b]; });
  } else if constexpr (R >= W) {
    unrolled<column_blocks<W, R>>([&](auto number) DIMITY_FFT_LAMBDA {
      constexpr int first = column_block<W, R>(number);
      lanes<T, W> rows[W];
      unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { rows[l] = columns[first + l]; });
      transpose_lanes<W>(rows);
      unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { write_lanes<W>(to + l * row + first, rows[l]); });
    });
  } else {
    lanes<T, W / 2> low[R], high[R];
    unrolled<R>([&](auto b) DIMITY_FFT_LAMBDA {
      low[b] = half_of<T, W, 0>(columns[b]);
      high[b] = half_of<T, W, 1>(columns[b]);
    });
    write_columns<W / 2, R>(to, row, low);
    write_columns<W / 2, R>(to + W / 2 * row, row, high);
  }
}

}  // namespace DIMITY_NAMESPACE::detail
