// Tracers: what a function gets in place of its tensors while it is traced. A graph and a node number, with the shape in the type.
#pragma once

#include <dimity/core/tensor.hpp>
#include <dimity/program/emit.hpp>

namespace DIMITY_NAMESPACE {

/// The scalar type of tracers: `net<traced<float>>` is `net<float>` while it is traced. As a value it is a rank-0 tracer.
template <class T>
struct traced {
  detail::ref value;
};

namespace detail {

template <class T>
struct is_traced_type : std::false_type {};
template <class T>
struct is_traced_type<traced<T>> : std::true_type {};

template <class T>
struct untraced_type {
  using type = T;
};
template <class T>
struct untraced_type<traced<T>> {
  using type = T;
};

}  // namespace detail

/// A tracer. Plain C++ (loops, recursion, helper functions) may handle it like a value; its elements do not exist yet.
template <class T, extent_t... E>
class tensor<traced<T>, E...> {
 public:
  using value_type = traced<T>;
  using shape_type = shape<E...>;
  static constexpr int rank = shape_type::rank;

  constexpr tensor() = default;
  constexpr explicit tensor(detail::ref r) : ref_(r) {}
  constexpr tensor(traced<T> x)
    requires(rank == 0)
      : ref_(x.value) {}
  constexpr operator traced<T>() const
    requires(rank == 0)
  {
    return {ref_};
  }

  /// Of what is chosen at run time there is no number while a function is traced; extent<Axis>(x) is it as a value.
  static constexpr std::size_t size() { return static_cast<std::size_t>(detail::known(shape_type::size)); }
  static constexpr std::size_t extent(int axis) { return static_cast<std::size_t>(detail::known(shape_type::at(axis))); }
  constexpr detail::ref ref() const { return ref_; }

  /// A branch on a value that does not exist yet.
  template <class B = T>
  explicit constexpr operator bool() const {
    static_assert(sizeof(B) == 0, "[dimity.trace.3] `if` on a traced value: it is not known while the function is traced; use where(condition, a, b)");
    return false;
  }

 private:
  detail::ref ref_;
};

namespace detail {

template <class T, extent_t... E>
struct operand_traits<tensor<traced<T>, E...>> {
  static constexpr bool is_operand = true, is_traced = true;
  using element_type = T;
  using shape_type = shape<E...>;
};
template <class T>
struct operand_traits<traced<T>> {
  static constexpr bool is_operand = true, is_traced = true;
  using element_type = T;
  using shape_type = shape<>;
};

template <class X>
concept tracer = operand<X> && operand_traits<std::remove_cvref_t<X>>::is_traced;

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
