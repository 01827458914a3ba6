// Fourier transforms along an axis. A complex array is two tensors: real parts and imaginary parts.
#pragma once

#include <dimity/expr/creation.hpp>
#include <dimity/linalg/factorize.hpp>
#include <dimity/program/emit_fourier.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Shape, int Axis>
inline constexpr bool has_known_axis = has_axis<Shape, Axis> && Shape::at(Axis) > 0;
template <class Shape, int Axis>
struct transformed_axis {
  static_assert(Shape::rank < max_rank, "[dimity.fft.5] fft: at most 7 axes, because real and imaginary parts need one (rank, 8)");
  static_assert(!has_axis<Shape, Axis> || Shape::at(Axis) > 0, "[dimity.fft.1] fft: the transformed axis needs an extent that is known at compile time, and at least 1");
};
template <class T>
struct transformed_elements {
  static_assert(std::is_floating_point_v<T>, "[dimity.fft.2] fft: the elements must be float or double");
};
template <class Re, class Im>
struct complex_parts {
  static_assert(std::is_same_v<element_of<Re>, element_of<Im>> && may_hold<shape_of<Re>, shape_of<Im>>, "[dimity.fft.3] fft: real and imaginary parts need one shape and one element type");
};
template <extent_t Given, extent_t Needed>
struct half_spectrum {
  static_assert(Given == Needed, "[dimity.fft.4] irfft: a real result of extent N comes from N / 2 + 1 entries (given, needed)");
};
template <class Shape, class T, int Axis>
inline constexpr bool can_transform = Shape::rank < max_rank && has_known_axis<Shape, Axis> && std::is_floating_point_v<T>;

/// With `axis` and the last axis exchanged.
constexpr ref exchange_with_last(ref x, int axis) {
  axis_map p = axis_map::identity(x.rank());
  p.set(axis, x.rank() - 1);
  p.set(x.rank() - 1, axis);
  return transpose(x, p);
}
/// [.., n] and [.., n] -> [.., 2, n]
constexpr ref two_planes(ref re, ref im) {
  shape_value s = re.shape();
  int const last = s.rank - 1;
  amount const n = s.extent[last];
  s.extent[last] = 1;
  s.push(n);
  return concat(reshape(re, s), reshape(im, s), last);
}
/// Plane 0 or 1 of [.., 2, n], with the last axis put where it was.
constexpr ref plane(ref y, int part, int axis) {
  int const planes = y.rank() - 2;
  return exchange_with_last(reshape(slice_axis(y, planes, part, 1), without_axes(y.shape(), 1u << planes)), axis);
}
template <int Axis, bool Inverse, int Part>
struct fft_operation {
  static constexpr ref emit(builder& g, ref re, ref im) {
    g.unify(re.shape(), im.shape());
    int const axis = normalize_axis(Axis, re.rank());
    ref const y = plane(fft(two_planes(exchange_with_last(re, axis), exchange_with_last(im, axis)), Inverse), Part, axis);
    return Inverse ? y * (1.0 / static_cast<double>(re.extent(axis).number())) : y;
  }
};
template <int Axis, int Part>
struct rfft_operation {
  static constexpr ref emit(builder&, ref x) {
    int const axis = normalize_axis(Axis, x.rank());
    return plane(rfft(exchange_with_last(x, axis)), Part, axis);
  }
};
template <int Axis, extent_t N>
struct irfft_operation {
  static constexpr ref emit(builder& g, ref re, ref im) {
    g.unify(re.shape(), im.shape());
    int const axis = normalize_axis(Axis, re.rank());
    return exchange_with_last(irfft(two_planes(exchange_with_last(re, axis), exchange_with_last(im, axis)), N), axis) * (1.0 / static_cast<double>(N));
  }
};
template <int Axis, bool Inverse>
struct fft_parts {
  constexpr auto operator()(auto const& re, auto const& im) const { return std::tuple{apply<fft_operation<Axis, Inverse, 0>>(re, im), apply<fft_operation<Axis, Inverse, 1>>(re, im)}; }
};
template <int Axis>
struct rfft_parts {
  constexpr auto operator()(auto const& x) const { return std::tuple{apply<rfft_operation<Axis, 0>>(x), apply<rfft_operation<Axis, 1>>(x)}; }
};
/// What is computed from tensors is computed once for both parts.
template <class Parts, class... X>
constexpr auto transform_parts(X const&... x) {
  if constexpr (((tracer<X> || is_failed<X>) || ...) || !(is_captured<X> || ...)) return Parts{}(x...);
  else return compile(Parts{})(stored_value(x)...);
}

template <bool Inverse, int Axis, class Re, class Im>
constexpr auto transform_complex(Re const& re, Im const& im) {
  using T = element_of<Re>;
  using S = shape_of<Re>;
  (void)sizeof(axis_of_shape<S, Axis>);
  (void)sizeof(transformed_axis<S, Axis>);
  (void)sizeof(transformed_elements<T>);
  (void)sizeof(complex_parts<Re, Im>);
  if constexpr (!can_transform<S, T, Axis> || !std::is_same_v<T, element_of<Im>> || !may_hold<S, shape_of<Im>>) return std::tuple{failed<T, S>{}, failed<T, S>{}};
  else return transform_parts<fft_parts<Axis, Inverse>>(re, im);
}

}  // namespace detail

namespace fft {

/// `auto [re, im] = fft(x_re, x_im)`: y_k = sum over j of x_j exp(-2 pi i j k / n) along an axis of extent n >= 1, known at compile time; every n, n log n operations. Not normalised, as NumPy. float and double, both parts of one type and shape.
template <operand Re, operand Im, int A = -1>
constexpr auto fft(Re const& re, Im const& im, axis_set<A> = {}) {
  return detail::transform_complex<false, A>(re, im);
}
/// The inverse: with exp(+..), divided by n.
template <operand Re, operand Im, int A = -1>
constexpr auto ifft(Re const& re, Im const& im, axis_set<A> = {}) {
  return detail::transform_complex<true, A>(re, im);
}
/// `auto [re, im] = rfft(x)`: the first n / 2 + 1 entries of the transform of a real x; the others are their conjugates. About half the work of fft().
template <operand X, int A = -1>
constexpr auto rfft(X const& x, axis_set<A> = {}) {
  using T = detail::element_of<X>;
  using S = detail::shape_of<X>;
  (void)sizeof(detail::axis_of_shape<S, A>);
  (void)sizeof(detail::transformed_axis<S, A>);
  (void)sizeof(detail::transformed_elements<T>);
  if constexpr (!detail::can_transform<S, T, A>) return std::tuple{detail::failed<T, S>{}, detail::failed<T, S>{}};
  else return detail::transform_parts<detail::rfft_parts<A>>(x);
}
/// The inverse of rfft, as an expression: the real x of extent N (unless given, 2 (entries - 1), which is even) with these entries. The imaginary parts of entry 0 and, for even N, N / 2 are not read.
template <extent_t N = 0, operand Re, operand Im, int A = -1>
constexpr auto irfft(Re&& re, Im&& im, axis_set<A> = {}) {
  using T = detail::element_of<Re>;
  using S = detail::shape_of<Re>;
  (void)sizeof(detail::axis_of_shape<S, A>);
  (void)sizeof(detail::transformed_axis<S, A>);
  (void)sizeof(detail::transformed_elements<T>);
  (void)sizeof(detail::complex_parts<Re, Im>);
  constexpr extent_t entries = detail::has_known_axis<S, A> ? S::at(A) : 1, n = N > 0 ? N : entries > 1 ? 2 * (entries - 1) : 1;
  (void)sizeof(detail::half_spectrum<entries, n / 2 + 1>);
  if constexpr (!detail::can_transform<S, T, A> || !std::is_same_v<T, detail::element_of<Im>> || !detail::may_hold<S, detail::shape_of<Im>> || entries != n / 2 + 1) return detail::failed<T, S>{};
  else return detail::apply<detail::irfft_operation<A, n>>(static_cast<Re&&>(re), static_cast<Im&&>(im));
}

/// The frequencies of fft's entries, [n], for samples that are `spacing` apart: 0, 1, .., -1 over n spacing.
template <element T, extent_t N>
constexpr auto fftfreq(T spacing = T(1)) {
  auto const k = arange<T, N>();
  return where(k < T((N + 1) / 2), k, k - T(N)) * (T(1) / (T(N) * spacing));
}
/// The frequencies of rfft's entries, [n / 2 + 1].
template <element T, extent_t N>
constexpr auto rfftfreq(T spacing = T(1)) {
  return arange<T, N / 2 + 1>() * (T(1) / (T(N) * spacing));
}

}  // namespace fft
}  // namespace DIMITY_NAMESPACE
