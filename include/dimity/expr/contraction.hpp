// Matrix products and what reduces to them.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// What NumPy's matmul asks of two shapes.
template <class Left, class Right>
struct matmul_check {
  static constexpr bool vectors = Left::rank > 0 && Right::rank > 0;
  static constexpr extent_t left = vectors ? Left::at(-1) : 1, right = vectors ? Right::at(Right::rank > 1 ? -2 : 0) : 1;
  static constexpr extent_t columns = may_be_equal(left, right) ? 1 : left, rows = may_be_equal(left, right) ? 1 : right;
};
template <class Left, class Right>
struct matmul_shapes {
  using check = matmul_check<Left, Right>;
  static_assert(Left::rank > 0, "[dimity.shape.11] matmul: the left operand needs at least one axis; * multiplies by a scalar");
  static_assert(Right::rank > 0 || Left::rank == 0, "[dimity.shape.11] matmul: the right operand needs at least one axis; * multiplies by a scalar");
  static_assert(check::columns == check::rows, "[dimity.shape.11] matmul: the columns of the left operand must equal the rows of the right one");
};
/// The axes before the matrices, which broadcast.
template <class Shape>
struct batch_shape {
  template <int... I>
  static constexpr auto make(std::integer_sequence<int, I...>) {
    return shape<Shape::at(I)...>{};
  }
  using type = decltype(make(std::make_integer_sequence<int, (Shape::rank > 2 ? Shape::rank - 2 : 0)>{}));
};
template <class Left, class Right>
struct matmul_compatible_shapes {
  using check = matmul_check<Left, Right>;
  static constexpr bool products = check::vectors && check::columns == check::rows;
  static constexpr bool value = products && broadcast_check<typename batch_shape<Left>::type, typename batch_shape<Right>::type>::value;
};
/// Not asked of operands that do not fit anyway.
template <class Left, class Right>
using matmul_batches = std::conditional_t<matmul_compatible_shapes<Left, Right>::products, broadcast_shapes<typename batch_shape<Left>::type, typename batch_shape<Right>::type>, Left>;

/// [.., m, k] x [.., k, n]; a single column is computed as a row, whose elements are contiguous.
constexpr ref matrix_product(ref a, ref b) {
  int const r = a.rank();
  if (b.extent(r - 1) == 1 && !(a.extent(r - 2) == 0 || a.extent(r - 2) == 1)) return cast(swap_last_two(widened(dot(swap_last_two(b), swap_last_two(a)))), promote(a.type(), b.type()));
  return dot(a, b);
}

struct matmul_operation {
  static constexpr ref emit(builder& g, ref a, ref b) {
    dtype const type = promote(a.type(), b.type()) == dtype::boolean ? dtype::int64 : promote(a.type(), b.type());
    a = cast(a, type);
    b = cast(b, type);
    bool const left_vector = a.rank() == 1, right_vector = b.rank() == 1;
    if (left_vector) {
      shape_value s;
      s.push(1);
      s.push(a.extent(0));
      a = reshape(a, s);
    }
    if (right_vector) {
      shape_value s;
      s.push(b.extent(0));
      s.push(1);
      b = reshape(b, s);
    }
    g.unify(a.extent(a.rank() - 1), b.extent(b.rank() - 2));
    amount const m = a.extent(a.rank() - 2), k = a.extent(a.rank() - 1), n = b.extent(b.rank() - 1);
    shape_value left_batch, right_batch;
    for (int i = 0; i + 2 < a.rank(); ++i) left_batch.push(a.extent(i));
    for (int i = 0; i + 2 < b.rank(); ++i) right_batch.push(b.extent(i));
    shape_value const batch = broadcast_shape(g, left_batch, right_batch);
    shape_value result = batch;
    result.push(m);
    result.push(n);
    ref c;
    if (right_batch.rank == 0 && left_batch.rank > 0) {
      // One matrix for the whole batch: the rows of all of it are the rows of one product.
      shape_value flat;
      flat.push(left_batch.size() * m);
      flat.push(k);
      c = reshape(matrix_product(reshape(a, flat), b), result);
    } else {
      shape_value sa = batch, sb = batch;
      sa.push(m);
      sa.push(k);
      sb.push(k);
      sb.push(n);
      c = matrix_product(broadcast_to(a, sa), broadcast_to(b, sb));
    }
    if (!left_vector && !right_vector) return c;
    shape_value s = batch;
    if (!left_vector) s.push(m);
    if (!right_vector) s.push(n);
    return reshape(c, s);
  }
};
struct outer_operation {
  static constexpr ref emit(builder&, ref a, ref b) {
    shape_value sa, sb;
    sa.push(a.shape().size());
    sa.push(1);
    sb.push(1);
    sb.push(b.shape().size());
    return reshape(a, sa) * reshape(b, sb);
  }
};
/// Contracts the last Axes axes of the left operand with the first of the right one.
template <int Axes>
struct tensordot_operation {
  static constexpr ref emit(builder& g, ref a, ref b) {
    shape_value sa, sb, result;
    amount m = 1, k = 1, n = 1;
    for (int i = 0; i < Axes; ++i) g.unify(a.extent(a.rank() - Axes + i), b.extent(i));
    for (int i = 0; i < a.rank(); ++i) {
      if (i < a.rank() - Axes) {
        m *= a.extent(i);
        result.push(a.extent(i));
      } else {
        k *= a.extent(i);
      }
    }
    for (int i = Axes; i < b.rank(); ++i) {
      n *= b.extent(i);
      result.push(b.extent(i));
    }
    sa.push(m);
    sa.push(k);
    sb.push(k);
    sb.push(n);
    return reshape(matrix_product(reshape(a, sa), reshape(b, sb)), result);
  }
};
/// Contracts the last axes of both.
struct inner_operation {
  static constexpr ref emit(builder& g, ref a, ref b) {
    axis_map p;
    p.set(0, b.rank() - 1);
    for (int i = 0; i + 1 < b.rank(); ++i) p.set(i + 1, i);
    return tensordot_operation<1>::emit(g, a, transpose(b, p));
  }
};

template <class Left, class Right, int Axes>
struct tensordot_check {
  static constexpr bool has_axes = Axes >= 0 && Axes <= Left::rank && Axes <= Right::rank;
  static constexpr int mismatch() {
    for (int i = 0; has_axes && i < Axes; ++i)
      if (!may_be_equal(Left::at(Left::rank - Axes + i), Right::at(i))) return i;
    return -1;
  }
  static constexpr extent_t left = mismatch() < 0 ? 1 : Left::at(Left::rank - Axes + mismatch()), right = mismatch() < 0 ? 1 : Right::at(mismatch());
  static constexpr bool value = has_axes && left == right;
};
template <class Left, class Right, int Axes>
struct tensordot_shapes {
  using check = tensordot_check<Left, Right, Axes>;
  static_assert(check::has_axes, "[dimity.shape.12] tensordot, inner: both operands need as many axes as are contracted");
  static_assert(check::left == check::right, "[dimity.shape.12] tensordot, inner: contracted axes must have equal extents");
};
template <class Left, class Right>
struct inner_shapes {
  static constexpr extent_t left = may_be_equal(Left::at(-1), Right::at(-1)) ? 1 : Left::at(-1), right = may_be_equal(Left::at(-1), Right::at(-1)) ? 1 : Right::at(-1);
  static_assert(left == right, "[dimity.shape.12] tensordot, inner: contracted axes must have equal extents");
};

/// The type that operands which fit would have given.
template <class T, class Left, class Right>
constexpr auto failed_product() {
  if constexpr (Left::rank >= 2 && Right::rank >= 2) return failed<T, shape<Left::at(-2), Right::at(-1)>>{};
  else return failed<T, shape<>>{};
}

}  // namespace detail

/// The matrix product by NumPy's rules: [.., m, k] x [.., k, n], leading axes broadcast; a vector is a row on the left and a column on the right.
/// 2 m k n operations; elementwise work on the result runs in its epilogue.
template <operand A, operand B>
constexpr auto matmul(A&& a, B&& b) {
  using left = detail::shape_of<A>;
  using right = detail::shape_of<B>;
  (void)sizeof(detail::matmul_shapes<left, right>);
  (void)sizeof(detail::matmul_batches<left, right>);
  if constexpr (detail::matmul_compatible_shapes<left, right>::value) return detail::apply<detail::matmul_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
  else return detail::failed_product<detail::element_of<A>, left, right>();
}
/// NumPy's dot of two vectors or matrices.
template <operand A, operand B>
  requires(detail::shape_of<A>::rank >= 1 && detail::shape_of<B>::rank >= 1 && detail::shape_of<B>::rank <= 2)
constexpr auto dot(A&& a, B&& b) {
  return matmul(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// All products of an element of a and an element of b; both are flattened.
template <operand A, operand B>
constexpr auto outer(A&& a, B&& b) {
  return detail::apply<detail::outer_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Sums of products over the last axes of both.
template <operand A, operand B>
  requires(detail::shape_of<A>::rank >= 1 && detail::shape_of<B>::rank >= 1)
constexpr auto inner(A&& a, B&& b) {
  (void)sizeof(detail::inner_shapes<detail::shape_of<A>, detail::shape_of<B>>);
  if constexpr (detail::may_be_equal(detail::shape_of<A>::at(-1), detail::shape_of<B>::at(-1))) return detail::apply<detail::inner_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
  else return detail::failed<detail::element_of<A>, shape<>>{};
}
/// Sums of products over the last Axes axes of a and the first Axes axes of b.
template <int Axes = 2, operand A, operand B>
constexpr auto tensordot(A&& a, B&& b) {
  (void)sizeof(detail::tensordot_shapes<detail::shape_of<A>, detail::shape_of<B>, Axes>);
  if constexpr (detail::tensordot_check<detail::shape_of<A>, detail::shape_of<B>, Axes>::value) return detail::apply<detail::tensordot_operation<Axes>>(static_cast<A&&>(a), static_cast<B&&>(b));
  else return detail::failed<detail::element_of<A>, shape<>>{};
}
/// True when matmul accepts the shapes; for generic code and tests.
template <class Left, class Right>
inline constexpr bool matmul_compatible = detail::matmul_compatible_shapes<Left, Right>::value;

}  // namespace DIMITY_NAMESPACE
