// The input of a convolution as its kernels read it: with the zeros around it, and with the columns of one stride phase side by side.
#pragma once

#include <dimity/exec/cpu/convolution_geometry.hpp>
#include <dimity/exec/cpu/matmul_tile.hpp>

namespace DIMITY_NAMESPACE::detail::conv {

/// Planes [image, channel] of rows and columns, anywhere in memory.
template <class T>
struct planes {
  T const* data;
  extent_t stride[4];  ///< image, channel, row, column
  extent_t extent[2];  ///< rows, columns; zeros are around them
};

/// What is the same for all rows of a window: `before` zeros, `count` elements from element `first` on, `after` zeros.
struct row_window {
  extent_t before, first, count, after;
};
constexpr row_window window_of_row(extent_t n, extent_t first, extent_t count) {
  extent_t const begin = std::clamp<extent_t>(-first, 0, count), end = std::clamp<extent_t>(n - first, begin, count);
  return {begin, first + begin, end - begin, count - end};
}

/// Where the copy of a window goes: its row r, column c is at origin + r * row_pitch + c. Zeros behind a row are those before the next. If there is more than one phase column c is in
/// phase c mod phases, at c / phases.
struct window_layout {
  extent_t first[2];  ///< row and column of the planes at which the window begins; may be negative
  extent_t rows, columns;
  extent_t phases, phase_pitch;
  extent_t origin, row_pitch, channel_pitch, image_pitch;
};
/// For planes of `extent` columns. Rows begin where vectors do if that does not take much more memory.
constexpr window_layout layout_window(extent_t first_row, extent_t first_column, extent_t rows, extent_t columns, extent_t channels, extent_t phases, extent_t extent, extent_t lanes) {
  window_layout l{{first_row, first_column}, rows, columns, phases, ceil_divide(columns, phases), 0, 0, 0, 0};
  l.row_pitch = l.phase_pitch * phases;
  row_window const row = window_of_row(extent, first_column, columns);
  if (phases == 1 && row.count > 0 && row.before + row.after > 0) {
    l.row_pitch = row.count + std::max(row.before, row.after);
    extent_t const whole = ceil_divide(l.row_pitch, lanes) * lanes;
    if (4 * whole <= 5 * l.row_pitch) l.row_pitch = whole;
    l.origin = ceil_divide(row.before, lanes) * lanes - row.before;
  }
  l.channel_pitch = l.row_pitch * rows;
  l.image_pitch = l.channel_pitch * channels;
  return l;
}
/// Elements of the copy of some images; vectors may be read, and are written, up to a vector behind it.
constexpr extent_t window_elements(window_layout const& l, extent_t images, extent_t lanes) {
  extent_t const before = std::max<extent_t>(0, -l.first[1]);
  return images * l.image_pitch + ceil_divide(before, lanes) * lanes + 2 * lanes;
}

/// Neighbouring elements, and nothing beyond them; up to a vector behind `to + n` may be written.
template <class T>
DIMITY_INLINE void copy_elements(T const* from, extent_t n, T* to) {
  constexpr extent_t width = native_lanes<T>();
  using batch = native_batch<T>;
  if (n >= width) {
    for (extent_t i = 0; i + width <= n; i += width) batch::load_unaligned(from + i).store_unaligned(to + i);
    batch::load_unaligned(from + n - width).store_unaligned(to + n - width);
  } else if (n > 0) {
    load_first<T, native_lanes<T>()>(from, static_cast<int>(n)).p[0].store_unaligned(to);
  }
}
template <class T>
DIMITY_INLINE void copy_zeros(extent_t n, T* to) {
  // The first vector is mostly the last; compilers would make calls of memset of a plain loop.
  if (n <= 0) return;
  native_batch<T>(T(0)).store_unaligned(to);
  for (extent_t i = native_lanes<T>(); i < n; i += native_lanes<T>()) native_batch<T>(T(0)).store_unaligned(to + i);
}

/// The elements of a row and zeros behind them, `pitch` in all; up to a vector more is written, which the next row overwrites.
template <class T>
DIMITY_INLINE void copy_row(T const* row, extent_t stride, extent_t count, extent_t pitch, T* to) {
  constexpr extent_t width = native_lanes<T>();
  extent_t done = count;
  if (stride != 1) {
    for (extent_t i = 0; i < count; ++i) to[i] = row[i * stride];
  } else if constexpr (sizeof(native_batch<T>) == 64) {
    // Loads with a mask, and stores that begin where vectors do if the row does.
    extent_t i = 0;
    for (; i + width <= count; i += width) native_batch<T>::load_unaligned(row + i).store_unaligned(to + i);
    if (i < count) load_first<T, native_lanes<T>()>(row + i, static_cast<int>(count - i)).p[0].store_unaligned(to + i);
    done = (count + width - 1) / width * width;
  } else {
    copy_elements(row, count, to);
  }
  copy_zeros(pitch - done, to + done);
}

/// Every second element, from the first (Odd = 0) or the second on.
template <int Odd, class T, int... L>
DIMITY_INLINE void copy_every_second(T const* from, T* to, std::integer_sequence<int, L...>) {
  using mm::raw;
  mm::store_raw<T>(to, mm::shuffle_lanes<raw<T>, 2 * L + Odd...>(mm::load_raw<T, mm::lanes<T>>(from), mm::load_raw<T, mm::lanes<T>>(from + mm::lanes<T>)));
}
/// Columns p, p + phases, ... of a line for every phase p, those of a phase behind those of the one before. What is written behind a phase is overwritten by the next.
template <class T>
DIMITY_INLINE void copy_phases(T const* line, window_layout const& l, T* to) {
  constexpr auto all = std::make_integer_sequence<int, mm::lanes<T>>{};
  extent_t const step = l.phases, pitch = l.phase_pitch;
  if (step == 2) {
    for (extent_t i = 0; i < pitch; i += mm::lanes<T>) copy_every_second<0>(line + 2 * i, to + i, all);
    for (extent_t i = 0; i < pitch; i += mm::lanes<T>) copy_every_second<1>(line + 2 * i, to + pitch + i, all);
    return;
  }
  for (extent_t p = 0; p < step; ++p)
    for (extent_t i = 0; i < pitch; ++i) to[p * pitch + i] = line[p + i * step];
}

/// Rows that are still to be split into phases wait in lines: several, because reading what was just stored differently waits until it is in the cache.
inline constexpr extent_t line_count = 8;
constexpr extent_t line_pitch(window_layout const& l, extent_t lanes) { return l.row_pitch + 2 * lanes; }
constexpr extent_t line_elements(window_layout const& l, extent_t lanes) { return l.phases > 1 ? line_count * line_pitch(l, lanes) + lanes : 0; }

/// Writes up to a vector behind the end of the copy, and line_elements at `line`.
template <class T>
[[gnu::noinline]] void copy_window(planes<T> const& from, extent_t images, extent_t channels, window_layout const& to, T* data, T* line) {
  if (to.row_pitch == 0) return;
  row_window const columns = window_of_row(from.extent[1], to.first[1], to.columns);
  row_window rows = window_of_row(from.extent[0], to.first[0], to.rows);
  if (columns.count == 0) rows = {to.rows, 0, 0, 0};
  extent_t const stride = from.stride[3], step = from.stride[2], pitch = to.row_pitch;
  extent_t const lines = line_pitch(to, mm::lanes<T>);
  T* row = data;
  if (to.phases == 1) {
    row += columns.count == 0 ? 0 : to.origin + columns.before;
    copy_zeros(row - data, data);
  } else {
    copy_zeros(line_count * lines, line);
  }
  for (extent_t n = 0; n < images; ++n)
    for (extent_t c = 0; c < channels; ++c) {
      copy_zeros(rows.before * pitch, row);
      row += rows.before * pitch;
      if (rows.count > 0) {
        T const* const plane = from.data + n * from.stride[0] + c * from.stride[1] + rows.first * step + columns.first * stride;
        if (to.phases == 1) {
          for (extent_t r = 0; r < rows.count; ++r, row += pitch) copy_row(plane + r * step, stride, columns.count, pitch, row);
        } else {
          for (extent_t first = 0; first < rows.count; first += line_count) {
            extent_t const some = std::min(line_count, rows.count - first);
            for (extent_t r = 0; r < some; ++r) copy_row(plane + (first + r) * step, stride, columns.count, pitch - columns.before, line + r * lines + columns.before);
            for (extent_t r = 0; r < some; ++r, row += pitch) copy_phases(line + r * lines, to, row);
          }
        }
      }
      copy_zeros(rows.after * pitch, row);
      row += rows.after * pitch;
    }
}

}  // namespace DIMITY_NAMESPACE::detail::conv
