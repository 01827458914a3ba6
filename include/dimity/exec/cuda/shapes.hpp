// How threads share rows and sums: decided when a plan is lowered, and known to the kernels as constants.
#pragma once

#include <dimity/plan/kernels.hpp>

namespace DIMITY_NAMESPACE::detail {

/// How a row is shared: chosen at compile time, by the lowering too.
struct row_shape {
  int threads = 0;      ///< per row; 0: rows are too long to stay in registers
  int block = 256;      ///< threads of a block
  int packets = 0;      ///< of a row, per thread
};
/// `live`: packets of W elements that a thread keeps for each packet of the row, `bytes` each element.
constexpr row_shape shape_of_rows(std::int64_t packets, int width, int live, int bytes) {
  row_shape s;
  int const registers = live * width * (bytes + 3) / 4;  // per packet
  int const most = registers == 0 ? 8 : 64 / registers < 1 ? 1 : 64 / registers > 8 ? 8 : 64 / registers;
  for (int threads = 1; threads <= 512; threads *= 2) {
    // More threads than packets would idle, fewer would leave each with more than one packet while others have none.
    if (threads > 32 && threads < 128) continue;
    std::int64_t const each = (packets + threads - 1) / threads;
    if (each > most || (threads < 32 && each > 1)) continue;
    s.threads = threads;
    s.block = threads > 32 ? threads : 256;
    s.packets = static_cast<int>(each);
    return s;
  }
  return s;
}
/// Values of each element that are kept from one stage to a later one, where there are most of them.
template <class Values>
constexpr int live_packets(Values const& values, std::uint32_t const* varies, std::uint32_t inner, int count) {
  int most = 1, stages = 0;
  for (int v = 0; v < count; ++v)
    if (values[v].stage > stages) stages = values[v].stage;
  for (int stage = 0; stage < stages; ++stage) {
    int live = 0;
    for (int v = 0; v < count; ++v) {
      if ((varies[v] & inner) == 0 || values[v].stage > stage) continue;
      bool later = false;
      for (int u = v + 1; u < count && !later; ++u) {
        if (values[u].op == primitive::input) continue;
        int const at = family_of(values[u].op) == family::reduction ? values[u].stage - 1 : values[u].stage;
        for (int i = 0; i < arity_of(values[u].op); ++i) later = later || (values[u].arg[i] == v && at > stage);
      }
      live += later;
    }
    if (live > most) most = live;
  }
  return most;
}
/// Bytes of the widest of them.
template <class Values>
constexpr int widest_lane(Values const& values, std::uint32_t const* varies, std::uint32_t inner, int count) {
  int w = 1;
  for (int v = 0; v < count; ++v)
    if ((varies[v] & inner) != 0 && static_cast<int>(size_of(values[v].type)) > w) w = static_cast<int>(size_of(values[v].type));
  return w;
}

/// How the threads of a block are laid out, and how many blocks share a sum. Asked by the lowering before the kernel exists.
struct reduction_shape {
  int x = 1, y = 1;           ///< threads along the last axis; beside it
  int splits = 1;
};
inline constexpr int reduction_threads = 256, blocks_wanted = 528;
/// Blocks that share a sum of an unknown number of terms, at most: two for each multiprocessor of an H100. With few terms most have nothing to do.
inline constexpr int splits_of_unknown = 264;
/// `along_lanes`: the last axis is reduced, and neighbouring threads share a sum; otherwise each has its own columns. What is known at run time only is taken for large, but a sum is not shared by blocks whose
/// number of results nobody knows: its parts would need as much memory each.
constexpr reduction_shape shape_of_reduction(amount last_extent, amount results, amount terms_of_result, bool along_lanes, int width) {
  constexpr std::int64_t large = std::int64_t{1} << 40;
  auto const number = [&](amount a, bool packets) { return !a.is_known() ? large : packets ? a.number() / width : a.number(); };
  std::int64_t const last = number(last_extent, false), kept = number(results, !along_lanes), terms = number(terms_of_result, along_lanes);
  reduction_shape s;
  std::int64_t blocks = 0;
  int block_terms = 0;
  if (along_lanes) {
    // Rows so short that a warp would idle are shared by fewer threads.
    while (s.x < reduction_threads && s.x < terms) s.x *= 2;
    if (s.x > 32 && s.x < reduction_threads) s.x = terms >= 128 || kept < 64 ? reduction_threads : 32;
    if (terms == large && kept == large) s.x = 32;
    s.y = reduction_threads / s.x;
    blocks = (kept + s.y - 1) / s.y;
    block_terms = s.x;
  } else {
    while (s.x < 32 && s.x * width < last) s.x *= 2;
    s.y = reduction_threads / s.x;
    blocks = (kept + s.x - 1) / s.x;
    block_terms = s.y;
  }
  std::int64_t const wanted = (blocks_wanted + blocks - 1) / (blocks > 0 ? blocks : 1), most = terms == large ? splits_of_unknown : terms / (block_terms * 4);
  s.splits = static_cast<int>(wanted < most ? wanted : most);
  if (s.splits < 1) s.splits = 1;
  return s;
}

}  // namespace DIMITY_NAMESPACE::detail
