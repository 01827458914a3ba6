// Starts the kernels that a plan's kernel became.
#pragma once

#include <dimity/exec/cuda/long_rows.hpp>
#include <dimity/exec/cuda/lower.hpp>
#include <dimity/exec/cuda/reduction.hpp>
#include <dimity/exec/cuda/runtime.hpp>
#include <dimity/plan/memory.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail {

/// `Kernel`: a class with `run`, `threads`, `blocks` and `arguments`. An empty one is not started.
template <class Kernel>
void start_kernel([[maybe_unused]] typename Kernel::arguments const& arguments, [[maybe_unused]] cudaStream_t stream) {
  if constexpr (Kernel::blocks != 0) {
    long long blocks = Kernel::blocks;
    // Sizes that are known at run time only.
    if constexpr (Kernel::blocks < 0) blocks = Kernel::block_count(arguments);
    if (Kernel::blocks < 0 && blocks == 0) return;
#ifdef DIMITY_CUDA_EMULATION
    stream->submit([arguments, blocks] { emulation::run([&] { Kernel::run(arguments); }, blocks, Kernel::threads); });
#else
    void* list[] = {const_cast<typename Kernel::arguments*>(&arguments)};
    check_cuda(cudaLaunchKernel(reinterpret_cast<void const*>(&run_on_device<Kernel>), dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(Kernel::threads)), list, 0, stream));
#endif
  }
}

// nvcc writes the name of a kernel as the source arrived at it, and where that leads through a type that names a lambda of the user what it writes does not compile. Integers deduced from an argument have no such past.
template <template <class> class Family, template <std::int64_t...> class Code, std::int64_t... W>
void start_deduced(Family<Code<W...>>, typename Family<Code<W...>>::arguments const& arguments, cudaStream_t stream) {
  start_kernel<Family<Code<W...>>>(arguments, stream);
}
template <template <class, class> class Family, template <std::int64_t...> class Code, std::int64_t... W, class Part>
void start_deduced(Family<Code<W...>, Part>, typename Family<Code<W...>, Part>::arguments const& arguments, cudaStream_t stream) {
  start_kernel<Family<Code<W...>, Part>>(arguments, stream);
}
template <template <class, class> class Family, template <std::int64_t...> class Code, std::int64_t... W, template <std::int64_t...> class Epilogue, std::int64_t... E>
void start_deduced(Family<Code<W...>, Epilogue<E...>>, typename Family<Code<W...>, Epilogue<E...>>::arguments const& arguments, cudaStream_t stream) {
  start_kernel<Family<Code<W...>, Epilogue<E...>>>(arguments, stream);
}
template <class Kernel>
void launch_kernel(typename Kernel::arguments const& arguments, cudaStream_t stream) {
  start_deduced(Kernel{}, arguments, stream);
}

/// Puts numbers of this side into the memory of the GPU, in the order of the stream.
class number_sender {
 public:
  explicit number_sender(cudaStream_t stream) : stream_(stream) {}
  void send(void* to, void const* from, std::size_t bytes) {
    if (pending_.count == number_writer::most) finish();
    int const i = pending_.count++;
    pending_.to[i] = to;
    pending_.bits[i] = 0;
    std::memcpy(&pending_.bits[i], from, bytes);
    pending_.bytes[i] = static_cast<int>(bytes);
  }
  void finish() {
    if (pending_.count > 0) start_kernel<number_writer>(pending_, stream_);
    pending_.count = 0;
  }

 private:
  cudaStream_t stream_;
  number_writer::arguments pending_{};
};

template <class Code>
struct kernel_of_code {
  static constexpr auto pick() {
    if constexpr (Code::kind == device_family::elementwise) return std::type_identity<elementwise<Code>>{};
    else if constexpr (Code::kind == device_family::rows) return std::type_identity<row_kernel<Code>>{};
    else if constexpr (Code::kind == device_family::long_rows) return std::type_identity<long_row_kernel<Code>>{};
    else return std::type_identity<reduction_kernel<Code>>{};
  }
  using type = typename decltype(pick())::type;
};

/// The code of launch I of a lowered kernel.
template <class Lowered, int I>
struct launch_code {
  static constexpr range words = Lowered::value.launches[I].words;
  template <std::size_t... W>
  static auto make(std::index_sequence<W...>) -> device_code<Lowered::value.words[words.begin + static_cast<int>(W)]...>;
  using type = decltype(make(std::make_index_sequence<static_cast<std::size_t>(words.size())>{}));
  using kernel = typename kernel_of_code<type>::type;
};

/// Memory that a lowered kernel needs, of which the first `known` bytes do not depend on extents chosen at run time.
inline extent_t scratch_needed(extent_t known, amount const* regions, std::int64_t count, extent_t const* symbols) {
  for (std::int64_t i = 0; i < count; ++i) known += round_up(value_of(regions[i], symbols), 256);
  return known;
}
/// What a launch is given: where the slots of the plan's kernel are, scratch memory, the values of extents.
struct launch_memory {
  void* const* slots;
  std::byte* scratch;
  extent_t const* symbols;
  extent_t known_scratch = 0;
  amount const* regions = nullptr;

  void* argument(std::int64_t p) const {
    if (p >= symbol_pointer) return reinterpret_cast<void*>(symbols[p - symbol_pointer]);
    if (p < region_pointer / 2) return scratch + scratch_needed(known_scratch, regions, p - region_pointer, symbols);
    if (p < 0) return scratch + (-1 - p);
#ifdef DIMITY_CUDA_EMULATION
    emulation::check_side(slots[p & 0xffffffff], p >> 32 == 0);
#endif
    if (p >> 32 == 0) return slots[p];
    void* number = nullptr;
    std::memcpy(&number, slots[p & 0xffffffff], static_cast<std::size_t>(p >> 32));
    return number;
  }
};
template <class Lowered, int I, int... P>
typename launch_code<Lowered, I>::kernel::arguments launch_arguments(std::integer_sequence<int, P...>, launch_memory const& m) {
  constexpr int begin = Lowered::value.launches[I].pointers.begin;
  return {{m.argument(Lowered::value.pointers[begin + P])...}};
}
template <class Lowered, int... I>
void launch_all(std::integer_sequence<int, I...>, launch_memory const& m, cudaStream_t stream) {
  (launch_kernel<typename launch_code<Lowered, I>::kernel>(launch_arguments<Lowered, I>(std::make_integer_sequence<int, Lowered::value.launches[I].pointers.size()>{}, m), stream), ...);
}
/// A plan's kernel, on the memory behind its slots.
template <class Plan, int Kernel>
void run_kernel_on_cuda(void* const* slots, std::byte* scratch, extent_t const* symbols, cudaStream_t stream) {
  using low = lowered<Plan, Kernel>;
  launch_all<low>(std::make_integer_sequence<int, low::size.launches>{}, {slots, scratch, symbols, low::value.scratch_bytes, low::value.regions}, stream);
}

}  // namespace DIMITY_NAMESPACE::detail
