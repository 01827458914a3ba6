// Input gradients of convolutions. For every remainder of rows and columns by the strides it is a convolution of the gradient, of stride 1, with the taps that reach such elements.
#pragma once

#include <dimity/exec/cpu/convolution_forward.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace conv {

/// The elements of the input, along an axis, whose distance from the first element that is padded with has remainder `remainder` by the stride: first, first + stride, ...
struct stride_phase {
  extent_t first, count;
  extent_t start;  ///< of the first element: the output whose window would begin there
  tap_range taps;
};
constexpr stride_phase phase_of(convolution_geometry const& g, int axis, extent_t remainder, extent_t begin, extent_t end) {
  extent_t const stride = g.stride[axis];
  extent_t const at = begin + g.before[axis];
  extent_t const first = begin + ((remainder - at) % stride + stride) % stride;
  stride_phase p{first, std::max<extent_t>(0, ceil_divide(end - first, stride)), floor_divide(first + g.before[axis], stride), {0, 1, 0}};
  for (extent_t k = 0; k < g.kernel[axis] && k < stride; ++k) {
    if (k * g.dilation[axis] % stride != remainder) continue;
    extent_t step = 1;
    while (step * g.dilation[axis] % stride != 0) ++step;
    p.taps = {k, step, ceil_divide(g.kernel[axis] - k, step)};
    break;
  }
  return p;
}

/// Outputs along an axis whose windows may reach elements [begin, end) of the input.
constexpr extent_range outputs_reaching(convolution_geometry const& g, int axis, extent_t begin, extent_t end) {
  extent_t const reach = (std::max<extent_t>(1, g.kernel[axis]) - 1) * g.dilation[axis] / g.stride[axis];
  return {floor_divide(begin + g.before[axis], g.stride[axis]) - reach, floor_divide(end - 1 + g.before[axis], g.stride[axis]) + 1};
}

/// The window of the gradient for rows [begin, end) of the input.
constexpr window_layout gradient_window(convolution_geometry const& g, extent_t begin, extent_t end, extent_t lanes) {
  extent_range const rows = outputs_reaching(g, 0, begin, end), columns = outputs_reaching(g, 1, 0, g.in[1]);
  return layout_window(rows.first, columns.first, rows.count(), columns.count(), g.out_channels, 1, g.out[1], lanes);
}
/// Rows of the gradient for `rows` rows of the input, wherever they are.
constexpr extent_t most_gradient_rows(convolution_geometry const& g, extent_t rows) {
  return ceil_divide(rows - 1, g.stride[0]) + 1 + (std::max<extent_t>(1, g.kernel[0]) - 1) * g.dilation[0] / g.stride[0];
}

constexpr bool has_phases(convolution_geometry const& g) { return g.stride[0] > 1 || g.stride[1] > 1; }

constexpr band_plan plan_input_gradient(convolution_geometry const& g, std::size_t element_size) {
  band_plan p;
  if (g.in_size() == 0) return p;
  extent_t const lanes = lanes_of(element_size), depth = g.out_channels * g.kernel_size();
  window_layout most = gradient_window(g, 0, 1, lanes);
  extent_t const gradient_row = most.row_pitch * g.out_channels;
  choose_band(p, g.in[0], g.in_channels * g.in[1], ceil_divide(gradient_row, g.stride[0]), (most_gradient_rows(g, 1) - 1) * gradient_row, g.in[1], element_size);
  scratch_places s(element_size);
  p.weights = s.place(g.in_channels * depth);
  p.offsets = s.place_offsets(depth);
  p.kept = s.place(kept_elements(g.in_channels, element_size));
  p.panel = s.place(panel_elements(element_size));
  p.panel_offsets = s.place_offsets(depth_block);
  most.image_pitch = most_gradient_rows(g, p.rows) * gradient_row;
  p.source = s.place(window_elements(most, p.images, lanes));
  p.result_rows = p.images > 1 ? p.rows : std::min(p.rows, g.stride[0] * rows_at_a_time(g.in_channels, depth / (g.stride[0] * g.stride[1]), g.in[1], element_size));
  p.to_channel = mm::round_to_line(p.images * p.result_rows * g.in[1] + g.stride[0] * g.stride[1] * lanes, element_size);
  p.results = s.place(g.in_channels * p.to_channel);
  p.line = s.place(has_phases(g) ? g.in_channels * p.to_channel : 0);
  p.size = s.size();
  return p;
}

/// Calls f(remainder of rows, remainder of columns) for every phase.
template <class F>
DIMITY_INLINE void for_each_phase(convolution_geometry const& g, F const& f) {
  for (extent_t a = 0; a < g.stride[0]; ++a)
    for (extent_t b = 0; b < g.stride[1]; ++b) f(a, b);
}

/// Packs the weights of all phases, one behind the other.
template <class T>
void pack_phases(convolution_geometry const& g, T const* w, extent_t const* w_stride, T* to, T* square) {
  for_each_phase(g, [&](extent_t a, extent_t b) {
    tap_range const taps[] = {phase_of(g, 0, a, 0, g.in[0]).taps, phase_of(g, 1, b, 0, g.in[1]).taps};
    pack_weights(w, g.in_channels, w_stride[1], g.out_channels, w_stride[0], g, w_stride + 2, taps, to, square);
    to += g.in_channels * g.out_channels * taps[0].count * taps[1].count;
  });
}

template <class T>
struct prepared_gradient {
  window_layout window;
  T const* source;
  extent_t images;
  bool is_copy;
};

/// Copies the gradient for a band of one group. The offsets of all phases are one behind the other.
template <class T>
[[gnu::noinline]] prepared_gradient<T> prepare_input_gradient(convolution_geometry const& g, band_plan const& plan, planes<T> const& from, extent_t images, extent_t row, extent_t rows,
                                                              T* scratch) {
  window_layout window = gradient_window(g, row, row + rows, lanes<T>);
  T const* source = scratch + plan.source + window.origin;
  bool const in_place = images == 1 && !has_phases(g) && reads_in_place(window, from.stride, from.extent, from.stride[2], g.in[1], lanes<T>);
  if (in_place) {
    source = from.data + window.first[0] * from.stride[2] + window.first[1];
    window.row_pitch = from.stride[2];
    window.channel_pitch = from.stride[1];
  } else {
    copy_window(from, images, g.out_channels, window, scratch + plan.source, scratch + plan.line);
  }
  extent_t* offset = offsets_at(scratch, plan.offsets);
  for_each_phase(g, [&](extent_t a, extent_t b) {
    tap_range const h = phase_of(g, 0, a, 0, g.in[0]).taps, v = phase_of(g, 1, b, 0, g.in[1]).taps;
    for (extent_t o = 0; o < g.out_channels; ++o)
      for (extent_t i = 0; i < h.count; ++i)
        for (extent_t j = 0; j < v.count; ++j)
          *offset++ = o * window.channel_pitch - (h.first + i * h.step) * g.dilation[0] / g.stride[0] * window.row_pitch - (v.first + j * v.step) * g.dilation[1] / g.stride[1];
  });
  return {window, source, images, !in_place};
}

/// Rows [row, row + rows) of a prepared band: the results of a phase behind those of the one before.
template <class T>
[[gnu::noinline]] void sum_gradient(convolution_geometry const& g, band_plan const& plan, prepared_gradient<T> const& band, extent_t row, extent_t rows, T* scratch) {
  T const* weights = scratch + plan.weights;
  T* to = scratch + plan.results;
  extent_t const* offset = offsets_at(scratch, plan.offsets);
  for_each_phase(g, [&](extent_t a, extent_t b) {
    stride_phase const h = phase_of(g, 0, a, row, row + rows), v = phase_of(g, 1, b, 0, g.in[1]);
    extent_t const depth = g.out_channels * h.taps.count * v.taps.count;
    position_rows<T> positions{band.source, band.images, h.count, v.count, band.window.image_pitch, band.window.row_pitch, band.is_copy};
    if (positions.size() > 0) positions.source += (h.start - band.window.first[0]) * band.window.row_pitch + v.start - band.window.first[1];
    sum_taps<T>({g.in_channels, depth, h.taps.count, v.taps.count, weights, offset}, positions, {scratch + plan.kept, scratch + plan.panel, offsets_at(scratch, plan.panel_offsets)}, to, plan.to_channel);
    weights += g.in_channels * depth;
    offset += depth;
    to += positions.size() + lanes<T>;
  });
}

/// to[0], to[2], ... from `even`, to[1], ... from `odd`. Where vectors end, the rest is left to the caller, who is told how much was done.
template <class T>
extent_t join_pairs(T const* even, T const* odd, extent_t n, T* to) {
  constexpr auto all = std::make_integer_sequence<int, lanes<T>>{};
  extent_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    auto const a = mm::load_raw<T, lanes<T>>(even + i), b = mm::load_raw<T, lanes<T>>(odd + i);
    mm::store_raw<T>(to + 2 * i, mm::interleave<lanes<T>, false, T>(a, b, all));
    mm::store_raw<T>(to + 2 * i + lanes<T>, mm::interleave<lanes<T>, true, T>(a, b, all));
  }
  return i;
}

/// Puts the phases of one image together, the results of a channel to_channel behind those of the one before.
template <class T>
[[gnu::noinline]] void join_phases(convolution_geometry const& g, extent_t images, extent_t image, extent_t row, extent_t rows, T const* results, T* line, extent_t to_channel) {
  extent_t const width = g.in[1], step = g.stride[0] * width;
  for (extent_t a = 0; a < g.stride[0]; ++a) {
    stride_phase const h = phase_of(g, 0, a, row, row + rows);
    T* const to = line + (h.first - row) * width;
    T const* phase[2] = {};
    for (extent_t b = 0; b < g.stride[1]; ++b) {
      stride_phase const v = phase_of(g, 1, b, 0, width);
      T const* const from = results + image * h.count * v.count;
      results += images * h.count * v.count + lanes<T>;
      if (g.stride[1] == 2) {
        phase[v.first] = from;
        continue;
      }
      for (extent_t c = 0; c < g.in_channels; ++c)
        for (extent_t i = 0; i < h.count; ++i)
          for (extent_t j = 0; j < v.count; ++j) to[c * to_channel + i * step + v.first + j * g.stride[1]] = from[c * to_channel + i * v.count + j];
    }
    if (g.stride[1] != 2) continue;
    extent_t const even = (width + 1) / 2, odd = width / 2;
    for (extent_t c = 0; c < g.in_channels; ++c)
      for (extent_t i = 0; i < h.count; ++i) {
        T* const both = to + c * to_channel + i * step;
        T const *const first = phase[0] + c * to_channel + i * even, *const second = phase[1] + c * to_channel + i * odd;
        extent_t j = join_pairs(first, second, odd, both);
        for (; j < odd; ++j) {
          both[2 * j] = first[j];
          both[2 * j + 1] = second[j];
        }
        if (even > odd) both[2 * odd] = first[odd];
      }
  }
}

}  // namespace conv

/// Elements of 64-byte aligned scratch, whatever the batch; element_size is sizeof(T).
constexpr extent_t convolution_input_gradient_scratch(convolution_geometry const& g, std::size_t element_size) { return conv::plan_input_gradient(g, element_size).size; }

/// T is float or double. images(n) is the sink of image n, called with (channel, h * W + w, values) or (channel, h * W + w, values, count).
template <class T, class Images>
void convolution_input_gradient(convolution_geometry const& g, extent_t batch, T const* gradient, extent_t const* gradient_stride, T const* w, extent_t const* w_stride, T* scratch,
                                Images const& images) {
  using namespace conv;
  if (batch == 0 || g.in_size() == 0) return;
  band_plan const plan = plan_input_gradient(g, sizeof(T));
  for (extent_t group = 0; group < g.groups; ++group) {
    pack_phases(g, element_at(w, group * g.out_channels * w_stride[0]), w_stride, scratch + plan.weights, scratch + plan.panel);
    for (extent_t n = 0; n < batch; n += plan.images)
      for (extent_t row = 0; row < g.in[0]; row += plan.rows) {
        extent_t const count = std::min(plan.images, batch - n), rows = std::min(plan.rows, g.in[0] - row);
        planes<T> const from{element_at(gradient, n * gradient_stride[0] + group * g.out_channels * gradient_stride[1]),
                             {gradient_stride[0], gradient_stride[1], gradient_stride[2], gradient_stride[3]},
                             {g.out[0], g.out[1]}};
        prepared_gradient<T> const band = prepare_input_gradient(g, plan, from, count, row, rows, scratch);
        for (extent_t r = 0; r < rows; r += plan.result_rows) {
          extent_t const some = std::min(plan.result_rows, rows - r), size = some * g.in[1];
          sum_gradient(g, plan, band, row + r, some, scratch);
          for (extent_t k = 0; k < count; ++k) {
            auto const& sink = images(n + k);
            if (has_phases(g)) join_phases(g, count, k, row + r, some, scratch + plan.results, scratch + plan.line, plan.to_channel);
            T const* const results = has_phases(g) ? scratch + plan.line : scratch + plan.results + k * size;
            for (extent_t i = 0; i < g.in_channels; ++i) emit_results<T>(sink, group * g.in_channels + i, (row + r) * g.in[1], size, results + i * plan.to_channel);
          }
        }
      }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
