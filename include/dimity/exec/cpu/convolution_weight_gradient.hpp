// Weight gradients of convolutions: bands of images and gradients are copied as the tiles read them, and what they add to the sums is kept in scratch until the last image.
#pragma once

#include <dimity/exec/cpu/convolution_forward.hpp>
#include <dimity/exec/cpu/convolution_weight_tile.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace conv {

struct weight_plan {
  band_plan band;
  bool by_outputs = true;  ///< whether the lanes of a vector are outputs, and not positions
  extent_t taps = 0;       ///< of all channels of a group
  extent_t output_pitch = 0, row_pitch = 0;  ///< outputs and columns of the gradient's copy, in whole vectors
  extent_t sums_pitch = 0, sums_size = 0;
  extent_t line_pitch = 0;
  int most_parts = 1;      ///< of the images, see count_parts()
  extent_t gradient = 0, sums = 0, totals = 0, mask = 0;  ///< first elements in scratch; totals: of all parts so far, then of one
};

/// The images are divided into parts whose totals are added up in their order, so that threads can share them without changing a bit of the result. How many parts there are depends on the sizes alone: each is worth
/// what its totals cost, and the totals of all take little memory where threads keep them.
inline constexpr int most_parts_ever = 8;
constexpr int most_parts_of(extent_t total_bytes) { return total_bytes <= (128 << 10) ? most_parts_ever : total_bytes <= (512 << 10) ? 4 : total_bytes <= (4 << 20) ? 2 : 1; }
constexpr int count_parts(convolution_geometry const& g, weight_plan const& plan, extent_t images) {
  extent_t const worth = std::min(images, images * g.out_size() / 512);
  return static_cast<int>(std::clamp<extent_t>(worth, 1, plan.most_parts));
}

/// Positions whose products are added up in registers, one after the other in each lane, and blocks of them whose sums are added before they are added to the totals: the error of a sum
/// grows with the length of such chains.
inline constexpr extent_t chain_length = 192, blocks_of_sum = 32;

constexpr weight_plan plan_weight_gradient(convolution_geometry const& g, std::size_t element_size) {
  weight_plan p;
  extent_t const lanes = lanes_of(element_size);
  p.taps = g.in_channels * g.kernel_size();
  p.output_pitch = ceil_divide(g.out_channels, lanes) * lanes;
  p.row_pitch = ceil_divide(g.out[1], lanes) * lanes;
  // In tenths of cycles, measured on Sapphire Rapids: the gradient of a position is transposed for the one, and for the other x is read unaligned.
  extent_t const positions = g.out[1] * (p.output_pitch / lanes), vectors = g.out_channels * (p.row_pitch / lanes);
  p.by_outputs = positions * (6 * p.taps + 70) <= vectors * (7 * p.taps + 10);
  window_layout const one = forward_window(g, 0, 1, lanes);
  extent_t const gradient_row = p.by_outputs ? g.out[1] * p.output_pitch : g.out_channels * p.row_pitch;
  extent_t const source_row = g.stride[0] * one.row_pitch * g.in_channels;
  choose_band(p.band, g.out[0], gradient_row, source_row, one.image_pitch - std::min(one.image_pitch, source_row), g.out[1], element_size);
  p.line_pitch = ceil_divide(p.taps, lanes) * lanes;
  p.sums_pitch = p.by_outputs ? p.output_pitch : p.taps * lanes;
  p.sums_size = p.by_outputs ? p.line_pitch * p.sums_pitch : g.out_channels * p.sums_pitch;
  scratch_places s(element_size);
  p.band.offsets = s.place_offsets(p.taps);
  p.band.source = s.place(window_elements(forward_window(g, 0, p.band.rows, lanes), p.band.images, lanes));
  p.gradient = s.place(p.band.images * p.band.rows * gradient_row + lanes);
  p.sums = s.place(p.sums_size);
  p.most_parts = most_parts_of(p.sums_size * static_cast<extent_t>(element_size));
  p.totals = s.place((p.most_parts > 1 ? 2 : 1) * p.sums_size);
  p.band.line = s.place(std::max((p.by_outputs ? lanes : 1) * p.line_pitch, line_elements(one, lanes)));
  p.mask = s.place(lanes);
  p.band.size = s.size();
  return p;
}

/// The gradient with the outputs of a position side by side, zeros behind them.
template <class T>
void copy_outputs(planes<T> const& from, extent_t images, extent_t row, extent_t rows, extent_t outputs, extent_t pitch, T* to) {
  // Rows that lie one behind the other are one.
  bool const is_dense = from.stride[3] == 1 && from.stride[2] == from.extent[1];
  extent_t const lines = is_dense ? 1 : rows, columns = is_dense ? rows * from.extent[1] : from.extent[1];
  for (extent_t n = 0; n < images; ++n)
    for (extent_t r = 0; r < lines; ++r, to += columns * pitch) {
      T const* const line = from.data + n * from.stride[0] + (row + r) * from.stride[2];
      extent_t o = 0;
      if (from.stride[3] == 1 && columns >= lanes<T>)
        for (; o + lanes<T> <= outputs; o += lanes<T>)
          for (extent_t c = 0; c < columns; c += lanes<T>) {
            extent_t const first = std::min(c, columns - lanes<T>);
            mm::transpose_block<T>(line + o * from.stride[1] + first, from.stride[1], to + first * pitch + o, pitch);
          }
      if (o == pitch) continue;
      for (extent_t c = 0; c < columns; ++c) {
        for (extent_t i = o; i < outputs; ++i) to[c * pitch + i] = line[i * from.stride[1] + c * from.stride[3]];
        for (extent_t i = outputs; i < pitch; ++i) to[c * pitch + i] = T(0);
      }
    }
}
/// The gradient with zeros behind each row.
template <class T>
void copy_rows(planes<T> const& from, extent_t images, extent_t row, extent_t rows, extent_t outputs, extent_t pitch, T* to) {
  for (extent_t n = 0; n < images; ++n)
    for (extent_t o = 0; o < outputs; ++o)
      for (extent_t r = row; r < row + rows; ++r, to += pitch)
        copy_row(from.data + n * from.stride[0] + o * from.stride[1] + r * from.stride[2], from.stride[3], from.extent[1], pitch, to);
}

/// Adds what one block of positions contributes to all sums.
template <class T>
void add_block(convolution_geometry const& g, weight_plan const& plan, T const* source, T const* gradient, position_block const& block, T* scratch) {
  extent_t const* const offset = offsets_at(scratch, plan.band.offsets);
  T* const sums = scratch + plan.sums;
  if (plan.by_outputs) {
    for (extent_t o = 0; o < plan.output_pitch;) {
      int const vectors = next_tile_vectors((plan.output_pitch - o) / lanes<T>);
      for (extent_t k = 0; k < plan.taps;) {
        int const rows = next_outer_rows(plan.taps - k);
        add_any_outer_tile<T>(rows, vectors, {source, offset + k, gradient + o, sums + k * plan.sums_pitch + o, plan.sums_pitch}, block);
        k += rows;
      }
      o += vectors * lanes<T>;
    }
    return;
  }
  extent_t const channel = block.gradient_channel, begin = g.out[1] >= lanes<T> ? lanes<T> : g.out[1];
  for (extent_t o = 0; o < g.out_channels;) {
    int const outputs = g.out_channels - o >= dot_outputs ? dot_outputs : 1;
    for (extent_t k = 0; k < plan.taps;) {
      int const taps = next_dot_taps(plan.taps - k);
      dot_task<T> const task{source, offset + k, gradient + o * channel, channel, sums + o * plan.sums_pitch + k * lanes<T>, plan.sums_pitch, scratch + plan.mask, begin};
      if (outputs == dot_outputs) add_any_dot_tile<T, dot_outputs>(taps, task, block);
      else add_any_dot_tile<T, 1>(taps, task, block);
      k += taps;
    }
    o += outputs;
  }
}

/// Adds the recent sums to the totals and begins new ones.
template <class T>
void add_totals(weight_plan const& plan, T* scratch, T* totals) {
  T* const sums = scratch + plan.sums;
  for (extent_t i = 0; i < plan.sums_size; i += lanes<T>) {
    (batch<T>::load_aligned(totals + i) + batch<T>::load_aligned(sums + i)).store_aligned(totals + i);
    batch<T>(T(0)).store_aligned(sums + i);
  }
}

/// Adds the totals of another part.
template <class T>
void join_totals(weight_plan const& plan, T* totals, T const* part) {
  for (extent_t i = 0; i < plan.sums_size; i += lanes<T>) (batch<T>::load_aligned(totals + i) + batch<T>::load_aligned(part + i)).store_aligned(totals + i);
}

/// All blocks of a band of one group; `blocks` are those since totals were made.
template <class T>
[[gnu::noinline]] void add_band(convolution_geometry const& g, weight_plan const& plan, planes<T> const& x, planes<T> const& gradient, extent_t images, extent_t row, extent_t rows,
                                T* scratch, T* totals, extent_t& blocks) {
  window_layout window = forward_window(g, row, rows, lanes<T>);
  T const* source = scratch + plan.band.source + window.origin;
  // Tiles that broadcast x read nothing beyond it.
  if (plan.by_outputs && reads_in_place(window, x.stride, x.extent, g.out[1], g.out[1], lanes<T>)) {
    source = x.data + window.first[0] * x.stride[2] + window.first[1];
    window.row_pitch = x.stride[2];
    window.channel_pitch = x.stride[1];
    window.image_pitch = x.stride[0];
  } else {
    copy_window(x, images, g.in_channels, window, scratch + plan.band.source, scratch + plan.band.line);
  }
  forward_offsets(g, window, offsets_at(scratch, plan.band.offsets));
  T const* results = scratch + plan.gradient;
  position_block block{};
  block.image_step = window.image_pitch;
  block.row_step = g.stride[0] * window.row_pitch;
  if (plan.by_outputs) {
    copy_outputs(gradient, images, row, rows, g.out_channels, plan.output_pitch, scratch + plan.gradient);
    block.gradient_column = plan.output_pitch;
    block.gradient_row = g.out[1] * plan.output_pitch;
    block.gradient_image = rows * block.gradient_row;
  } else if (gradient.stride[3] == 1 && g.out[1] >= lanes<T>) {
    results = gradient.data + row * gradient.stride[2];
    block.gradient_column = 1;
    block.gradient_row = gradient.stride[2];
    block.gradient_image = gradient.stride[0];
    block.gradient_channel = gradient.stride[1];
  } else {
    copy_rows(gradient, images, row, rows, g.out_channels, plan.row_pitch, scratch + plan.gradient);
    block.gradient_column = 1;
    block.gradient_row = plan.row_pitch;
    block.gradient_channel = rows * block.gradient_row;
    block.gradient_image = g.out_channels * block.gradient_channel;
  }
  extent_t const positions = chain_length * (plan.by_outputs ? 1 : lanes<T>);
  extent_t const column_blocks = ceil_divide(g.out[1], 2 * positions), columns = ceil_divide(ceil_divide(g.out[1], column_blocks), lanes<T>) * lanes<T>;
  extent_t const block_rows = std::clamp<extent_t>(positions / g.out[1], 1, rows);
  extent_t const block_images = block_rows < rows ? 1 : std::clamp<extent_t>(positions / (rows * g.out[1]), 1, images);
  for (extent_t n = 0; n < images; n += block_images)
    for (extent_t r = 0; r < rows; r += block_rows)
      for (extent_t c = 0; c < g.out[1]; c += columns) {
        block.images = std::min(block_images, images - n);
        block.rows = std::min(block_rows, rows - r);
        block.columns = std::min(columns, g.out[1] - c);
        T const* const at = source + n * block.image_step + r * block.row_step + c;
        add_block<T>(g, plan, at, results + n * block.gradient_image + r * block.gradient_row + c * block.gradient_column, block, scratch);
        if (++blocks < blocks_of_sum) continue;
        add_totals<T>(plan, scratch, totals);
        blocks = 0;
      }
}

/// The finished weights of outputs o, ... (lanes<T> of them where lanes are outputs, otherwise one): line_pitch elements each.
template <class T>
[[gnu::noinline]] void weight_lines(weight_plan const& plan, extent_t o, T* scratch) {
  T const* const totals = scratch + plan.totals;
  T* const line = scratch + plan.band.line;
  if (plan.by_outputs) {
    for (extent_t k = 0; k < plan.line_pitch; k += lanes<T>) mm::transpose_block<T>(totals + k * plan.sums_pitch + o, plan.sums_pitch, line + k, plan.line_pitch);
  } else {
    for (extent_t k = 0; k < plan.taps; ++k)
      line[k] = combine_lanes([](auto const& a, auto const& b) { return a + b; }, batch<T>::load_aligned(totals + o * plan.sums_pitch + k * lanes<T>));
  }
}

template <class T>
[[gnu::noinline]] void prepare_sums(convolution_geometry const& g, weight_plan const& plan, T* scratch, T* totals) {
  std::memset(static_cast<void*>(scratch + plan.sums), 0, static_cast<std::size_t>(plan.sums_size) * sizeof(T));
  std::memset(static_cast<void*>(totals), 0, static_cast<std::size_t>(plan.sums_size) * sizeof(T));
  // The last vector of a row ends with it, or, if it is the only one, begins with it.
  extent_t const left = g.out[1] % lanes<T>, first = g.out[1] >= lanes<T> ? lanes<T> - left : 0;
  std::memset(static_cast<void*>(scratch + plan.mask), 0, sizeof(batch<T>));
  std::memset(static_cast<void*>(scratch + plan.mask + first), 0xff, static_cast<std::size_t>(left) * sizeof(T));
}

}  // namespace conv

/// Elements of 64-byte aligned scratch, whatever the batch; element_size is sizeof(T).
constexpr extent_t convolution_weight_gradient_scratch(convolution_geometry const& g, std::size_t element_size) { return conv::plan_weight_gradient(g, element_size).band.size; }

/// What one thread does with the parts of the images: all of them.
struct all_parts {
  template <class T, class F>
  void operator()(int parts, extent_t /*spare*/, double /*cost*/, T* scratch, F const& f) const {
    f(0, parts, scratch);
  }
};

/// T is float or double. The sink is called with (output, (i * KH + kh) * KW + kw, values) or (output, (i * KH + kh) * KW + kw, values, count).
/// `divide(parts, spare, multiplications, scratch, f)` calls f(begin, end, scratch of the thread) for all parts of the images; the scratch of a call that does not begin with the first has `spare` more elements for each part, which
/// stay until `divide` returns and later.
template <class T, class Sink, class Divide = all_parts>
void convolution_weight_gradient(convolution_geometry const& g, extent_t batch, T const* x, extent_t const* x_stride, T const* gradient, extent_t const* gradient_stride, T* scratch,
                                 Sink const& sink, Divide const& divide = {}) {
  using namespace conv;
  weight_plan const plan = plan_weight_gradient(g, sizeof(T));
  if (g.out_channels == 0 || plan.taps == 0) return;
  int const parts = count_parts(g, plan, batch);
  T* const totals = scratch + plan.totals;
  for (extent_t group = 0; group < g.groups; ++group) {
    auto const add_part = [&](int part, T* own, T* to) {
      prepare_sums<T>(g, plan, own, to);
      extent_t blocks = 0;
      extent_t const end = batch * (part + 1) / parts;
      if (g.out_size() > 0)
        for (extent_t n = batch * part / parts; n < end; n += plan.band.images)
          for (extent_t row = 0; row < g.out[0]; row += plan.band.rows) {
            planes<T> const from{element_at(x, n * x_stride[0] + group * g.in_channels * x_stride[1]), {x_stride[0], x_stride[1], x_stride[2], x_stride[3]}, {g.in[0], g.in[1]}};
            planes<T> const results{element_at(gradient, n * gradient_stride[0] + group * g.out_channels * gradient_stride[1]),
                                    {gradient_stride[0], gradient_stride[1], gradient_stride[2], gradient_stride[3]},
                                    {g.out[0], g.out[1]}};
            add_band(g, plan, from, results, std::min(plan.band.images, end - n), row, std::min(plan.band.rows, g.out[0] - row), own, to, blocks);
          }
      add_totals<T>(plan, own, to);
    };
    T const* left[most_parts_ever] = {};
    divide(parts, plan.sums_size, static_cast<double>(batch * g.out_size()) * static_cast<double>(plan.taps * g.out_channels), scratch, [&](int begin, int end, T* own) {
      for (int part = begin; part < end; ++part) {
        // Who begins with the first part joins each at once, while its totals are in the cache.
        T* const to = begin == 0 ? totals + (part > 0 ? plan.sums_size : 0) : own + plan.band.size + (part - begin) * plan.sums_size;
        add_part(part, own, to);
        if (begin > 0) left[part] = to;
        else if (part > 0) join_totals<T>(plan, totals, to);
      }
    });
    for (int part = 1; part < parts; ++part)
      if (left[part] != nullptr) join_totals<T>(plan, totals, left[part]);
    for (extent_t o = 0; o < g.out_channels; o += plan.by_outputs ? lanes<T> : 1) {
      weight_lines<T>(plan, o, scratch);
      extent_t const count = plan.by_outputs ? std::min<extent_t>(lanes<T>, g.out_channels - o) : 1;
      for (extent_t i = 0; i < count; ++i) emit_results<T>(sink, group * g.out_channels + o + i, 0, plan.taps, scratch + plan.band.line + i * plan.line_pitch);
    }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
