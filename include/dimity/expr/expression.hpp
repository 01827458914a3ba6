// Front door one: expression nodes. `apply` is what every user-facing function calls: on tensors it describes the work in a type, on
// tracers it appends to the program, both through the one `emit` of the operation.
#pragma once

#include <dimity/core/dual.hpp>
#include <dimity/core/fields.hpp>
#include <dimity/core/view.hpp>
#include <dimity/program/emit_layout.hpp>
#include <dimity/program/tracer.hpp>

#include <utility>

namespace DIMITY_NAMESPACE {

template <class Operation, class T, class Shape, class... Operands>
class expression;

namespace detail {

/// A plain scalar inside an expression, already of the element type that it takes part in; beside 16-bit floats it stays a float, as their results are until they are stored.
template <class T>
struct scalar_leaf {
  std::conditional_t<storage_float<T>, float, T> value;
};
template <class T>
struct operand_traits<scalar_leaf<T>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = shape<>;
};

template <class X>
concept scalar = std::is_arithmetic_v<std::remove_cvref_t<X>> || storage_float<std::remove_cvref_t<X>> || is_dual<std::remove_cvref_t<X>>::value;

/// Element type and shape of an operand: all that decides the result.
template <class T, class Shape>
struct operand_info {
  static constexpr dtype type = dtype_of<T>;
  static constexpr shape_value shape = shape_value_of<Shape>::value;
};

/// As a type has it: with codes for extents chosen at run time.
struct typed_shape {
  dtype type;
  int rank;
  extent_t extent[max_rank];
};

/// The one place where result types come from: the operation is emitted into a scratch program and asked.
template <class Operation, class... Info>
struct result_of {
  static constexpr typed_shape probe() {
    builder g;
    ref const r = Operation::emit(g, g_input<Info>(g)...);
    typed_shape t{r.type(), r.rank(), {}};
    for (int i = 0; i < t.rank; ++i) t.extent[i] = g.extents->type_of(r.extent(i));
    return t;
  }
  template <class I>
  static constexpr ref g_input(builder& g) {
    return ref{&g, g.input(I::type, I::shape)};
  }
  static constexpr typed_shape value = probe();
  using element = type_of<value.type>;
  template <int... I>
  static constexpr auto shape_from(std::integer_sequence<int, I...>) {
    return dimity::shape<value.extent[I]...>{};
  }
  using shape = decltype(shape_from(std::make_integer_sequence<int, value.rank>{}));
};

template <class T, class Shape>
struct tracer_of;
template <class T, extent_t... E>
struct tracer_of<T, shape<E...>> {
  using type = tensor<traced<T>, E...>;
};
template <class T, class Shape>
struct tensor_of;
template <class T, extent_t... E>
struct tensor_of<T, shape<E...>> {
  using type = tensor<T, E...>;
};

template <class X>
using info_of = operand_info<element_of<X>, shape_of<X>>;

/// What a mistake leaves behind: an operand of the type that the user meant. Everything made of it is one too and nothing of it is lowered, so that one
/// mistake gives one error, also where a compiler refuses to evaluate functions that contain one.
template <class T, class Shape>
struct failed {
  using value_type = T;
  using shape_type = Shape;
  static constexpr int rank = Shape::rank;
  static constexpr std::size_t size() { return static_cast<std::size_t>(Shape::size); }
  static constexpr std::size_t extent(int axis) { return static_cast<std::size_t>(Shape::at(axis)); }
  constexpr operator T() const { return T(); }
  // What is done with tensors has no errors of its own here.
  constexpr T* data() const { return nullptr; }
  constexpr T* begin() const { return nullptr; }
  constexpr T* end() const { return nullptr; }
  constexpr T operator()(auto...) const { return T(); }
  template <operand X>
  constexpr failed& operator=(X const&) {
    return *this;
  }
};
template <class T, class Shape>
struct operand_traits<failed<T, Shape>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = Shape;
};
template <class T, class Shape>
inline constexpr bool is_failed<failed<T, Shape>> = true;
template <class T, class Shape>
struct evaluator<failed<T, Shape>> {
  using result = typename tensor_of<T, Shape>::type;
  template <class Destination>
  static void into_new(Destination&, failed<T, Shape> const&) {}
  template <class Destination>
  static void into(Destination&, failed<T, Shape> const&) {}
};

// A tuple by other means: std::tuple's constructors cost more than half as much compile time as the loop of a small expression.
template <std::size_t I, class X>
struct held {
  X operand;
};
template <class Sequence, class... X>
struct held_operands;
template <std::size_t... I, class... X>
struct held_operands<std::index_sequence<I...>, X...> : held<I, X>... {};

/// How an operand is kept inside a node: named tensors as views, temporaries and nodes by value.
template <class X>
struct stored {
  using type = std::remove_cvref_t<X>;
};
template <class T, extent_t... E>
struct stored<tensor<T, E...>&> {
  using type = tensor_view<T const, shape<E...>, row_major_strides<shape<E...>>>;
};
template <class T, extent_t... E>
  requires has_run_time_extent<E...>
struct stored<tensor<T, E...>&> {
  using type = tensor_view<T const, shape<E...>, run_time_strides>;
};
template <class T, extent_t... E>
struct stored<tensor<T, E...> const&> : stored<tensor<T, E...>&> {};
template <class X>
using stored_t = typename stored<X>::type;

// ---- lowering: expression type -> program, expression object -> pointers, and extents where some are chosen at run time

template <class Shape>
inline constexpr extent_t extents_of_type[1] = {0};
template <extent_t... E>
inline constexpr extent_t extents_of_type<shape<E...>>[sizeof...(E) + 1] = {E..., 0};

template <class X>
constexpr extent_t const* extents_of(X const& x) {
  if constexpr (requires { x.extents(); }) return x.extents();
  else return extents_of_type<shape_of<X>>;
}

template <class X>
struct lowering;

template <class T, extent_t... E>
struct lowering<tensor<T, E...>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) { return {&g, g.input(dtype_of<T>, shape_value_of<shape<E...>>::value)}; }
  static void collect(tensor<T, E...> const& x, void const**& out) { *out++ = x.data(); }
  static void collect_extents(tensor<T, E...> const& x, extent_t const**& out) { *out++ = extents_of(x); }
};
template <class T, extent_t... E>
struct lowering<tensor_view<T, shape<E...>, run_time_strides>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) { return {&g, g.input(dtype_of<std::remove_const_t<T>>, shape_value_of<shape<E...>>::value)}; }
  static void collect(tensor_view<T, shape<E...>, run_time_strides> const& x, void const**& out) { *out++ = x.data(); }
  static void collect_extents(tensor_view<T, shape<E...>, run_time_strides> const& x, extent_t const**& out) { *out++ = x.extents(); }
};
template <class T, extent_t... E, extent_t... S>
struct lowering<tensor_view<T, shape<E...>, strides<S...>>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) {
    int const id = g.input(dtype_of<std::remove_const_t<T>>, shape_value_of<shape<E...>>::value);
    if constexpr (!std::is_same_v<strides<S...>, row_major_strides<shape<E...>>>) {
      std::int64_t const s[] = {S..., 0};
      g.nodes[id].arg[0] = static_cast<std::int32_t>(g.intern(s, static_cast<int>(sizeof...(S))));
    }
    return {&g, id};
  }
  static void collect(tensor_view<T, shape<E...>, strides<S...>> const& x, void const**& out) { *out++ = x.data(); }
  static void collect_extents(tensor_view<T, shape<E...>, strides<S...>> const& x, extent_t const**& out) { *out++ = extents_of(x); }
};
template <class T>
struct lowering<scalar_leaf<T>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) { return cast({&g, g.input(dtype_of<decltype(scalar_leaf<T>::value)>, {})}, dtype_of<T>); }
  static void collect(scalar_leaf<T> const& x, void const**& out) { *out++ = &x.value; }
  static void collect_extents(scalar_leaf<T> const& x, extent_t const**& out) { *out++ = extents_of(x); }
};
template <class Operation, class Sequence, class... X>
struct lowering_of_node;
template <class Operation, std::size_t... I, class... X>
struct lowering_of_node<Operation, std::index_sequence<I...>, X...> {
  using node = held_operands<std::index_sequence<I...>, X...>;
  static constexpr int leaves = (0 + ... + lowering<X>::leaves);
  static constexpr ref emit(builder& g) {
    // Braces: operands are emitted from left to right, in the order in which their pointers are collected.
    ref const operands[] = {lowering<X>::emit(g)..., ref{}};
    return Operation::emit(g, operands[I]...);
  }
  static void collect(node const& x, void const**& out) { (lowering<X>::collect(static_cast<held<I, X> const&>(x).operand, out), ...); }
  static void collect_extents(node const& x, extent_t const**& out) { (lowering<X>::collect_extents(static_cast<held<I, X> const&>(x).operand, out), ...); }
};
template <class Operation, class T, class Shape, class... X>
struct lowering<expression<Operation, T, Shape, X...>> : lowering_of_node<Operation, std::index_sequence_for<X...>, X...> {};

template <class X>
inline constexpr bool is_captured = false;
template <class T, extent_t... E>
inline constexpr bool is_captured<tensor<T, E...>> = element<T>;
template <class T, class Shape, class Strides>
inline constexpr bool is_captured<tensor_view<T, Shape, Strides>> = true;
template <class Operation, class T, class Shape, class... X>
inline constexpr bool is_captured<expression<Operation, T, Shape, X...>> = (is_captured<X> || ...);
/// A tensor that a traced function met without having been given it.
template <class... Operands>
struct captured_tensor {
  static_assert(!(is_captured<Operands> || ...), "[dimity.trace.2] a traced function met a tensor that is not one of its arguments; captured values have no identity in a program: pass it in");
};

template <class X>
constexpr ref trace_operand(builder& g, X const& x);
template <class Operation, std::size_t... I, class... X>
constexpr ref trace_operands(builder& g, held_operands<std::index_sequence<I...>, X...> const& x) {
  return Operation::emit(g, trace_operand(g, static_cast<held<I, X> const&>(x).operand)...);
}
/// A value inside a traced function, as a node of its program.
template <class X>
constexpr ref trace_operand(builder& g, X const& x) {
  if constexpr (tracer<X>) {
    if constexpr (requires { x.ref(); }) return x.ref();
    else return x.value;
  } else if constexpr (requires { typename X::operation; }) {
    return trace_operands<typename std::remove_cvref_t<X>::operation>(g, x);
  } else if constexpr (requires { x.value; }) {
    if constexpr (is_floating(dtype_of<element_of<X>>)) return constant(g, dtype_of<element_of<X>>, static_cast<double>(x.value));
    else return integer_constant(g, dtype_of<element_of<X>>, static_cast<std::int64_t>(x.value));
  } else {
    (void)sizeof(captured_tensor<X>);
    return full(g, dtype_of<element_of<X>>, shape_value_of<shape_of<X>>::value, 0);
  }
}

template <class... X>
constexpr builder* program_of(X const&... x) {
  builder* g = nullptr;
  ((void)[&] {
    if constexpr (tracer<X>) {
      if constexpr (requires { x.ref(); }) g = x.ref().g;
      else g = x.value.g;
    }
  }(), ...);
  return g;
}

}  // namespace detail

/// A description of work: an operation and its operands, held by value. Assign it to a tensor, or call eval(), to run it.
// The operands are its base, and it has no constructor: functions that every node would have for itself cost compile time.
template <class Operation, class T, class Shape, class... Operands>
class expression : public detail::held_operands<std::index_sequence_for<Operands...>, Operands...> {
 public:
  using value_type = T;
  using shape_type = Shape;
  using operation = Operation;
  static constexpr int rank = Shape::rank;

  static constexpr std::size_t size()
    requires(Shape::run_time_extents == 0)
  {
    return static_cast<std::size_t>(Shape::size);
  }
  static constexpr std::size_t extent(int axis)
    requires(Shape::run_time_extents == 0)
  {
    return static_cast<std::size_t>(Shape::at(axis));
  }

  /// A rank-0 expression is evaluated when it is used as its scalar.
  operator T() const
    requires(rank == 0)
  {
    return detail::evaluator<expression>::scalar(*this);
  }
};

namespace detail {

template <class Operation, class T, class Shape, class... X>
inline constexpr bool is_struct<expression<Operation, T, Shape, X...>> = false;
template <class Operation, class T, class Shape, class... X>
struct operand_traits<expression<Operation, T, Shape, X...>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = Shape;
};

/// The description of an operation on operands of these types.
template <class Operation, class... X>
using node_of = expression<Operation, typename result_of<Operation, info_of<X>...>::element, typename result_of<Operation, info_of<X>...>::shape, stored_t<X>...>;

/// Operation on operands: a tracer when one of them is traced, an expression otherwise.
template <class Operation, class... X>
constexpr auto apply(X&&... x) {
  using result = result_of<Operation, info_of<X>...>;
  if constexpr ((is_failed<std::remove_cvref_t<X>> || ...)) {
    return failed<typename result::element, typename result::shape>{};
  } else if constexpr ((tracer<X> || ...) && (is_captured<std::remove_cvref_t<X>> || ...)) {
    (void)sizeof(captured_tensor<std::remove_cvref_t<X>...>);
    return failed<typename result::element, typename result::shape>{};
  } else if constexpr ((tracer<X> || ...)) {
    builder& g = *program_of(x...);
    return typename tracer_of<typename result::element, typename result::shape>::type(Operation::emit(g, trace_operand(g, x)...));
  } else {
    return node_of<Operation, X...>{{{stored_t<X>(static_cast<X&&>(x))}...}};
  }
}

/// An operation without operands.
template <class Operation, class T, class Shape>
constexpr auto apply_nothing() {
  return expression<Operation, T, Shape>();
}

/// A scalar takes the element type that promotion against the tensor operand gives; it never widens a float tensor.
template <class Other, class S>
using scalar_beside = type_of<promote_scalar(dtype_of<element_of<Other>>, dtype_of<S>)>;
template <class Other, class S>
constexpr auto as_operand(S const& s) {
  using T = scalar_beside<Other, S>;
  return scalar_leaf<T>{static_cast<decltype(scalar_leaf<T>::value)>(s)};
}

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
