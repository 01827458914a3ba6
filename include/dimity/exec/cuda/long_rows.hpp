// Rows that are too long for registers, or of a length that is known at run time only: a block a row, which reads it once for each stage; what the caches
// still hold of it costs little from the second stage on. One kernel, where a reduction for each stage and a kernel for the elements would write what the rows leave and read it again.
#pragma once

#include <dimity/exec/cuda/rows.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Code>
struct long_row_kernel {
  static constexpr std::uint32_t outer_axes = (1u << Code::outer) - 1u, inner_axes = Code::all_axes & ~outer_axes;
  using values = thread_values<Code, inner_axes>;
  using lanes = typename values::lanes;
  using rows = typename values::rows;
  using index = typename Code::index;
  using position = typename values::position;
  using arguments = typename Code::arguments;
  static constexpr int W = Code::width;
  /// Words.
  static constexpr std::int64_t row_count = Code::size_of_axes(outer_axes), packets = divided_word(Code::size_of_axes(inner_axes), W);
  static constexpr int threads = is_known_word(packets) && packets >= 2048 ? 512 : 128;
  static constexpr std::int64_t blocks = is_known_word(row_count) && is_known_word(packets) ? row_count : -1;
  static long long block_count(arguments const& args) {
    static_cast<void>(blocks_at_run_time(Code::template number<packets>(args), 1));
    return blocks_at_run_time(Code::template number<row_count>(args), 1);
  }

  /// Whether a reduction of the next stage needs lane value V, or, behind the last, a store: computed again at each stage that asks.
  template <int Stage>
  static constexpr auto needed = [] {
    struct {
      bool of[Code::value_count + 1] = {};
    } n;
    if (Stage + 1 < Code::stages) {
      for (int v = 0; v < Code::value_count; ++v)
        if (family_of(Code::content.values[v].op) == family::reduction && Code::content.values[v].stage == Stage + 1) n.of[Code::content.values[v].arg[0]] = true;
    } else {
      for (int s = 0; s < Code::store_count; ++s) n.of[Code::content.stores[s].value] = true;
    }
    for (int v = Code::value_count - 1; v >= 0; --v) {
      value const& x = Code::content.values[v];
      if (!n.of[v] || x.op == primitive::input || family_of(x.op) == family::reduction) continue;
      for (int i = 0; i < arity_of(x.op); ++i)
        if ((Code::content.varies[x.arg[i]] & inner_axes) != 0) n.of[x.arg[i]] = true;
    }
    return n;
  }();
  template <int V, int Stage>
  static constexpr bool is_computed = values::template is_lane<V> && !is_reduction<Code, V> && needed<Stage>.of[V];

  template <int V>
  struct sums {
    typename values::template element<V> v[W];
  };
  template <class Indices>
  struct all_sums;
  template <int... V>
  struct all_sums<std::integer_sequence<int, V...>> {
    using type = cells<cell<V, sums<V>>...>;
  };
  using every = std::make_integer_sequence<int, Code::value_count>;
  using accumulators = typename all_sums<every>::type;

  template <int V, int Stage>
  static constexpr bool ends = is_reduction<Code, V> && Code::template val<V>.stage == Stage + 1;
  template <int V>
  using join = device_reduction<Code::template val<V>.op, typename values::template element<V>>;

  template <int V, int Stage>
  DIMITY_DEVICE static void reset(accumulators& a) {
    if constexpr (ends<V, Stage>) {
      constexpr auto identity = join<V>::identity;
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) cell_of<V>(a).v[w] = identity;
    }
  }
  template <int V, int Stage>
  DIMITY_DEVICE static void add(accumulators& a, lanes const& lane, rows const& row) {
    if constexpr (ends<V, Stage>) {
      constexpr int arg = Code::template val<V>.arg[0];
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) {
        if constexpr (values::template is_lane<arg>) cell_of<V>(a).v[w] = join<V>::join(cell_of<V>(a).v[w], cell_of<arg>(lane).v[w]);
        else cell_of<V>(a).v[w] = join<V>::join(cell_of<V>(a).v[w], cell_of<arg>(row));
      }
    }
  }
  template <int V, int Stage>
  DIMITY_DEVICE static void finish(accumulators& a, rows& row, char* shared) {
    if constexpr (ends<V, Stage>) {
      using T = typename values::template element<V>;
      DIMITY_UNROLL
      for (int half = W / 2; half > 0; half /= 2) {
        DIMITY_UNROLL
        for (int w = 0; w < half; ++w) cell_of<V>(a).v[w] = join<V>::join(cell_of<V>(a).v[w], cell_of<V>(a).v[w + half]);
      }
      cell_of<V>(row) = join_across_block<Code::template val<V>.op, threads>(cell_of<V>(a).v[0], reinterpret_cast<T*>(shared));
    }
  }
  template <int V, int Stage>
  DIMITY_DEVICE static void compute_row_value(rows& row, arguments const& args, position const& p) {
    constexpr value v = Code::template val<V>;
    if constexpr (v.stage == Stage && !is_reduction<Code, V> && !values::template is_lane<V>) values::template compute_single<V>(row, args, p);
  }
  template <int V, int Stage>
  DIMITY_DEVICE static void compute_lane_value(lanes& lane, rows const& row, arguments const& args, position const& p) {
    if constexpr (is_computed<V, Stage>) values::template compute_lane<V>(lane, row, args, p);
  }
  template <int S>
  DIMITY_DEVICE static void store_lane(lanes const& lane, rows const& row, arguments const& args, position const& p) {
    constexpr store st = Code::template st<S>;
    if constexpr (values::template is_lane<st.value>) values::template put<st.access>(args, p, cell_of<st.value>(lane));
    else if constexpr (is_along_row<Code, st.access>) values::template put<st.access>(args, p, values::repeated(cell_of<st.value>(row)));
  }
  template <int S>
  DIMITY_DEVICE static void store_row_value(rows const& row, arguments const& args, position const& p) {
    constexpr store st = Code::template st<S>;
    if constexpr (!values::template is_lane<st.value> && !is_along_row<Code, st.access>) values::template base<st.access>(args)[values::template row_offset<st.access>(args, p)] = cell_of<st.value>(row);
  }

  template <int Stage, int... V, int... S>
  DIMITY_DEVICE static void stage(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, rows& row, arguments const& args, position const& p, char* shared) {
    auto const end = static_cast<index>(Code::template number<packets>(args));
    (compute_row_value<V, Stage>(row, args, p), ...);
    if constexpr (Stage + 1 < Code::stages) {
      accumulators a;
      (reset<V, Stage>(a), ...);
      constexpr int unroll = 4;
      auto const add_packets = [&](index n, auto count) {
        lanes lane[decltype(count)::value];
        DIMITY_UNROLL
        for (int u = 0; u < decltype(count)::value; ++u) {
          position q = p;
          place_along<Code, inner_axes, W>::set(q, static_cast<index>(n + u * threads), args);
          (compute_lane_value<V, Stage>(lane[u], row, args, q), ...);
        }
        DIMITY_UNROLL
        for (int u = 0; u < decltype(count)::value; ++u) (add<V, Stage>(a, lane[u], row), ...);
      };
      index n = static_cast<index>(threadIdx.x);
      DIMITY_NO_UNROLL
      for (; n + (unroll - 1) * threads < end; n += unroll * threads) add_packets(n, std::integral_constant<int, unroll>{});
      DIMITY_NO_UNROLL
      for (; n < end; n += threads) add_packets(n, std::integral_constant<int, 1>{});
      (finish<V, Stage>(a, row, shared), ...);
    } else {
      // Elements last: they may take the place of what the stages before have read.
      DIMITY_NO_UNROLL
      for (index n = static_cast<index>(threadIdx.x); n < end; n += threads) {
        lanes lane;
        position q = p;
        place_along<Code, inner_axes, W>::set(q, n, args);
        (compute_lane_value<V, Stage>(lane, row, args, q), ...);
        (store_lane<S>(lane, row, args, q), ...);
      }
      if (threadIdx.x == 0) (store_row_value<S>(row, args, p), ...);
    }
  }
  template <int... Stage>
  DIMITY_DEVICE static void all_stages(std::integer_sequence<int, Stage...>, rows& row, arguments const& args, position const& p, char* shared) {
    (stage<Stage>(every{}, std::make_integer_sequence<int, Code::store_count>{}, row, args, p, shared), ...);
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ char shared[8 * threads / 32];
    rows row;
    position p;
    place_along<Code, outer_axes, W>::set(p, static_cast<index>(blockIdx.x), args);
    all_stages(std::make_integer_sequence<int, Code::stages>{}, row, args, p, shared);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
