// What kernels are written in: CUDA C++ under nvcc; under an ordinary compiler what a program defined before (tests/support/emulated_cuda.hpp), which runs the same kernels on this machine.
#pragma once

#include <dimity/core/config.hpp>

#if !defined(__CUDACC__) && !defined(DIMITY_CUDA_EMULATION)
#error "[dimity.cuda.1] dimity/cuda.hpp contains kernels: compile this file as CUDA (nvcc, or a .cu file in CMake)"
#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "dimity's kernels need compute capability 8.0 or later: compile with -arch=sm_80, sm_90, ..."
#endif

// Kernels lose their registers when one helper is left as a call.
#define DIMITY_DEVICE __device__ __forceinline__

#if defined(__CUDA_ARCH__) || defined(__clang__)
#define DIMITY_UNROLL _Pragma("unroll")
#define DIMITY_NO_UNROLL _Pragma("unroll 1")
#else
#define DIMITY_UNROLL
#define DIMITY_NO_UNROLL
#endif

namespace DIMITY_NAMESPACE::detail {

template <class T, int W>
struct alignas(sizeof(T) * W) pack {
  T v[W];
};

/// Values in flight, one variable each (exec/cpu/registers.hpp says why).
template <int Value, class T>
struct cell {
  T v;
};
template <class... Cells>
struct cells : Cells... {};
template <int Value, class T>
DIMITY_DEVICE T& cell_of(cell<Value, T>& c) {
  return c.v;
}
template <int Value, class T>
DIMITY_DEVICE T const& cell_of(cell<Value, T> const& c) {
  return c.v;
}

}  // namespace DIMITY_NAMESPACE::detail
