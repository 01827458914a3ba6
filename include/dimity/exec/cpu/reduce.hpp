// Reductions over lanes: the state of one accumulator, how values are added to it, and how states join. Deterministic: the order depends on the plan only.
#pragma once

#include <dimity/exec/cpu/math.hpp>

#include <cstdint>

namespace DIMITY_NAMESPACE::detail {

/// The first n of W lanes.
template <class T, int W>
DIMITY_INLINE mask<T, W> first_lanes(int n) {
#if defined(__AVX512F__)
  if constexpr (mask<T, W>::native && mask<T, W>::parts == 1 && std::is_integral_v<typename native_mask<T>::register_type>) {
    return {{native_mask<T>(static_cast<typename native_mask<T>::register_type>((1u << n) - 1u))}};
  } else
#endif
  {
    alignas(64) bool buffer[W];
    for (int i = 0; i < W; ++i) buffer[i] = i < n;
    return load_mask<T, W>(buffer);
  }
}

/// Op over lanes of type T in the form V (a vec, or a mask for truth values).
template <primitive Op, class T, class V>
struct reducer;

template <primitive Op, class T, int W>
struct reducer<Op, T, vec<T, W>> {
  using lanes = vec<T, W>;
  using state = lanes;
  static constexpr primitive op = combiner_of(Op);

  DIMITY_INLINE static state identity() { return broadcast_to_lanes<T, W>(reduction_identity<Op, T>()); }
  DIMITY_INLINE static lanes only_first(lanes const& x, int n) {
    return map_parts<lanes>([](auto const& m, auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return choose(m, a, b); }, first_lanes<T, W>(n), x, identity());
  }
  DIMITY_INLINE static state join(state const& a, state const& b) {
    return map_parts<lanes>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return binary_value<op>(x, y); }, a, b);
  }
  DIMITY_INLINE static void add(state& s, lanes const& x) { s = join(s, x); }
  DIMITY_INLINE static T total(state const& s) { return across_parts(s, [](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return binary_value<op>(x, y); }); }

  template <class F>
  DIMITY_INLINE static T across_parts(lanes const& x, F const& f) {
    if constexpr (lanes::native) {
      auto joined = x.p[0];
      for (int i = 1; i < lanes::parts; ++i) joined = f(joined, x.p[i]);
      return combine_lanes(f, joined);
    } else {
      T buffer[W];
      store_lanes<T, W>(buffer, x);
      for (int h = W / 2; h > 0; h /= 2)
        for (int i = 0; i < h; ++i) buffer[i] = f(buffer[i], buffer[i + h]);
      return buffer[0];
    }
  }
};

/// Maximum and minimum of floats. That a nan was seen is kept beside the extreme value: carrying it in the value costs two more operations in the chain of every element.
template <primitive Op, class T, int W>
  requires((Op == primitive::max || Op == primitive::min) && std::is_floating_point_v<T>)
struct reducer<Op, T, vec<T, W>> {
  using lanes = vec<T, W>;
  struct state {
    lanes value;
    mask<T, W> nan;
  };
  /// x86 returns the second operand when one is nan, so a nan in the first never reaches the accumulator; where it does (Arm) it may.
  template <class X>
  DIMITY_INLINE static X extreme(X const& x, X const& accumulated) {
    if constexpr (!element_of_part<X>::is_batch) return (Op == primitive::max ? accumulated < x : x < accumulated) ? x : accumulated;
    else if constexpr (Op == primitive::max) return xsimd::max(x, accumulated);
    else return xsimd::min(x, accumulated);
  }
  DIMITY_INLINE static state identity() { return {broadcast_to_lanes<T, W>(reduction_identity<Op, T>()), broadcast_mask<T, W>(false)}; }
  DIMITY_INLINE static lanes only_first(lanes const& x, int n) {
    return map_parts<lanes>([](auto const& m, auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return choose(m, a, b); }, first_lanes<T, W>(n), x, identity().value);
  }
  DIMITY_INLINE static void add(state& s, lanes const& x) {
    s.value = map_parts<lanes>([](auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return extreme(a, b); }, x, s.value);
    s.nan = map_parts<mask<T, W>>([](auto const& a, auto const& m) DIMITY_INLINE_LAMBDA { return logical_value<primitive::bitwise_or>(m, differs(a, a)); }, x, s.nan);
  }
  DIMITY_INLINE static state join(state const& a, state const& b) {
    return {map_parts<lanes>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return extreme(x, y); }, a.value, b.value),
            map_parts<mask<T, W>>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return logical_value<primitive::bitwise_or>(x, y); }, a.nan, b.nan)};
  }
  DIMITY_INLINE static T total(state const& s) {
    bool seen = false;
    for (int i = 0; i < lanes::parts; ++i) {
      if constexpr (lanes::native) seen = seen || xsimd::any(s.nan.p[i]);
      else seen = seen || s.nan.p[i];
    }
    T const value = reducer<primitive::sum, T, lanes>::across_parts(s.value, [](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return extreme(x, y); });
    return seen ? std::numeric_limits<T>::quiet_NaN() : value;
  }
};

template <primitive Op, class C, int W>
struct reducer<Op, bool, mask<C, W>> {
  using lanes = mask<C, W>;
  using state = lanes;
  static constexpr primitive op = combiner_of(Op);

  DIMITY_INLINE static state identity() { return broadcast_mask<C, W>(Op == primitive::all); }
  DIMITY_INLINE static lanes only_first(lanes const& x, int n) {
    auto const m = first_lanes<C, W>(n);
    if constexpr (Op == primitive::all) return map_parts<lanes>([](auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return logical_value<primitive::less_equal>(a, b); }, m, x);
    else return map_parts<lanes>([](auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return logical_value<primitive::bitwise_and>(a, b); }, m, x);
  }
  DIMITY_INLINE static state join(state const& a, state const& b) {
    return map_parts<lanes>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return logical_value<op>(x, y); }, a, b);
  }
  DIMITY_INLINE static void add(state& s, lanes const& x) { s = join(s, x); }
  DIMITY_INLINE static bool total(state const& s) {
    bool buffer[W];
    store_mask(buffer, s);
    bool result = Op == primitive::all;
    for (int i = 0; i < W; ++i) result = logical_value<op>(result, buffer[i]);
    return result;
  }
};

/// Joins states in a fixed binary tree: a sum is as accurate as a pairwise one, in one pass and constant memory.
template <class Reducer>
struct reduction_tree {
  using state = typename Reducer::state;
  static constexpr int levels = 40;
  state partial[levels];
  std::uint64_t count = 0;

  DIMITY_INLINE void push(state x) {
    int l = 0;
    for (std::uint64_t c = count; c & 1u; c >>= 1) x = Reducer::join(partial[l++], x);
    partial[l] = x;
    ++count;
  }
  /// What 2^height pushes leave, after a multiple of as many.
  void push(state x, int height) {
    int l = height;
    for (std::uint64_t c = count >> height; c & 1u; c >>= 1) x = Reducer::join(partial[l++], x);
    partial[l] = x;
    count += std::uint64_t{1} << height;
  }
  /// `last` joins the rest from the small end.
  DIMITY_INLINE state total(state last) const {
    for (int l = 0; l < levels && (count >> l) != 0; ++l)
      if (count >> l & 1u) last = Reducer::join(partial[l], last);
    return last;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
