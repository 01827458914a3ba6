// The tensor: a value of static shape that owns its elements, row-major.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/dtype.hpp>
#include <dimity/core/error.hpp>
#include <dimity/core/shape.hpp>
#include <dimity/core/storage.hpp>

#include <cassert>
#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace DIMITY_NAMESPACE {

template <class T, extent_t... E>
class tensor;

namespace detail {

/// Specialised for every type that can stand in an expression: tensors, views, expression nodes, tracers.
template <class X>
struct operand_traits {
  static constexpr bool is_operand = false;
};

/// Evaluates X into memory. Defined where expressions are lowered (expr/eval.hpp); declared here so that a tensor can be assigned from one.
template <class X>
struct evaluator;

template <class T, int Rank>
struct nested_list {
  using type = std::initializer_list<typename nested_list<T, Rank - 1>::type>;
};
template <class T>
struct nested_list<T, 0> {
  using type = T;
};

}  // namespace detail

/// Anything that stands for a tensor: a tensor, a view, an expression, a tracer.
template <class X>
concept operand = detail::operand_traits<std::remove_cvref_t<X>>::is_operand;

namespace detail {

/// True for what a mistake leaves behind (expr/expression.hpp): nothing is asked of it again.
template <class X>
inline constexpr bool is_failed = false;

template <class X>
using element_of = typename operand_traits<std::remove_cvref_t<X>>::element_type;
template <class X>
using shape_of = typename operand_traits<std::remove_cvref_t<X>>::shape_type;

/// An operand whose value must be computed: everything but a tensor of the very type that is wanted.
template <class X, class Tensor>
concept evaluates_to = operand<X> && !std::is_same_v<std::remove_cvref_t<X>, Tensor> && requires { typename evaluator<std::remove_cvref_t<X>>::result; };

/// One rule, one struct: what may be stored where. Promotion of floats is implicit, everything lossy asks for cast<T>().
template <class From, class To>
inline constexpr bool stores = promote(dtype_of<From>, dtype_of<To>) == dtype_of<To>;
template <class From, class To>
struct assignable_elements {
  static_assert(stores<From, To>, "[dimity.dtype.1] assignment would lose precision: use cast<T>(...)");
};
/// Whether a tensor of shape To can hold a value of shape From. An extent chosen at run time takes on any number and `dyn` any extent; what is left is checked at the call.
template <class From, class To>
inline constexpr bool may_hold = std::is_same_v<From, To>;
template <extent_t... F, extent_t... E>
  requires(sizeof...(F) == sizeof...(E) && ((F < 0 || E < 0) || ...))
inline constexpr bool may_hold<shape<F...>, shape<E...>> = ((F == E || F == dyn || E == dyn || (F < 0) != (E < 0)) && ...);
template <class From, class To>
struct assignable_shapes {
  static_assert(may_hold<From, To>, "[dimity.shape.4] assignment: the shape of the expression must equal the shape of the tensor (From, To)");
};

/// The same rules for an operand X, in the words that assignments use.
template <class X, class T>
using elements_of_assignment = std::conditional_t<is_failed<X>, assignable_elements<T, T>, assignable_elements<element_of<X>, T>>;
template <class X, class Shape>
using shapes_of_assignment = std::conditional_t<is_failed<X>, assignable_shapes<Shape, Shape>, assignable_shapes<shape_of<X>, Shape>>;

}  // namespace detail

/// A tensor of element type T with static extents, row-major, zero-initialised.
///
/// Small ones live inside the object, larger ones in one 64-byte aligned heap block (see `inline_storage_bytes`). Copies copy, moves
/// do not allocate; a moved-from tensor may only be assigned to or destroyed. Assigning an expression evaluates it at once in fused loops, without a
/// temporary unless the destination is also read at other indices.
template <class T, extent_t... E>
class tensor {
  static_assert(element<T>, "[dimity.dtype.2] tensor: the element type must be bool, an integer, float, double or a dual of them");

 public:
  using value_type = T;
  using shape_type = shape<E...>;
  static constexpr int rank = static_cast<int>(sizeof...(E));  // not asked of the shape: a level less above its errors

  constexpr tensor() = default;
  constexpr explicit tensor(uninitialized_t u) : elements_(u) {}
  constexpr explicit tensor(detail::no_elements_t n) : elements_(n) {}

  /// From nested lists: `tensor<float, 2, 3> a = {{1, 2, 3}, {4, 5, 6}};`. Throws shape_error when a list has another length than its axis.
  constexpr tensor(typename detail::nested_list<T, rank>::type const& values)
    requires(rank > 0)
      : elements_(uninitialized) {
    T* out = data();
    fill_from<0>(out, values);
  }
  /// A rank-0 tensor is its scalar.
  constexpr tensor(T value)
    requires(rank == 0)
      : elements_(uninitialized) {
    *data() = value;
  }
  /// Copies `values` in row-major order; throws shape_error when their number is not size().
  explicit tensor(std::span<T const> values)
    requires(rank > 0)
      : elements_(uninitialized) {
    if (values.size() != size())
      detail::fail<shape_error>("tensor from span: " + std::to_string(values.size()) + " elements for a tensor of " + std::to_string(size()));
    for (std::size_t i = 0; i < size(); ++i) data()[i] = values[i];
  }
  template <class X>
    requires detail::evaluates_to<X, tensor>
  constexpr tensor(X const& x) : elements_(uninitialized) {
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into_new(*this, x);
  }

  template <class X>
    requires detail::evaluates_to<X, tensor>
  tensor& operator=(X const& x) {
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into(*this, x);
    return *this;
  }
  /// Sets every element.
  constexpr tensor& operator=(T value) {
    if (!elements_.owns()) elements_ = storage_type(uninitialized);
    for (std::size_t i = 0; i < size(); ++i) data()[i] = value;
    return *this;
  }

  static constexpr std::size_t size() { return static_cast<std::size_t>(shape_type::size); }
  static constexpr std::size_t extent(int axis) { return static_cast<std::size_t>(shape_type::at(axis)); }

  constexpr T* data() { return elements_.data(); }
  constexpr T const* data() const { return elements_.data(); }
  constexpr T* begin() { return data(); }
  constexpr T* end() { return data() + size(); }
  constexpr T const* begin() const { return data(); }
  constexpr T const* end() const { return data() + size(); }
  constexpr std::span<T> span() { return {data(), size()}; }
  constexpr std::span<T const> span() const { return {data(), size()}; }

  /// One element; the number of indices is the rank, each in [0, extent), checked in debug builds.
  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  constexpr T& operator()(I... index) {
    return data()[offset(index...)];
  }
  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  constexpr T const& operator()(I... index) const {
    return data()[offset(index...)];
  }

  constexpr operator T() const
    requires(rank == 0)
  {
    return *data();
  }

  /// False only for a large tensor that was moved from.
  constexpr bool owns_elements() const { return elements_.owns(); }
  /// Gives a moved-from tensor (uninitialised) elements again.
  constexpr void ensure_elements() {
    if (!elements_.owns()) elements_ = storage_type(uninitialized);
  }

 private:
  using storage_type = detail::storage<T, static_cast<std::size_t>(shape_type::size), inline_storage_bytes<tensor>>;

  template <class... I>
  static constexpr std::size_t offset(I... index) {
    extent_t result = 0;
    assert(((static_cast<extent_t>(index) >= 0 && static_cast<extent_t>(index) < E) && ...) && "tensor: index out of range");
    ((result = result * E + static_cast<extent_t>(index)), ...);
    return static_cast<std::size_t>(result);
  }

  template <int Axis, class List>
  static constexpr void fill_from(T*& out, List const& values) {
    if constexpr (Axis == rank) {
      *out++ = values;
    } else {
      if (static_cast<extent_t>(values.size()) != shape_type::at(Axis))
        detail::fail<shape_error>("tensor from nested lists: axis " + std::to_string(Axis) + " has extent " + std::to_string(shape_type::at(Axis)) +
                                  ", the list has " + std::to_string(values.size()) + " items");
      for (auto const& v : values) fill_from<Axis + 1>(out, v);
    }
  }

  storage_type elements_;
};

}  // namespace DIMITY_NAMESPACE
