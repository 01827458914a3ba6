// Kernels without reductions: every thread some packets of elements, all loads before the first store.
#pragma once

#include <dimity/exec/cuda/values.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Where an index over some axes (a mask) of a kernel leads, the last axis in packets of W where it is among them.
template <class Code, std::uint32_t Axes, int W, int Axis = Code::axes - 1>
struct place_along {
  template <class Index>
  DIMITY_DEVICE static void set(packet_position<Index>& p, Index n, typename Code::arguments const& args) {
    if constexpr (Axis >= 0) {
      constexpr bool is_last = Axis == Code::axes - 1;
      constexpr std::int64_t elements = Code::template extent<Axis>, steps = elements == 0 ? 1 : word_over<elements, (is_last ? W : 1)>;
      constexpr std::uint32_t before = Axes & ((1u << Axis) - 1u);
      if constexpr ((Axes >> Axis & 1u) == 0) {
        place_along<Code, Axes, W, Axis - 1>::set(p, n, args);
      } else if constexpr (before == 0) {
        // The outermost takes what is left.
        (is_last ? p.packet : p.at[Axis]) = n;
      } else {
        auto const extent = static_cast<Index>(Code::template number<steps>(args));
        (is_last ? p.packet : p.at[Axis]) = n % extent;
        place_along<Code, Axes, W, Axis - 1>::set(p, n / extent, args);
      }
    }
  }
};

template <class Code>
struct elementwise {
  using values = thread_values<Code, bit_of(Code::last)>;
  using lanes = typename values::lanes;
  using index = typename Code::index;
  using position = typename values::position;
  using arguments = typename Code::arguments;
  static constexpr int W = Code::width, threads = 256;
  static constexpr std::int64_t packets = divided_word(Code::size, W);  ///< as a word
  static constexpr int loads = [] {
    int n = 0;
    for (int v = 0; v < Code::value_count; ++v) n += Code::content.values[v].op == primitive::input && (Code::content.varies[v] & bit_of(Code::last)) != 0;
    return n;
  }();
  /// Enough bytes in flight for the memory of an H100: 32 KiB per multiprocessor; and no fewer blocks than there are multiprocessors.
  static constexpr int unroll = is_known_word(packets) && packets < threads * 264 ? 1 : loads <= 1 ? 4 : loads <= 3 ? 2 : 1;
  static constexpr std::int64_t per_block = std::int64_t{threads} * unroll;
  static constexpr std::int64_t blocks = is_known_word(packets) ? (packets + per_block - 1) / per_block : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<packets>(args), per_block); }
  static constexpr bool divides = is_known_word(packets) && packets % per_block == 0;

  template <int V>
  static constexpr bool is_load = Code::template val<V>.op == primitive::input;
  template <int V, bool Loads>
  DIMITY_DEVICE static void step(lanes& r, arguments const& args, position const& p) {
    if constexpr (is_load<V> == Loads) values::template compute<V>(r, args, p);
  }
  template <int... V, int... S>
  DIMITY_DEVICE static void run(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, arguments const& args) {
    lanes r[unroll];
    position p[unroll];
    bool live[unroll];
    index const first = static_cast<index>(blockIdx.x) * static_cast<index>(per_block) + static_cast<index>(threadIdx.x);
    DIMITY_UNROLL
    for (int u = 0; u < unroll; ++u) {
      index const n = first + static_cast<index>(u * threads);
      live[u] = divides || n < static_cast<index>(Code::template number<packets>(args));
      place_along<Code, Code::all_axes, W>::set(p[u], n, args);
      if (live[u]) (step<V, true>(r[u], args, p[u]), ...);
    }
    DIMITY_UNROLL
    for (int u = 0; u < unroll; ++u)
      if (live[u]) (step<V, false>(r[u], args, p[u]), ...);
    DIMITY_UNROLL
    for (int u = 0; u < unroll; ++u)
      if (live[u]) (values::template store_packet<S>(r[u], args, p[u]), ...);
  }
  DIMITY_DEVICE static void run(arguments const& args) { run(std::make_integer_sequence<int, Code::value_count>{}, std::make_integer_sequence<int, Code::store_count>{}, args); }
};

}  // namespace DIMITY_NAMESPACE::detail
