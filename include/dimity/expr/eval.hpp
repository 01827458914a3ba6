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
  static constexpr bool is_short = lowering<X>::leaves <= 6;
  static constexpr void build(builder& g) { g.outputs.push(lowering<X>::emit(g).id); }
};
/// The same, converted to the element type and laid out for the destination.
template <class X, class T>
struct converted_source {
  static constexpr bool is_short = lowering<X>::leaves <= 6;
  static constexpr void build(builder& g) { g.outputs.push(cast(lowering<X>::emit(g), dtype_of<T>).id); }
};

template <class Destination>
inline constexpr bool is_row_major_destination = false;
template <class T, extent_t... E>
inline constexpr bool is_row_major_destination<tensor<T, E...>> = true;
template <class T, class Shape>
inline constexpr bool is_row_major_destination<tensor_view<T, Shape, row_major_strides<Shape>>> = true;

/// For each operand of an expression: the bytes it spans, those of them before its pointer, and whether the result may take its place.
struct operand_extent {
  std::int64_t bytes = 0, before = 0;
  bool may_share = false;
};
template <int Leaves>
struct overlap_rules {
  operand_extent operand[Leaves + 1] = {};
};
inline bool must_not_overwrite(void const* const* inputs, int count, operand_extent const* operand, void const* to, std::int64_t to_bytes) {
  auto const first = reinterpret_cast<std::uintptr_t>(to);
  for (int i = 0; i < count; ++i) {
    auto const from = reinterpret_cast<std::uintptr_t>(inputs[i]) - static_cast<std::uintptr_t>(operand[i].before);
    bool const overlaps = from < first + static_cast<std::uintptr_t>(to_bytes) && first < from + static_cast<std::uintptr_t>(operand[i].bytes);
    if (overlaps && !(operand[i].may_share && from == first)) return true;
  }
  return false;
}

using run_function = void(void* const* inputs, void* const* outputs);

template <class Destination, class Run>
void assign(Destination& to, void const* const* inputs, int count, operand_extent const* operand, Run run) {
  using T = typename Destination::value_type;
  using temporary = typename tensor_of<T, typename Destination::shape_type>::type;
  if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
  temporary t(no_elements_t{});
  T* target = to.data();
  if (must_not_overwrite(inputs, count, operand, target, static_cast<std::int64_t>(t.size() * sizeof(T)))) {
    t.ensure_elements();
    target = t.data();
  }
  void* const outputs[] = {target};
  run(const_cast<void* const*>(inputs), outputs);
  if (target == to.data()) return;
  if constexpr (std::is_same_v<temporary, std::remove_const_t<Destination>>) {
    to = static_cast<temporary&&>(t);
  } else {
    for (std::size_t i = 0; i < t.size(); ++i) to.data()[i] = target[i];
  }
}

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
        using plan = planned<source<Destination>>;
        void const* inputs[leaves + 1];
        void const** end = inputs;
        lowering<X>::collect(x, end);
        // Called through a pointer where that costs nothing beside the loop: all assignments to one type then share this code.
        auto const start = [](void* const* in, void* const* out) { run_planned<plan>(in, out); };
        if constexpr (result::size() > 64) assign(to, inputs, leaves, overlap<plan>::value.operand, static_cast<run_function*>(start));
        else assign(to, inputs, leaves, overlap<plan>::value.operand, start);
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
  template <class Plan>
  struct overlap {
    static constexpr overlap_rules<leaves> value = [] {
      overlap_rules<leaves> r;
      for (int b = 0; b < Plan::size.buffers; ++b)
        if (Plan::value.buffers[b].where == residence::input)
          r.operand[Plan::value.buffers[b].index] = {Plan::value.buffers[b].bytes, Plan::value.buffers[b].before, may_overwrite(Plan::value, 0, Plan::value.buffers[b].index)};
      return r;
    }();
  };
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
