// The primitives that have a kernel of their own: contractions, and everything whose indices are not those of a loop nest.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/exec/cpu/contraction.hpp>
#include <dimity/exec/cpu/convolution_step.hpp>
#include <dimity/exec/cpu/fourier.hpp>
#include <dimity/exec/cpu/linear_algebra.hpp>
#include <dimity/exec/cpu/pooling.hpp>

#include <algorithm>
#include <cstring>

namespace DIMITY_NAMESPACE::detail {

constexpr amount cpu_scratch_bytes(opaque_step const& s, shape_value const* shapes, std::int64_t const* pool) {
  if (is_convolution(s.op)) return convolution_scratch_bytes(s, geometry_from(pool + s.attribute));
  if (s.op == primitive::dot) return contraction_scratch_bytes(s, shapes);
  if (is_linear_algebra(s.op)) return matrix_scratch_elements(s, shapes) * amount(static_cast<std::int64_t>(size_of(s.type)));
  if (is_fourier(s.op)) return fourier_scratch_elements(s, shapes) * amount(static_cast<std::int64_t>(size_of(s.type)));
  return 0;
}

inline constexpr plan_rules cpu_rules{cpu_scratch_bytes};

/// Shows or checks a value; defined in debug.hpp, without which no program has one to look at.
template <primitive Op>
void look_at(void const* data, dtype type, known_shape const& shape, std::int64_t const* name);

template <class Plan, int Index>
struct opaque : primitive_facts<Plan, Index> {
  using facts = primitive_facts<Plan, Index>;
  using facts::result, facts::result_shape, facts::s, facts::symbols;
  using T = typename facts::T;
  template <int K>
  DIMITY_INLINE static auto operand(void* const* slots) {
    return facts::template operand<K>(slots);
  }

  static void run(void* const* slots, [[maybe_unused]] void* const* epilogue_slots) {
    if constexpr (s.op == primitive::dot) contraction<Plan, Index>::run(slots, epilogue_slots);
    else if constexpr (s.op == primitive::pad) pad(slots);
    else if constexpr (s.op == primitive::concat) concat(slots);
    else if constexpr (s.op == primitive::argmax || s.op == primitive::argmin) arg_reduce(slots);
    else if constexpr (s.op == primitive::cumulative_sum || s.op == primitive::cumulative_prod) cumulative(slots);
    else if constexpr (s.op == primitive::gather) gather(slots);
    else if constexpr (s.op == primitive::scatter_add) scatter_add(slots);
    else if constexpr (s.op == primitive::random_bits) random_bits(slots);
    else if constexpr (s.op == primitive::debug_print || s.op == primitive::check_finite) look(slots);
    else if constexpr (is_linear_algebra(s.op)) matrix_step<Plan, Index>::run(slots);
    else if constexpr (is_fourier(s.op)) fourier_step<Plan, Index>::run(slots);
    else if constexpr (is_convolution(s.op)) convolution_step<Plan, Index>::run(slots, epilogue_slots);
    else if constexpr (is_window(s.op)) window_step<Plan, Index>::run(slots);
    else if constexpr (s.op == primitive::dynamic_slice) dynamic_slice(slots);
    else if constexpr (s.op == primitive::dynamic_update_slice) dynamic_update_slice(slots);
    else argsort(slots);
  }

  static void pad(void* const* slots) {
    T* to = result(slots);
    auto const from = operand<0>(slots);
    known_shape const whole = result_shape(slots);
    for (extent_t i = 0, n = whole.size(); i < n; ++i) to[i] = T(0);
    extent_t stride[max_rank] = {}, step = 1, offset = 0;
    for (int i = whole.rank - 1; i >= 0; --i) {
      offset += value_of(amount(Plan::value.pool[s.attribute + i]), symbols(slots)) * step;
      stride[i] = value_of(amount(Plan::value.pool[s.attribute + whole.rank + i]), symbols(slots)) * step;
      step *= whole.extent[i];
    }
    for_each_index(from.shape, [&](extent_t const* index) { to[offset + offset_at(index, stride, whole.rank)] = from.data[from.at(index)]; });
  }
  static void concat(void* const* slots) {
    auto const a = operand<0>(slots);
    auto const b = operand<1>(slots);
    constexpr int axis = static_cast<int>(s.attribute);
    axis_split const whole(result_shape(slots), axis), first(a.shape, axis);
    T* const to = result(slots);
    if (to == nullptr) return;  // nothing has no elements to be put behind
    extent_t const row = whole.extent * whole.after, split = first.extent * whole.after;
    copy_to_rows(a, to, split, row);
    copy_to_rows(b, to + split, row - split, row);
  }
  /// Its elements, `run` in each row of the result, which are `row` elements apart.
  template <class From>
  static void copy_to_rows(From const& from, T* to, extent_t run, extent_t row) {
    extent_t const n = from.shape.size();
    if (n == 0) return;
    if (from.is_row_major()) {
      for (extent_t i = 0; i < n; i += run, to += row) std::memcpy(to, from.data + i, static_cast<std::size_t>(run) * sizeof(T));
    } else {
      extent_t inside = 0;
      for_each_index(from.shape, [&](extent_t const* index) {
        to[inside] = from.data[from.at(index)];
        if (++inside == run) {
          inside = 0;
          to += row;
        }
      });
    }
  }
  /// The first of equal elements, and the first nan if there is one, as NumPy.
  static void arg_reduce(void* const* slots) {
    constexpr int axis = static_cast<int>(s.attribute);
    auto* to = result(slots);
    auto const from = operand<0>(slots);
    known_shape rest = from.shape;
    rest.extent[axis] = 1;
    extent_t const n = from.shape.extent[axis], stride = from.stride[axis];
    for_each_index(rest, [&](extent_t const* index) {
      auto const* x = from.data + from.at(index);
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
    constexpr bool from_end = (s.attribute & 16) != 0;
    axis_split const a(result_shape(slots), static_cast<int>(s.attribute & 15));
    T* to = result(slots);
    operand<0>(slots).copy_to(to);
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
  static void look(void* const* slots) {
    T* const to = result(slots);
    operand<0>(slots).copy_to(to);
    look_at<s.op>(to, s.type, result_shape(slots), Plan::value.pool + s.attribute);
  }
  static void gather(void* const* slots) {
    T* to = result(slots);
    auto const from = operand<0>(slots);
    auto const indices = operand<1>(slots);
    known_shape const whole = result_shape(slots);
    extent_t const p = whole.extent[0], k = whole.extent[1], m = whole.extent[2], n = from.shape.extent[1];
    for (extent_t i = 0; i < p; ++i)
      for (extent_t j = 0; j < k; ++j) {
        extent_t const row = clamp_index(static_cast<extent_t>(indices.data[j * indices.stride[0]]), n);
        T const* const source = from.data + i * from.stride[0] + row * from.stride[1];
        if (from.stride[2] == 1 && m > 0) std::memcpy(to, source, static_cast<std::size_t>(m) * sizeof(T));
        else
          for (extent_t l = 0; l < m; ++l) to[l] = source[l * from.stride[2]];
        to += m;
      }
  }
  static void scatter_add(void* const* slots) {
    T* to = result(slots);
    operand<0>(slots).copy_to(to);
    auto const indices = operand<1>(slots);
    auto const updates = operand<2>(slots);
    known_shape const whole = result_shape(slots);
    extent_t const p = whole.extent[0], n = whole.extent[1], m = whole.extent[2], k = indices.shape.extent[0];
    for (extent_t i = 0; i < p; ++i)
      for (extent_t j = 0; j < k; ++j) {
        extent_t const row = clamp_index(static_cast<extent_t>(indices.data[j * indices.stride[0]]), n);
        for (extent_t l = 0; l < m; ++l) {
          T& x = to[(i * n + row) * m + l];
          x = binary_value<primitive::add>(x, updates.data[i * updates.stride[0] + j * updates.stride[1] + l * updates.stride[2]]);
        }
      }
  }
  static void random_bits(void* const* slots) {
    T* to = result(slots);
    auto const key = operand<0>(slots);
    int const last = key.shape.rank - 1;
    known_shape keys = key.shape;
    keys.extent[last] = 1;
    if (keys.size() == 0) return;
    extent_t const n = result_shape(slots).size() / keys.size();
    for_each_index(keys, [&](extent_t const* index) {
      auto const* const words = key.data + key.at(index);
      std::uint32_t const key0 = static_cast<std::uint32_t>(words[0]), key1 = static_cast<std::uint32_t>(words[key.stride[last]]);
      for (extent_t i = 0; i < n; i += 4) {
        auto const counter = static_cast<std::uint64_t>(i / 4);
        philox_block const block = philox4x32({{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}}, key0, key1);
        for (extent_t j = 0; j < 4 && i + j < n; ++j) to[i + j] = static_cast<T>(block.word[j]);
      }
      to += n;
    });
  }
  /// Leading axes over which each entry has a start of its own.
  static constexpr int batch_axes = Plan::value.shapes[s.operand_shape[1]].rank - 1;
  static known_shape only_batch(known_shape s) {
    for (int i = batch_axes; i < s.rank; ++i) s.extent[i] = 1;
    return s;
  }
  static known_shape without_batch(known_shape s) {
    for (int i = 0; i < batch_axes; ++i) s.extent[i] = 1;
    return s;
  }
  /// The start index of an axis, for the batch entry at `index`, moved so that the block fits.
  template <class Starts>
  static extent_t start_of(Starts const& starts, extent_t const* index, int axis, known_shape const& whole, known_shape const& block) {
    auto const* start = starts.data;
    for (int i = 0; i < batch_axes; ++i) start += index[i] * starts.stride[i];
    extent_t i = static_cast<extent_t>(start[(axis - batch_axes) * starts.stride[batch_axes]]);
    if (i < 0) i += whole.extent[axis];
    extent_t const most = whole.extent[axis] - block.extent[axis];
    return i < 0 ? 0 : i > most ? most : i;
  }
  static void dynamic_slice(void* const* slots) {
    T* to = result(slots);
    auto const from = operand<0>(slots);
    auto const starts = operand<1>(slots);
    known_shape const block = result_shape(slots);
    for_each_index(only_batch(block), [&](extent_t const* entry) {
      auto const* first = from.data + from.at(entry);
      for (int axis = batch_axes; axis < block.rank; ++axis) first += start_of(starts, entry, axis, from.shape, block) * from.stride[axis];
      for_each_index(without_batch(block), [&](extent_t const* index) { *to++ = first[from.at(index)]; });
    });
  }
  static void dynamic_update_slice(void* const* slots) {
    T* const all = result(slots);
    operand<0>(slots).copy_to(all);
    known_shape const whole = result_shape(slots);
    auto const starts = operand<1>(slots);
    auto const block = operand<2>(slots);
    extent_t stride[max_rank] = {};
    set_row_major_strides(whole.extent, whole.rank, stride);
    for_each_index(only_batch(whole), [&](extent_t const* entry) {
      T* to = all + offset_at(entry, stride, whole.rank);
      auto const* from = block.data + block.at(entry);
      for (int axis = batch_axes; axis < whole.rank; ++axis) to += start_of(starts, entry, axis, whole, block.shape) * stride[axis];
      for_each_index(without_batch(block.shape), [&](extent_t const* index) { to[offset_at(index, stride, whole.rank)] = from[block.at(index)]; });
    });
  }
  /// Indices that sort the last axis, stable, nan last: a merge in place would allocate, so an in-place insertion into a binary heap is not
  /// stable either; std::sort on (value, index) is, because no two elements are equal.
  static void argsort(void* const* slots) {
    auto const from = operand<0>(slots);
    T* to = result(slots);
    int const axis = from.shape.rank - 1;
    extent_t const n = from.shape.extent[axis], stride = from.stride[axis];
    if (n == 0) return;  // lines of no elements may have no memory, whatever their number
    known_shape rest = from.shape;
    rest.extent[axis] = 1;
    for_each_index(rest, [&](extent_t const* index) {
      auto const* x = from.data + from.at(index);
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

}  // namespace DIMITY_NAMESPACE::detail
