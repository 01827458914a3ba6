// Tensors of a GPU, and expressions of them that are never written to memory, for the algorithms of Thrust and CUB (CCCL comes with the CUDA toolkit): selecting, partitioning, searching, sorting by key, histograms.
#pragma once

#include <dimity/cuda.hpp>

#if !__has_include(<thrust/version.h>)
#error "dimity/cuda/thrust.hpp needs CCCL: nvcc finds its own, in include/cccl of the toolkit"
#endif
#include <thrust/version.h>
#if THRUST_VERSION < 200200
#error "dimity/cuda/thrust.hpp needs Thrust 2.2 or later: that of the CUDA toolkit, not an older one of the system before it"
#endif
#include <thrust/device_ptr.h>
#include <thrust/execution_policy.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <cstddef>

namespace DIMITY_NAMESPACE {

/// A range of iterators for algorithms.
template <class Iterator>
struct thrust_range {
  Iterator first;
  std::ptrdiff_t count;
  Iterator begin() const { return first; }
  Iterator end() const { return first + count; }
  std::ptrdiff_t size() const { return count; }
};

/// The elements of a tensor, row-major: iterators that may be written through unless the tensor is const. Algorithms on them run in the stream of the tensor, or in one that waits for it.
template <class T, extent_t... E>
thrust_range<thrust::device_ptr<T>> to_thrust(tensor<on_cuda<T>, E...>& x) {
  return {thrust::device_pointer_cast(x.data()), static_cast<std::ptrdiff_t>(x.size())};
}
template <class T, extent_t... E>
thrust_range<thrust::device_ptr<T const>> to_thrust(tensor<on_cuda<T>, E...> const& x) {
  return {thrust::device_pointer_cast(x.data()), static_cast<std::ptrdiff_t>(x.size())};
}
template <class T, extent_t... E>
void to_thrust(tensor<on_cuda<T>, E...>&& x) = delete;  // its memory would be gone

/// The elements of an elementwise expression, each computed where an algorithm reads it (elements_of says which expressions): `thrust::reduce` over one reads its operands once and writes nothing.
template <operand X, cuda_precision P = cuda_precision::standard>
  requires(!requires(X const& x) { x.data(); })
auto to_thrust(X&& x, basic_cuda<P> const& device = {}) {
  auto const elements = elements_of(static_cast<X&&>(x), device);
  auto const first = thrust::make_transform_iterator(thrust::counting_iterator<std::ptrdiff_t>(0), elements);
  return thrust_range<std::remove_const_t<decltype(first)>>{first, elements.size()};
}

namespace detail {

/// Temporary memory of algorithms, from the pool and in the order of the stream.
class stream_allocator {
 public:
  using value_type = std::byte;
  explicit stream_allocator(cudaStream_t stream) : stream_(stream) {}
  std::byte* allocate(std::ptrdiff_t bytes) { return static_cast<std::byte*>(allocate_on(stream_, static_cast<std::size_t>(bytes))); }
  void deallocate(std::byte* p, std::size_t) { release_on(stream_, p); }

 private:
  cudaStream_t stream_;
};

}  // namespace detail

/// The execution policy for Thrust's algorithms that runs them in the executor's stream, with temporary memory from the same pool as tensors'. Algorithms that return a value or a place wait for it, the others return at once.
/// Not inside of a function that is recorded as a graph.
inline auto thrust_policy(cuda const& device = {}) {
  cudaStream_t const stream = detail::stream_of(device);
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  return thrust::cuda::par_nosync(detail::stream_allocator(stream)).on(stream);
#else
  return thrust::device(detail::stream_allocator(stream));
#endif
}

}  // namespace DIMITY_NAMESPACE
