// Views: somebody else's elements, with static extents and static strides.
#pragma once

#include <dimity/core/run_time_tensor.hpp>

namespace DIMITY_NAMESPACE {

/// Strides in elements, one an axis; row-major ones are `row_major_strides<shape>`.
template <extent_t... S>
struct strides {
  static constexpr extent_t at(int axis) {
    extent_t const values[] = {S..., 0};
    return values[axis];
  }
};

namespace detail {

template <class Shape, class Axes>
struct row_major_strides_of;
template <extent_t... E, int... I>
struct row_major_strides_of<shape<E...>, std::integer_sequence<int, I...>> {
  using type = strides<row_major<shape<E...>>::stride(I)...>;
};

}  // namespace detail

template <class Shape>
using row_major_strides = typename detail::row_major_strides_of<Shape, std::make_integer_sequence<int, Shape::rank>>::type;

/// Views `Shape` elements of type T (const or not) at a pointer. Owns nothing; valid as long as the memory it was made from.
/// Assigning to a view writes through it, also from an expression; rebinding is done by copying into a new variable.
template <class T, class Shape, class Strides>
class tensor_view;

template <class T, extent_t... E, extent_t... S>
class tensor_view<T, shape<E...>, strides<S...>> {
  static_assert(sizeof...(E) == sizeof...(S), "[dimity.shape.5] a view needs one stride an axis");
  static_assert(!detail::has_run_time_extent<E...>, "[dimity.shape.19] view: the extents that are chosen at run time must be given: view<dyn, 4>(pointer, n)");

 public:
  using value_type = std::remove_const_t<T>;
  using shape_type = shape<E...>;
  using strides_type = strides<S...>;
  static constexpr int rank = shape_type::rank;

  constexpr explicit tensor_view(T* data) : data_(data) {}
  constexpr tensor_view(tensor_view const&) = default;
  /// A view of the same elements that may not be written.
  template <class U>
    requires(std::is_same_v<U const, T>)
  constexpr tensor_view(tensor_view<U, shape_type, strides_type> const& x) : data_(x.data()) {}
  /// Of all elements of a tensor.
  template <class Tensor>
    requires(std::is_const_v<T> && std::is_same_v<Tensor, tensor<value_type, E...>> && std::is_same_v<strides_type, row_major_strides<shape_type>>)
  constexpr explicit tensor_view(Tensor const& x) : data_(x.data()) {}

  template <class X>
    requires(operand<X> && !std::is_const_v<T>)
  tensor_view const& operator=(X const& x) const {
    (void)sizeof(detail::elements_of_assignment<X, value_type>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into(*this, x);
    return *this;
  }
  tensor_view& operator=(tensor_view const& x)
    requires(!std::is_const_v<T>)
  {
    detail::evaluator<tensor_view>::into(*this, x);
    return *this;
  }
  tensor_view const& operator=(value_type value) const
    requires(!std::is_const_v<T>)
  {
    fill<0>(data_, value);
    return *this;
  }

  static constexpr std::size_t size() { return static_cast<std::size_t>(shape_type::size); }
  static constexpr std::size_t extent(int axis) { return static_cast<std::size_t>(shape_type::at(axis)); }
  constexpr T* data() const { return data_; }

  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  constexpr T& operator()(I... index) const {
    assert(((index >= 0 && static_cast<extent_t>(index) < E) && ...) && "tensor_view: index out of range");
    extent_t offset = 0;
    ((offset += static_cast<extent_t>(index) * S), ...);
    return data_[offset];
  }
  constexpr operator value_type() const
    requires(rank == 0)
  {
    return *data_;
  }

 private:
  template <int Axis>
  static constexpr void fill(T* p, value_type value) {
    if constexpr (Axis == rank) {
      *p = value;
    } else {
      for (extent_t i = 0; i < shape_type::at(Axis); ++i) fill<Axis + 1>(p + i * strides_type::at(Axis), value);
    }
  }

  T* data_;
};

/// In place of strides: row-major ones, for extents that are chosen at run time.
struct run_time_strides {};

/// Views row-major elements with extents that are chosen at run time: `view<dim<"batch">, 16>(pointer, n)`. As the other view; assigning to it checks the extents.
template <class T, extent_t... E>
class tensor_view<T, shape<E...>, run_time_strides> {
 public:
  using value_type = std::remove_const_t<T>;
  using shape_type = shape<E...>;
  using strides_type = run_time_strides;
  static constexpr int rank = shape_type::rank;

  constexpr tensor_view(T* data, extent_t const* extents) : data_(data) {
    for (int i = 0; i < rank; ++i) extents_[i] = extents[i];
  }
  constexpr tensor_view(tensor_view const&) = default;
  template <class U>
    requires(std::is_same_v<U const, T>)
  constexpr tensor_view(tensor_view<U, shape_type, strides_type> const& x) : tensor_view(x.data(), x.extents()) {}
  template <class Tensor>
    requires(std::is_const_v<T> && std::is_same_v<Tensor, tensor<value_type, E...>>)
  constexpr explicit tensor_view(Tensor const& x) : tensor_view(x.data(), x.extents()) {}
  template <class X>
    requires(operand<X> && !std::is_const_v<T>)
  tensor_view const& operator=(X const& x) const {
    (void)sizeof(detail::elements_of_assignment<X, value_type>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into(*this, x);
    return *this;
  }
  tensor_view& operator=(tensor_view const& x)
    requires(!std::is_const_v<T>)
  {
    detail::evaluator<tensor_view>::into(*this, x);
    return *this;
  }
  tensor_view const& operator=(value_type value) const
    requires(!std::is_const_v<T>)
  {
    for (std::size_t i = 0, n = size(); i < n; ++i) data_[i] = value;
    return *this;
  }

  constexpr std::size_t size() const { return static_cast<std::size_t>(detail::product(extents_, rank)); }
  constexpr std::size_t extent(int axis) const {
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? static_cast<std::size_t>(extents_[axis]) : 1;
  }
  constexpr extent_t const* extents() const { return extents_; }
  constexpr T* data() const { return data_; }
  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  constexpr T& operator()(I... index) const {
    extent_t offset = 0;
    int axis = 0;
    ((assert(index >= 0 && static_cast<extent_t>(index) < extents_[axis] && "tensor_view: index out of range"), offset = offset * extents_[axis++] + static_cast<extent_t>(index)), ...);
    return data_[offset];
  }

 private:
  T* data_;
  extent_t extents_[rank];
};

/// Views memory that is laid out row-major: `view<2, 3>(pointer)`. No copy; the caller keeps the memory alive.
template <extent_t... E, class P>
  requires(std::is_pointer_v<std::remove_cvref_t<P>> && element<std::remove_cv_t<std::remove_pointer_t<std::remove_cvref_t<P>>>>)  // arrays do not decay here: view(array) has their shape
constexpr auto view(P&& data) {
  return tensor_view<std::remove_pointer_t<std::remove_cvref_t<P>>, shape<E...>, row_major_strides<shape<E...>>>(data);
}
/// Views a span; throws shape_error when it has another number of elements than the shape.
template <extent_t... E, class T, std::size_t N>
constexpr auto view(std::span<T, N> data) {
  static_assert(!detail::has_run_time_extent<E...>, "[dimity.shape.19] view: the extents that are chosen at run time must be given: view<dyn, 4>(pointer, n)");
  if (static_cast<extent_t>(data.size()) != shape<E...>::size)
    detail::fail<shape_error>("view of span: " + std::to_string(data.size()) + " elements for a shape of " + std::to_string(shape<E...>::size));
  return view<E...>(data.data());
}
/// Views nested arrays: `float raw[2][3]; auto v = view(raw);`
template <class T, std::size_t N>
  requires element<std::remove_const_t<T>>
constexpr auto view(T (&data)[N]) {
  return view<static_cast<extent_t>(N)>(&data[0]);
}
template <class T, std::size_t N, std::size_t M>
  requires element<std::remove_const_t<T>>
constexpr auto view(T (&data)[N][M]) {
  return view<static_cast<extent_t>(N), static_cast<extent_t>(M)>(&data[0][0]);
}
template <class T, std::size_t N, std::size_t M, std::size_t K>
  requires element<std::remove_const_t<T>>
constexpr auto view(T (&data)[N][M][K]) {
  return view<static_cast<extent_t>(N), static_cast<extent_t>(M), static_cast<extent_t>(K)>(&data[0][0][0]);
}
/// The same with extents chosen at run time, given in the order of their axes.
template <extent_t... E, class P, std::integral... N>
  requires(std::is_pointer_v<P> && element<std::remove_cv_t<std::remove_pointer_t<P>>> && sizeof...(N) > 0 && static_cast<int>(sizeof...(N)) == shape<E...>::run_time_extents)
constexpr auto view(P data, N... extents) {
  extent_t const given[] = {static_cast<extent_t>(extents)...};
  extent_t all[] = {E...};
  int next = 0;
  for (extent_t& e : all)
    if (e < 0) e = given[next++];
  for (extent_t const n : given)
    if (n < 0) detail::fail<shape_error>("view: an extent cannot be negative, it is " + std::to_string(n));
  return tensor_view<std::remove_pointer_t<P>, shape<E...>, run_time_strides>(data, all);
}
/// Views a tensor's own elements (for assignment through a view).
template <class T, extent_t... E>
constexpr auto view(tensor<T, E...>& x) {
  if constexpr (detail::has_run_time_extent<E...>) return tensor_view<T, shape<E...>, run_time_strides>(x.data(), x.extents());
  else return view<E...>(x.data());
}
template <class T, extent_t... E>
constexpr auto view(tensor<T, E...> const& x) {
  if constexpr (detail::has_run_time_extent<E...>) return tensor_view<T const, shape<E...>, run_time_strides>(x.data(), x.extents());
  else return view<E...>(x.data());
}

namespace detail {

template <class T, extent_t... E>
struct operand_traits<tensor<T, E...>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = shape<E...>;
};
template <class T, class Shape, class Strides>
struct operand_traits<tensor_view<T, Shape, Strides>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = std::remove_const_t<T>;
  using shape_type = Shape;
};

/// A tensor or a view, not something that has yet to be computed.
template <class X>
inline constexpr bool is_stored_tensor = false;
template <element T, extent_t... E>
inline constexpr bool is_stored_tensor<tensor<T, E...>> = true;
template <class T, class Shape, class Strides>
inline constexpr bool is_stored_tensor<tensor_view<T, Shape, Strides>> = true;
template <class X>
concept stored_tensor = is_stored_tensor<X>;

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
