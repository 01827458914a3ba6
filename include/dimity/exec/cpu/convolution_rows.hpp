// Windows of three by three taps and a single result: several rows of it at a time, so that a vector of x that was read serves up to three of them.
#pragma once

#include <dimity/exec/cpu/convolution_tile.hpp>

namespace DIMITY_NAMESPACE::detail::conv {

inline constexpr int window_size = 3, window_taps = window_size * window_size;
/// Sums besides nine weights, in registers.
inline constexpr int most_window_rows = mm::registers == 32 ? 8 : 4;

/// Result (row r, column c) is the sum over channels i and taps (h, v) of weight[i * 9 + weight_first + (3 h + v) * weight_step] * x[i * channel + (r + h) * row + v * column + c].
template <class T>
struct window_task {
  T const *x, *weight;
  extent_t weight_first, weight_step;
  extent_t channels, channel, row, column;
  extent_t columns;
  T* to;
  extent_t to_row;
};

template <class T, int Rows, int Row, int Column, int... H>
DIMITY_INLINE void add_window_row(batch<T>* sum, batch<T> const* weight, batch<T> const& x, std::integer_sequence<int, H...>) {
  ((Row - H >= 0 && Row - H < Rows ? void(sum[std::clamp(Row - H, 0, Rows - 1)] = fma(weight[H * window_size + Column], x, sum[std::clamp(Row - H, 0, Rows - 1)])) : void()), ...);
}
template <class T, int Rows, int Row, int... V>
DIMITY_INLINE void add_window_columns(batch<T>* sum, batch<T> const* weight, T const* x, extent_t column, std::integer_sequence<int, V...> columns) {
  (add_window_row<T, Rows, Row, V>(sum, weight, batch<T>::load_unaligned(x + V * column), columns), ...);
}
template <class T, int... Row, int... V>
DIMITY_INLINE void add_window(batch<T>* sum, batch<T> const* weight, T const* x, extent_t row, extent_t column, std::integer_sequence<int, Row...>, std::integer_sequence<int, V...> columns) {
  // One pointer that goes down, because there are not registers enough for one in each row.
  ((add_window_columns<T, static_cast<int>(sizeof...(Row)) - window_size + 1, Row>(sum, weight, x, column, columns), x += row), ...);
}
template <class T, int... K>
DIMITY_INLINE void load_window(batch<T>* to, T const* weight, extent_t step, std::integer_sequence<int, K...>) {
  ((to[K] = batch<T>(weight[K * step])), ...);
}
template <class T, int... R>
DIMITY_INLINE void store_window(batch<T> const* sum, T* to, extent_t to_row, std::integer_sequence<int, R...>) {
  ((sum[R].store_unaligned(to), to += to_row), ...);
}

/// Rows rows of results. The last vector of a row ends with it, where the row is that long.
template <class T, int Rows>
[[gnu::noinline]] void run_window(window_task<T> const& task) {
  constexpr auto rows = std::make_integer_sequence<int, Rows>{};
  constexpr auto x_rows = std::make_integer_sequence<int, Rows + window_size - 1>{};
  constexpr auto columns = std::make_integer_sequence<int, window_size>{};
  constexpr auto taps = std::make_integer_sequence<int, window_taps>{};
  batch<T> sum[Rows], weight[window_taps];
  T const* const weights = task.weight + task.weight_first;
  extent_t const row = task.row, column = task.column, step = task.weight_step, last = std::max<extent_t>(0, task.columns - lanes<T>);
  load_window<T>(weight, weights, step, taps);
  for (extent_t c = 0; c < task.columns; c += lanes<T>) {
    extent_t const at = std::min(c, last);
    T const* x = task.x + at;
    clear_sums<T>(sum, rows);
    add_window<T>(sum, weight, x, row, column, x_rows, columns);
    if (task.channels > 1) {
      for (extent_t i = 1; i < task.channels; ++i) {
        x += task.channel;
        load_window<T>(weight, weights + i * window_taps, step, taps);
        add_window<T>(sum, weight, x, row, column, x_rows, columns);
      }
      load_window<T>(weight, weights, step, taps);
    }
    store_window<T>(sum, task.to + at, task.to_row, rows);
  }
}

}  // namespace DIMITY_NAMESPACE::detail::conv
