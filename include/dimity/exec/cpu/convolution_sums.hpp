// Sums over taps for whole rows of positions: what convolutions and their input gradients have in common.
#pragma once

#include <dimity/exec/cpu/convolution_copy.hpp>
#include <dimity/exec/cpu/convolution_rows.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail::conv {

/// Taps per pass: what a tile reads of them stays in the first-level cache, and long sums are made of short ones.
inline constexpr extent_t depth_block = std::min<extent_t>(256, 24 * 1024 / (tile_vectors * static_cast<extent_t>(sizeof(batch<float>))));

constexpr extent_t lanes_of(std::size_t element_size) { return static_cast<extent_t>(sizeof(batch<float>) / element_size); }

/// Some of the taps along an axis: first, first + step, ...
struct tap_range {
  extent_t first, step, count;
};

/// What is summed: for each of `channels` results, `depth` weights times what lies at `offset` from the position. Weights are packed by pack_weights; taps of a channel of the source are
/// rows and columns of a grid.
template <class T>
struct weighted_taps {
  extent_t channels, depth;
  extent_t tap_rows, tap_columns;
  T const* weights;
  extent_t const* offset;
};

/// Where it is summed: image n, row r, column c is at source + n * image_step + r * row_step + c, and result number (n * rows + r) * columns + c.
template <class T>
struct position_rows {
  T const* source;
  extent_t images, rows, columns, image_step, row_step;
  bool is_copy;

  extent_t size() const { return images * rows * columns; }
};

/// Memory in which sums are kept between two blocks of taps, and in which positions are gathered.
template <class T>
struct sum_scratch {
  T *kept, *panel;
  extent_t* panel_offset;
};
constexpr extent_t kept_elements(extent_t channels, std::size_t element_size) { return (channels + tile_rows) * std::max(tile_vectors, wide_vectors) * lanes_of(element_size); }
constexpr extent_t panel_elements(std::size_t element_size) { return (depth_block * most_vectors + 1) * lanes_of(element_size); }
static_assert(depth_block >= 16, "a panel has room for a square");

/// Rows of results that are handed over at a time: while they lie in the first-level cache where sums are short, and at least so many that a block is full.
constexpr extent_t rows_at_a_time(extent_t channels, extent_t depth, extent_t columns, std::size_t element_size) {
  extent_t const bytes = (depth < 64 ? 16 : 128) * 1024;
  extent_t const least = ceil_divide(tile_vectors * lanes_of(element_size), columns);
  return std::max(least, bytes / static_cast<extent_t>(element_size) / std::max<extent_t>(1, channels * columns));
}

/// Packs the weights of all taps of channels, where those of a channel lie side by side: in squares that are transposed in registers. Returns for how many channels it did.
template <class T>
extent_t pack_whole_squares(T const* w, extent_t channels, extent_t channel_stride, extent_t depth, T* to, T* square) {
  constexpr extent_t width = lanes<T>, rows = std::min<extent_t>(width, tile_rows);
  if (depth < width) return 0;
  extent_t const whole = channels / std::max<extent_t>(width, tile_rows) * std::max<extent_t>(width, tile_rows);
  for (extent_t c = 0; c < whole; c += width)
    for (extent_t k = 0; k < depth; k += width) {
      extent_t const first = std::min(k, depth - width);
      mm::transpose_block<T>(w + c * channel_stride + first, channel_stride, square, width);
      for (extent_t i = 0; i < width; ++i)
        for (extent_t r = 0; r < width; r += rows)
          std::memcpy(to + (c + r) / tile_rows * tile_rows * depth + (first + i) * tile_rows + (c + r) % tile_rows, square + i * width + r, static_cast<std::size_t>(rows) * sizeof(T));
    }
  return whole;
}
template <class T, int... I>
DIMITY_INLINE void copy_apart(T const* from, extent_t stride, T* to, std::integer_sequence<int, I...>) {
  ((to[I] = from[I * stride]), ...);
}
/// Packs the weights of some taps for tiles: the rows of a tile are side by side. `square` has room for a vector of vectors.
template <class T>
[[gnu::noinline]] void pack_weights(T const* w, extent_t channels, extent_t channel_stride, extent_t depth, extent_t depth_stride, convolution_geometry const& g, extent_t const* tap_stride,
                                    tap_range const* taps, T* to, T* square) {
  bool const is_whole = taps[0].count == g.kernel[0] && taps[1].count == g.kernel[1];
  bool const is_dense = is_whole && (g.kernel[1] == 1 || tap_stride[1] == 1) && (g.kernel[0] == 1 || tap_stride[0] == g.kernel[1]) && depth_stride == g.kernel_size();
  extent_t first = is_dense ? pack_whole_squares(w, channels, channel_stride, depth * g.kernel_size(), to, square) : 0;
  to += first * depth * taps[0].count * taps[1].count;
  while (first < channels) {
    int const rows = next_tile_rows(channels - first);
    for (extent_t d = 0; d < depth; ++d)
      for (extent_t h = 0; h < taps[0].count; ++h)
        for (extent_t v = 0; v < taps[1].count; ++v, to += rows) {
          T const* const from = w + first * channel_stride + d * depth_stride + (taps[0].first + h * taps[0].step) * tap_stride[0] + (taps[1].first + v * taps[1].step) * tap_stride[1];
          if (channel_stride == 1 && rows == tile_rows) std::memcpy(to, from, sizeof(T) * tile_rows);
          else if (rows == tile_rows) copy_apart(from, channel_stride, to, std::make_integer_sequence<int, tile_rows>{});
          else
            for (int r = 0; r < rows; ++r) to[r] = from[r * channel_stride];
        }
    first += rows;
  }
}

/// Vectors of the next tile, when so many are left: tiles of nearly the same size.
constexpr int next_tile_vectors(extent_t left) { return left == tile_vectors + 1 ? 2 : static_cast<int>(std::min<extent_t>(left, tile_vectors)); }
/// Those of the tiles of a block, where there is one row of them.
constexpr int block_vectors(extent_t channels, extent_t left) { return channels == 1 && left >= wide_vectors ? wide_vectors : next_tile_vectors(left); }

/// Goes through the vectors of some rows. The last vector of a row ends with it, where the row is that long.
template <class T>
class row_vectors {
 public:
  explicit row_vectors(position_rows<T> const& p) : p_(p), per_row_(ceil_divide(p.columns, lanes<T>)), last_(std::max<extent_t>(0, p.columns - lanes<T>)) {}
  extent_t count() const { return p_.images * p_.rows * per_row_; }
  void next(T const*& x, extent_t& column) {
    extent_t const at = std::min(vector_ * lanes<T>, last_);
    x = p_.source + image_ * p_.image_step + row_ * p_.row_step + at;
    column = (image_ * p_.rows + row_) * p_.columns + at;
    if (++vector_ < per_row_) return;
    vector_ = 0;
    if (++row_ < p_.rows) return;
    row_ = 0;
    ++image_;
  }

 private:
  position_rows<T> const& p_;
  extent_t per_row_, last_, image_ = 0, row_ = 0, vector_ = 0;
};

/// All tiles of a block of vectors, for some of the taps.
template <class T>
void sum_block(weighted_taps<T> const& taps, extent_t first, extent_t count, int vectors, tile_task<T> task, T* kept, T* to, extent_t to_channel) {
  bool const is_last = first + count >= taps.depth;
  extent_t column[most_vectors];
  for (int v = 0; v < vectors; ++v) {
    column[v] = is_last ? task.column[v] : v * lanes<T>;
    task.column[v] = column[v];
  }
  task.depth = count;
  task.to_row = is_last ? to_channel : vectors * lanes<T>;
  for (extent_t channel = 0; channel < taps.channels;) {
    int const rows = next_tile_rows(taps.channels - channel);
    T* const sums = kept + channel * vectors * lanes<T>;
    task.weight = taps.weights + channel * taps.depth + first * rows;
    task.from = first == 0 ? nullptr : sums;
    task.to = is_last ? to + channel * to_channel : sums;
    run_any_tile(rows, vectors, task);
    channel += rows;
  }
}

template <class T>
void sum_rows_in_place(weighted_taps<T> const& taps, position_rows<T> const& positions, sum_scratch<T> const& scratch, T* to, extent_t to_channel) {
  row_vectors<T> all(positions);
  extent_t const blocks = std::max<extent_t>(1, ceil_divide(taps.depth, depth_block)), depth = ceil_divide(taps.depth, blocks);
  for (extent_t left = all.count(); left > 0;) {
    int const vectors = block_vectors(taps.channels, left);
    left -= vectors;
    tile_task<T> task{};
    for (int v = 0; v < vectors; ++v) all.next(task.x[v], task.column[v]);
    for (extent_t b = 0; b < blocks; ++b) {
      task.offset = taps.offset + b * depth;
      sum_block(taps, b * depth, std::min(depth, taps.depth - b * depth), vectors, task, scratch.kept, to, to_channel);
    }
  }
}

/// One vector of a panel: where it comes from, at which column it goes, and how many of its elements count.
template <class T>
struct gathered_piece {
  T const* from;
  extent_t column, count;
};
/// As many as there are in a panel of rows of one element each.
template <class T>
inline constexpr int most_pieces = most_vectors * (lanes<T> + 1);

/// The pieces of positions [first, first + count), which are all from different rows or a vector apart.
template <class T>
int find_pieces(position_rows<T> const& p, extent_t first, extent_t count, gathered_piece<T>* pieces) {
  extent_t const row = first / p.columns;
  extent_t image = row / p.rows, r = row % p.rows, c = first % p.columns;
  int found = 0;
  for (extent_t done = 0; done < count; c = 0) {
    T const* const from = p.source + image * p.image_step + r * p.row_step + c;
    extent_t const n = std::min(count - done, p.columns - c);
    for (extent_t i = 0; i < n; i += lanes<T>) pieces[found++] = {from + i, done + i, std::min<extent_t>(n - i, lanes<T>)};
    done += n;
    if (++r == p.rows) {
      r = 0;
      ++image;
    }
  }
  return found;
}
/// Copies `count` positions for `depth` taps, a tap `width` elements behind the one before.
template <class T>
[[gnu::noinline]] void gather_positions(gathered_piece<T> const* pieces, int found, extent_t count, extent_t const* offset, extent_t depth, T* panel, extent_t width, bool is_copy) {
  for (extent_t k = 0; k < depth; ++k, panel += width) {
    // What is copied beyond a piece is overwritten by what comes next.
    if (is_copy)
      for (int i = 0; i < found; ++i) batch<T>::load_unaligned(pieces[i].from + offset[k]).store_unaligned(panel + pieces[i].column);
    else
      for (int i = 0; i < found; ++i) copy_elements(pieces[i].from + offset[k], pieces[i].count, panel + pieces[i].column);
    copy_zeros(width - count, panel + count);
  }
}

template <class T>
void sum_gathered(weighted_taps<T> const& taps, position_rows<T> const& positions, sum_scratch<T> const& scratch, T* to, extent_t to_channel) {
  extent_t const blocks = std::max<extent_t>(1, ceil_divide(taps.depth, depth_block)), depth = ceil_divide(taps.depth, blocks), size = positions.size();
  int gathered = 0;
  gathered_piece<T> pieces[most_pieces<T>];
  for (extent_t first = 0; first < size;) {
    int const vectors = block_vectors(taps.channels, ceil_divide(size - first, lanes<T>));
    extent_t const width = vectors * lanes<T>;
    if (gathered != vectors)
      for (extent_t k = 0; k < depth; ++k) scratch.panel_offset[k] = k * width;
    gathered = vectors;
    tile_task<T> task{};
    for (int v = 0; v < vectors; ++v) {
      task.x[v] = scratch.panel + v * lanes<T>;
      task.column[v] = first + v * lanes<T>;
    }
    task.offset = scratch.panel_offset;
    extent_t const columns = std::min(width, size - first);
    int const found = find_pieces(positions, first, columns, pieces);
    for (extent_t b = 0; b < blocks; ++b) {
      extent_t const count = std::min(depth, taps.depth - b * depth);
      gather_positions(pieces, found, columns, taps.offset + b * depth, count, scratch.panel, width, positions.is_copy);
      sum_block(taps, b * depth, count, vectors, task, scratch.kept, to, to_channel);
    }
    first += width;
  }
}

/// Whether run_window does it: rows of taps are as far apart as rows of positions, and the sums are not so long that they are better made of several.
template <class T>
bool has_windows(weighted_taps<T> const& taps, position_rows<T> const& p) {
  if (taps.channels != 1 || taps.tap_rows != window_size || taps.tap_columns != window_size || taps.depth == 0 || taps.depth > 2 * depth_block) return false;
  extent_t const row = taps.offset[window_size] - taps.offset[0];
  return (row == p.row_step || row == -p.row_step) && p.rows >= 4 && (p.is_copy || p.columns >= lanes<T>);
}
template <class T>
void sum_windows(weighted_taps<T> const& taps, position_rows<T> const& p, T* to) {
  // Taps that go backwards are taken from the last.
  bool const is_turned = taps.offset[window_size] - taps.offset[0] != p.row_step;
  extent_t const first = is_turned ? window_taps - 1 : 0;
  window_task<T> task{};
  task.weight = taps.weights;
  task.weight_first = first;
  task.weight_step = is_turned ? -1 : 1;
  task.channels = taps.depth / window_taps;
  task.channel = task.channels > 1 ? taps.offset[window_taps] - taps.offset[0] : 0;
  task.row = p.row_step;
  task.column = (taps.offset[1] - taps.offset[0]) * task.weight_step;
  task.columns = task.to_row = p.columns;
  for (extent_t n = 0; n < p.images; ++n, to += p.rows * p.columns)
    for (extent_t next = 0; next < p.rows;) {
      int const rows = p.rows >= most_window_rows && p.rows - next > 4 ? most_window_rows : 4;
      // The last rows once more rather than fewer of them.
      extent_t const row = std::min(next, p.rows - rows);
      task.x = p.source + n * p.image_step + row * p.row_step + taps.offset[first];
      task.to = to + row * p.columns;
      if (rows == most_window_rows) run_window<T, most_window_rows>(task);
      else run_window<T, 4>(task);
      next = row + rows;
    }
}

/// Writes result number p of channel c to to[c * to_channel + p]. What lies up to a vector behind the last result of a channel is overwritten. A source that is a copy may be read up to a
/// vector beyond its end.
template <class T>
[[gnu::noinline]] void sum_taps(weighted_taps<T> const& taps, position_rows<T> positions, sum_scratch<T> const& scratch, T* to, extent_t to_channel) {
  if (positions.size() == 0) return;
  if (has_windows(taps, positions)) return sum_windows(taps, positions, to);
  if (positions.row_step == positions.columns) {
    positions.columns *= positions.rows;
    positions.rows = 1;
  }
  // In half cycles for each tap: rows that fill vectors badly against copies.
  extent_t const in_place = row_vectors<T>(positions).count(), gathered = ceil_divide(positions.size(), lanes<T>);
  extent_t const copies = gathered + positions.images * positions.rows;
  bool const is_short = !positions.is_copy && positions.columns < lanes<T>;
  if (is_short || gathered * taps.channels + 3 * copies < in_place * taps.channels) sum_gathered(taps, positions, scratch, to, to_channel);
  else sum_rows_in_place(taps, positions, scratch, to, to_channel);
}

/// Hands results to a sink: columns first, ... of one row.
template <class T, class Sink>
void emit_results(Sink const& sink, extent_t row, extent_t first, extent_t count, T const* from) {
  extent_t i = 0;
  for (; i + lanes<T> <= count; i += lanes<T>) sink(row, first + i, batch<T>::load_unaligned(from + i));
  if (i < count) sink(row, first + i, load_first<T, lanes<T>>(from + i, static_cast<int>(count - i)).p[0], static_cast<int>(count - i));
}

}  // namespace DIMITY_NAMESPACE::detail::conv
