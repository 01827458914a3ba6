// Expression -> program -> plan -> loops, at assignment.
#pragma once

#include <dimity/exec/planned.hpp>
#include <dimity/expr/expression.hpp>

#include <cstdint>

namespace dimity {
namespace detail {

/// Says how the program of an expression type is built.
template <class X>
struct expression_source {
  static constexpr void build(builder& g) { g.outputs.push(lowering<X>::emit(g).id); }
};
/// The same, converted to the element type and laid out for the destination.
template <class X, class T>
struct converted_source {
  static constexpr void build(builder& g) { g.outputs.push(cast(lowering<X>::emit(g), dtype_of<T>).id); }
};

template <class Destination>
inline constexpr bool is_row_major_destination = false;
template <class T, extent_t... E>
inline constexpr bool is_row_major_destination<tensor<T, E...>> = true;
template <class T, class Shape>
inline constexpr bool is_row_major_destination<tensor_view<T, Shape, row_major_strides<Shape>>> = true;

template <class X>
struct evaluator {
  using result = typename tensor_of<element_of<X>, shape_of<X>>::type;
  static constexpr int leaves = lowering<X>::leaves;

  template <class Destination>
  using source = std::conditional_t<std::is_same_v<typename Destination::value_type, element_of<X>>, expression_source<X>, converted_source<X, typename Destination::value_type>>;

  /// Whether it can be stored there; the error, if not, was given by who assigns.
  template <class Destination>
  static constexpr bool fits = std::is_same_v<shape_of<X>, typename Destination::shape_type> && stores<element_of<X>, typename Destination::value_type>;

  template <class Destination>
  DIMITY_INLINE static void run(void* to, X const& x) {
    void const* inputs[leaves + 1];
    void const** end = inputs;
    lowering<X>::collect(x, end);
    void* const outputs[] = {to};
    run_planned<planned<source<Destination>>>(const_cast<void* const*>(inputs), outputs);
  }

  /// Into elements that nothing in the expression reads.
  template <class Destination>
  static void into_new(Destination& to, X const& x) {
    if constexpr (fits<Destination>) {
      if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
      run<Destination>(to.data(), x);
    }
  }

  /// Into elements that the expression may read: in place where every index is read before it is written, through a temporary otherwise.
  template <class Destination>
  static void into(Destination& to, X const& x) {
    if constexpr (fits<Destination>) {
      using T = typename Destination::value_type;
      using temporary = typename tensor_of<T, shape_of<X>>::type;
      if constexpr (!is_row_major_destination<std::remove_const_t<Destination>>) {
        temporary t(uninitialized);
        run<Destination>(t.data(), x);
        copy_strided<0>(to.data(), static_cast<T const*>(t.data()), static_cast<Destination const&>(to));
      } else {
        if constexpr (requires { to.owns_elements(); })
          if (!to.owns_elements()) {
            // A moved-from tensor has no elements that could be read.
            into_new(to, x);
            return;
          }
        void const* inputs[leaves + 1];
        void const** end = inputs;
        lowering<X>::collect(x, end);
        if (must_not_overwrite<planned<source<Destination>>>(inputs, to.data(), std::make_integer_sequence<int, leaves>{})) {
          temporary t(uninitialized);
          run<Destination>(t.data(), x);
          if constexpr (std::is_same_v<temporary, std::remove_const_t<Destination>>) {
            to = static_cast<temporary&&>(t);
          } else {
            for (std::size_t i = 0; i < t.size(); ++i) to.data()[i] = t.data()[i];
          }
        } else {
          void* const outputs[] = {const_cast<std::remove_const_t<T>*>(to.data())};
          run_planned<planned<source<Destination>>>(const_cast<void* const*>(inputs), outputs);
        }
      }
    }
  }

  template <class Device>
  static result on(Device, X const& x) {
    result to(uninitialized);
    void const* inputs[leaves + 1];
    void const** end = inputs;
    lowering<X>::collect(x, end);
    void* const outputs[] = {to.data()};
    run_planned<planned<source<result>>, Device>(const_cast<void* const*>(inputs), outputs);
    return to;
  }

  static element_of<X> scalar(X const& x) {
    element_of<X> value;
    run<result>(&value, x);
    return value;
  }

 private:
  /// Bytes that input I spans, from its first to its last element.
  template <class Plan>
  static constexpr std::int64_t span(int input) {
    for (int b = 0; b < Plan::size.buffers; ++b)
      if (Plan::value.buffers[b].where == residence::input && Plan::value.buffers[b].index == input) return Plan::value.buffers[b].bytes;
    return 0;
  }
  template <class Plan, int... I>
  static bool must_not_overwrite(void const* const* inputs, void const* to, std::integer_sequence<int, I...>) {
    auto const first = reinterpret_cast<std::uintptr_t>(to);
    auto const last = first + static_cast<std::uintptr_t>(result::size() * sizeof(element_of<X>));
    auto const conflicts = [&](void const* p, std::int64_t bytes, bool may_share) {
      auto const from = reinterpret_cast<std::uintptr_t>(p);
      bool const overlaps = from < last && first < from + static_cast<std::uintptr_t>(bytes);
      return overlaps && !(may_share && from == first);
    };
    constexpr bool share[] = {may_overwrite(Plan::value, 0, I)..., false};
    constexpr std::int64_t bytes[] = {span<Plan>(I)..., 0};
    return (conflicts(inputs[I], bytes[I], share[I]) || ...);
  }
  template <int Axis, class T, class Destination>
  static T const* copy_strided(T* to, T const* from, Destination const& d) {
    if constexpr (Axis == Destination::rank) {
      *to = *from;
      return from + 1;
    } else {
      for (extent_t i = 0; i < Destination::shape_type::at(Axis); ++i) from = copy_strided<Axis + 1>(to + i * Destination::strides_type::at(Axis), from, d);
      return from;
    }
  }
};

}  // namespace detail

/// The value of an expression as a tensor that owns its elements. Tensors are copied (or moved), tracers stay what they are.
template <operand X>
constexpr auto eval(X&& x) {
  if constexpr (detail::tracer<X> || detail::is_failed<std::remove_cvref_t<X>>) {
    return x;
  } else {
    using result = typename detail::tensor_of<detail::element_of<X>, detail::shape_of<X>>::type;
    return result(static_cast<X&&>(x));
  }
}

/// The value of an expression, computed on a device: `eval(x, scalar)` is the reference that vector kernels are compared with.
template <operand X, class Device>
  requires(!detail::tracer<X>)
auto eval(X const& x, Device device) {
  return detail::evaluator<X>::on(device, x);
}

}  // namespace dimity
