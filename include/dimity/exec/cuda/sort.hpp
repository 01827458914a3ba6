// Stable sorting of lines, nan last: places by counting for short ones; longer ones as merges of sorted runs, in the shared memory of a block first, then through global memory.
#pragma once

#include <dimity/exec/cuda/launch.hpp>
#include <dimity/exec/cuda/primitives.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Lines up to `counted` elements are sorted by comparing all pairs; runs of `chunk` by a block each.
inline constexpr std::int64_t sort_counted = 64, sort_chunk = 1024;

constexpr bool sorts_by_counting(amount length) { return length.is_known() && length.number() <= sort_counted; }
/// How often the number of runs is halved behind the chunks.
constexpr int merges_of_sort(std::int64_t length) {
  int n = 0;
  for (std::int64_t run = sort_chunk; run < length; run *= 2) ++n;
  return n;
}
/// Indices in one place, behind them keys in two; the other place of indices is the result. Where a length is known at run time only, there may be merges.
constexpr amount sort_scratch_bytes(opaque_step const& s, shape_value const* shapes) {
  shape_value const& shape = shapes[s.operand_shape[0]];
  amount const length = shape.extent[shape.rank - 1];
  if (length.is_known() && merges_of_sort(length.number()) == 0) return 0;
  return shape.size() * amount(static_cast<std::int64_t>(size_of(s.type) + 2 * size_of(s.operand_type[0])));
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
  static constexpr std::int64_t size = product_word(base::count, base::length), blocks = is_known_word(size) ? (size + threads - 1) / threads : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<size>(args), threads); }
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (n >= Code::template number<size>(args)) return;
    long long const line = n / base::length, mine = n % base::length, step = Code::template number<base::step>(args);  // the length is known
    element_index i;
    base::find(i, static_cast<element_number<Code>>(line), args);
    auto const* const x = base::template operand<0>(args) + offset_of_element<Code, 0>(i, args);
    auto const own = x[mine * step];
    long long place = 0;
    for (long long k = 0; k < base::length; ++k) {
      auto const other = x[k * step];
      place += k < mine ? !sorts_before(own, other) : sorts_before(other, own);
    }
    base::result(args)[line * base::length + place] = static_cast<typename base::T>(mine);
  }
};

/// Memory of a sort: keys from the operand, or from one of two places, to the other one. Keys that are read no more are not written (`keys_to` is null).
template <int Symbols>
struct sort_arguments {
  void* p[2 + Symbols];  ///< as the arguments of a primitive: keys, nothing, extents chosen at run time
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
  using arguments = sort_arguments<Code::symbols>;
  using Key = typename Code::template element<0>;
  using T = typename base::T;
  static constexpr int chunk = [] {
    int n = 128;
    while (n < sort_chunk && (!is_known_word(base::length) || n < base::length)) n *= 2;
    return n;
  }();
  static constexpr int threads = chunk / 4, each = 4;
  static constexpr bool is_known = is_known_word(base::count) && is_known_word(base::length), is_one_chunk = is_known_word(base::length) && base::length <= chunk;
  DIMITY_HOST_DEVICE static long long chunks_of(arguments const& args) { return (Code::template number<base::length>(args) + (chunk - 1)) / chunk; }
  static constexpr std::int64_t blocks = is_known ? base::count * ((base::length + chunk - 1) / chunk) : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<base::count>(args) * chunks_of(args), 1); }

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ Key keys[2][chunk];
    __shared__ unsigned short from[2][chunk];
    long long const length = Code::template number<base::length>(args), step = Code::template number<base::step>(args), chunks = chunks_of(args);
    long long const line = static_cast<long long>(blockIdx.x) / chunks, begin = static_cast<long long>(blockIdx.x) % chunks * chunk;
    int const live = length - begin < chunk ? static_cast<int>(length - begin) : chunk;
    element_index at;
    base::find(at, static_cast<element_number<Code>>(line), args);
    Key const* const x = static_cast<Key const*>(args.p[0]) + offset_of_element<Code, 0>(at, args) + begin * step;
    int const thread = static_cast<int>(threadIdx.x);
    DIMITY_UNROLL
    for (int e = 0; e < each; ++e) {
      int const i = thread + e * threads;
      if (i < live) keys[0][i] = x[i * step];
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
    long long const to = line * length + begin;
    DIMITY_UNROLL
    for (int e = 0; e < each; ++e) {
      int const i = thread + e * threads;
      if (i >= live) continue;
      static_cast<T*>(args.indices_to)[to + i] = static_cast<T>(begin + from[now][i]);
      if (!is_one_chunk && args.keys_to != nullptr) static_cast<Key*>(args.keys_to)[to + i] = keys[now][i];
    }
  }
};

/// Pairs of sorted runs become one, each element by a thread that looks for its place.
template <class Code>
struct merge_runs_kernel : lines<Code, Code::template rank<0> - 1> {
  using base = lines<Code, Code::template rank<0> - 1>;
  using arguments = sort_arguments<Code::symbols>;
  using Key = typename Code::template element<0>;
  using T = typename base::T;
  static constexpr int threads = 256;
  static constexpr std::int64_t size = product_word(base::count, base::length), blocks = is_known_word(size) ? (size + threads - 1) / threads : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<size>(args), threads); }
  using index = std::conditional_t<(!is_known_word(base::length) || base::length < (1 << 30)), int, long long>;
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x, length = Code::template number<base::length>(args);
    if (n >= Code::template number<size>(args)) return;
    long long const begin = static_cast<element_number<Code>>(n) / static_cast<element_number<Code>>(length) * length;
    Key const* const keys = static_cast<Key const*>(args.p[0]) + begin;
    index const mine = static_cast<index>(n - begin);
    Key const own = keys[mine];
    index const place = merged_place(mine, own, static_cast<index>(args.run), static_cast<index>(length), [&](index k) { return keys[k]; });
    static_cast<T*>(args.indices_to)[begin + place] = static_cast<T const*>(args.indices_from)[n];
    if (args.keys_to != nullptr) static_cast<Key*>(args.keys_to)[begin + place] = own;
  }
};

/// Indices that sort the lines of the last axis: one launch up to `sort_chunk` elements, one more for each doubling.
template <class Code>
struct sort_lines {
  using sorts = lines<Code, Code::template rank<0> - 1>;
  using Key = typename Code::template element<0>;
  static constexpr std::int64_t size = Code::template size<0>;

  static void run(typename Code::arguments const& of_operand, void* scratch, cudaStream_t stream) {
    if constexpr (sorts_by_counting(amount_of(sorts::length))) {
      launch_kernel<counting_sort_kernel<Code>>(of_operand, stream);
    } else {
      long long const elements = Code::template number<size>(of_operand);
      int const merges = merges_of_sort(Code::template number<sorts::length>(of_operand));
      // Lines of one chunk have no scratch.
      std::byte* const keys = merges == 0 ? nullptr : static_cast<std::byte*>(scratch) + elements * static_cast<long long>(sizeof(typename Code::result));
      void* const result = of_operand.p[1];
      // The last step writes the result, so the first one writes where the number of steps says.
      auto const place = [&](int step) { return (merges - step) % 2 == 0 ? result : scratch; };
      auto const keys_of = [&](int step) -> void* { return step == merges ? nullptr : keys + step % 2 * elements * static_cast<long long>(sizeof(Key)); };
      sort_arguments<Code::symbols> args{};
      for (int i = 0; i < 2 + Code::symbols; ++i) args.p[i] = of_operand.p[i];
      args.keys_to = keys_of(0);
      args.indices_to = place(0);
      launch_kernel<sort_chunks_kernel<Code>>(args, stream);
      args.run = sort_chunk;
      for (int step = 1; step <= merges; ++step, args.run *= 2) {
        args.p[0] = keys_of(step - 1);
        args.indices_from = place(step - 1);
        args.keys_to = keys_of(step);
        args.indices_to = place(step);
        launch_kernel<merge_runs_kernel<Code>>(args, stream);
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
