// The primitives fft, rfft and irfft: each row of a batch on its own.
#pragma once

#include <dimity/exec/cpu/fft.hpp>
#include <dimity/exec/cpu/operands.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The length of the transform: that of the real row, where there is one.
constexpr extent_t fourier_length(opaque_step const& s, shape_value const* shapes) {
  shape_value const& real = shapes[s.op == primitive::irfft ? s.shape : s.operand_shape[0]];
  return real.extent[real.rank - 1].number();
}
/// Complex transforms that lie one behind the other: as many as the axis before the planes has.
constexpr extent_t fourier_count(opaque_step const& s, shape_value const* shapes) {
  shape_value const& x = shapes[s.operand_shape[0]];
  return s.op == primitive::fft && x.rank >= 3 && x.extent[x.rank - 3].is_known() ? x.extent[x.rank - 3].number() : 1;
}
constexpr amount fourier_scratch_elements(opaque_step const& s, shape_value const* shapes) {
  extent_t const n = fourier_length(s, shapes), count = fourier_count(s, shapes);
  if (count > 1) return fft_many_scratch_elements(n, count);
  return s.op == primitive::fft ? fft_scratch_elements(n) : rfft_scratch_elements(n);
}

template <class Plan, int Index>
struct fourier_step : primitive_facts<Plan, Index> {
  using facts = primitive_facts<Plan, Index>;
  using facts::result, facts::s;
  using T = typename facts::T;
  static constexpr extent_t n = fourier_length(s, Plan::value.shapes);
  static constexpr extent_t half = n / 2 + 1, count = fourier_count(s, Plan::value.shapes);
  /// Axes of the operand that the transforms of one call go through: planes and entries, and those side by side.
  static constexpr int own_axes = s.op == primitive::rfft ? 1 : count > 1 ? 3 : 2;

  static void run(void* const* slots) {
    T* to = result(slots);
    T* scratch = nullptr;
    if constexpr (s.scratch_slot >= 0) scratch = static_cast<T*>(slots[s.scratch_slot]);
    auto const from = facts::template operand<0>(slots);
    known_shape batch = from.shape;
    int const rank = batch.rank;
    for (int i = rank - own_axes; i < rank; ++i) batch.extent[i] = 1;
    extent_t const stride = from.stride[rank - 1];
    for_each_index(batch, [&](extent_t const* index) {
      T const* const x = from.data + from.at(index);
      if constexpr (count > 1) {
        fft_many<T, n, s.attribute != 0>(x, x + from.stride[rank - 2], stride, from.stride[rank - 3], to, to + n, 2 * n, count, scratch);
        to += 2 * n * count;
      } else if constexpr (s.op == primitive::fft) {
        fft<T, n, s.attribute != 0>(x, x + from.stride[rank - 2], stride, to, to + n, scratch);
        to += 2 * n;
      } else if constexpr (s.op == primitive::rfft) {
        rfft<T, n>(x, stride, to, to + half, scratch);
        to += 2 * half;
      } else {
        irfft<T, n>(x, x + from.stride[rank - 2], stride, to, scratch);
        to += n;
      }
    });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
