// Convolutions of images and of signals, and their transposes.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>
#include <dimity/expr/window.hpp>
#include <dimity/program/emit_convolution.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <extent_t Given, extent_t Needed>
struct convolution_channels {
  static_assert(Given == Needed, "[dimity.window.5] convolution: the channels of the images must be those of a group of kernels times the groups (images, kernels)");
};
template <extent_t Kernels, extent_t Groups>
struct convolution_groups {
  static_assert(Groups < 1 || Kernels % Groups == 0, "[dimity.window.6] convolution: the number of groups must divide the number of kernels (kernels, groups)");
};

/// The last axes of x as [N, channels, height, width].
constexpr ref as_image_batch(ref x, int spatial) {
  shape_value s;
  amount n = 1;
  int const channels = x.rank() - spatial - 1;
  for (int i = 0; i < channels; ++i) n *= x.extent(i);
  s.push(n);
  s.push(x.extent(channels));
  if (spatial == 1) s.push(1);
  for (int i = channels + 1; i < x.rank(); ++i) s.push(x.extent(i));
  return reshape(x, s);
}
/// w as [out, in of a group, height, width]
constexpr ref as_kernels(ref w, int spatial) {
  shape_value s;
  s.push(w.extent(0));
  s.push(w.extent(1));
  if (spatial == 1) s.push(1);
  for (int i = 2; i < w.rank(); ++i) s.push(w.extent(i));
  return reshape(w, s);
}
/// [N, ..] with the leading axes of x.
constexpr ref with_leading_axes(ref y, ref x, int spatial) {
  shape_value s = x.shape();
  s.rank -= spatial + 1;
  s.push(y.extent(1));
  for (int i = 4 - spatial; i < 4; ++i) s.push(y.extent(i));
  return reshape(y, s);
}
constexpr dtype convolution_type(ref x, ref w) {
  dtype const type = promote(x.type(), w.type());
  return type == dtype::boolean ? dtype::int64 : type;
}

/// Along height (axis 0, where there is one) and width (axis 1).
template <class Options>
constexpr sliding sliding_of(Options const& o, int spatial, int axis, extent_t in, extent_t kernel) {
  if (spatial == 1 && axis == 0) return {1, 1, 1, 0, 1};
  return {in, kernel, o.stride[axis], o.padding[axis], o.dilation[axis]};
}

template <convolution_options Options, int Spatial>
struct convolution_operation {
  static constexpr ref emit(builder&, ref x, ref w) {
    dtype const type = convolution_type(x, w);
    ref const images = as_image_batch(cast(x, type), Spatial), kernels = as_kernels(cast(w, type), Spatial);
    convolution_geometry c;
    c.groups = Options.groups;
    c.in_channels = kernels.extent(1).number();
    c.out_channels = kernels.extent(0).number() / Options.groups;
    for (int i = 0; i < 2; ++i) {
      sliding const s = sliding_of(Options, Spatial, i, images.extent(2 + i).number(), kernels.extent(2 + i).number());
      c.in[i] = s.in;
      c.kernel[i] = s.kernel;
      c.out[i] = s.count();
      c.stride[i] = s.stride;
      c.dilation[i] = s.dilation;
      c.before[i] = s.before();
    }
    return with_leading_axes(convolution(images, kernels, c), x, Spatial);
  }
};
/// What a transposed convolution of `in` elements gives.
template <class Options>
constexpr extent_t transposed_extent(Options const& o, int axis, extent_t in, extent_t kernel) {
  return in == 0 ? 0 : (in - 1) * o.stride[axis] - 2 * o.padding[axis] + (kernel - 1) * o.dilation[axis] + 1 + o.output_padding[axis];
}
template <transposed_options Options, int Spatial>
struct transposed_convolution_operation {
  static constexpr ref emit(builder&, ref x, ref w) {
    dtype const type = convolution_type(x, w);
    ref const images = as_image_batch(cast(x, type), Spatial), kernels = as_kernels(cast(w, type), Spatial);
    convolution_geometry c;
    c.groups = Options.groups;
    c.in_channels = kernels.extent(1).number();
    c.out_channels = kernels.extent(0).number() / Options.groups;
    for (int i = 2 - Spatial; i < 2; ++i) {
      c.kernel[i] = kernels.extent(2 + i).number();
      c.out[i] = images.extent(2 + i).number();
      c.in[i] = transposed_extent(Options, i, c.out[i], c.kernel[i]);
      c.stride[i] = Options.stride[i];
      c.dilation[i] = Options.dilation[i];
      c.before[i] = Options.padding[i];
    }
    return with_leading_axes(convolution_input_gradient(images, kernels, c), x, Spatial);
  }
};

/// Extent `-Axis` of a shape that may have fewer axes.
template <class Shape, int Axis>
inline constexpr extent_t extent_from_end = [] {
  if constexpr (Shape::rank >= Axis) return Shape::at(-Axis);
  else return extent_t(1);
}();

template <convolution_options Options, int Spatial, class Images, class Kernels>
struct convolution_check {
  static constexpr bool has_axes = Images::rank > Spatial && Kernels::rank == Spatial + 2;
  static constexpr bool known = has_axes && has_known_axes<Images, Spatial + 1> && has_known_axes<Kernels, Spatial + 2>;
  static constexpr sliding along(int axis) {
    return sliding_of(Options, Spatial, axis, axis == 0 ? extent_from_end<Images, 2> : extent_from_end<Images, 1>, axis == 0 ? extent_from_end<Kernels, 2> : extent_from_end<Kernels, 1>);
  }
  static constexpr bool valid = !known || (Options.groups >= 1 && are_valid(along(0), along(1)));
  static constexpr extent_t channels = known && valid ? extent_from_end<Images, Spatial + 1> : 0, needed = known && valid ? extent_from_end<Kernels, Spatial + 1> * Options.groups : 0;
  static constexpr extent_t kernels = known && valid ? extent_from_end<Kernels, Spatial + 2> : 0, groups = valid ? Options.groups : 1;
  static constexpr int narrow = !known || !valid ? -1 : along(0).count() < 1 && along(0).in > 0 ? 0 : along(1).count() < 1 && along(1).in > 0 ? 1 : -1;
  static constexpr extent_t span = narrow < 0 ? 0 : along(narrow).span(), padded = narrow < 0 ? 0 : along(narrow).in + 2 * along(narrow).padding;
  static constexpr bool value = known && valid && channels == needed && kernels % groups == 0 && narrow < 0;
};
template <transposed_options Options, int Spatial, class Images, class Kernels>
struct transposed_check {
  static constexpr bool has_axes = Images::rank > Spatial && Kernels::rank == Spatial + 2;
  static constexpr bool known = has_axes && has_known_axes<Images, Spatial + 1> && has_known_axes<Kernels, Spatial + 2>;
  static constexpr bool valid = [] {
    bool ok = Options.groups >= 1;
    for (int i = 2 - Spatial; i < 2; ++i)
      ok = ok && Options.stride[i] >= 1 && Options.dilation[i] >= 1 && Options.padding[i] >= 0 && Options.output_padding[i] >= 0 &&
           (Options.output_padding[i] < Options.stride[i] || Options.output_padding[i] < Options.dilation[i]);
    return ok;
  }();
  static constexpr extent_t channels = known && valid ? extent_from_end<Images, Spatial + 1> : 0, needed = known && valid ? extent_from_end<Kernels, Spatial + 2> : 0;
  static constexpr extent_t kernels = known && valid ? extent_from_end<Kernels, Spatial + 2> : 0, groups = valid ? Options.groups : 1;
  /// More zeros are cut away than there is.
  static constexpr bool cuts_all = known && valid &&
                                   (transposed_extent(Options, 1, extent_from_end<Images, 1>, extent_from_end<Kernels, 1>) < 0 ||
                                    (Spatial == 2 && transposed_extent(Options, 0, extent_from_end<Images, 2>, extent_from_end<Kernels, 2>) < 0));
  static constexpr extent_t span = cuts_all ? 1 : 0, padded = 0;
  static constexpr bool value = known && valid && channels == needed && kernels % groups == 0 && !cuts_all;
};

template <class Kernels, int Axes>
struct kernel_axes {
  static_assert(Kernels::rank == Axes, "[dimity.window.1] convolution: kernels have the axes [channels out, channels in of a group, ..] (shape, axes)");
};
/// The first mistake in a convolution; named, not met through functions, so that it is reported where the user's call is.
template <class Check, int Spatial, class Images, class Kernels>
using convolution_rule = std::conditional_t<
    (Images::rank <= Spatial), window_axes<Images, Spatial + 1>,
    std::conditional_t<Kernels::rank != Spatial + 2, kernel_axes<Kernels, Spatial + 2>,
    std::conditional_t<!has_known_axes<Images, Spatial + 1>, known_window_axes<Images, Spatial + 1>,
    std::conditional_t<!has_known_axes<Kernels, Spatial + 2>, known_window_axes<Kernels, Spatial + 2>,
    std::conditional_t<!Check::valid, window_options<Check::valid>,
    std::conditional_t<Check::channels != Check::needed, convolution_channels<Check::channels, Check::needed>,
    std::conditional_t<Check::kernels % Check::groups != 0, convolution_groups<Check::kernels, Check::groups>, window_fits<Check::span, Check::padded>>>>>>>>;
template <class Check, class Operation, class X, class W>
constexpr auto convolve(X&& x, W&& w) {
  if constexpr (Check::value) return apply<Operation>(static_cast<X&&>(x), static_cast<W&&>(w));
  else return failed<element_of<X>, shape_of<X>>{};
}

}  // namespace detail

/// x: [.., channels, height, width], w: [channels out, channels / groups, kernel height, kernel width] -> [.., channels out, height out, width out], where height out is
/// (height + 2 padding - dilation (kernel height - 1) - 1) / stride + 1, rounded down: each element is the sum of the products of a kernel with what lies under it, as in PyTorch.
/// One kernel that reads x once for each few channels of the result and copies no windows; elementwise work on the result runs in its epilogue. Axes before the channels may be chosen at run time.
template <convolution_options Options = convolution_options{}, operand X, operand W>
constexpr auto conv2d(X&& x, W&& w) {
  using check = detail::convolution_check<Options, 2, detail::shape_of<X>, detail::shape_of<W>>;
  (void)sizeof(detail::convolution_rule<check, 2, detail::shape_of<X>, detail::shape_of<W>>);
  return detail::convolve<check, detail::convolution_operation<Options, 2>>(static_cast<X&&>(x), static_cast<W&&>(w));
}
/// x: [.., channels, length], w: [channels out, channels / groups, kernel] -> [.., channels out, length out]
template <convolution_options Options = convolution_options{}, operand X, operand W>
constexpr auto conv1d(X&& x, W&& w) {
  using check = detail::convolution_check<Options, 1, detail::shape_of<X>, detail::shape_of<W>>;
  (void)sizeof(detail::convolution_rule<check, 1, detail::shape_of<X>, detail::shape_of<W>>);
  return detail::convolve<check, detail::convolution_operation<Options, 1>>(static_cast<X&&>(x), static_cast<W&&>(w));
}
/// The transpose of conv2d, which upsamples: x: [.., channels, height, width], w: [channels, channels out / groups, kernel height, kernel width] -> [.., channels out, height out, width out],
/// where height out is (height - 1) stride - 2 padding + dilation (kernel height - 1) + 1 + output_padding, as in PyTorch.
template <transposed_options Options = transposed_options{}, operand X, operand W>
constexpr auto conv_transpose2d(X&& x, W&& w) {
  using check = detail::transposed_check<Options, 2, detail::shape_of<X>, detail::shape_of<W>>;
  (void)sizeof(detail::convolution_rule<check, 2, detail::shape_of<X>, detail::shape_of<W>>);
  return detail::convolve<check, detail::transposed_convolution_operation<Options, 2>>(static_cast<X&&>(x), static_cast<W&&>(w));
}
/// x: [.., channels, length], w: [channels, channels out / groups, kernel] -> [.., channels out, length out]
template <transposed_options Options = transposed_options{}, operand X, operand W>
constexpr auto conv_transpose1d(X&& x, W&& w) {
  using check = detail::transposed_check<Options, 1, detail::shape_of<X>, detail::shape_of<W>>;
  (void)sizeof(detail::convolution_rule<check, 1, detail::shape_of<X>, detail::shape_of<W>>);
  return detail::convolve<check, detail::transposed_convolution_operation<Options, 1>>(static_cast<X&&>(x), static_cast<W&&>(w));
}

}  // namespace DIMITY_NAMESPACE
