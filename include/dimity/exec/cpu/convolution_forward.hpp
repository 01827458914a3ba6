// Convolutions: bands of rows of the images are copied with the zeros around them, summed over the taps, and handed to the sinks.
#pragma once

#include <dimity/exec/cpu/convolution_copy.hpp>
#include <dimity/exec/cpu/convolution_sums.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace conv {

/// Bytes of scratch that are passed over again and again, for the second-level cache.
inline constexpr extent_t band_bytes = 512 * 1024;

/// How many rows of results, and of how many images, are worked on at a time, and where in scratch what is.
struct band_plan {
  extent_t rows = 0, images = 0;
  extent_t result_rows = 0;  ///< of a band, that are handed over at a time
  extent_t to_channel = 0;  ///< elements from the results of a channel to those of the next
  extent_t weights = 0, offsets = 0, kept = 0, panel = 0, panel_offsets = 0, source = 0, results = 0, line = 0, size = 0;  ///< first elements in scratch
};

/// Images that are small are worked on together, up to this many positions.
constexpr extent_t gathered_positions(std::size_t element_size) { return 6 * tile_vectors * lanes_of(element_size); }

/// Gives the parts of scratch their places, one behind the other.
class scratch_places {
 public:
  constexpr explicit scratch_places(std::size_t element_size) : element_size_(element_size) {}
  constexpr extent_t place(extent_t elements) {
    extent_t const at = size_;
    size_ += mm::round_to_line(elements, element_size_);
    return at;
  }
  constexpr extent_t place_offsets(extent_t count) { return place(count * static_cast<extent_t>(sizeof(extent_t) / element_size_)); }
  constexpr extent_t size() const { return size_; }

 private:
  std::size_t element_size_;
  extent_t size_ = 0;
};

/// Bands for rows of `row` results and sources, of which there are `fixed` more in each band.
constexpr void choose_band(band_plan& plan, extent_t rows, extent_t results_of_row, extent_t sources_of_row, extent_t fixed, extent_t columns, std::size_t element_size) {
  extent_t const budget = band_bytes / static_cast<extent_t>(element_size), row = std::max<extent_t>(1, results_of_row + sources_of_row);
  plan.rows = std::clamp<extent_t>((budget - fixed) / row, 1, std::max<extent_t>(1, rows));
  plan.images = 1;
  if (plan.rows == rows && rows * columns > 0)
    plan.images = std::clamp<extent_t>(ceil_divide(gathered_positions(element_size), rows * columns), 1, std::max<extent_t>(1, budget / (fixed + rows * row)));
}

/// Reinterpreting scratch is allowed here: it is memory without elements of its own.
template <class T>
extent_t* offsets_at(T* scratch, extent_t place) {
  return reinterpret_cast<extent_t*>(scratch + place);
}

/// The window of the input for rows [row, row + rows) of the results.
constexpr window_layout forward_window(convolution_geometry const& g, extent_t row, extent_t rows, extent_t lanes) {
  return layout_window(row * g.stride[0] - g.before[0], -g.before[1], window_span(g, 0, rows), window_span(g, 1, g.out[1]), g.in_channels, g.stride[1], g.in[1], lanes);
}

constexpr band_plan plan_forward(convolution_geometry const& g, std::size_t element_size) {
  band_plan p;
  if (g.out_size() == 0) return p;
  extent_t const lanes = lanes_of(element_size), depth = g.in_channels * g.kernel_size();
  window_layout const one = forward_window(g, 0, 1, lanes);
  extent_t const source_row = g.stride[0] * one.row_pitch * g.in_channels;
  choose_band(p, g.out[0], g.out_channels * g.out[1], source_row, one.image_pitch - std::min(one.image_pitch, source_row), g.out[1], element_size);
  scratch_places s(element_size);
  p.weights = s.place(g.out_channels * depth);
  p.offsets = s.place_offsets(depth);
  p.kept = s.place(kept_elements(g.out_channels, element_size));
  p.panel = s.place(panel_elements(element_size));
  p.panel_offsets = s.place_offsets(depth_block);
  p.source = s.place(window_elements(forward_window(g, 0, p.rows, lanes), p.images, lanes));
  p.result_rows = p.images > 1 ? p.rows : std::min(p.rows, rows_at_a_time(g.out_channels, depth, g.out[1], element_size));
  p.to_channel = mm::round_to_line(p.images * p.result_rows * g.out[1] + lanes, element_size);
  p.results = s.place(g.out_channels * p.to_channel);
  p.line = s.place(line_elements(one, lanes));
  p.size = s.size();
  return p;
}

/// Where each tap of each channel reads, from the first element of a window.
inline void forward_offsets(convolution_geometry const& g, window_layout const& l, extent_t* to) {
  for (extent_t i = 0; i < g.in_channels; ++i)
    for (extent_t h = 0; h < g.kernel[0]; ++h)
      for (extent_t v = 0; v < g.kernel[1]; ++v) {
        extent_t const column = v * g.dilation[1];
        *to++ = i * l.channel_pitch + h * g.dilation[0] * l.row_pitch + column % l.phases * l.phase_pitch + column / l.phases;
      }
}

/// Whether rows can be read where they are: columns side by side, no zeros around them, and rows that are long or make one together.
constexpr bool reads_in_place(window_layout const& l, extent_t const* stride, extent_t const* extent, extent_t row_step, extent_t columns, extent_t lanes) {
  if (stride[3] != 1 || l.phases != 1 || l.first[0] < 0 || l.first[1] < 0 || l.first[0] + l.rows > extent[0] || l.first[1] + l.columns > extent[1]) return false;
  return columns >= 4 * lanes || row_step == columns;
}

/// A band whose sources are in place.
template <class T>
struct prepared_band {
  weighted_taps<T> taps;
  position_rows<T> positions;
};

/// Copies the source of a band of one group.
template <class T>
[[gnu::noinline]] prepared_band<T> prepare_forward(convolution_geometry const& g, band_plan const& plan, planes<T> const& from, extent_t images, extent_t row, extent_t rows, T* scratch) {
  window_layout window = forward_window(g, row, rows, lanes<T>);
  extent_t* const offset = offsets_at(scratch, plan.offsets);
  T const* source = scratch + plan.source + window.origin;
  bool const in_place = images == 1 && reads_in_place(window, from.stride, from.extent, g.stride[0] * from.stride[2], g.out[1], lanes<T>);
  if (in_place) {
    source = from.data + window.first[0] * from.stride[2] + window.first[1];
    window.row_pitch = from.stride[2];
    window.channel_pitch = from.stride[1];
  } else {
    copy_window(from, images, g.in_channels, window, scratch + plan.source, scratch + plan.line);
  }
  forward_offsets(g, window, offset);
  return {{g.out_channels, g.in_channels * g.kernel_size(), g.kernel[0], g.kernel[1], scratch + plan.weights, offset},
          {source, images, rows, g.out[1], window.image_pitch, g.stride[0] * window.row_pitch, !in_place}};
}

/// Rows [row, row + rows) of a prepared band, which are all of it where it has several images.
template <class T>
[[gnu::noinline]] void sum_band(prepared_band<T> const& band, band_plan const& plan, extent_t row, extent_t rows, T* scratch) {
  position_rows<T> some = band.positions;
  some.source += row * some.row_step;
  some.rows = rows;
  sum_taps<T>(band.taps, some, {scratch + plan.kept, scratch + plan.panel, offsets_at(scratch, plan.panel_offsets)}, scratch + plan.results, plan.to_channel);
}

/// An element of a tensor that may have none.
template <class T>
T const* element_at(T const* data, extent_t offset) {
  return data == nullptr ? nullptr : data + offset;
}

}  // namespace conv

/// Elements of 64-byte aligned scratch, whatever the batch; element_size is sizeof(T).
constexpr extent_t convolution_forward_scratch(convolution_geometry const& g, std::size_t element_size) { return conv::plan_forward(g, element_size).size; }

/// T is float or double. images(n) is the sink of image n, called with (channel, oh * OW + ow, values) or (channel, oh * OW + ow, values, count).
template <class T, class Images>
void convolution_forward(convolution_geometry const& g, extent_t batch, T const* x, extent_t const* x_stride, T const* w, extent_t const* w_stride, T* scratch, Images const& images) {
  using namespace conv;
  if (batch == 0 || g.out_size() == 0) return;
  band_plan const plan = plan_forward(g, sizeof(T));
  tap_range const taps[] = {{0, 1, g.kernel[0]}, {0, 1, g.kernel[1]}};
  for (extent_t group = 0; group < g.groups; ++group) {
    pack_weights(element_at(w, group * g.out_channels * w_stride[0]), g.out_channels, w_stride[0], g.in_channels, w_stride[1], g, w_stride + 2, taps, scratch + plan.weights,
                 scratch + plan.panel);
    for (extent_t n = 0; n < batch; n += plan.images)
      for (extent_t row = 0; row < g.out[0]; row += plan.rows) {
        extent_t const count = std::min(plan.images, batch - n), rows = std::min(plan.rows, g.out[0] - row);
        planes<T> const from{element_at(x, n * x_stride[0] + group * g.in_channels * x_stride[1]), {x_stride[0], x_stride[1], x_stride[2], x_stride[3]}, {g.in[0], g.in[1]}};
        prepared_band<T> const band = prepare_forward(g, plan, from, count, row, rows, scratch);
        for (extent_t r = 0; r < rows; r += plan.result_rows) {
          extent_t const some = std::min(plan.result_rows, rows - r), size = some * g.out[1];
          sum_band(band, plan, r, some, scratch);
          for (extent_t k = 0; k < count; ++k) {
            auto const& sink = images(n + k);
            for (extent_t o = 0; o < g.out_channels; ++o)
              emit_results<T>(sink, group * g.out_channels + o, (row + r) * g.out[1], size, scratch + plan.results + o * plan.to_channel + k * size);
          }
        }
      }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
