// Values in flight inside a kernel: one variable each. An array indexed by value would stay in memory, because g++'s scalar replacement gives up on it
// (DESIGN section 6: 4.0 against 1.8 microseconds).
#pragma once

#include <dimity/exec/cpu/math.hpp>
#include <dimity/plan/kernels.hpp>

#include <utility>

namespace dimity::detail {

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

/// What every part of one kernel's code looks up.
template <class Plan, int Kernel>
struct kernel_facts {
  static constexpr kernel k = Plan::value.kernels[Kernel];
  static constexpr value const& val(int v) { return Plan::value.values[k.values.begin + v]; }
  static constexpr access const& acc(int a) { return Plan::value.accesses[k.accesses.begin + a]; }
  template <int A>
  static constexpr bool has_known_strides = [] {
    for (amount const s : acc(A).stride)
      if (!s.is_known()) return false;
    return acc(A).offset.is_known();
  }();
  static constexpr store const& st(int s) { return Plan::value.stores[k.stores.begin + s]; }
  static constexpr int value_count = k.values.size();

  /// Vector width: as many lanes as a native vector of the narrowest vectorizable type has, so that every type fills whole vectors.
  static constexpr int find_width() {
    if (runs_scalar<Plan>) return 1;
    int width = 0;
    for (int v = 0; v < value_count; ++v) {
      dtype const t = val(v).type;
      if (is_dual_number(t)) return 1;
      if (val(v).at != level::lane) continue;
      int const lanes = size_of(t) == 8 ? native_lanes<double>() : size_of(t) == 4 ? native_lanes<float>() : 0;
      if (lanes > width) width = lanes;
    }
    return width == 0 ? native_lanes<float>() : width;
  }
  /// In an epilogue the contraction decides.
  static constexpr int width = [] {
    if (k.injected < 0 || runs_scalar<Plan>) return find_width();
    dtype const t = val(k.injected).type;
    int const lanes = t == dtype::float64 ? native_lanes<double>() : t == dtype::float32 ? native_lanes<float>() : 1;
    return lanes;
  }();

  static constexpr dtype main_type = [] {
    for (int v = 0; v < value_count; ++v)
      if (val(v).type != dtype::boolean && val(v).at == level::lane) return val(v).type;
    return dtype::float32;
  }();

  /// The element type whose comparison gives a truth value its form.
  static constexpr dtype carrier(int v) {
    for (;;) {
      value const x = val(v);
      if (x.type != dtype::boolean) return x.type;
      if (x.at != level::lane || arity_of(x.op) == 0 || x.op == primitive::input) return main_type;
      v = x.op == primitive::select ? x.arg[1] : x.arg[0];
    }
  }

  template <int V, int W>
  using lanes = std::conditional_t<val(V).type == dtype::boolean, mask<type_of<carrier(V)>, W>, vec<type_of<val(V).type>, W>>;
  template <int V>
  using scalar = type_of<val(V).type>;

  static constexpr bool has_many_functions = [] {
    int sites = 0;
    for (int v = 0; v < value_count; ++v) sites += val(v).at == level::lane && cost_of(val(v).op) == cost_class::costly;
    return sites > 3;
  }();

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

}  // namespace dimity::detail
