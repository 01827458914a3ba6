// Thrust on tensors of a GPU: on this machine by Thrust's own evaluator for it, compiled by nvcc on a GPU.
// heavy: sanitizers find null references inside of Thrust
#include "on_cuda.hpp"

#include <dimity/cuda/thrust.hpp>
#include <thrust/copy.h>
#include <thrust/extrema.h>
#include <thrust/reduce.h>
#include <thrust/sort.h>

#include <algorithm>

using namespace dimity;
using test::numbers;

namespace {
struct is_positive {
  __host__ __device__ bool operator()(float x) const { return x > 0.0f; }
};
}  // namespace

TEST_CASE("thrust: elements of a tensor, read and written") {
  auto const x = numbers<float, 10, 30>(1);
  auto there = to_cuda(x);
  auto const range = to_thrust(there);
  CHECK(range.size() == 300);
  thrust::sort(thrust_policy(), range.begin(), range.end());
  CHECK(allclose(to_host(there), eval(reshape<10, 30>(sort(reshape<300>(x)))), 0, 0));

  auto const& constant = there;
  static_assert(std::is_same_v<decltype(to_thrust(constant).begin()), thrust::device_ptr<float const>>);
  CHECK(thrust::reduce(thrust_policy(), to_thrust(constant).begin(), to_thrust(constant).end(), -100.0f, ::cuda::maximum<float>{}) == to_host(eval(max(there)))());
}

TEST_CASE("thrust: an expression is computed where it is read") {
  auto const x = numbers<float, 10, 30>(1), y = numbers<float, 10, 30>(2);
  auto const a = to_cuda(x), b = to_cuda(y);
  auto const range = to_thrust(a * b + 0.5f);
  auto const wanted = eval(x * y + 0.5f);
#ifdef DIMITY_CUDA_EMULATION
  long const launches = emulation::launches;
#endif
  // What is positive, in order.
  cuda_tensor<float, 300> to;
  auto const end = thrust::copy_if(thrust_policy(), range.begin(), range.end(), to_thrust(to).begin(), is_positive{});
  auto const count = end - to_thrust(to).begin();
  CHECK(count == std::count_if(wanted.begin(), wanted.end(), is_positive{}));
  auto const got = to_host(to);
  tensor<float, 300> selected;
  std::copy_if(wanted.begin(), wanted.end(), selected.begin(), is_positive{});
  CHECK(std::equal(got.begin(), got.begin() + count, selected.begin(), [](float p, float q) { return std::abs(p - q) <= 1e-5f; }));

  CHECK(thrust::reduce(thrust_policy(), range.begin(), range.end()) == doctest::Approx(float(sum(wanted))).epsilon(1e-4));
  CHECK(thrust::max_element(thrust_policy(), range.begin(), range.end()) - range.begin() == std::max_element(wanted.begin(), wanted.end()) - wanted.begin());
#ifdef DIMITY_CUDA_EMULATION
  CHECK(emulation::launches == launches);
#endif
}

TEST_CASE("thrust: temporary memory is the pool's, and given back") {
  auto const keys = to_cuda(numbers<float, 500>(1));
  auto sorted = keys;
  auto places = to_cuda(eval(cast<std::int64_t>(arange<std::int32_t, 500>())));
  std::size_t const before = emulation::memory_of_device::get().blocks.size();
  thrust::stable_sort_by_key(thrust_policy(dimity::cuda{.stream = sorted.stream()}), to_thrust(sorted).begin(), to_thrust(sorted).end(), to_thrust(places).begin());
  CHECK(emulation::memory_of_device::get().blocks.size() == before);
  CHECK(allclose(cast<double>(to_host(places)), cast<double>(eval(argsort(to_host(keys)))), 0, 0));
}
