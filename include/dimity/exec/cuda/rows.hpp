// Row kernels: a row is read once and stays in registers; each stage ends in reductions across the threads that share it.
// The ladder thread, warp, block is that of QuACK and of every softmax kernel; what is reduced and computed in between comes from the plan.
#pragma once

#include <dimity/exec/cuda/elementwise.hpp>
#include <dimity/exec/cuda/shapes.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A value of each of `Width` neighbouring threads becomes one of all of them, the same in each: an exchange in which both sides add the same two numbers.
template <primitive Op, int Width, class T>
DIMITY_DEVICE T join_across_warp(T x) {
  DIMITY_UNROLL
  for (int distance = Width / 2; distance > 0; distance /= 2) {
    if constexpr (sizeof(T) < 4) x = device_reduction<Op, T>::join(x, static_cast<T>(__shfl_xor_sync(0xffffffffu, static_cast<int>(x), distance)));
    else x = device_reduction<Op, T>::join(x, __shfl_xor_sync(0xffffffffu, x, distance));
  }
  return x;
}
/// The same across a block. Every thread of it calls this; `shared` is memory for a value of each warp.
template <primitive Op, int Threads, class T>
DIMITY_DEVICE T join_across_block(T x, T* shared) {
  x = join_across_warp<Op, 32>(x);
  __syncthreads();  // what an earlier reduction left here has been read
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
  __syncthreads();
  T sum = shared[0];
  DIMITY_UNROLL
  for (int i = 1; i < Threads / 32; ++i) sum = device_reduction<Op, T>::join(sum, shared[i]);
  return sum;
}

template <class Code, int V>
inline constexpr bool is_reduction = Code::template val<V>.op >= primitive::sum && Code::template val<V>.op <= primitive::all;
/// Whether an access moves along the elements of a row.
template <class Code, int A>
inline constexpr bool is_along_row = [] {
  for (int i = Code::outer; i < Code::axes; ++i)
    if (Code::content.accesses[A].stride[i] != 0) return true;
  return false;
}();

template <class Code>
struct row_kernel {
  static constexpr std::uint32_t outer_axes = (1u << Code::outer) - 1u, inner_axes = Code::all_axes & ~outer_axes;
  using values = thread_values<Code, inner_axes>;
  using lanes = typename values::lanes;
  using rows = typename values::rows;
  using index = typename Code::index;
  using position = typename values::position;
  using arguments = typename Code::arguments;
  static constexpr int W = Code::width;
  static constexpr std::int64_t row_count = Code::size_of_axes(outer_axes), packets = Code::size_of_axes(inner_axes) / W;  ///< a word, and a number: rows of run-time lengths are not kept in registers
  static constexpr int widest = widest_lane(Code::content.values, Code::content.varies, inner_axes, Code::value_count);
  static constexpr row_shape shape = shape_of_rows(packets, W, live_packets(Code::content.values, Code::content.varies, inner_axes, Code::value_count), widest);
  static constexpr int threads = shape.block, per_row = shape.threads == 0 ? 1 : shape.threads, each = shape.packets == 0 ? 1 : shape.packets, rows_per_block = threads / per_row;
  static constexpr std::int64_t blocks = is_known_word(row_count) ? (row_count + rows_per_block - 1) / rows_per_block : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<row_count>(args), rows_per_block); }
  static constexpr bool divides = is_known_word(row_count) && row_count % rows_per_block == 0, row_divides = packets > 0 && packets % per_row == 0;

  struct state {
    rows row;
    lanes lane[each];
    position at[each];
    bool live[each];      ///< whether the packet is in the row
    bool in_range;        ///< whether the row is one: threads behind the last row take part in exchanges
    bool first;           ///< of the row's threads
    char* shared;
  };

  template <int V, int Stage>
  DIMITY_DEVICE static void compute(state& s, arguments const& args) {
    constexpr value v = Code::template val<V>;
    if constexpr (v.stage != Stage || is_reduction<Code, V>) return;
    else if constexpr (!values::template is_lane<V>) values::template compute_single<V>(s.row, args, s.at[0]);
    else {
      DIMITY_UNROLL
      for (int j = 0; j < each; ++j)
        if (row_divides || v.op != primitive::input || s.live[j]) values::template compute_lane<V>(s.lane[j], s.row, args, s.at[j]);
    }
  }

  template <int V, int Stage>
  DIMITY_DEVICE static void reduce(state& s) {
    constexpr value v = Code::template val<V>;
    if constexpr (is_reduction<Code, V> && v.stage == Stage + 1) {
      constexpr int arg = v.arg[0];
      using T = typename values::template element<V>;
      using join = device_reduction<v.op, T>;
      constexpr T identity = join::identity;
      T sum[W];
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) sum[w] = identity;
      DIMITY_UNROLL
      for (int j = 0; j < each; ++j)
        if (row_divides || s.live[j]) {
          DIMITY_UNROLL
          for (int w = 0; w < W; ++w) {
            if constexpr (values::template is_lane<arg>) sum[w] = join::join(sum[w], cell_of<arg>(s.lane[j]).v[w]);
            else sum[w] = join::join(sum[w], cell_of<arg>(s.row));
          }
        }
      DIMITY_UNROLL
      for (int half = W / 2; half > 0; half /= 2) {
        DIMITY_UNROLL
        for (int w = 0; w < half; ++w) sum[w] = join::join(sum[w], sum[w + half]);
      }
      if constexpr (per_row <= 32) cell_of<V>(s.row) = join_across_warp<v.op, per_row>(sum[0]);
      else cell_of<V>(s.row) = join_across_block<v.op, per_row>(sum[0], reinterpret_cast<T*>(s.shared));
    }
  }
  template <int S, int Stage>
  DIMITY_DEVICE static void store_value(state& s, arguments const& args) {
    constexpr store st = Code::template st<S>;
    if constexpr (st.stage != Stage) return;
    else if constexpr (values::template is_lane<st.value>) {
      DIMITY_UNROLL
      for (int j = 0; j < each; ++j)
        if (s.in_range && (row_divides || s.live[j])) values::template put<st.access>(args, s.at[j], cell_of<st.value>(s.lane[j]));
    } else if constexpr (is_along_row<Code, st.access>) {
      // One value for all elements of the row.
      auto const x = values::repeated(cell_of<st.value>(s.row));
      DIMITY_UNROLL
      for (int j = 0; j < each; ++j)
        if (s.in_range && (row_divides || s.live[j])) values::template put<st.access>(args, s.at[j], x);
    } else if (s.in_range && s.first) {
      values::template base<st.access>(args)[values::template row_offset<st.access>(args, s.at[0])] = cell_of<st.value>(s.row);
    }
  }
  template <int Stage, int... V, int... S>
  DIMITY_DEVICE static void stage(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, state& s, arguments const& args) {
    (compute<V, Stage>(s, args), ...);
    (reduce<V, Stage>(s), ...);
    (store_value<S, Stage>(s, args), ...);
  }
  template <int... Stage>
  DIMITY_DEVICE static void all_stages(std::integer_sequence<int, Stage...>, state& s, arguments const& args) {
    (stage<Stage>(std::make_integer_sequence<int, Code::value_count>{}, std::make_integer_sequence<int, Code::store_count>{}, s, args), ...);
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ char shared[per_row > 32 ? 8 * (per_row / 32) : 16];
    state s;
    s.shared = shared;
    int const thread = static_cast<int>(threadIdx.x);
    index row = static_cast<index>(blockIdx.x) * rows_per_block + thread / per_row;
    auto const rows_there = static_cast<index>(Code::template number<row_count>(args));
    s.in_range = divides || row < rows_there;
    if (!s.in_range) row = rows_there - 1;
    s.first = thread % per_row == 0;
    DIMITY_UNROLL
    for (int j = 0; j < each; ++j) {
      index const n = thread % per_row + static_cast<index>(j * per_row);
      s.live[j] = row_divides || n < static_cast<index>(packets);
      place_along<Code, outer_axes, W>::set(s.at[j], row, args);
      place_along<Code, inner_axes, W>::set(s.at[j], s.live[j] ? n : index(0), args);
      if constexpr (!row_divides) s.lane[j] = lanes{};
    }
    all_stages(std::make_integer_sequence<int, Code::stages>{}, s, args);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
