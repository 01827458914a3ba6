// The operations behind random.hpp: what each appends to a program, and how keys are derived from keys.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/expr/erfinv.hpp>
#include <dimity/expr/indexing.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

struct key_tag {
  std::uint32_t low, high;
};
inline constexpr key_tag split_tag{0xb7e15162u, 0x8aed2a6au}, fold_tag{0xbf715880u, 0x9cf4f3c7u};

constexpr ref two_words(ref low, ref high) {
  shape_value const s = vector_shape(2);
  ref const first = equal(iota(*low.g, dtype::int32, s, 0), full(*low.g, dtype::int32, s, 0));
  return select(first, broadcast_to(low, s), broadcast_to(high, s));
}
constexpr ref random_words(ref key, shape_value const& s) { return append(*key.g, primitive::random_bits, dtype::uint32, s, key.id); }
constexpr ref tagged_key(ref key, key_tag tag) {
  builder& g = *key.g;
  return binary(primitive::bitwise_xor, key, two_words(integer_constant(g, dtype::uint32, tag.low), integer_constant(g, dtype::uint32, tag.high)));
}
constexpr ref shifted_right(ref x, int bits) { return binary(primitive::shift_right, x, integer_constant(*x.g, x.type(), bits)); }

/// Row I of the [N, 2] words of all children; the rows share one program.
template <extent_t N, extent_t I>
struct split_operation {
  static constexpr ref emit(builder&, ref key) {
    shape_value all;
    all.push(N);
    all.push(2);
    return reshape(slice_axis(random_words(tagged_key(key, split_tag), all), 0, I, 1), vector_shape(2));
  }
};
struct fold_in_operation {
  static constexpr ref emit(builder&, ref key, ref data) {
    ref const d = cast(data, dtype::uint64);
    ref const both = two_words(cast(d, dtype::uint32), cast(shifted_right(d, 32), dtype::uint32));
    ref const mixed = random_words(tagged_key(key, fold_tag), vector_shape(2));
    return random_words(binary(primitive::bitwise_xor, mixed, both), vector_shape(2));
  }
};

/// The dtype that numbers of type T are drawn in.
constexpr dtype drawn_type(dtype type) { return type == dtype::float64 || type == dtype::dual64 || !is_floating(type) ? dtype::float64 : dtype::float32; }

/// 64 bits an element, as two words that are drawn far apart so that each is contiguous.
struct word_pair {
  ref high, low;
  constexpr word_pair(ref key, shape_value const& s) {
    ref const words = random_words(key, vector_shape(2 * s.size()));
    high = reshape(slice_axis(words, 0, 0, s.size()), s);
    low = reshape(slice_axis(words, 0, s.size(), s.size()), s);
  }
  constexpr ref joined() const {
    ref const h = cast(high, dtype::uint64);
    return binary(primitive::bitwise_or, binary(primitive::shift_left, h, integer_constant(*h.g, dtype::uint64, 32)), cast(low, dtype::uint64));
  }
};
/// The highest `bits` < 32 bits of words as floating-point numbers. Through int32, from which every instruction set converts.
constexpr ref high_bits(ref words, int bits, dtype type) { return cast(cast(shifted_right(words, 32 - bits), dtype::int32), type); }

/// scale * u + offset for u uniform on the multiples of 2^-24 (float) or 2^-53 (double) in [0, 1): exact when scale is a power of two and the
/// offset a multiple of the grid.
constexpr ref uniform_grid(ref key, dtype type, shape_value const& s, double scale, double offset) {
  if (type == dtype::float32) {
    ref const x = high_bits(random_words(key, s), 24, type) * (scale * 0x1p-24);
    return offset == 0 ? x : x + offset;
  }
  word_pair const words(key, s);
  ref const low = high_bits(words.low, 26, type) * (scale * 0x1p-53);
  return high_bits(words.high, 27, type) * (scale * 0x1p-27) + (offset == 0 ? low : low + offset);
}
constexpr ref unit_uniform(ref key, dtype type, shape_value const& s) { return uniform_grid(key, type, s, 1, 0); }
/// Below 1 in a result type that has fewer bits than it is drawn in, too: multiples of 2^-11 in float16, 2^-8 in bfloat16, 2^-4 and 2^-3 in floats of 8 bits.
constexpr ref unit_uniform_as(ref key, dtype type, dtype result, shape_value const& s) {
  if (!is_storage_float(result)) return cast(unit_uniform(key, type, s), result);
  int const bits = result == dtype::float16 ? 11 : result == dtype::bfloat16 ? 8 : result == dtype::float8_e4m3fn ? 4 : 3;
  return cast(high_bits(random_words(key, s), bits, dtype::float32) * (1.0 / (1 << bits)), result);
}
constexpr double grid_of(dtype type) { return type == dtype::float32 ? 0x1p-24 : 0x1p-53; }

/// -log(1 - u) for u inside (0, 1). In float from 31 bits: small results, which decide maxima of Gumbel numbers, are resolved more finely than by 24.
constexpr ref exponential_of(ref key, dtype type, shape_value const& s) {
  ref u;
  if (type == dtype::float32) {
    u = high_bits(random_words(key, s), 31, type) * 0x1p-31 + 0x1p-32;
  } else {
    u = unit_uniform(key, type, s) + 0x1p-54;
  }
  u = binary(primitive::minimum, u, full_like(u, 1 - grid_of(type)));
  return -unary(primitive::log1p, -u);
}
constexpr ref gumbel_of(ref key, dtype type, shape_value const& s) { return -unary(primitive::log, exponential_of(key, type, s)); }

template <class T, extent_t... E>
struct drawn {
  static constexpr dtype result = dtype_of<T>, type = drawn_type(result);
  static constexpr shape_value shape_in(builder& g) { return g.extents->of_shape(shape_value_of<shape<E...>>::value); }
};
template <class T, extent_t... E>
struct bits_operation {
  static constexpr ref emit(builder&, ref key) { return random_words(key, drawn<T, E...>::shape_in(*key.g)); }
};
template <class T, extent_t... E>
struct uniform_operation : drawn<T, E...> {
  using drawn<T, E...>::type, drawn<T, E...>::result, drawn<T, E...>::shape_in;
  static constexpr ref emit(builder& g, ref key) { return unit_uniform_as(key, type, result, shape_in(g)); }
  static constexpr ref emit(builder& g, ref key, ref low, ref high) {
    shape_value const s = shape_in(g);
    low = broadcast_to(cast(low, result), s);
    high = broadcast_to(cast(high, result), s);
    ref const x = cast(low + unit_uniform_as(key, type, result, s) * (high - low), result, always_rounds);
    // Rounding may reach the bound that is excluded.
    return select(less(x, high), x, low);
  }
};
template <class T, extent_t... E>
struct normal_operation : drawn<T, E...> {
  using drawn<T, E...>::type, drawn<T, E...>::result, drawn<T, E...>::shape_in;
  // Symmetric: odd multiples of half the grid's step, none of them -1, 0 or 1.
  static constexpr ref emit(builder& g, ref key) { return cast(erfinv_inside(uniform_grid(key, type, shape_in(g), 2, grid_of(type) - 1), sqrt_2), result); }
};
template <class T, extent_t... E>
struct truncated_normal_operation : drawn<T, E...> {
  using drawn<T, E...>::type, drawn<T, E...>::result, drawn<T, E...>::shape_in;
  static constexpr ref emit(builder& g, ref key, ref lower, ref upper) {
    lower = cast(lower, type);
    upper = cast(upper, type);
    ref const a = unary(primitive::erf, lower * sqrt_half), b = unary(primitive::erf, upper * sqrt_half);
    ref x = a + unit_uniform(key, type, shape_in(g)) * (b - a);
    x = binary(primitive::maximum, binary(primitive::minimum, x, full_like(x, 1 - grid_of(type))), full_like(x, grid_of(type) - 1));
    x = erfinv_inside(x, sqrt_2);
    return cast(binary(primitive::minimum, binary(primitive::maximum, x, lower), upper), result);
  }
};
template <class T, extent_t... E>
struct exponential_operation : drawn<T, E...> {
  using drawn<T, E...>::type, drawn<T, E...>::result, drawn<T, E...>::shape_in;
  static constexpr ref emit(builder& g, ref key) { return cast(exponential_of(key, type, shape_in(g)), result); }
};
template <class T, extent_t... E>
struct gumbel_operation : drawn<T, E...> {
  using drawn<T, E...>::type, drawn<T, E...>::result, drawn<T, E...>::shape_in;
  static constexpr ref emit(builder& g, ref key) { return cast(gumbel_of(key, type, shape_in(g)), result); }
};
template <extent_t... E>
struct bernoulli_operation {
  static constexpr ref emit(builder& g, ref key, ref p) {
    shape_value const s = sizeof...(E) == 0 ? p.shape() : g.extents->of_shape(shape_value_of<shape<E...>>::value);
    dtype const type = drawn_type(p.type());
    return less(unit_uniform(key, type, s), broadcast_to(cast(p, type), s));
  }
};
/// low + floor(bits * range / 2^width): the high part of a product instead of a remainder, Lemire, "Fast random integer generation in an interval", 2019, without
/// its rejection.
template <class T, extent_t... E>
struct integers_operation : drawn<T, E...> {
  using drawn<T, E...>::result, drawn<T, E...>::shape_in;
  static constexpr ref emit(builder& g, ref key, ref low, ref high) {
    shape_value const s = shape_in(g);
    constexpr dtype wide = result == dtype::uint64 ? dtype::uint64 : dtype::int64, bits = dtype::uint64;
    low = cast(low, wide);
    high = cast(high, wide);
    ref const first = cast(low, bits);
    ref const distance = cast(high, bits) - first;
    ref const range = select(less(low, high), distance, full(g, bits, distance.shape(), 0));
    ref offset;
    if constexpr (size_of(result) <= 4) {
      offset = shifted_right(cast(random_words(key, s), bits) * range, 32);
    } else {
      word_pair const words(key, s);
      ref const h = cast(words.high, bits), l = cast(words.low, bits), mask = integer_constant(g, bits, 0xffffffff);
      ref const range_low = binary(primitive::bitwise_and, range, mask), range_high = shifted_right(range, 32);
      ref const a = h * range_low + shifted_right(l * range_low, 32);
      ref const b = l * range_high + binary(primitive::bitwise_and, a, mask);
      offset = h * range_high + shifted_right(a, 32) + shifted_right(b, 32);
    }
    return cast(broadcast_to(first, s) + offset, result);
  }
};
template <extent_t N>
struct permutation_operation {
  static constexpr ref emit(builder&, ref key) { return argsort(word_pair(key, key.g->extents->of_shape(vector_shape(N))).joined(), 0, dtype::int32); }
};
struct permute_rows_operation {
  static constexpr ref emit(builder& g, ref key, ref x) {
    ref const order = argsort(word_pair(key, vector_shape(x.extent(0))).joined(), 0, dtype::int64);
    return take_operation<0>::emit(g, x, order);
  }
};
template <int Axis>
struct categorical_operation {
  static constexpr ref emit(builder& g, ref key, ref logits) {
    int const axis = normalize_axis(Axis, logits.rank());
    g.extents->require_at_least(logits.extent(axis), 1);
    ref const x = cast(logits, drawn_type(logits.type()));
    ref const noisy = x + gumbel_of(key, x.type(), x.shape());
    return append(g, primitive::argmax, dtype::int64, without_axes(x.shape(), 1u << axis), noisy.id, -1, -1, axis);
  }
};

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
