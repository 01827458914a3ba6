// Kernels that add rows up, in blocks of rows whose sums are then added up in their order: the same with one thread and with several.
#pragma once

#include <dimity/exec/cpu/loop.hpp>

namespace DIMITY_NAMESPACE::detail {

/// In variables of their own: a store of the kernel could change what `slots` points to, for all that the compiler knows, and every vector would read its pointers again.
template <class Indices>
struct own_pointers;
template <int... I>
struct own_pointers<std::integer_sequence<int, I...>> {
  void* p[sizeof...(I)];
  DIMITY_INLINE explicit own_pointers(void* const* slots) : p{slots[I]...} {}
};

template <class Plan, int Kernel>
struct blocked_rows {
  using base = loop<Plan, Kernel>;
  using facts = typename base::facts;
  using scalars = typename base::scalars;
  using position = typename base::position;
  static constexpr kernel k = base::k;
  static constexpr int slot_count = k.slots.size() + (has_symbols<Plan> ? 1 : 0);

  DIMITY_INLINE static extent_t first_axis(void* const* slots) {
    constexpr amount n = k.extent[0];
    return base::template number<n>(slots);
  }
  static int count(void* const* slots) {
    return [&]<int... A>(std::integer_sequence<int, A...>) {
      extent_t elements = 1;
      ((elements *= axis<A>(slots)), ...);
      return row_blocks(first_axis(slots), elements);
    }(std::make_integer_sequence<int, k.axes>{});
  }
  template <int A>
  DIMITY_INLINE static extent_t axis(void* const* slots) {
    constexpr amount n = k.extent[A];
    return base::template number<n>(slots);
  }

  template <int S>
  static extent_t fill_of(void* const* slots) {
    constexpr amount fill = facts::st(S).fill;
    return base::template number<fill>(slots);
  }
  using stores = std::make_integer_sequence<int, k.stores.size()>;
  /// What a block leaves that is not the first: the plan's memory, or at `from` that of a thread.
  struct part {
    void* of[k.stores.size() + 1] = {};

    explicit part(void* const* slots, std::byte* from = nullptr) {
      [&]<int... S>(std::integer_sequence<int, S...>) { (place<S>(slots, from), ...); }(stores{});
    }
    template <int S>
    void place(void* const* slots, std::byte*& from) {
      constexpr store st = facts::st(S);
      if constexpr (st.combine != primitive::copy) {
        of[S] = from != nullptr ? from : slots[st.partial_slot];
        if (from != nullptr) from += bytes_of<S>(slots);
      }
    }
  };
  template <int S>
  static extent_t bytes_of(void* const* slots) {
    constexpr store st = facts::st(S);
    if constexpr (st.combine == primitive::copy) return 0;
    else return round_up(fill_of<S>(slots) * static_cast<extent_t>(sizeof(type_of<facts::acc(st.access).type>)), buffer_alignment);
  }
  static extent_t part_bytes(void* const* slots) {
    return [&]<int... S>(std::integer_sequence<int, S...>) { return (extent_t{0} + ... + bytes_of<S>(slots)); }(stores{});
  }

  /// The pointers of a block that leaves its sums in a part.
  struct pointers {
    void* p[slot_count];
    pointers(void* const* slots, part const& to) {
      for (int i = 0; i < slot_count; ++i) p[i] = slots[i];
      [&]<int... S>(std::integer_sequence<int, S...>) { (place<S>(to), ...); }(stores{});
    }
    template <int S>
    void place([[maybe_unused]] part const& to) {
      constexpr store st = facts::st(S);
      if constexpr (st.combine != primitive::copy) p[facts::acc(st.access).slot] = to.of[S];
    }
  };

  /// Rows of block b of n. Not inlined, because one copy of the rows' code is enough.
  [[gnu::noinline]] static void run_block(scalars const& invariant, void* const* given, int b, int n) {
    own_pointers<std::make_integer_sequence<int, slot_count>> const own(given);
    void* const* const slots = own.p;
    scalars s = invariant;
    position at;
    extent_t const rows = first_axis(slots), end = rows * (b + 1) / n;
    base::clear(stores{}, slots);
    for (at.index[0] = rows * b / n; at.index[0] < end; ++at.index[0]) base::template rows<1>(s, slots, at);
    if constexpr (base::streams) finish_streams();
  }
  template <int S>
  static void add(void* const* slots, [[maybe_unused]] part const& left) {
    constexpr store st = facts::st(S);
    if constexpr (st.combine != primitive::copy) {
      constexpr access a = facts::acc(st.access);
      constexpr primitive combine = combiner_of(st.combine);
      using T = type_of<a.type>;
      extent_t const n = fill_of<S>(slots);
      T* const to = static_cast<T*>(slots[a.slot]);
      T const* const from = static_cast<T const*>(left.of[S]);
      if constexpr (a.type == dtype::boolean) {
        for (extent_t i = 0; i < n; ++i) to[i] = logical_value<combine>(to[i], from[i]);
      } else {
        constexpr int W = facts::width;
        extent_t const whole = n / W * W;
        for (extent_t i = 0; i < whole; i += W) {
          auto x = load_lanes<T, W>(to + i);
          x = map_parts<decltype(x)>([](auto const& p, auto const& q) DIMITY_INLINE_LAMBDA { return binary_value<combine>(p, q); }, x, load_lanes<T, W>(from + i));
          store_lanes<T, W>(to + i, x);
        }
        for (extent_t i = whole; i < n; ++i) to[i] = binary_value<combine>(to[i], from[i]);
      }
    }
  }
  /// What a block left joins what those before it did.
  static void join(void* const* slots, part const& left) {
    [&]<int... S>(std::integer_sequence<int, S...>) { (add<S>(slots, left), ...); }(stores{});
  }

  /// The blocks [0, end) of n.
  static void run_first(scalars const& invariant, void* const* slots, int end, int n) {
    part const left(slots);
    run_block(invariant, slots, 0, n);
    for (int b = 1; b < end; ++b) {
      run_block(invariant, pointers(slots, left).p, b, n);
      join(slots, left);
    }
  }
  static void run(void* const* slots) {
    int const n = count(slots);
    scalars invariant;
    base::invariants(invariant, slots, position{});
    run_first(invariant, slots, n, n);
  }
};

/// Not inlined: programs of many kernels would otherwise become one function of unbounded compile time, and equal kernels share this one.
template <class Plan, int Kernel>
[[gnu::noinline]] void run_kernel(void* const* slots) {
  own_pointers<std::make_integer_sequence<int, Plan::value.kernels[Kernel].slots.size() + (has_symbols<Plan> ? 1 : 0)>> const own(slots);
  if constexpr (is_threaded<Plan>) threaded_loop<Plan, Kernel>::run(own.p);
  else if constexpr (adds_up_in_blocks<Plan, Kernel>) blocked_rows<Plan, Kernel>::run(own.p);
  else loop<Plan, Kernel>::run(own.p);
}

}  // namespace DIMITY_NAMESPACE::detail
