// Device tags and executors: which evaluator runs a plan, and on what.
#pragma once

#include <type_traits>

#include <dimity/core/config.hpp>

struct CUstream_st;  // cudaStream_t points to one

namespace DIMITY_NAMESPACE {

/// This machine's vector units, through xsimd, on the calling thread. The default.
struct simd_device {};
inline constexpr simd_device simd{};

/// The same plans one element at a time, with the standard library's functions: the reference that vector kernels are tested against.
struct scalar_device {};
inline constexpr scalar_device scalar{};

/// This machine's vector units on several threads: `compile(f, cpu{.threads = 4})`, `eval(x, cpu{.threads = 4})`. Needs `#include <dimity/threads.hpp>`. The result is the same, to the last bit, for every number of
/// threads. A step of a plan is divided only where its estimated time is worth it.
struct cpu {
  int threads = 1;  ///< the calling one among them; less than 1 counts as 1
};

/// What kernels on a GPU may do for speed.
enum class cuda_precision {
  standard,  ///< floats are multiplied and added up as floats; functions are within a few units in the last place
  fast,      ///< products of float matrices round their operands to TensorFloat-32 (10 bits of fraction, 3 decimal digits), which the tensor cores take; exp, log, tanh, sqrt, sigmoid and divisions of floats are the GPU's own quick ones (docs/cuda.md)
  strict,    ///< as standard, and every division is rounded as IEEE 754 has it, inside of sigmoid too; attention of 16-bit floats does not round its probabilities
};

/// An NVIDIA GPU: `compile(f, cuda{})`, `eval(x, cuda{.stream = s})`, on tensors that are there (`cuda_tensor`). Needs `#include <dimity/cuda.hpp>` in a file that is compiled as CUDA. Work is put into the stream, and calls
/// return before it is done; without a stream it is one of the library's own. `fast_cuda{}` is the same with less exact products and functions.
template <cuda_precision Precision = cuda_precision::standard>
struct basic_cuda {
  CUstream_st* stream = nullptr;
  bool graph = false;  ///< compile(): after the first call the kernels of a call are recorded as a CUDA graph, and replayed when a call comes on the same memory again, as a training step does whose model is moved in and out

  /// The precision concerns what is computed, not where.
  template <cuda_precision Other>
    requires(Other != Precision)
  constexpr operator basic_cuda<Other>() const {
    return {stream, graph};
  }
};
using cuda = basic_cuda<>;
using fast_cuda = basic_cuda<cuda_precision::fast>;
using strict_cuda = basic_cuda<cuda_precision::strict>;

namespace detail {

template <class Device>
inline constexpr bool is_cuda_device = false;
template <cuda_precision P>
inline constexpr bool is_cuda_device<basic_cuda<P>> = true;

/// What is done for the length of a call on a device.
template <class Device>
struct device_scope {
  static_assert(!std::is_same_v<Device, cpu>, "[dimity.device.1] cpu{.threads = n} needs #include <dimity/threads.hpp>");
  static_assert(!is_cuda_device<Device>, "[dimity.cuda.1] cuda{} needs #include <dimity/cuda.hpp>, in a file that is compiled as CUDA (nvcc, or a .cu file in CMake)");
  explicit device_scope(Device const&) {}
};

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
