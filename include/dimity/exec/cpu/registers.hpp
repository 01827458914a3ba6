// Values in flight inside a kernel: one variable each. An array indexed by value would stay in memory, because g++'s scalar replacement gives up on it
// (DESIGN section 6: 4.0 against 1.8 microseconds).
#pragma once

#include <dimity/exec/cpu/math.hpp>
#include <dimity/plan/kernels.hpp>

#include <utility>

namespace DIMITY_NAMESPACE::detail {

template <int Value, class V>
struct variable {
  V v;
};

template <class... Variables>
struct registers : Variables... {};

template <int Value, class V>
DIMITY_INLINE V& get(variable<Value, V>& r) {
  return r.v;
}
template <int Value, class V>
DIMITY_INLINE V const& get(variable<Value, V> const& r) {
  return r.v;
}

/// A list of the plan as a sequence of constants.
template <class Plan, int Begin, class Indices>
struct plan_list;
template <class Plan, int Begin, int... I>
struct plan_list<Plan, Begin, std::integer_sequence<int, I...>> {
  using type = std::integer_sequence<int, Plan::value.lists[Begin + I]...>;
};

/// True for plans that run one element at a time.
template <class Plan>
inline constexpr bool runs_scalar = requires { Plan::is_scalar; };

// What follows looks at a kernel as data: functions that every kernel had for itself would be instantiated for each.

/// Vector width: as many lanes as a native vector of the narrowest vectorizable type has, so that every type fills whole vectors.
constexpr int widest_vector(value const* values, int count) {
  int width = 0;
  for (int v = 0; v < count; ++v) {
    dtype const t = values[v].type;
    if (is_dual_number(t)) return 1;
    if (values[v].at != level::lane) continue;
    int const lanes = size_of(t) == 8 ? native_lanes<double>() : size_of(t) == 4 ? native_lanes<float>() : 0;
    if (lanes > width) width = lanes;
  }
  return width == 0 ? native_lanes<float>() : width;
}
/// In an epilogue the contraction decides.
constexpr int vector_width(kernel const& k, value const* values) {
  if (k.injected < 0) return widest_vector(values, k.values.size());
  dtype const t = values[k.injected].type;
  return is_dual_number(t) || t == dtype::boolean ? 1 : size_of(t) == 8 ? native_lanes<double>() : size_of(t) == 4 ? native_lanes<float>() : 1;
}
constexpr dtype main_type_of(value const* values, int count) {
  for (int v = 0; v < count; ++v)
    if (values[v].type != dtype::boolean && !is_storage_float(values[v].type) && values[v].at == level::lane) return values[v].type;
  return dtype::float32;
}
/// The element type whose comparison gives a truth value its form.
constexpr dtype carrier_of(value const* values, int count, int v) {
  for (;;) {
    value const& x = values[v];
    if (x.type != dtype::boolean) return x.type;
    if (x.at != level::lane || arity_of(x.op) == 0 || x.op == primitive::input) return main_type_of(values, count);
    v = x.op == primitive::select ? x.arg[1] : x.arg[0];
  }
}
constexpr int count_functions(value const* values, int count) {
  int sites = 0;
  for (int v = 0; v < count; ++v) sites += values[v].at == level::lane && cost_of(values[v].op) == cost_class::costly;
  return sites;
}
constexpr bool has_known_strides(access const& a) {
  for (amount const s : a.stride)
    if (!s.is_known()) return false;
  return a.offset.is_known();
}

/// The stores of a kernel that add to what other rows left.
constexpr bool has_combining_store(store const* stores, int count) {
  for (int i = 0; i < count; ++i)
    if (stores[i].combine != primitive::copy) return true;
  return false;
}
/// Whether the plan has memory for the sums of several blocks of rows.
constexpr bool has_row_blocks(store const* stores, int count) {
  for (int i = 0; i < count; ++i)
    if (stores[i].partial_slot >= 0) return true;
  return false;
}
template <class Plan, int Kernel>
inline constexpr bool adds_up_in_blocks = has_row_blocks(Plan::value.stores + Plan::value.kernels[Kernel].stores.begin, Plan::value.kernels[Kernel].stores.size());
/// Several accumulators hide the latency of adding; a long body has enough to do without.
constexpr int vectors_at_once(bool reduces, std::size_t values, extent_t vectors) {
  int const wanted = reduces ? (values <= 4 ? 4 : values <= 14 ? 2 : 1) : (values <= 6 ? 2 : 1);
  return vectors >= wanted * 2 ? wanted : 1;
}

/// What every part of one kernel's code looks up.
template <class Plan, int Kernel>
struct kernel_facts {
  static constexpr kernel k = Plan::value.kernels[Kernel];
  static constexpr value const* values = Plan::value.values + k.values.begin;
  static constexpr value const& val(int v) { return values[v]; }
  static constexpr access const& acc(int a) { return Plan::value.accesses[k.accesses.begin + a]; }
  static constexpr store const& st(int s) { return Plan::value.stores[k.stores.begin + s]; }
  static constexpr int value_count = k.values.size();
  static constexpr int width = runs_scalar<Plan> ? 1 : vector_width(k, values);
  static constexpr dtype carrier(int v) { return carrier_of(values, value_count, v); }
  static constexpr bool has_many_functions = count_functions(values, value_count) > 3;

  template <int V, int W>
  using lanes = std::conditional_t<val(V).type == dtype::boolean, mask<type_of<carrier(V)>, W>, vec<type_of<val(V).type>, W>>;
  template <int V>
  using scalar = type_of<val(V).type>;

  template <class Sequence, int W>
  struct lane_registers;
  template <int... V, int W>
  struct lane_registers<std::integer_sequence<int, V...>, W> {
    using type = registers<variable<V, lanes<V, W>>...>;
  };

  template <class Sequence>
  struct scalar_registers;
  template <int... V>
  struct scalar_registers<std::integer_sequence<int, V...>> {
    using type = registers<variable<V, std::conditional_t<val(V).at == level::lane, std::integral_constant<int, V>, scalar<V>>>...>;
  };
  /// Invariant and row values of the whole kernel; lane values take no room worth mentioning.
  using scalars = typename scalar_registers<std::make_integer_sequence<int, value_count>>::type;

  static constexpr int list_of(int stage, stage_list which) {
    return k.lists.begin + ranges_before_stages + stage * ranges_per_stage + static_cast<int>(which);
  }
  template <int Range>
  using list_t = typename plan_list<Plan, Plan::value.list_ranges[Range].begin, std::make_integer_sequence<int, Plan::value.list_ranges[Range].size()>>::type;
};

}  // namespace DIMITY_NAMESPACE::detail
