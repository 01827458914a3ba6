// Eigen's matrices and dimity's tensors over the same memory, without copies. Not part of <dimity/dimity.hpp>: include it where Eigen is.
#pragma once

#include <dimity/core/view.hpp>

#include <Eigen/Core>

#include <type_traits>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Shape>
struct eigen_shape {
  static_assert(Shape::rank == 1 || Shape::rank == 2, "[dimity.eigen.1] as_eigen: Eigen's matrices have one or two axes; view or reshape the tensor first");
};

/// A row-major matrix, or a column vector, which Eigen lays out contiguously by itself.
template <class T, class Shape>
struct eigen_type {
  using type = Eigen::Matrix<T, static_cast<int>(Shape::at(0)), static_cast<int>(Shape::at(1)),
                             Shape::rank == 1 || Shape::at(1) == 1 ? static_cast<int>(Eigen::ColMajor) : static_cast<int>(Eigen::RowMajor)>;
};
template <class T, class Shape>
using eigen_map = std::conditional_t<std::is_const_v<T>, Eigen::Map<typename eigen_type<std::remove_const_t<T>, Shape>::type const>,
                                     Eigen::Map<typename eigen_type<std::remove_const_t<T>, Shape>::type>>;

/// An Eigen object whose coefficients are memory: Matrix, Array, Map, Ref, Block of them.
template <class X>
concept eigen_storage = requires(X& x) {
  x.data();
  x.innerStride();
  X::IsRowMajor;
  X::RowsAtCompileTime;
} && std::is_base_of_v<Eigen::EigenBase<std::remove_cv_t<X>>, std::remove_cv_t<X>>;

template <class X>
struct eigen_static_size {
  static_assert(X::RowsAtCompileTime != Eigen::Dynamic && X::ColsAtCompileTime != Eigen::Dynamic,
                "[dimity.eigen.2] from_eigen: the sizes of this Eigen object are chosen at run time; say them: view<rows, columns>(x), which checks");
  static constexpr bool has_size = X::SizeAtCompileTime != Eigen::Dynamic;
  static_assert(!has_size || (X::InnerStrideAtCompileTime != Eigen::Dynamic && X::OuterStrideAtCompileTime != Eigen::Dynamic),
                "[dimity.eigen.3] from_eigen: the strides of this Eigen object are chosen at run time; copy it into a matrix first");
};

/// Strides of rows and columns, of an object with R x C coefficients. An outer stride that only the size at run time tells is that of a full object.
template <class X, extent_t R, extent_t C>
struct eigen_strides {
  static constexpr extent_t inner = X::InnerStrideAtCompileTime == Eigen::Dynamic ? 1 : static_cast<extent_t>(X::InnerStrideAtCompileTime);
  static constexpr extent_t outer =
      X::OuterStrideAtCompileTime == Eigen::Dynamic ? (X::IsRowMajor ? C : R) : static_cast<extent_t>(X::OuterStrideAtCompileTime);
  static constexpr extent_t row = X::IsRowMajor ? outer : inner, column = X::IsRowMajor ? inner : outer;
};
template <class X>
using eigen_element = std::remove_pointer_t<decltype(std::declval<X&>().data())>;

template <extent_t R, extent_t C, class X>
constexpr auto eigen_matrix_view(X& x) {
  using s = eigen_strides<X, R, C>;
  return tensor_view<eigen_element<X>, shape<R, C>, strides<s::row, s::column>>(x.data());
}
template <extent_t N, class X>
constexpr auto eigen_vector_view(X& x) {
  return tensor_view<eigen_element<X>, shape<N>, strides<eigen_strides<X, N, N>::inner>>(x.data());
}
[[noreturn]] inline void eigen_size_error(char const* what, extent_t rows, extent_t columns, extent_t wanted_rows, extent_t wanted_columns) {
  fail<shape_error>("view of an Eigen object: its " + std::string(what) + " are [" + std::to_string(rows) + ", " + std::to_string(columns) + "], wanted are [" +
                    std::to_string(wanted_rows) + ", " + std::to_string(wanted_columns) + "]");
}

}  // namespace detail

/// A tensor of one or two axes as an Eigen::Map: a column vector, or a row-major matrix. It can be written through unless the tensor is const, and is valid as
/// long as the tensor's memory.
template <class T, extent_t... E>
auto as_eigen(tensor<T, E...>& x) {
  (void)sizeof(detail::eigen_shape<shape<E...>>);
  return detail::eigen_map<T, shape<E...>>(x.data());
}
template <class T, extent_t... E>
auto as_eigen(tensor<T, E...> const& x) {
  (void)sizeof(detail::eigen_shape<shape<E...>>);
  return detail::eigen_map<T const, shape<E...>>(x.data());
}
template <class T, extent_t... E>
void as_eigen(tensor<T, E...>&&) = delete;

/// An Eigen matrix, array, map or block of static size as a view: [rows, columns], or [n] where Eigen has a vector. Column-major matrices have strides
/// <1, rows>; they are read as they lie.
template <detail::eigen_storage X>
constexpr auto from_eigen(X& x) {
  (void)sizeof(detail::eigen_static_size<X>);
  if constexpr (X::IsVectorAtCompileTime) return detail::eigen_vector_view<static_cast<extent_t>(X::SizeAtCompileTime)>(x);
  else return detail::eigen_matrix_view<static_cast<extent_t>(X::RowsAtCompileTime), static_cast<extent_t>(X::ColsAtCompileTime)>(x);
}

/// The same for an object whose sizes are known at run time only: `view<64, 32>(matrix)`. Throws shape_error when it has other sizes, or strides other than
/// those of a matrix that lies without gaps.
template <extent_t Rows, extent_t Columns, detail::eigen_storage X>
constexpr auto view(X& x) {
  if (x.rows() != Rows || x.cols() != Columns) detail::eigen_size_error("sizes", x.rows(), x.cols(), Rows, Columns);
  using s = detail::eigen_strides<X, Rows, Columns>;
  auto const row = x.IsRowMajor ? x.outerStride() : x.innerStride(), column = x.IsRowMajor ? x.innerStride() : x.outerStride();
  if ((Rows > 1 && row != s::row) || (Columns > 1 && column != s::column)) detail::eigen_size_error("strides", row, column, s::row, s::column);
  return detail::eigen_matrix_view<Rows, Columns>(x);
}
/// A vector of N elements; throws shape_error when the object is not one.
template <extent_t N, detail::eigen_storage X>
constexpr auto view(X& x) {
  if (x.size() != N || (x.rows() != 1 && x.cols() != 1)) detail::eigen_size_error("sizes", x.rows(), x.cols(), N, 1);
  using s = detail::eigen_strides<X, N, N>;
  bool const along_inner = X::IsVectorAtCompileTime || (x.IsRowMajor ? x.rows() : x.cols()) == 1;
  if (N > 1 && (along_inner ? x.innerStride() : x.outerStride()) != s::inner) detail::eigen_size_error("strides", x.innerStride(), x.outerStride(), s::inner, s::inner);
  return detail::eigen_vector_view<N>(x);
}

}  // namespace DIMITY_NAMESPACE
