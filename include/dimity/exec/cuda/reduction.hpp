// Reductions over any axes of an index space: columns, whole tensors, rows that are too long for registers. Deterministic: every part has its place, and parts are joined in a fixed order, by a second kernel where
// several blocks share a sum.
#pragma once

#include <dimity/exec/cuda/rows.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Code>
struct reduction_kernel {
  using values = thread_values<Code, bit_of(Code::last)>;
  using lanes = typename values::lanes;
  using index = typename Code::index;
  using offset = typename Code::offset;
  using position = typename values::position;
  using arguments = typename Code::arguments;
  static constexpr int W = Code::width, threads = reduction_threads, splits = Code::splits;
  static constexpr std::uint32_t reduced = Code::reduced, kept = Code::all_axes & ~Code::reduced;
  static constexpr bool along_lanes = Code::axes > 0 && (reduced >> (Code::axes > 0 ? Code::axes - 1 : 0) & 1u) != 0;
  static constexpr reduction_shape shape = shape_of_reduction(amount_of(Code::last_extent), amount_of(Code::size_of_axes(kept)), amount_of(Code::size_of_axes(reduced)), along_lanes, W);
  /// Words: results; those, or packets of them where the last axis is kept; terms of each: packets, or elements where the last axis is kept.
  static constexpr std::int64_t results = Code::size_of_axes(kept), kept_steps = along_lanes ? results : divided_word(results, W);
  static constexpr std::int64_t terms = along_lanes ? divided_word(Code::size_of_axes(reduced), W) : Code::size_of_axes(reduced);
  static constexpr int results_of_block = along_lanes ? shape.y : shape.x;
  static constexpr std::int64_t blocks = is_known_word(kept_steps) && is_known_word(terms) ? (kept_steps + results_of_block - 1) / results_of_block * splits : -1;
  static long long block_count(arguments const& args) {
    static_cast<void>(blocks_at_run_time(Code::template number<terms>(args), 1));
    return blocks_at_run_time(Code::template number<kept_steps>(args) * splits, results_of_block * splits) * splits;
  }

  template <int S>
  using element = typename values::template element<Code::template st<S>.value>;
  template <int S>
  using join = device_reduction<Code::template st<S>.combine, element<S>>;
  template <int S>
  struct sums {
    element<S> v[W];
  };
  template <class Indices>
  struct all_sums;
  template <int... S>
  struct all_sums<std::integer_sequence<int, S...>> {
    using type = cells<cell<S, sums<S>>...>;
  };
  using accumulators = typename all_sums<std::make_integer_sequence<int, Code::store_count>>::type;

  template <int S>
  DIMITY_DEVICE static void reset(accumulators& a) {
    constexpr element<S> identity = join<S>::identity;
    DIMITY_UNROLL
    for (int w = 0; w < W; ++w) cell_of<S>(a).v[w] = identity;
  }
  template <int S>
  DIMITY_DEVICE static void add(accumulators& a, lanes const& r) {
    constexpr int v = Code::template st<S>.value;
    DIMITY_UNROLL
    for (int w = 0; w < W; ++w) {
      if constexpr (values::template is_lane<v>) cell_of<S>(a).v[w] = join<S>::join(cell_of<S>(a).v[w], cell_of<v>(r).v[w]);
      else cell_of<S>(a).v[w] = join<S>::join(cell_of<S>(a).v[w], cell_of<v>(r));
    }
  }
  /// Terms first, first + step, ... of the result at p, up to `end`; several packets are on their way at once. `Width`: elements of the last axis that a term has.
  template <int Width, int... V, int... S>
  DIMITY_DEVICE static void add_terms(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, accumulators& a, arguments const& args, position const& p, index first, index end, int step) {
    constexpr int unroll = 4;
    index n = first;
    for (; n + (unroll - 1) * step < end; n += unroll * step) {
      lanes r[unroll];
      DIMITY_UNROLL
      for (int u = 0; u < unroll; ++u) {
        position q = p;
        place_along<Code, reduced, Width>::set(q, static_cast<index>(n + u * step), args);
        (values::template compute<V>(r[u], args, q), ...);
      }
      DIMITY_UNROLL
      for (int u = 0; u < unroll; ++u) (add<S>(a, r[u]), ...);
    }
    for (; n < end; n += step) {
      lanes r;
      position q = p;
      place_along<Code, reduced, Width>::set(q, n, args);
      (values::template compute<V>(r, args, q), ...);
      (add<S>(a, r), ...);
    }
  }
  /// The part of a result's terms that this block adds up.
  struct share {
    index begin, end;
  };
  DIMITY_DEVICE static share share_of(arguments const& args, int split) {
    auto const all = static_cast<index>(Code::template number<terms>(args)), part = static_cast<index>((all + (splits - 1)) / splits), begin = static_cast<index>(split) * part;
    return {begin, begin + part < all ? begin + part : all};
  }
  /// What a thread adds up: its result, or the last one for threads beyond the end, which take part in exchanges only.
  struct task {
    index result;
    int split;
    bool in_range;
    share terms;
    position p;
  };
  /// `nth` of the results of a block.
  DIMITY_DEVICE static task task_of(arguments const& args, int nth) {
    task t;
    t.split = static_cast<int>(blockIdx.x % splits);
    t.result = static_cast<index>(blockIdx.x / splits) * static_cast<index>(results_of_block) + static_cast<index>(nth);
    auto const there = static_cast<index>(Code::template number<kept_steps>(args));
    t.in_range = t.result < there;
    if (!t.in_range) t.result = there - 1;
    t.terms = share_of(args, t.split);
    place_along<Code, kept, W>::set(t.p, t.result, args);
    return t;
  }
  /// Where a result goes: its own place, or that of a part of it, parts being one behind the other.
  template <int S>
  DIMITY_DEVICE static void store_single(arguments const& args, task const& t, element<S> x) {
    constexpr int A = Code::template st<S>.access;
    if constexpr (splits > 1) values::template base<A>(args)[static_cast<offset>(t.split) * static_cast<offset>(Code::template number<results>(args)) + static_cast<offset>(t.result)] = x;
    else values::template base<A>(args)[values::template row_offset<A>(args, t.p) + values::template lane_offset<A>(args, t.p)] = x;
  }

  /// The last axis is reduced: x threads share a result, each with its own packets.
  template <int S>
  DIMITY_DEVICE static void finish_lanes(accumulators& a, arguments const& args, task const& t, bool writes, char* shared) {
    sums<S>& sum = cell_of<S>(a);
    DIMITY_UNROLL
    for (int half = W / 2; half > 0; half /= 2) {
      DIMITY_UNROLL
      for (int w = 0; w < half; ++w) sum.v[w] = join<S>::join(sum.v[w], sum.v[w + half]);
    }
    element<S> total;
    if constexpr (shape.x <= 32) total = join_across_warp<Code::template st<S>.combine, shape.x>(sum.v[0]);
    else total = join_across_block<Code::template st<S>.combine, threads>(sum.v[0], reinterpret_cast<element<S>*>(shared));
    if (writes) store_single<S>(args, t, total);
  }
  template <int... V, int... S>
  DIMITY_DEVICE static void run_lanes(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, arguments const& args) {
    alignas(16) __shared__ char shared[8 * threads / 32];
    int const thread = static_cast<int>(threadIdx.x);
    task const t = task_of(args, thread / shape.x);
    accumulators a;
    (reset<S>(a), ...);
    add_terms<W>(std::integer_sequence<int, V...>{}, std::integer_sequence<int, S...>{}, a, args, t.p, t.terms.begin + thread % shape.x, t.terms.end, shape.x);
    (finish_lanes<S>(a, args, t, t.in_range && thread % shape.x == 0, shared), ...);
  }

  /// The last axis is kept: each thread has its own columns, and y of them share each column.
  template <int S>
  DIMITY_DEVICE static void finish_columns(accumulators& a, arguments const& args, task const& t, char* shared) {
    using T = element<S>;
    sums<S>& sum = cell_of<S>(a);
    if constexpr (shape.y > 1) {
      T* const mine = reinterpret_cast<T*>(shared) + threadIdx.x * W;
      __syncthreads();  // the store before this one has been read
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) mine[w] = sum.v[w];
      for (int half = shape.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (static_cast<int>(threadIdx.x) < half * shape.x) {
          DIMITY_UNROLL
          for (int w = 0; w < W; ++w) mine[w] = sum.v[w] = join<S>::join(sum.v[w], mine[half * shape.x * W + w]);
        }
      }
    }
    if (!t.in_range || static_cast<int>(threadIdx.x) >= shape.x) return;
    constexpr int A = Code::template st<S>.access;
    DIMITY_UNROLL
    for (int w = 0; w < W; ++w) {
      if constexpr (splits > 1) values::template base<A>(args)[static_cast<offset>(t.split) * static_cast<offset>(Code::template number<results>(args)) + static_cast<offset>(t.result) * W + w] = sum.v[w];
      else values::template base<A>(args)[values::template row_offset<A>(args, t.p) + (static_cast<offset>(t.p.packet) * W + w) * values::template last_step<A>(args)] = sum.v[w];
    }
  }
  template <int... V, int... S>
  DIMITY_DEVICE static void run_columns(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, arguments const& args) {
    alignas(16) __shared__ char shared[threads * W * 8];
    int const thread = static_cast<int>(threadIdx.x);
    task const t = task_of(args, thread % shape.x);
    accumulators a;
    (reset<S>(a), ...);
    add_terms<1>(std::integer_sequence<int, V...>{}, std::integer_sequence<int, S...>{}, a, args, t.p, t.terms.begin + thread / shape.x, t.terms.end, shape.y);
    (finish_columns<S>(a, args, t, shared), ...);
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    using all_values = std::make_integer_sequence<int, Code::value_count>;
    using all_stores = std::make_integer_sequence<int, Code::store_count>;
    if constexpr (along_lanes) run_lanes(all_values{}, all_stores{}, args);
    else run_columns(all_values{}, all_stores{}, args);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
