// Where an example's model lives and learns: on this machine, or on a GPU where the program is compiled as CUDA.
#pragma once

#include <dimity/dimity.hpp>
#ifdef __CUDACC__
#include <dimity/cuda.hpp>
#endif

namespace example {

struct on_this_machine {
  static constexpr dimity::simd_device device{};
  static auto const& to_device(auto const& x) { return x; }
  static auto const& to_host(auto const& x) { return x; }
  static void copy(auto const& from, auto& to) { to = from; }
};
#ifdef __CUDACC__
template <class Cuda = dimity::cuda>
struct on_a_gpu {
  static constexpr Cuda device{.graph = true};
  static auto to_device(auto const& x) { return dimity::to_cuda(x); }
  static auto to_host(auto const& x) { return dimity::to_host(x); }
  static void copy(auto const& from, auto& to) { to.copy_from(from); }
};
#endif

}  // namespace example
