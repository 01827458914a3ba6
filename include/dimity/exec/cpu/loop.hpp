// The code of a fused kernel: rows, in each row its stages, in each stage one pass over the lanes.
#pragma once

#include <dimity/core/copy.hpp>
#include <dimity/exec/cpu/evaluate.hpp>
#include <dimity/exec/cpu/reduce.hpp>
#include <dimity/exec/cpu/rows.hpp>
#include <dimity/exec/cpu/threaded.hpp>
#include <dimity/exec/extents.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Plan, int Kernel>
struct loop {
  using facts = kernel_facts<Plan, Kernel>;
  static constexpr kernel k = facts::k;
  using scalars = typename facts::scalars;
  template <int Range>
  using list_t = typename facts::template list_t<Range>;
  static constexpr int last = k.axes - 1;
  static constexpr int lane_axes = k.axes > 0 ? k.axes - 1 : 0;  // all but the lanes' own
  static constexpr amount lane_extent = k.axes > k.outer ? k.extent[k.axes > 0 ? k.axes - 1 : 0] : amount(1);
  static constexpr int mid_axes = k.axes - k.outer - 1;
  /// Whether its results are more than the caches hold, so that they are written past them.
  static constexpr bool streams = [] {
    amount elements = 1;
    for (int axis = 0; axis < k.axes; ++axis) elements *= k.extent[axis];
    return !runs_scalar<Plan> && k.injected < 0 && elements.is_known() && elements.number() >= static_cast<extent_t>(streamed_bytes / sizeof(float));
  }();

  using position = detail::position;
  template <amount A>
  DIMITY_INLINE static constexpr extent_t number(void* const* slots) {
    return number_at_call<A, k.slots.size()>(slots);
  }
  template <int A>
  static constexpr amount offset_of = facts::acc(A).offset;
  template <int A, int Axis>
  static constexpr amount stride_of = facts::acc(A).stride[Axis];
  template <int A, int Axis>
  DIMITY_INLINE static extent_t along([[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    if constexpr (stride_of<A, Axis> == amount(0)) return 0;
    else return at.index[Axis] * number<stride_of<A, Axis>>(slots);
  }
  /// How far apart the lanes of access A are.
  template <int A>
  static constexpr amount lane_stride = k.axes > 0 ? facts::acc(A).stride[k.axes > 0 ? k.axes - 1 : 0] : amount(0);
  /// Accesses that are expressions of constants; the rest go through address().
  static constexpr bool is_near(int a, int axes) { return axes <= 2 && has_known_strides(facts::acc(a)); }
  static constexpr extent_t known_stride(int a, int axis, int axes) { return axis < axes ? facts::acc(a).stride[axis].code : 0; }

  /// Address of the first element that access A touches at a position of the first `Axes` axes.
  template <int A, int Axes>
  DIMITY_INLINE static auto address(void* const* slots, [[maybe_unused]] position const& at) {
    [[maybe_unused]] extent_t sum = number<offset_of<A>>(slots);
    // Not a loop: g++ -O2 would leave it one.
    if constexpr (Axes > 0) sum += along<A, 0>(slots, at);
    if constexpr (Axes > 1) sum += along<A, 1>(slots, at);
    if constexpr (Axes > 2) {
      sum += along<A, 2>(slots, at);
      if constexpr (Axes > 3) sum += along<A, 3>(slots, at);
      if constexpr (Axes > 4) sum += along<A, 4>(slots, at);
      if constexpr (Axes > 5) sum += along<A, 5>(slots, at);
      if constexpr (Axes > 6) sum += along<A, 6>(slots, at);
      if constexpr (Axes > 7) sum += along<A, 7>(slots, at);
    }
    static_assert(max_axes == 8);
    return static_cast<type_of<facts::acc(A).type>*>(slots[facts::acc(A).slot]) + sum;
  }

  // ---- rows and invariants: scalars

  struct scalar_operands {
    scalars const& s;
    template <int V>
    DIMITY_INLINE auto get() const {
      return detail::get<V>(s);
    }
  };
  template <int V>
  DIMITY_INLINE static void compute_scalar([[maybe_unused]] scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    constexpr value v = facts::val(V);
    if constexpr (family_of(v.op) == family::reduction) {
      // Left behind by the pass over the lanes.
    } else if constexpr (v.op == primitive::input) {
      constexpr int A = static_cast<int>(v.attribute);
      if constexpr (is_near(A, k.outer)) get<V>(s) = *row_at<type_of<v.type>, facts::acc(A).slot, facts::acc(A).offset.code, known_stride(A, 0, k.outer), known_stride(A, 1, k.outer)>(slots, at);
      else get<V>(s) = *address<A, k.outer>(slots, at);
    } else if constexpr (v.op == primitive::iota) {
      constexpr int axis = static_cast<int>(v.attribute);
      if constexpr (axis < 0) get<V>(s) = type_of<v.type>(0);
      else get<V>(s) = convert_element<type_of<v.type>>(at.index[axis]);
    } else if constexpr (v.op == primitive::extent) {
      get<V>(s) = convert_element<type_of<v.type>>(number<amount(v.attribute)>(slots));
    } else {
      get<V>(s) = evaluate_scalar<facts, V>(scalar_operands{s});
    }
  }
  template <int S>
  DIMITY_INLINE static void store_scalar(scalars const& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    constexpr store st = facts::st(S);
    *address<st.access, k.outer>(slots, at) = get<st.value>(s);
  }
  template <int... V>
  DIMITY_INLINE static void compute_scalars(std::integer_sequence<int, V...>, [[maybe_unused]] scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    (compute_scalar<V>(s, slots, at), ...);
  }
  template <int... S>
  DIMITY_INLINE static void store_scalars(std::integer_sequence<int, S...>, [[maybe_unused]] scalars const& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    (store_scalar<S>(s, slots, at), ...);
  }

  // ---- lanes: vectors

  template <int W, class Registers>
  struct lane_operands {
    Registers const& r;
    scalars const& s;
    template <int V>
    DIMITY_INLINE auto get() const {
      if constexpr (facts::val(V).at == level::lane) {
        return detail::get<V>(r);
      } else if constexpr (facts::val(V).type == dtype::boolean) {
        return broadcast_mask<type_of<facts::carrier(V)>, W>(detail::get<V>(s));
      } else {
        return broadcast_to_lanes<typename facts::template scalar<V>, W>(detail::get<V>(s));
      }
    }
  };

  template <int V, int W, bool Partial, class T>
  DIMITY_INLINE static auto load(T* from, [[maybe_unused]] cursor const& c) {
    constexpr amount apart = lane_stride<V>;
    if constexpr (apart == amount(1) && !Partial) {
      return load_lanes<T, W>(from + c.i);
    } else if constexpr (apart == amount(1)) {
      return load_first<T, W>(from + c.i, c.n);
    } else if constexpr (apart == amount(0)) {
      return broadcast_to_lanes<T, W>(*from);
    } else {
      alignas(64) T buffer[W] = {};
      extent_t const stride = number<apart>(c.slots);
      int const count = Partial ? c.n : W;
      for (int j = 0; j < count; ++j) buffer[j] = from[(c.i + j) * stride];
      return load_lanes<T, W>(buffer);
    }
  }
  template <int Access, class C, int W, bool Partial>
  DIMITY_INLINE static auto load_bool(bool const* from, [[maybe_unused]] cursor const& c) {
    constexpr amount apart = lane_stride<Access>;
    if constexpr (apart == amount(1) && !Partial) {
      return load_mask<C, W>(from + c.i);
    } else if constexpr (apart == amount(0)) {
      return broadcast_mask<C, W>(*from);
    } else {
      alignas(64) bool buffer[W] = {};
      extent_t const stride = number<apart>(c.slots);
      int const count = Partial ? c.n : W;
      for (int j = 0; j < count; ++j) buffer[j] = from[(c.i + j) * stride];
      return load_mask<C, W>(buffer);
    }
  }

  static constexpr bool is_lane(int v) { return facts::val(v).at == level::lane; }

  template <int Stage, int V, int W, bool Partial, class Registers>
  DIMITY_INLINE static void compute_lanes([[maybe_unused]] Registers& r, [[maybe_unused]] scalars const& s, [[maybe_unused]] cursor const& c) {
    constexpr value v = facts::val(V);
    if constexpr (V == k.injected) {
      // Supplied by the contraction.
    } else if constexpr (v.op == primitive::input || (v.kept >= 0 && v.stage < Stage)) {
      constexpr int A = v.op == primitive::input ? static_cast<int>(v.attribute) : v.kept;
      if constexpr (v.type == dtype::boolean) get<V>(r) = load_bool<A, type_of<facts::carrier(V)>, W, Partial>(address<A, lane_axes>(c.slots, c.at), c);
      else if constexpr (is_near(A, lane_axes) && (lane_stride<A>.code == 0 || lane_stride<A>.code == 1))
        get<V>(r) = load_row<type_of<v.type>, W, Partial, facts::acc(A).slot, facts::acc(A).offset.code, known_stride(A, 0, lane_axes), known_stride(A, 1, lane_axes), lane_stride<A>.code>(c);
      else get<V>(r) = load<A, W, Partial>(address<A, lane_axes>(c.slots, c.at), c);
    } else if constexpr (v.op == primitive::iota) {
      using T = type_of<v.type>;
      constexpr int axis = static_cast<int>(v.attribute);
      if constexpr (axis == last) get<V>(r) = lane_numbers<T, W>(convert_element<T>(c.i));
      else get<V>(r) = broadcast_to_lanes<T, W>(convert_element<T>(c.at.index[axis]));
    } else {
      get<V>(r) = evaluate_lanes<facts, V, W>(lane_operands<W, Registers>{r, s});
      if constexpr (v.kept >= 0 && v.stage == Stage) put<v.kept, V, W, Partial>(r, c);
    }
  }
  template <int Access, int V, int W, bool Partial, class Registers>
  DIMITY_INLINE static void put(Registers const& r, [[maybe_unused]] cursor const& c) {
    constexpr access a = facts::acc(Access);
    constexpr amount apart = lane_stride<Access>;
    [[maybe_unused]] extent_t stride = apart.code;
    if constexpr (!apart.is_known()) stride = number<apart>(c.slots);
    using T = type_of<a.type>;
    T* to = address<Access, lane_axes>(c.slots, c.at);
    auto const& x = get<V>(r);
    if constexpr (a.type == dtype::boolean) {
      if constexpr (apart == amount(1) && !Partial) {
        store_mask(to + c.i, x);
      } else {
        alignas(64) bool buffer[W];
        store_mask(buffer, x);
        int const count = Partial ? c.n : W;
        for (int j = 0; j < count; ++j) to[(c.i + j) * stride] = buffer[j];
      }
    } else if constexpr (apart == amount(1) && !Partial) {
      store_lanes<T, W>(to + c.i, x);
    } else if constexpr (apart == amount(1)) {
      store_first<T, W>(to + c.i, x, c.n);
    } else {
      alignas(64) T buffer[W];
      store_lanes<T, W>(buffer, x);
      int const count = Partial ? c.n : W;
      for (int j = 0; j < count; ++j) to[(c.i + j) * stride] = buffer[j];
    }
  }
  template <int S, int W, bool Partial, class Registers>
  DIMITY_INLINE static void store_value(Registers& r, [[maybe_unused]] cursor const& c) {
    constexpr store const& st = facts::st(S);
    constexpr int A = st.access;
    if constexpr (st.combine == primitive::copy && facts::acc(A).type != dtype::boolean && is_near(A, lane_axes) && lane_stride<A> == amount(1)) {
      store_row<type_of<facts::acc(A).type>, W, Partial, streams, facts::acc(A).slot, facts::acc(A).offset.code, known_stride(A, 0, lane_axes), known_stride(A, 1, lane_axes)>(c, get<st.value>(r));
    } else if constexpr (st.combine == primitive::copy) {
      put<A, st.value, W, Partial>(r, c);
    } else {
      constexpr primitive combine = combiner_of(st.combine);
      auto& x = get<st.value>(r);
      auto const own = x;  // what other stores of the same value want
      if constexpr (facts::acc(st.access).type == dtype::boolean) {
        auto const before = load_bool<st.access, type_of<facts::carrier(st.value)>, W, Partial>(address<st.access, lane_axes>(c.slots, c.at), c);
        x = map_parts<std::remove_cvref_t<decltype(x)>>([](auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return logical_value<combine>(a, b); }, before, x);
      } else {
        auto const before = load<st.access, W, Partial>(address<st.access, lane_axes>(c.slots, c.at), c);
        x = map_parts<std::remove_cvref_t<decltype(x)>>([](auto const& a, auto const& b) DIMITY_INLINE_LAMBDA { return binary_value<combine>(a, b); }, before, x);
      }
      put<st.access, st.value, W, Partial>(r, c);
      x = own;
    }
  }

  // ---- reductions over the lanes of a row

  template <int R, int W>
  using reducer_of = reducer<facts::val(R).op, type_of<facts::val(R).type>, typename facts::template lanes<facts::val(R).arg[0], W>>;
  template <int R, int W, int U>
  struct accumulators {
    typename reducer_of<R, W>::state a[U];
  };
  template <class Sequence, int W, int U>
  struct all_accumulators;
  template <int... R, int W, int U>
  struct all_accumulators<std::integer_sequence<int, R...>, W, U> {
    using type = registers<variable<R, accumulators<R, W, U>>...>;
  };

  template <int R, int W, int Part, bool Partial, class Accumulators, class Registers>
  DIMITY_INLINE static void accumulate(Accumulators& acc, Registers const& r, [[maybe_unused]] scalars const& s, [[maybe_unused]] int n) {
    constexpr int operand = facts::val(R).arg[0];
    if constexpr (!Partial && is_lane(operand)) {
      reducer_of<R, W>::add(get<R>(acc).a[Part], get<operand>(r));
    } else {
      auto x = lane_operands<W, Registers>{r, s}.template get<operand>();
      if constexpr (Partial) x = reducer_of<R, W>::only_first(x, n);
      reducer_of<R, W>::add(get<R>(acc).a[Part], x);
    }
  }

  // ---- one pass

  template <int Stage, int W, int Part, bool Partial, class Accumulators, int... V, int... S, int... R>
  DIMITY_INLINE static void body(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, std::integer_sequence<int, R...>, [[maybe_unused]] Accumulators& acc,
                                 [[maybe_unused]] scalars const& s, [[maybe_unused]] cursor const& c) {
    using lanes = typename facts::template lane_registers<std::integer_sequence<int, V...>, W>::type;
    lanes r;
    (compute_lanes<Stage, V, W, Partial>(r, s, c), ...);
    (accumulate<R, W, Part, Partial>(acc, r, s, c.n), ...);
    (store_value<S, W, Partial>(r, c), ...);
  }

  template <int Stage>
  struct pass {
    using lane_list = list_t<facts::list_of(Stage, stage_list::lanes)>;
    using store_list = list_t<facts::list_of(Stage, stage_list::lane_stores)>;
    using reduction_list = list_t<facts::list_of(Stage, stage_list::reductions)>;
    static constexpr int W = facts::width;
    static constexpr bool reduces = reduction_list::size() != 0;
    /// Of extents that are not known as many as make the most of a long row.
    static constexpr bool known = lane_extent.is_known();
    static constexpr extent_t vectors = known ? lane_extent.code / W : extent_t{1} << 40;
    static constexpr int unroll = vectors_at_once(reduces, lane_list::size(), vectors);
    using accumulators_t = typename all_accumulators<reduction_list, W, unroll>::type;
    static constexpr extent_t chunk = 16;
    static constexpr bool long_sum = reduces && vectors / unroll > 2 * chunk;

    template <int... R>
    DIMITY_INLINE static void reset(std::integer_sequence<int, R...>, [[maybe_unused]] accumulators_t& acc) {
      ((void)[&]() DIMITY_INLINE_LAMBDA { for (int u = 0; u < unroll; ++u) get<R>(acc).a[u] = reducer_of<R, W>::identity(); }(), ...);
    }
    template <int R>
    DIMITY_INLINE static auto joined(accumulators_t const& acc) {
      auto const& a = get<R>(acc).a;
      if constexpr (unroll == 1) return a[0];
      else if constexpr (unroll == 2) return reducer_of<R, W>::join(a[0], a[1]);
      else return reducer_of<R, W>::join(reducer_of<R, W>::join(a[0], a[1]), reducer_of<R, W>::join(a[2], a[3]));
    }
    template <class T>
    struct trees;
    template <int... R>
    struct trees<std::integer_sequence<int, R...>> {
      using type = registers<variable<R, reduction_tree<reducer_of<R, W>>>...>;
    };

    /// The main part of one row: whole vectors.
    DIMITY_INLINE static void lanes_of(accumulators_t& acc, scalars const& s, void* const* slots, position const& at, extent_t from, extent_t to) {
      extent_t i = from;
      for (; i + unroll * W <= to; i += unroll * W) {
        body<Stage, W, 0, false>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, at, i, W});
        if constexpr (unroll >= 2) body<Stage, W, reduces ? 1 : 0, false>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, at, i + W, W});
        if constexpr (unroll == 4) {
          body<Stage, W, reduces ? 2 : 0, false>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, at, i + 2 * W, W});
          body<Stage, W, reduces ? 3 : 0, false>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, at, i + 3 * W, W});
        }
      }
      if constexpr (unroll > 1 && (!known || vectors % unroll != 0 || long_sum))
        for (; i + W <= to; i += W) body<Stage, W, 0, false>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, at, i, W});
    }
    /// Nothing is reduced, and the lanes are all inner axes, of which everything is known.
    static constexpr bool is_plain_row = known && !reduces && mid_axes <= 0;
    DIMITY_INLINE static void plain_row([[maybe_unused]] scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
      accumulators_t none;
      extent_t i = 0;
      if constexpr (vectors >= unroll)
        for (; i + unroll * W <= vectors * W; i += unroll * W) {
          body<Stage, W, 0, false>(lane_list{}, store_list{}, reduction_list{}, none, s, cursor{slots, at, i, W});
          if constexpr (unroll == 2) body<Stage, W, 0, false>(lane_list{}, store_list{}, reduction_list{}, none, s, cursor{slots, at, i + W, W});
        }
      if constexpr (vectors % unroll != 0) body<Stage, W, 0, false>(lane_list{}, store_list{}, reduction_list{}, none, s, cursor{slots, at, (vectors - 1) * W, W});
      if constexpr (lane_extent.code % W != 0) body<Stage, W, 0, true>(lane_list{}, store_list{}, reduction_list{}, none, s, cursor{slots, at, vectors * W, static_cast<int>(lane_extent.code % W)});
    }
    template <int... R>
    DIMITY_INLINE static void run(std::integer_sequence<int, R...>, scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
      accumulators_t acc;
      if constexpr (reduces) reset(reduction_list{}, acc);
      if constexpr (known) run_row(std::integer_sequence<int, R...>{}, acc, s, slots, at, std::integral_constant<extent_t, vectors * W>{}, std::integral_constant<int, static_cast<int>(lane_extent.code - vectors * W)>{});
      else run_unknown_row(std::integer_sequence<int, R...>{}, acc, s, slots, at);
    }
    template <int... R>
    DIMITY_INLINE static void run_unknown_row(std::integer_sequence<int, R...> all, accumulators_t& acc, scalars& s, void* const* slots, position const& at) {
      extent_t const n = number<lane_extent>(slots);
      run_row(all, acc, s, slots, at, n / W * W, static_cast<int>(n % W));
    }
    /// `whole` lanes in vectors, then `left` more: constants where they are known.
    template <int... R, class Whole, class Left>
    DIMITY_INLINE static void run_row(std::integer_sequence<int, R...>, accumulators_t& acc, scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at, Whole const whole, Left const left) {
      [[maybe_unused]] constexpr bool has_whole = !known || vectors > 0, has_left = !known || lane_extent.code % W != 0;
      if constexpr (long_sum) {
        typename trees<reduction_list>::type tree;
        for_mid(slots, at, [&](position const& p) DIMITY_INLINE_LAMBDA {
          for (extent_t i = 0; i < whole; i += chunk * unroll * W) {
            lanes_of(acc, s, slots, p, i, i + chunk * unroll * W < whole ? i + chunk * unroll * W : whole);
            ((get<R>(tree).push(joined<R>(acc))), ...);
            reset(reduction_list{}, acc);
          }
          if constexpr (has_left)
            if (left > 0) body<Stage, W, 0, true>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, p, whole, left});
        });
        ((get<R>(acc).a[0] = get<R>(tree).total(get<R>(acc).a[0])), ...);
      } else {
        for_mid(slots, at, [&](position const& p) DIMITY_INLINE_LAMBDA {
          if constexpr (has_whole) lanes_of(acc, s, slots, p, 0, whole);
          if constexpr (has_left)
            if (left > 0) body<Stage, W, 0, true>(lane_list{}, store_list{}, reduction_list{}, acc, s, cursor{slots, p, whole, left});
        });
      }
      ((get<R>(s) = reducer_of<R, W>::total(joined<R>(acc))), ...);
    }
    template <class F>
    DIMITY_INLINE static void for_mid([[maybe_unused]] void* const* slots, position const& at, F const& f) {
      if constexpr (mid_axes <= 0) {
        f(at);
      } else {
        position p = at;
        nest<k.outer>(p, slots, f);
      }
    }
    template <int Axis, class F>
    DIMITY_INLINE static void nest(position& p, void* const* slots, F const& f) {
      if constexpr (Axis == k.axes - 1) {
        f(p);
      } else {
        constexpr amount n = k.extent[Axis];
        extent_t const end = number<n>(slots);
        for (p.index[Axis] = 0; p.index[Axis] < end; ++p.index[Axis]) nest<Axis + 1>(p, slots, f);
      }
    }
  };

  template <int Stage>
  DIMITY_INLINE static void stage(scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    constexpr int values = facts::list_of(Stage, stage_list::rows), stores = facts::list_of(Stage, stage_list::row_stores);
    if constexpr (list_t<values>::size() != 0) compute_scalars(list_t<values>{}, s, slots, at);
    if constexpr (list_t<stores>::size() != 0) store_scalars(list_t<stores>{}, s, slots, at);
    using p = pass<Stage>;
    if constexpr (p::store_list::size() == 0 && p::reduction_list::size() == 0 && p::lane_list::size() == 0) return;
    else if constexpr (p::is_plain_row) p::plain_row(s, slots, at);
    else p::run(typename p::reduction_list{}, s, slots, at);
  }
  template <int... Stage>
  DIMITY_INLINE static void row(std::integer_sequence<int, Stage...>, scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    (stage<Stage>(s, slots, at), ...);
  }
  template <int Axis>
  DIMITY_INLINE static void rows(scalars& s, void* const* slots, position& at) {
    if constexpr (Axis == k.outer && k.stages == 1) {
      stage<0>(s, slots, at);
    } else if constexpr (Axis == k.outer) {
      row(std::make_integer_sequence<int, k.stages>{}, s, slots, at);
    } else {
      constexpr amount n = k.extent[Axis];
      extent_t end = n.code;
      if constexpr (!n.is_known()) end = number<n>(slots);
      for (at.index[Axis] = 0; at.index[Axis] < end; ++at.index[Axis]) rows<Axis + 1>(s, slots, at);
    }
  }

  template <int... S>
  DIMITY_INLINE static void clear(std::integer_sequence<int, S...>, [[maybe_unused]] void* const* slots) {
    ((void)[&]() DIMITY_INLINE_LAMBDA {
      constexpr store st = facts::st(S);
      if constexpr (st.combine != primitive::copy) {
        constexpr access a = facts::acc(st.access);
        using T = type_of<a.type>;
        T* to = static_cast<T*>(slots[a.slot]);
        constexpr amount fill = st.fill;
        extent_t const n = number<fill>(slots);
        for (extent_t i = 0; i < n; ++i) to[i] = reduction_identity<st.combine, T>();
      }
    }(), ...);
  }

  static constexpr int invariant_values = k.lists.begin, invariant_stores = k.lists.begin + 1;
  static constexpr int row_values = facts::list_of(0, stage_list::rows), row_stores = facts::list_of(0, stage_list::row_stores);
  DIMITY_INLINE static void invariants([[maybe_unused]] scalars& s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at) {
    if constexpr (list_t<invariant_values>::size() != 0) compute_scalars(list_t<invariant_values>{}, s, slots, at);
    if constexpr (list_t<invariant_stores>::size() != 0) store_scalars(list_t<invariant_stores>{}, s, slots, at);
  }
  // A level of functions that are inlined into each other costs one more round of optimising all that is in them: the usual nest, a row in a loop, is written out here.
  DIMITY_INLINE static void run(void* const* slots) {
    position at;
    scalars s;
    if constexpr (has_combining_store(Plan::value.stores + k.stores.begin, k.stores.size())) clear(std::make_integer_sequence<int, k.stores.size()>{}, slots);
    if constexpr (list_t<invariant_values>::size() != 0) compute_scalars(list_t<invariant_values>{}, s, slots, at);
    if constexpr (list_t<invariant_stores>::size() != 0) store_scalars(list_t<invariant_stores>{}, s, slots, at);
    constexpr bool is_plain = k.stages == 1 && pass<0>::is_plain_row && pass<0>::lane_list::size() != 0 && list_t<row_values>::size() == 0 && list_t<row_stores>::size() == 0;
    if constexpr (is_plain && k.outer == 0) {
      pass<0>::plain_row(s, slots, at);
    } else if constexpr (is_plain && k.outer == 1 && k.extent[0].is_known()) {
      for (at.index[0] = 0; at.index[0] < k.extent[0].code; ++at.index[0]) pass<0>::plain_row(s, slots, at);
    } else {
      rows<0>(s, slots, at);
    }
    if constexpr (streams) finish_streams();
  }

  // ---- as the epilogue of a contraction

  template <bool Partial, class X, int... V, int... S>
  DIMITY_INLINE static void epilogue(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, scalars const& s, X const& x, [[maybe_unused]] cursor const& c) {
    using lanes = typename facts::template lane_registers<std::integer_sequence<int, V...>, facts::width>::type;
    lanes r;
    get<k.injected>(r).p[0] = x;
    (compute_lanes<0, V, facts::width, Partial>(r, s, c), ...);
    (store_value<S, facts::width, Partial>(r, c), ...);
  }
  template <bool Partial, class X>
  DIMITY_INLINE static void epilogue(scalars s, [[maybe_unused]] void* const* slots, [[maybe_unused]] position const& at, [[maybe_unused]] extent_t i, X const& x, int n) {
    compute_scalars(list_t<facts::list_of(0, stage_list::rows)>{}, s, slots, at);
    epilogue<Partial>(list_t<facts::list_of(0, stage_list::lanes)>{}, list_t<facts::list_of(0, stage_list::lane_stores)>{}, s, x, cursor{slots, at, i, n});
  }
};

}  // namespace DIMITY_NAMESPACE::detail
