// The primitives that have a kernel of their own: contractions with their epilogue, and everything whose indices are not those of a loop nest.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/exec/cpu/loop.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/solve.hpp>

#include <algorithm>

namespace dimity::detail {

/// The matrix product of one batch entry. Extents of 1 get the stride that a row-major operand would have, so that kernels see contiguity.
constexpr matmul_problem product_of(opaque_step const& s, shape_value const* shapes) {
  shape_value const a = shapes[s.operand_shape[0]], b = shapes[s.operand_shape[1]];
  int const r = a.rank;
  matmul_problem p{a.extent[r - 2], b.extent[r - 1], a.extent[r - 1], s.operand_stride[0][r - 2], s.operand_stride[0][r - 1], s.operand_stride[1][r - 2],
                   s.operand_stride[1][r - 1]};
  if (p.k == 1) {
    p.a_col = 1;
    p.b_row = p.n;
  }
  if (p.m == 1) p.a_row = p.k;
  if (p.n == 1) p.b_col = 1;
  return p;
}

constexpr std::int64_t cpu_scratch_bytes(opaque_step const& s, shape_value const* shapes) {
  if (s.op == primitive::dot && (s.type == dtype::float32 || s.type == dtype::float64))
    return static_cast<std::int64_t>(matmul_scratch_size(product_of(s, shapes), size_of(s.type), true));
  if (s.op == primitive::solve) {
    shape_value const& a = shapes[s.operand_shape[0]];
    return a.extent[a.rank - 1] * a.extent[a.rank - 1] * static_cast<std::int64_t>(size_of(s.type));
  }
  return 0;
}

/// Visits all indices of a shape, row-major.
template <class F>
inline void for_each_index(shape_value const& s, F const& f) {
  if (s.size() == 0) return;
  extent_t index[max_rank] = {};
  for (;;) {
    f(index);
    int axis = s.rank - 1;
    while (axis >= 0 && ++index[axis] == s.extent[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}
inline extent_t offset_at(extent_t const* index, std::int64_t const* stride, int rank) {
  extent_t o = 0;
  for (int i = 0; i < rank; ++i) o += index[i] * stride[i];
  return o;
}

/// An index as NumPy takes it: negative ones count from the end; what is still outside is moved to the nearest element.
inline extent_t clamp_index(extent_t i, extent_t n) {
  if (i < 0) i += n;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/// Where the three loops of "one axis in the middle" (cumulative, concat, arg-reductions) begin and end.
struct axis_split {
  extent_t before = 1, extent = 1, after = 1;
  constexpr axis_split(shape_value const& s, int axis) {
    for (int i = 0; i < axis; ++i) before *= s.extent[i];
    extent = s.extent[axis];
    for (int i = axis + 1; i < s.rank; ++i) after *= s.extent[i];
  }
};

template <class Plan, int Index>
struct opaque {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  static constexpr shape_value out_shape = Plan::value.shapes[s.shape];
  template <int K>
  static constexpr shape_value shape = Plan::value.shapes[s.operand_shape[K]];
  template <int K>
  using element = type_of<s.operand_type[K]>;
  using T = type_of<s.type>;

  template <int K>
  static element<K> const* operand(void* const* slots) {
    return static_cast<element<K> const*>(slots[s.operand_slot[K]]) + s.operand_offset[K];
  }
  static T* result(void* const* slots) { return static_cast<T*>(slots[s.result_slot]); }

  template <int K>
  static extent_t at(extent_t const* index) {
    return offset_at(index, s.operand_stride[K], shape<K>.rank);
  }
  /// An operand, copied row-major.
  template <int K>
  static void copy_operand(element<K>* to, void* const* slots) {
    auto const* from = operand<K>(slots);
    extent_t i = 0;
    for_each_index(shape<K>, [&](extent_t const* index) { to[i++] = from[at<K>(index)]; });
  }

  static void run(void* const* slots, void* const* epilogue_slots) {
    if constexpr (s.op == primitive::dot) dot(slots, epilogue_slots);
    else if constexpr (s.op == primitive::pad) pad(slots);
    else if constexpr (s.op == primitive::concat) concat(slots);
    else if constexpr (s.op == primitive::argmax || s.op == primitive::argmin) arg_reduce(slots);
    else if constexpr (s.op == primitive::cumulative_sum || s.op == primitive::cumulative_prod) cumulative(slots);
    else if constexpr (s.op == primitive::gather) gather(slots);
    else if constexpr (s.op == primitive::scatter_add) scatter_add(slots);
    else if constexpr (s.op == primitive::random_bits) random_bits(slots);
    else if constexpr (s.op == primitive::solve) solve(slots);
    else if constexpr (s.op == primitive::dynamic_slice) dynamic_slice(slots);
    else if constexpr (s.op == primitive::dynamic_update_slice) dynamic_update_slice(slots);
    else argsort(slots);
  }

  static void dot(void* const* slots, [[maybe_unused]] void* const* epilogue_slots) {
    constexpr int rank = out_shape.rank;
    constexpr matmul_problem problem = product_of(s, Plan::value.shapes);
    constexpr shape_value batch = [] {
      shape_value b;
      for (int i = 0; i < rank - 2; ++i) b.push(out_shape.extent[i]);
      return b;
    }();
    auto const* a = operand<0>(slots);
    auto const* b = operand<1>(slots);
    std::byte* scratch = nullptr;
    if constexpr (s.scratch_slot >= 0) scratch = static_cast<std::byte*>(slots[s.scratch_slot]);
    T* out = nullptr;
    if constexpr (s.result_slot >= 0) out = result(slots);
    if constexpr (s.epilogue >= 0) {
      using e = loop<Plan, s.epilogue>;
      typename e::scalars scalars;
      typename e::position start;
      e::invariants(scalars, epilogue_slots, start);
      for_each_index(batch, [&](extent_t const* index) {
        typename e::position at;
        int axis = 0;
        for (int i = 0; i < batch.rank; ++i)
          if (batch.extent[i] != 1) at.index[axis++] = index[i];
        product<problem>(a + offset_at(index, s.operand_stride[0], batch.rank), b + offset_at(index, s.operand_stride[1], batch.rank), scratch,
                         epilogue_sink<e>{out, scalars, epilogue_slots, at, axis});
        if constexpr (s.result_slot >= 0) out += problem.m * problem.n;
      });
    } else {
      for_each_index(batch, [&](extent_t const* index) {
        product<problem>(a + offset_at(index, s.operand_stride[0], batch.rank), b + offset_at(index, s.operand_stride[1], batch.rank), scratch, plain_sink{out});
        out += problem.m * problem.n;
      });
    }
  }
  template <matmul_problem P, class Sink>
  DIMITY_INLINE static void product(T const* a, T const* b, [[maybe_unused]] std::byte* scratch, Sink const& sink) {
    if constexpr (std::is_floating_point_v<T> && !runs_scalar<Plan>) matmul<T, P>(a, b, scratch, sink);
    else matmul_scalar<T, P>(a, b, sink);
  }
  struct plain_sink {
    T* out;
    static constexpr extent_t n = out_shape.extent[out_shape.rank > 0 ? out_shape.rank - 1 : 0];
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x) const {
      if constexpr (element_of_part<X>::is_batch) x.store_unaligned(out + i * n + j);
      else out[i * n + j] = x;
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x, int count) const {
      store_first<T, native_lanes<T>()>(out + i * n + j, {{x}}, count);
    }
  };
  template <class E>
  struct epilogue_sink {
    T* out;
    typename E::scalars const& scalars;
    void* const* slots;
    typename E::position start;
    int axis;
    static constexpr extent_t m = out_shape.extent[out_shape.rank > 1 ? out_shape.rank - 2 : 0], n = out_shape.extent[out_shape.rank > 0 ? out_shape.rank - 1 : 0];

    // The product calls from every register of its tile: a long epilogue, or one with a function in it, stays one function (AdamW behind a weight
    // gradient: 26 copies otherwise).
    static constexpr bool is_long = [] {
      int operations = 0;
      for (int v = 0; v < E::facts::value_count; ++v) {
        value const x = E::facts::val(v);
        if (x.at == level::lane && x.op != primitive::input) operations += cost_of(x.op) == cost_class::costly ? 8 : 1;
      }
      return operations > 5;
    }();
    template <bool Partial, class X>
    [[gnu::noinline]] void outlined(extent_t i, extent_t lane, X x, int count) const {
      E::template epilogue<Partial>(scalars, slots, position_of(i), lane, x, count);
    }
    template <bool Partial, class X>
    DIMITY_INLINE void finish(extent_t i, extent_t lane, X const& x, int count) const {
      if constexpr (is_long) outlined<Partial>(i, lane, x, count);
      else E::template epilogue<Partial>(scalars, slots, position_of(i), lane, x, count);
    }

    // A product with one row or one column runs over one axis less.
    DIMITY_INLINE typename E::position position_of(extent_t i) const {
      auto at = start;
      if constexpr (m != 1 && n != 1) at.index[axis] = i;
      return at;
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x) const {
      if constexpr (s.result_slot >= 0) plain_sink{out}(i, j, x);
      if constexpr (element_of_part<X>::is_batch || n != 1) finish<false>(i, n == 1 ? i : j, x, E::facts::width);
      else finish<false>(i, i, x, 1);
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x, int count) const {
      if constexpr (s.result_slot >= 0) plain_sink{out}(i, j, x, count);
      finish<true>(i, n == 1 ? i : j, x, count);
    }
  };

  static void pad(void* const* slots) {
    T* to = result(slots);
    auto const* from = operand<0>(slots);
    for (extent_t i = 0; i < out_shape.size(); ++i) to[i] = T(0);
    shape_value const whole = out_shape;
    std::int64_t stride[max_rank] = {};
    extent_t step = 1, offset = 0;
    for (int i = whole.rank - 1; i >= 0; --i) {
      offset += Plan::value.pool[s.attribute + i] * step;
      stride[i] = Plan::value.pool[s.attribute + whole.rank + i] * step;
      step *= whole.extent[i];
    }
    for_each_index(shape<0>, [&](extent_t const* index) { to[offset + offset_at(index, stride, whole.rank)] = from[at<0>(index)]; });
  }
  static void concat(void* const* slots) {
    constexpr axis_split whole(out_shape, static_cast<int>(s.attribute)), first(shape<0>, static_cast<int>(s.attribute));
    T* to = result(slots);
    auto const* a = operand<0>(slots);
    auto const* b = operand<1>(slots);
    extent_t i = 0;
    for_each_index(shape<0>, [&](extent_t const* index) {
      extent_t const block = i / (first.extent * first.after), inside = i % (first.extent * first.after);
      to[block * whole.extent * whole.after + inside] = a[at<0>(index)];
      ++i;
    });
    i = 0;
    constexpr extent_t second = whole.extent - first.extent;
    for_each_index(shape<1>, [&](extent_t const* index) {
      extent_t const block = i / (second * whole.after), inside = i % (second * whole.after);
      to[block * whole.extent * whole.after + first.extent * whole.after + inside] = b[at<1>(index)];
      ++i;
    });
  }
  /// The first of equal elements, and the first nan if there is one, as NumPy.
  static void arg_reduce(void* const* slots) {
    constexpr int axis = static_cast<int>(s.attribute);
    auto* to = result(slots);
    auto const* from = operand<0>(slots);
    shape_value rest = shape<0>;
    rest.extent[axis] = 1;
    constexpr extent_t n = shape<0>.extent[axis], stride = s.operand_stride[0][axis];
    for_each_index(rest, [&](extent_t const* index) {
      auto const* x = from + at<0>(index);
      extent_t best = 0;
      auto best_value = x[0];
      for (extent_t i = 1; i < n; ++i) {
        auto const v = x[i * stride];
        bool const better = s.op == primitive::argmax ? best_value < v : v < best_value;
        if (best_value == best_value && (better || v != v)) {
          best = i;
          best_value = v;
        }
      }
      *to++ = static_cast<T>(best);
    });
  }
  static void cumulative(void* const* slots) {
    constexpr int axis = static_cast<int>(s.attribute & 15);
    constexpr bool from_end = (s.attribute & 16) != 0;
    constexpr axis_split a(out_shape, axis);
    T* to = result(slots);
    copy_operand<0>(to, slots);
    for (extent_t b = 0; b < a.before; ++b) {
      T* block = to + b * a.extent * a.after;
      for (extent_t step = 1; step < a.extent; ++step) {
        extent_t const i = from_end ? a.extent - 1 - step : step, previous = from_end ? i + 1 : i - 1;
        for (extent_t j = 0; j < a.after; ++j) {
          T& x = block[i * a.after + j];
          T const before = block[previous * a.after + j];
          x = s.op == primitive::cumulative_sum ? binary_value<primitive::add>(before, x) : binary_value<primitive::multiply>(before, x);
        }
      }
    }
  }
  static void solve(void* const* slots) {
    T* to = result(slots);
    copy_operand<1>(to, slots);
    if constexpr (s.scratch_slot >= 0) solve_copied(slots, to);  // not for matrices without elements
  }
  static void solve_copied(void* const* slots, T* to) {
    constexpr int rank = out_shape.rank;
    constexpr extent_t n = out_shape.extent[rank - 2], k = out_shape.extent[rank - 1];
    T* const matrix = static_cast<T*>(slots[s.scratch_slot]);
    shape_value entries = out_shape;
    entries.extent[rank - 2] = entries.extent[rank - 1] = 1;
    auto const* from = operand<0>(slots);
    constexpr extent_t row = s.operand_stride[0][rank - 2], column = s.operand_stride[0][rank - 1];
    for_each_index(entries, [&](extent_t const* index) {
      auto const* a = from + at<0>(index);
      for (extent_t i = 0; i < n; ++i)
        for (extent_t j = 0; j < n; ++j) matrix[i * n + j] = a[i * row + j * column];
      solve_in_place(matrix, to, n, k);
      to += n * k;
    });
  }
  static void gather(void* const* slots) {
    T* to = result(slots);
    auto const* from = operand<0>(slots);
    auto const* indices = operand<1>(slots);
    constexpr extent_t p = out_shape.extent[0], k = out_shape.extent[1], m = out_shape.extent[2], n = shape<0>.extent[1];
    for (extent_t i = 0; i < p; ++i)
      for (extent_t j = 0; j < k; ++j) {
        extent_t const row = clamp_index(static_cast<extent_t>(indices[j * s.operand_stride[1][0]]), n);
        for (extent_t l = 0; l < m; ++l) *to++ = from[i * s.operand_stride[0][0] + row * s.operand_stride[0][1] + l * s.operand_stride[0][2]];
      }
  }
  static void scatter_add(void* const* slots) {
    T* to = result(slots);
    copy_operand<0>(to, slots);
    auto const* indices = operand<1>(slots);
    auto const* updates = operand<2>(slots);
    constexpr extent_t p = out_shape.extent[0], n = out_shape.extent[1], m = out_shape.extent[2], k = shape<1>.extent[0];
    for (extent_t i = 0; i < p; ++i)
      for (extent_t j = 0; j < k; ++j) {
        extent_t const row = clamp_index(static_cast<extent_t>(indices[j * s.operand_stride[1][0]]), n);
        for (extent_t l = 0; l < m; ++l) {
          T& x = to[(i * n + row) * m + l];
          x = binary_value<primitive::add>(x, updates[i * s.operand_stride[2][0] + j * s.operand_stride[2][1] + l * s.operand_stride[2][2]]);
        }
      }
  }
  static void random_bits(void* const* slots) {
    T* to = result(slots);
    auto const* key = operand<0>(slots);
    constexpr int last = shape<0>.rank - 1;
    shape_value keys = shape<0>;
    keys.extent[last] = 1;
    if (keys.size() == 0) return;
    extent_t const n = out_shape.size() / keys.size();
    for_each_index(keys, [&](extent_t const* index) {
      auto const* const words = key + at<0>(index);
      std::uint32_t const key0 = static_cast<std::uint32_t>(words[0]), key1 = static_cast<std::uint32_t>(words[s.operand_stride[0][last]]);
      for (extent_t i = 0; i < n; i += 4) {
        auto const counter = static_cast<std::uint64_t>(i / 4);
        philox_block const block = philox4x32({{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}}, key0, key1);
        for (extent_t j = 0; j < 4 && i + j < n; ++j) to[i + j] = static_cast<T>(block.word[j]);
      }
      to += n;
    });
  }
  /// Leading axes over which each entry has a start of its own.
  static constexpr int batch_axes = shape<1>.rank - 1;
  static constexpr shape_value only_batch(shape_value s) {
    for (int i = batch_axes; i < s.rank; ++i) s.extent[i] = 1;
    return s;
  }
  static constexpr shape_value without_batch(shape_value s) {
    for (int i = 0; i < batch_axes; ++i) s.extent[i] = 1;
    return s;
  }
  /// The start index of an axis, for the batch entry at `index`, moved so that the block fits.
  static extent_t start_of(void* const* slots, extent_t const* index, int axis, shape_value const& whole, shape_value const& block) {
    auto const* start = operand<1>(slots);
    for (int i = 0; i < batch_axes; ++i) start += index[i] * s.operand_stride[1][i];
    extent_t i = static_cast<extent_t>(start[(axis - batch_axes) * s.operand_stride[1][batch_axes]]);
    if (i < 0) i += whole.extent[axis];
    extent_t const most = whole.extent[axis] - block.extent[axis];
    return i < 0 ? 0 : i > most ? most : i;
  }
  static void dynamic_slice(void* const* slots) {
    T* to = result(slots);
    for_each_index(only_batch(out_shape), [&](extent_t const* entry) {
      auto const* from = operand<0>(slots) + at<0>(entry);
      for (int axis = batch_axes; axis < out_shape.rank; ++axis) from += start_of(slots, entry, axis, shape<0>, out_shape) * s.operand_stride[0][axis];
      for_each_index(without_batch(out_shape), [&](extent_t const* index) { *to++ = from[at<0>(index)]; });
    });
  }
  static void dynamic_update_slice(void* const* slots) {
    T* const whole = result(slots);
    copy_operand<0>(whole, slots);
    std::int64_t stride[max_rank] = {};
    extent_t step = 1;
    for (int axis = out_shape.rank - 1; axis >= 0; --axis) {
      stride[axis] = step;
      step *= out_shape.extent[axis];
    }
    for_each_index(only_batch(out_shape), [&](extent_t const* entry) {
      T* to = whole + offset_at(entry, stride, out_shape.rank);
      auto const* block = operand<2>(slots) + at<2>(entry);
      for (int axis = batch_axes; axis < out_shape.rank; ++axis) to += start_of(slots, entry, axis, out_shape, shape<2>) * stride[axis];
      for_each_index(without_batch(shape<2>), [&](extent_t const* index) { to[offset_at(index, stride, out_shape.rank)] = block[at<2>(index)]; });
    });
  }
  /// Indices that sort the last axis, stable, nan last: a merge in place would allocate, so an in-place insertion into a binary heap is not
  /// stable either; std::sort on (value, index) is, because no two elements are equal.
  static void argsort(void* const* slots) {
    auto const* from = operand<0>(slots);
    T* to = result(slots);
    constexpr int axis = out_shape.rank - 1;
    constexpr extent_t n = out_shape.extent[axis], stride = s.operand_stride[0][axis];
    shape_value rest = shape<0>;
    rest.extent[axis] = 1;
    for_each_index(rest, [&](extent_t const* index) {
      auto const* x = from + at<0>(index);
      for (extent_t i = 0; i < n; ++i) to[i] = static_cast<T>(i);
      std::sort(to, to + n, [&](T a, T b) {
        auto const va = x[static_cast<extent_t>(a) * stride], vb = x[static_cast<extent_t>(b) * stride];
        if (va < vb) return true;
        if (vb < va) return false;
        bool const na = va != va, nb = vb != vb;
        return na != nb ? nb : a < b;
      });
      to += n;
    });
  }
};

template <class Plan, int Index>
[[gnu::noinline]] void run_opaque(void* const* slots, void* const* epilogue_slots) {
  opaque<Plan, Index>::run(slots, epilogue_slots);
}

}  // namespace dimity::detail
