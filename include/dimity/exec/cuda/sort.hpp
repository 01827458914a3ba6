// Stable sorting of lines, nan last: places by counting for short ones; longer ones as merges of sorted runs, in the shared memory of a block first, then through global memory.
#pragma once

#include <dimity/exec/cuda/launch.hpp>
#include <dimity/exec/cuda/primitives.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Lines up to `counted` elements are sorted by comparing all pairs; runs of `chunk` by a block each.
inline constexpr std::int64_t sort_counted = 64, sort_chunk = 1024;

struct sort_shape {
  std::int64_t lines = 0, length = 0;
  std::int64_t key_bytes = 0, index_bytes = 0;
  constexpr bool counts() const { return length <= sort_counted; }
  constexpr int merges() const {
    int n = 0;
    for (std::int64_t run = sort_chunk; run < length; run *= 2) ++n;
    return n;
  }
  static constexpr std::int64_t aligned(std::int64_t bytes) { return (bytes + 255) / 256 * 256; }
  constexpr std::int64_t keys() const { return aligned(lines * length * key_bytes); }
  /// Keys in two places and indices in one; the other place of indices is the result.
  constexpr std::int64_t scratch_bytes() const { return merges() == 0 ? 0 : 2 * keys() + aligned(lines * length * index_bytes); }
};
constexpr sort_shape shape_of_sort(opaque_step const& s, shape_value const* shapes) {
  shape_value const& shape = shapes[s.operand_shape[0]];
  sort_shape r{1, shape.extent[shape.rank - 1].number(), static_cast<std::int64_t>(size_of(s.operand_type[0])), static_cast<std::int64_t>(size_of(s.type))};
  for (int i = 0; i + 1 < shape.rank; ++i) r.lines *= shape.extent[i].number();
  return r;
}

template <class Key>
DIMITY_DEVICE bool sorts_before(Key a, Key b) {
  return a == a && (b != b || a < b);
}

/// Where element `mine` of a run of `run` (a power of two) goes when it and the run beside it become one. Elements of the first of both come before equal ones of the second.
template <class Index, class Key, class KeyAt>
DIMITY_DEVICE Index merged_place(Index mine, Key own, Index run, Index count, KeyAt const& key_at) {
  Index const begin = mine & ~(run - 1);
  bool const is_first = (mine & run) == 0;
  Index const pair = is_first ? begin : begin - run;
  Index low = is_first ? begin + run : pair;
  if (low > count) low = count;
  Index high = is_first ? (low + run < count ? low + run : count) : begin;
  Index const other = low;
  while (low < high) {
    Index const middle = low + (high - low) / 2;
    Key const there = key_at(middle);
    bool const comes_before = is_first ? sorts_before(there, own) : !sorts_before(own, there);
    if (comes_before) low = middle + 1;
    else high = middle;
  }
  return pair + (mine - begin) + (low - other);
}

/// The place of each element is the number of those before it.
template <class Code>
struct counting_sort_kernel : lines<Code, Code::template rank<0> - 1> {
  static constexpr int axis = Code::template rank<0> - 1;
  using base = lines<Code, axis>;
  using typename base::arguments;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = (base::count * base::length + threads - 1) / threads;
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (n >= base::count * base::length) return;
    long long const line = n / base::length, mine = n % base::length;
    element_index i;
    base::template find<>(i, line);
    auto const* const x = base::template operand<0>(args) + offset_of_element<Code, 0>(i);
    auto const own = x[mine * base::step];
    long long place = 0;
    for (long long k = 0; k < base::length; ++k) {
      auto const other = x[k * base::step];
      place += k < mine ? !sorts_before(own, other) : sorts_before(other, own);
    }
    base::result(args)[line * base::length + place] = static_cast<typename base::T>(mine);
  }
};

/// Memory of a sort: from the operand, or from one of two places, to the other one. Keys that are read no more are not written (`keys_to` is null).
struct sort_arguments {
  void const* keys_from;
  void const* indices_from;
  void* keys_to;
  void* indices_to;
  long long run;
};

/// A block sorts `chunk` elements of a line in shared memory.
template <class Code>
struct sort_chunks_kernel : lines<Code, Code::template rank<0> - 1> {
  static constexpr int axis = Code::template rank<0> - 1;
  using base = lines<Code, axis>;
  using arguments = sort_arguments;
  using Key = typename Code::template element<0>;
  using T = typename base::T;
  static constexpr int chunk = [] {
    int n = 128;
    while (n < sort_chunk && n < base::length) n *= 2;
    return n;
  }();
  static constexpr int threads = chunk / 4, each = 4;
  static constexpr long long chunks = (base::length + chunk - 1) / chunk;
  static constexpr std::int64_t blocks = base::count * chunks;

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ Key keys[2][chunk];
    __shared__ unsigned short from[2][chunk];
    long long const line = static_cast<long long>(blockIdx.x) / chunks, begin = static_cast<long long>(blockIdx.x) % chunks * chunk;
    int const live = base::length - begin < chunk ? static_cast<int>(base::length - begin) : chunk;
    element_index at;
    base::template find<>(at, line);
    Key const* const x = static_cast<Key const*>(args.keys_from) + offset_of_element<Code, 0>(at) + begin * base::step;
    int const thread = static_cast<int>(threadIdx.x);
    DIMITY_UNROLL
    for (int e = 0; e < each; ++e) {
      int const i = thread + e * threads;
      if (i < live) keys[0][i] = x[i * base::step];
      from[0][i] = static_cast<unsigned short>(i);
    }
    int now = 0;
    DIMITY_NO_UNROLL
    for (int run = 1; run < live; run *= 2) {
      __syncthreads();
      DIMITY_UNROLL
      for (int e = 0; e < each; ++e) {
        int const i = thread + e * threads;
        if (i >= live) continue;
        Key const own = keys[now][i];
        int const place = merged_place(i, own, run, live, [&](int k) { return keys[now][k]; });
        keys[1 - now][place] = own;
        from[1 - now][place] = from[now][i];
      }
      now = 1 - now;
    }
    __syncthreads();
    long long const to = line * base::length + begin;
    DIMITY_UNROLL
    for (int e = 0; e < each; ++e) {
      int const i = thread + e * threads;
      if (i >= live) continue;
      static_cast<T*>(args.indices_to)[to + i] = static_cast<T>(begin + from[now][i]);
      if (chunks > 1) static_cast<Key*>(args.keys_to)[to + i] = keys[now][i];
    }
  }
};

/// Pairs of sorted runs become one, each element by a thread that looks for its place.
template <class Code>
struct merge_runs_kernel : lines<Code, Code::template rank<0> - 1> {
  using base = lines<Code, Code::template rank<0> - 1>;
  using arguments = sort_arguments;
  using Key = typename Code::template element<0>;
  using T = typename base::T;
  using index = std::conditional_t<(base::length < (1 << 30)), int, long long>;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = (base::count * base::length + threads - 1) / threads;
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (n >= base::count * base::length) return;
    long long const begin = n / base::length * base::length;
    Key const* const keys = static_cast<Key const*>(args.keys_from) + begin;
    index const mine = static_cast<index>(n - begin);
    Key const own = keys[mine];
    index const place = merged_place(mine, own, static_cast<index>(args.run), static_cast<index>(base::length), [&](index k) { return keys[k]; });
    static_cast<T*>(args.indices_to)[begin + place] = static_cast<T const*>(args.indices_from)[n];
    if (args.keys_to != nullptr) static_cast<Key*>(args.keys_to)[begin + place] = own;
  }
};

/// Indices that sort the lines of the last axis: one launch up to `sort_chunk` elements, one more for each doubling.
template <class Code>
struct sort_lines {
  using sorts = lines<Code, Code::template rank<0> - 1>;
  static constexpr sort_shape shape = {sorts::count, sorts::length, sizeof(typename Code::template element<0>), sizeof(typename Code::result)};
  static void run(void* x, void* result, void* scratch, cudaStream_t stream) {
    if constexpr (shape.counts()) {
      launch_kernel<counting_sort_kernel<Code>>({{x, result}}, stream);
    } else {
      constexpr int merges = shape.merges();
      std::byte* const keys = static_cast<std::byte*>(scratch);
      void* const spare = merges == 0 ? nullptr : keys + 2 * shape.keys();
      // The last step writes the result, so the first one writes where the number of steps says.
      auto const place = [&](int step) { return (merges - step) % 2 == 0 ? result : spare; };
      auto const keys_of = [&](int step) -> void* { return step == merges ? nullptr : keys + step % 2 * shape.keys(); };
      launch_kernel<sort_chunks_kernel<Code>>({x, nullptr, keys_of(0), place(0), 0}, stream);
      long long run = sort_chunk;
      for (int step = 1; step <= merges; ++step, run *= 2) launch_kernel<merge_runs_kernel<Code>>({keys_of(step - 1), place(step - 1), keys_of(step), place(step), run}, stream);
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
