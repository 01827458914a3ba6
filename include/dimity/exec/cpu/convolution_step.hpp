// The primitives convolution, convolution_input_gradient and convolution_kernel_gradient, with their epilogues.
#pragma once

#include <dimity/exec/cpu/convolution.hpp>
#include <dimity/exec/cpu/result_sinks.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr bool has_vector_convolution(dtype type) { return type == dtype::float32 || type == dtype::float64; }
constexpr amount convolution_scratch_bytes(opaque_step const& s, convolution_geometry const& c) {
  std::size_t const element = size_of(s.type);
  if (!has_vector_convolution(s.type)) return 0;
  extent_t const elements = s.op == primitive::convolution ? convolution_forward_scratch(c, element)
                            : s.op == primitive::convolution_input_gradient ? convolution_input_gradient_scratch(c, element)
                                                                            : convolution_weight_gradient_scratch(c, element);
  return elements * static_cast<extent_t>(element);
}

template <class Plan, int Index>
struct convolution_step {
  using plan = Plan;
  using facts = primitive_facts<Plan, Index>;
  using T = typename facts::T;
  static constexpr opaque_step s = facts::s;
  static constexpr shape_value shape = Plan::value.shapes[s.shape];
  static constexpr int rank = shape.rank;
  static constexpr amount rows = shape.extent[rank - 2], columns = shape.extent[rank - 1];
  static constexpr convolution_geometry geometry = geometry_from(Plan::value.pool + s.attribute);
  static constexpr bool vectors = has_vector_convolution(s.type) && !runs_scalar<Plan>;
  /// Of the operands, before the images or kernels of one call.
  static constexpr int leading = Plan::value.shapes[s.operand_shape[0]].rank - 4;

  using sinks = result_sinks<convolution_step>;
  static constexpr extent_t entry_size = rows.code * columns.code;

  /// The sinks of one call's images.
  struct images {
    sinks const& all;
    extent_t* index;  ///< of the entry; the number of the image comes behind
    extent_t first, begin;  ///< the first element of all images, and the first image
    DIMITY_INLINE auto operator()(extent_t n) const {
      index[leading] = begin + n;
      return all.at(index, first + (begin + n) * entry_size);
    }
  };

  static void run(void* const* slots, void* const* epilogue_slots) {
    if constexpr (is_threaded<Plan>) threaded_convolution<convolution_step>::run(slots, epilogue_slots);
    else run_here(slots, epilogue_slots);
  }
  static void run_here(void* const* slots, void* const* epilogue_slots) {
    T* scratch = nullptr;
    if constexpr (s.scratch_slot >= 0) scratch = static_cast<T*>(slots[s.scratch_slot]);
    run_images(slots, epilogue_slots, scratch, 0, facts::template operand<0>(slots).shape.extent[leading]);
  }
  /// Images [begin, end) of each entry. `divide`: see convolution_weight_gradient().
  template <class Divide = all_parts>
  static void run_images(void* const* slots, void* const* epilogue_slots, [[maybe_unused]] T* scratch, extent_t begin, extent_t end, [[maybe_unused]] Divide const& divide = {}) {
    auto const a = facts::template operand<0>(slots);
    auto const b = facts::template operand<1>(slots);
    sinks const to(slots, epilogue_slots, columns.code);
    known_shape entries = a.shape;
    entries.rank = leading;
    extent_t const batch = end - begin;
    extent_t done = 0;
    for_each_index(entries, [&](extent_t const* index) {
      T const* const x = a.data + offset_at(index, a.stride, leading) + begin * a.stride[leading];
      T const* const y = b.data + offset_at(index, b.stride, leading);
      extent_t const *const x_stride = a.stride + leading, *const y_stride = b.stride + leading;
      if constexpr (s.op == primitive::convolution_kernel_gradient) {
        auto const sink = to.at(index, done);
        if constexpr (vectors) convolution_weight_gradient(geometry, batch, x, x_stride, y, y_stride, scratch, sink, divide);
        else convolution_weight_gradient_scalar(geometry, batch, x, x_stride, y, y_stride, sink);
        done += entry_size;
      } else {
        extent_t place[max_rank] = {};
        for (int i = 0; i < leading; ++i) place[i] = index[i];
        images const of{to, place, done, begin};
        if constexpr (s.op == primitive::convolution) {
          if constexpr (vectors) convolution_forward(geometry, batch, x, x_stride, y, y_stride, scratch, of);
          else convolution_forward_scalar(geometry, batch, x, x_stride, y, y_stride, of);
        } else {
          if constexpr (vectors) convolution_input_gradient(geometry, batch, x, x_stride, y, y_stride, scratch, of);
          else convolution_input_gradient_scalar(geometry, batch, x, x_stride, y, y_stride, of);
        }
        done += a.shape.extent[leading] * entry_size;
      }
    });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
