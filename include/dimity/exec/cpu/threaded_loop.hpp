// A kernel divided among threads: its rows, or blocks of them where they are added up, or the lanes of its only row, or of all rows. Every element and every sum is computed by the operations, and in the order, of one thread.
#pragma once

#include <dimity/exec/cpu/row_blocks.hpp>
#include <dimity/exec/cpu/thread_pool.hpp>
#include <dimity/exec/workspace.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Plan, int Kernel>
struct threaded_loop {
  using base = loop<Plan, Kernel>;
  using facts = typename base::facts;
  using scalars = typename base::scalars;
  using position = typename base::position;
  template <int Range>
  using list_t = typename base::template list_t<Range>;
  static constexpr kernel k = base::k;
  static constexpr bool adds_up = has_combining_store(Plan::value.stores + k.stores.begin, k.stores.size());
  static constexpr int slot_count = k.slots.size() + (has_symbols<Plan> ? 1 : 0);

  // ---- what it costs

  /// Of one element, in nanoseconds: an estimate from the operations and the bytes that pass the second-level cache.
  static constexpr double element_cost = [] {
    double operations = 0, bytes = 0;
    for (int v = 0; v < facts::value_count; ++v) {
      value const x = facts::val(v);
      if (x.at != level::lane) continue;
      if (x.op == primitive::input) bytes += static_cast<double>(size_of(x.type));
      else operations += cost_of(x.op) == cost_class::costly ? 10 : 1;
    }
    for (int s = k.stores.begin; s < k.stores.end; ++s) bytes += 2 * static_cast<double>(size_of(k.accesses.size() > Plan::value.stores[s].access ? facts::acc(Plan::value.stores[s].access).type : dtype::float64));
    return operations * 0.3 / facts::width + bytes * 0.04;
  }();
  static extent_t elements(void* const* slots, int from) {
    return [&]<int... A>(std::integer_sequence<int, A...>) {
      extent_t n = 1;
      ((A >= from ? void(n *= base::template number<k.extent[A]>(slots)) : void()), ...);
      return n;
    }(std::make_integer_sequence<int, k.axes>{});
  }

  // ---- pointers

  /// Row buffers are scratch memory that every thread needs for itself: those of threads other than the first lie in their own workspace.
  struct row_buffers {
    bool is_one[slot_count + 1] = {};
    int count = 0;
    constexpr row_buffers() {
      for (int v = 0; v < facts::value_count; ++v)
        if (int const a = facts::val(v).kept; a >= 0 && !is_one[facts::acc(a).slot]) {
          is_one[facts::acc(a).slot] = true;
          ++count;
        }
    }
  };
  static constexpr row_buffers buffers{};
  struct own_slots {
    void* p[slot_count + 1];
    std::byte* spare = nullptr;  ///< of a share that is not the first, as much as it asked for
    own_slots(void* const* slots, int share, extent_t spare_bytes = 0) {
      for (int i = 0; i < slot_count; ++i) p[i] = slots[i];
      if (share > 0 && buffers.count + spare_bytes > 0) move_buffers(slots, share, spare_bytes);
    }
    void move_buffers([[maybe_unused]] void* const* slots, int share, extent_t spare_bytes) {
      [&]<int... S>(std::integer_sequence<int, S...>) {
        extent_t bytes[] = {(buffers.is_one[S] ? round_up(buffer_bytes<S>(slots), buffer_alignment) : extent_t{0})..., 0};
        extent_t all = spare_bytes;
        for (extent_t b : bytes) all += b;
        std::byte* at = workspace_of_share(share, static_cast<std::size_t>(all));
        ((buffers.is_one[S] ? void((p[S] = at, at += bytes[S])) : void()), ...);
        spare = at;
      }(std::make_integer_sequence<int, k.slots.size()>{});
    }
    template <int S>
    static extent_t buffer_bytes(void* const* slots) {
      constexpr amount bytes = Plan::value.buffers[Plan::value.slots[k.slots.begin + S]].bytes;
      return base::template number<bytes>(slots);
    }
  };

  // ---- rows

  static constexpr bool by_rows = k.outer > 0 && !adds_up;
  /// The first axis, or the first two as one where the first alone is too short to be divided evenly.
  static void run_rows(void* const* slots) {
    constexpr amount first = k.extent[0];
    extent_t const n = base::template number<first>(slots);
    double const cost = static_cast<double>(elements(slots, 0)) * element_cost;
    extent_t second = 1;
    if constexpr (k.outer > 1) {
      constexpr amount next = k.extent[1];
      if (n < 8 * call_threads) second = base::template number<next>(slots);
    }
    int const shares = count_shares(cost, n * second);
    if (shares == 1) return base::run(slots);
    position start;
    scalars invariant;
    base::invariants(invariant, slots, start);
    run_shares(shares, [&](int share) {
      own_slots const own(slots, share);
      scalars s = invariant;
      position at;
      extent_t const begin = n * second * share / shares, end = n * second * (share + 1) / shares;
      if (k.outer > 1 && second > 1) {
        if constexpr (k.outer > 1)
          for (extent_t i = begin; i < end; ++i) {
            at.index[0] = i / second;
            at.index[1] = i % second;
            base::template rows<2>(s, own.p, at);
          }
      } else {
        for (at.index[0] = begin; at.index[0] < end; ++at.index[0]) base::template rows<1>(s, own.p, at);
      }
      if constexpr (base::streams) finish_streams();
    });
  }

  // ---- blocks of rows that are added up

  using blocks = blocked_rows<Plan, Kernel>;
  static void run_blocks(void* const* slots) {
    int const n = blocks::count(slots), shares = count_shares(static_cast<double>(elements(slots, 0)) * element_cost, n);
    if (shares == 1) return blocks::run(slots);
    scalars invariant;
    base::invariants(invariant, slots, position{});
    extent_t const bytes = blocks::part_bytes(slots);
    std::byte* left[most_row_blocks] = {};
    run_shares(shares, [&](int share) {
      int const begin = n * share / shares, end = n * (share + 1) / shares;
      own_slots const own(slots, share, share > 0 ? (end - begin) * bytes : 0);
      // The first blocks are joined as one thread joins them; those of other threads stay where they are until then.
      if (share == 0) return blocks::run_first(invariant, own.p, end, n);
      for (int b = begin; b < end; ++b) {
        left[b] = own.spare + (b - begin) * bytes;
        blocks::run_block(invariant, typename blocks::pointers(own.p, typename blocks::part(own.p, left[b])).p, b, n);
      }
    });
    for (int b = 1; b < n; ++b)
      if (left[b] != nullptr) blocks::join(slots, typename blocks::part(slots, left[b]));
  }

  // ---- lanes

  template <int Stage>
  using pass = typename base::template pass<Stage>;
  /// Lanes [from, to) of a row, in vectors; the last share also has what is left behind them.
  template <int Stage, class Accumulators>
  static void some_lanes(Accumulators& none, scalars const& s, void* const* slots, position const& at, extent_t from, extent_t to, int left) {
    using p = pass<Stage>;
    p::lanes_of(none, s, slots, at, from, to);
    if (left > 0) base::template body<Stage, p::W, 0, true>(typename p::lane_list{}, typename p::store_list{}, typename p::reduction_list{}, none, s, cursor{slots, at, to, left});
  }
  struct lane_share {
    extent_t from, to;
    int left;
    /// Whole cache lines, so that no two threads write one.
    lane_share(extent_t n, extent_t step, int width, int share, int shares) {
      extent_t const whole = n / width * width, steps = whole / step;
      from = steps * share / shares * step;
      to = share + 1 == shares ? whole : steps * (share + 1) / shares * step;
      left = share + 1 == shares ? static_cast<int>(n - whole) : 0;
    }
  };
  template <int Stage>
  static constexpr extent_t step_of = pass<Stage>::unroll * pass<Stage>::W * (pass<Stage>::W * pass<Stage>::unroll < 64 ? 64 / (pass<Stage>::W * pass<Stage>::unroll) : 1);

  static constexpr bool by_columns = [] {
    if constexpr (k.outer > 0 && adds_up && !adds_up_in_blocks<Plan, Kernel> && k.stages == 1 && base::mid_axes == 0) return !pass<0>::reduces && list_t<facts::list_of(0, stage_list::row_stores)>::size() == 0 && buffers.count == 0;
    else return false;
  }();
  template <int Axis>
  static void columns_of_rows(scalars& s, void* const* slots, position& at, lane_share const& lanes) {
    if constexpr (Axis == k.outer) {
      constexpr int values = facts::list_of(0, stage_list::rows);
      if constexpr (list_t<values>::size() != 0) base::compute_scalars(list_t<values>{}, s, slots, at);
      typename pass<0>::accumulators_t none;
      some_lanes<0>(none, s, slots, at, lanes.from, lanes.to, lanes.left);
    } else {
      constexpr amount n = k.extent[Axis];
      extent_t const end = base::template number<n>(slots);
      for (at.index[Axis] = 0; at.index[Axis] < end; ++at.index[Axis]) columns_of_rows<Axis + 1>(s, slots, at, lanes);
    }
  }
  static void run_columns(void* const* slots) {
    constexpr amount lanes = base::lane_extent;
    extent_t const n = base::template number<lanes>(slots);
    int const shares = count_shares(static_cast<double>(elements(slots, 0)) * element_cost, n / step_of<0>);
    if (shares == 1) return base::run(slots);
    position start;
    scalars invariant;
    base::clear(std::make_integer_sequence<int, k.stores.size()>{}, slots);
    base::invariants(invariant, slots, start);
    run_shares(shares, [&](int share) {
      own_slots const own(slots, 0);
      scalars s = invariant;
      position at;
      columns_of_rows<0>(s, own.p, at, lane_share(n, step_of<0>, pass<0>::W, share, shares));
      if constexpr (base::streams) finish_streams();
    });
  }

  // ---- the only row

  static constexpr bool is_one_row = k.axes == 1 && k.outer == 0 && !adds_up;
  template <int Stage>
  static void stage(scalars& s, void* const* slots, position const& at, extent_t n, int shares) {
    using p = pass<Stage>;
    constexpr int values = facts::list_of(Stage, stage_list::rows), stores = facts::list_of(Stage, stage_list::row_stores);
    if constexpr (list_t<values>::size() != 0) base::compute_scalars(list_t<values>{}, s, slots, at);
    if constexpr (list_t<stores>::size() != 0) base::store_scalars(list_t<stores>{}, s, slots, at);
    if constexpr (p::store_list::size() == 0 && !p::reduces && p::lane_list::size() == 0) return;
    else if constexpr (p::reduces) reduce<Stage>(typename p::reduction_list{}, s, slots, at, n, shares);
    else {
      scalars const& all = s;
      run_shares(shares, [&](int share) {
        own_slots const own(slots, 0);
        typename p::accumulators_t none;
        lane_share const mine(n, step_of<Stage>, p::W, share, shares);
        some_lanes<Stage>(none, all, own.p, at, mine.from, mine.to, mine.left);
        if constexpr (base::streams) finish_streams();
      });
    }
  }
  /// A long sum is a binary tree of the sums of chunks: shares are whole subtrees of one height, which are then joined as one thread joins them.
  template <int Stage, int... R>
  static void reduce(std::integer_sequence<int, R...> all, scalars& s, void* const* slots, position const& at, extent_t n, int shares) {
    using p = pass<Stage>;
    if constexpr (!p::long_sum) {
      p::run(all, s, slots, at);
    } else {
      constexpr extent_t step = p::chunk * p::unroll * p::W;
      constexpr int most = 128;
      extent_t const whole = n / p::W * p::W, chunks = whole / step;
      int height = 0;
      while ((chunks >> height) > most) ++height;
      extent_t const subtrees = chunks >> height, of = step << height;
      typename p::accumulators_t node[most];
      scalars const& invariant = s;
      run_shares(shares, [&](int share) {
        own_slots const own(slots, 0);
        for (extent_t t = subtrees * share / shares; t < subtrees * (share + 1) / shares; ++t) {
          typename p::template trees<std::integer_sequence<int, R...>>::type tree;
          typename p::accumulators_t acc;
          for (extent_t i = t * of; i < (t + 1) * of; i += step) {
            p::reset(all, acc);
            p::lanes_of(acc, invariant, own.p, at, i, i + step);
            ((get<R>(tree).push(p::template joined<R>(acc))), ...);
          }
          ((get<R>(node[t]).a[0] = get<R>(tree).partial[height]), ...);
        }
        if constexpr (base::streams) finish_streams();
      });
      typename p::template trees<std::integer_sequence<int, R...>>::type tree;
      for (extent_t t = 0; t < subtrees; ++t) ((get<R>(tree).push(get<R>(node[t]).a[0], height)), ...);
      typename p::accumulators_t acc;
      p::reset(all, acc);
      for (extent_t i = subtrees * of; i < whole; i += step) {
        p::lanes_of(acc, s, slots, at, i, i + step < whole ? i + step : whole);
        ((get<R>(tree).push(p::template joined<R>(acc))), ...);
        p::reset(all, acc);
      }
      if (int const left = static_cast<int>(n - whole); left > 0)
        base::template body<Stage, p::W, 0, true>(typename p::lane_list{}, typename p::store_list{}, all, acc, s, cursor{slots, at, whole, left});
      ((get<R>(acc).a[0] = get<R>(tree).total(get<R>(acc).a[0])), ...);
      ((get<R>(s) = base::template reducer_of<R, p::W>::total(p::template joined<R>(acc))), ...);
    }
  }
  static void run_one_row(void* const* slots) {
    constexpr amount lanes = base::lane_extent;
    extent_t const n = base::template number<lanes>(slots);
    int const shares = count_shares(static_cast<double>(n) * element_cost, n / step_of<0>);
    if (shares == 1) return base::run(slots);
    position at;
    scalars s;
    base::invariants(s, slots, at);
    [&]<int... Stage>(std::integer_sequence<int, Stage...>) { (stage<Stage>(s, slots, at, n, shares), ...); }(std::make_integer_sequence<int, k.stages>{});
  }

  static void run(void* const* slots) {
    if (call_threads == 1) {
      if constexpr (adds_up_in_blocks<Plan, Kernel>) return blocks::run(slots);
      else return base::run(slots);
    }
    if constexpr (adds_up_in_blocks<Plan, Kernel>) run_blocks(slots);
    else if constexpr (by_rows) run_rows(slots);
    else if constexpr (by_columns) run_columns(slots);
    else if constexpr (is_one_row) run_one_row(slots);
    else base::run(slots);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
