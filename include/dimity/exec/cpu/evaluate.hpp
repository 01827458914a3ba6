// One value of a kernel from its operands: on scalars for rows, on vectors for lanes.
#pragma once

#include <dimity/exec/cpu/registers.hpp>

#include <bit>

namespace DIMITY_NAMESPACE::detail {

/// Behind a call when a kernel has many of them: measured 170 -> 5.8 s of compile time and 12% faster (DESIGN section 6).
template <primitive P, class X>
[[gnu::noinline]] X outlined_unary(X a) {
  return unary_value<P>(a);
}
template <primitive P, bool Outline, class X>
DIMITY_INLINE X unary_call(X const& a) {
  if constexpr (Outline && element_of_part<X>::is_batch && cost_of(P) == cost_class::costly) {
    return outlined_unary<P, X>(a);
  } else {
    return unary_value<P>(a);
  }
}

template <class T>
constexpr T constant_as(std::int64_t bits, dtype type) {
  if constexpr (is_dual<T>::value) {
    return T(constant_as<decltype(T{}.value)>(bits, type));
  } else if constexpr (std::is_floating_point_v<T> || storage_float<T>) {
    return static_cast<T>(std::bit_cast<double>(bits));
  } else {
    return static_cast<T>(bits);
  }
}

/// Element type conversion with C++'s rules; a dual loses its tangent where the target has none.
template <class To, class From>
DIMITY_INLINE constexpr To convert_element(From const& x) {
  if constexpr (is_dual<From>::value && !is_dual<To>::value) return static_cast<To>(x.value);
  else if constexpr (is_dual<From>::value && is_dual<To>::value) {
    using V = decltype(To{}.value);
    return To(static_cast<V>(x.value), static_cast<V>(x.tangent));
  } else if constexpr (is_dual<To>::value) {
    using V = decltype(To{}.value);
    return To(static_cast<V>(x));
  } else return static_cast<To>(x);
}

/// Scalars: invariant and row values.
template <class Facts, int V, class Get>
DIMITY_INLINE auto evaluate_scalar(Get const& operand) {
  constexpr value v = Facts::val(V);
  using T = type_of<v.type>;
  if constexpr (v.op == primitive::constant) {
    return constant_as<T>(v.attribute, v.type);
  } else if constexpr (v.op == primitive::cast) {
    return convert_element<T>(operand.template get<v.arg[0]>());
  } else if constexpr (v.op == primitive::select) {
    return operand.template get<v.arg[0]>() ? operand.template get<v.arg[1]>() : operand.template get<v.arg[2]>();
  } else if constexpr (v.op == primitive::logical_not) {
    return !operand.template get<v.arg[0]>();
  } else if constexpr (is_predicate(v.op)) {
    return static_cast<bool>(predicate_value<v.op>(operand.template get<v.arg[0]>()));
  } else if constexpr (is_comparison(v.op) && Facts::val(v.arg[0]).type != dtype::boolean) {
    return static_cast<bool>(comparison_value<v.op>(operand.template get<v.arg[0]>(), operand.template get<v.arg[1]>()));
  } else if constexpr (v.type == dtype::boolean && arity_of(v.op) == 2) {
    return logical_value<v.op>(static_cast<bool>(operand.template get<v.arg[0]>()), static_cast<bool>(operand.template get<v.arg[1]>()));
  } else if constexpr (v.type == dtype::boolean) {
    return static_cast<bool>(operand.template get<v.arg[0]>());
  } else if constexpr (arity_of(v.op) == 1) {
    return unary_value<v.op>(operand.template get<v.arg[0]>());
  } else {
    return binary_value<v.op>(operand.template get<v.arg[0]>(), operand.template get<v.arg[1]>());
  }
}

/// Vectors: lane values. `operand.get<A>()` gives operand A in the lane form.
template <class Facts, int V, int W, class Get>
DIMITY_INLINE auto evaluate_lanes(Get const& operand) {
  constexpr value v = Facts::val(V);
  [[maybe_unused]] constexpr primitive op = v.op;  // nvcc: lambdas below may name a scalar constant, not a member of one
  using R = typename Facts::template lanes<V, W>;
  using T = type_of<v.type>;
  if constexpr (v.op == primitive::cast) {
    using From = type_of<Facts::val(v.arg[0]).type>;
    auto const a = operand.template get<v.arg[0]>();
    if constexpr (v.type == dtype::boolean) {
      if constexpr (std::is_same_v<From, bool>) return a;
      else return map_parts<R>([](auto const& x) DIMITY_INLINE_LAMBDA { return differs(x, std::remove_cvref_t<decltype(x)>(From(0))); }, a);
    } else if constexpr (std::is_same_v<From, bool>) {
      auto const m = convert_mask<T>(a);
      return map_parts<R>([](auto const& c) DIMITY_INLINE_LAMBDA { return choose(c, typename R::part(T(1)), typename R::part(T(0))); }, m);
    } else {
      return convert_lanes<T>(a);
    }
  } else if constexpr (is_storage_float(v.type)) {
    static_assert(v.op == primitive::copy);  // everything else is computed in float
    return operand.template get<v.arg[0]>();
  } else if constexpr (v.op == primitive::select) {
    auto const yes = operand.template get<v.arg[1]>();
    auto const no = operand.template get<v.arg[2]>();
    if constexpr (v.type == dtype::boolean) {
      using C = type_of<Facts::carrier(V)>;
      auto const c = convert_mask<C>(operand.template get<v.arg[0]>());
      auto const n = convert_mask<C>(no);
      return map_parts<R>([](auto const& x, auto const& y, auto const& z) DIMITY_INLINE_LAMBDA { return logical_value<primitive::bitwise_or>(logical_value<primitive::bitwise_and>(x, y), logical_value<primitive::less>(x, z)); }, c, yes, n);
    } else {
      auto const c = convert_mask<T>(operand.template get<v.arg[0]>());
      return map_parts<R>([](auto const& x, auto const& y, auto const& z) DIMITY_INLINE_LAMBDA { return choose(x, y, z); }, c, yes, no);
    }
  } else if constexpr (v.op == primitive::logical_not) {
    return map_parts<R>([](auto const& x) DIMITY_INLINE_LAMBDA { if constexpr (std::is_same_v<std::remove_cvref_t<decltype(x)>, bool>) return !x; else return ~x; }, operand.template get<v.arg[0]>());
  } else if constexpr (is_predicate(v.op)) {
    return map_parts<R>([](auto const& x) DIMITY_INLINE_LAMBDA { return predicate_value<op>(x); }, operand.template get<v.arg[0]>());
  } else if constexpr (is_comparison(v.op) && Facts::val(v.arg[0]).type != dtype::boolean) {
    return map_parts<R>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return comparison_value<op>(x, y); }, operand.template get<v.arg[0]>(), operand.template get<v.arg[1]>());
  } else if constexpr (v.type == dtype::boolean && arity_of(v.op) == 2) {
    using C = type_of<Facts::carrier(V)>;
    return map_parts<R>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return logical_value<op>(x, y); }, convert_mask<C>(operand.template get<v.arg[0]>()), convert_mask<C>(operand.template get<v.arg[1]>()));
  } else if constexpr (v.type == dtype::boolean) {
    return operand.template get<v.arg[0]>();
  } else if constexpr (R::parts == 1 && arity_of(v.op) == 1) {
    return R{{unary_call<op, Facts::has_many_functions>(operand.template get<v.arg[0]>().p[0])}};
  } else if constexpr (R::parts == 1 && arity_of(v.op) == 2) {
    return R{{binary_value<op>(operand.template get<v.arg[0]>().p[0], operand.template get<v.arg[1]>().p[0])}};
  } else if constexpr (arity_of(v.op) == 1) {
    return map_parts<R>([](auto const& x) DIMITY_INLINE_LAMBDA { return unary_call<op, Facts::has_many_functions>(x); }, operand.template get<v.arg[0]>());
  } else {
    return map_parts<R>([](auto const& x, auto const& y) DIMITY_INLINE_LAMBDA { return binary_value<op>(x, y); }, operand.template get<v.arg[0]>(), operand.template get<v.arg[1]>());
  }
}

}  // namespace DIMITY_NAMESPACE::detail
