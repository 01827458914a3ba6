// What a GPU cannot do yet, said at compile time.
#pragma once

#include <dimity/program/primitive.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr bool has_cuda_kernel(primitive p) {
  switch (p) {
    case primitive::dot: case primitive::pad: case primitive::concat: case primitive::gather: case primitive::scatter_add: case primitive::dynamic_slice: case primitive::dynamic_update_slice: case primitive::random_bits:
    case primitive::argmax: case primitive::argmin: case primitive::cumulative_sum: case primitive::cumulative_prod: case primitive::argsort:
    case primitive::fft: case primitive::rfft: case primitive::irfft:
    case primitive::solve: case primitive::triangular_solve: case primitive::cholesky: case primitive::slogdet: case primitive::qr: case primitive::eigh:
    case primitive::convolution: case primitive::convolution_input_gradient: case primitive::convolution_kernel_gradient: case primitive::window_max: case primitive::select_and_gather: case primitive::select_and_scatter: return true;
    default: return false;
  }
}
/// Functions of floats of which there are quick ones.
constexpr bool depends_on_precision(primitive p) {
  return p == primitive::divide || p == primitive::exp || p == primitive::log || p == primitive::tanh || p == primitive::sqrt || p == primitive::sigmoid;
}
template <primitive Op>
inline constexpr bool is_on_cuda_primitive = Op == primitive::count || has_cuda_kernel(Op);
template <primitive Op>
struct primitive_on_cuda {
  static_assert(is_on_cuda_primitive<Op>, "[dimity.cuda.3] this primitive has no kernel for GPUs yet (see docs/cuda.md)");
};

}  // namespace DIMITY_NAMESPACE::detail
