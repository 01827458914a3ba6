// The CUDA runtime as the library uses it: errors, streams, memory, copies.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/core/error.hpp>
#include <dimity/exec/cuda/language.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <source_location>
#include <string>

namespace DIMITY_NAMESPACE {

/// A call of the CUDA runtime that failed, with the place in the source that made it. Errors of kernels (an illegal address, say) show up at a later call and stay: after one the process can do nothing more on the GPU.
struct cuda_error : error {
  cudaError_t code;
  cuda_error(cudaError_t c, std::string const& text) : error(text), code(c) {}
};

namespace detail {

[[noreturn]] inline void fail_cuda(cudaError_t code, std::source_location const& where) {
  std::string text = code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver ? "no CUDA device that this program can use: " : "CUDA: ";
  text += cudaGetErrorString(code);
  text += " (" + std::string(cudaGetErrorName(code)) + ") at " + where.file_name() + ":" + std::to_string(where.line());
#if defined(__cpp_exceptions)
  throw cuda_error(code, text);
#else
  fail<error>(text);
#endif
}
inline void check_cuda(cudaError_t code, std::source_location const where = std::source_location::current()) {
  if (code != cudaSuccess) fail_cuda(code, where);
}

inline constexpr int most_devices = 64;

inline int current_device() {
  int device = 0;
  check_cuda(cudaGetDevice(&device));
  return device;
}

/// What the library keeps for each GPU. Never destroyed: tensors may outlive everything else.
struct cuda_state {
  std::mutex guard;
  std::array<cudaStream_t, most_devices> streams{};

  static cuda_state& get() {
    static cuda_state& s = *new cuda_state;
    return s;
  }
};

/// The stream of the executor `cuda{}`: one for each GPU, which does not wait for the legacy default stream.
inline cudaStream_t default_stream() {
  int const device = current_device();
  cuda_state& s = cuda_state::get();
  std::lock_guard const lock(s.guard);
  cudaStream_t& stream = s.streams[static_cast<std::size_t>(device)];
  if (stream == nullptr) {
    // Memory that is given back to the pool stays there: asking the driver again takes long.
    cudaMemPool_t pool;
    check_cuda(cudaDeviceGetDefaultMemPool(&pool, device));
    std::uint64_t keep = ~std::uint64_t{0};
    check_cuda(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  }
  return stream;
}
/// The stream of the call that this thread is in, or null.
inline cudaStream_t& stream_of_call() {
  thread_local cudaStream_t stream = nullptr;
  return stream;
}
inline cudaStream_t stream_of(cuda const& device) { return device.stream != nullptr ? device.stream : stream_of_call() != nullptr ? stream_of_call() : default_stream(); }

/// For the length of a call its stream is that of everything evaluated in it.
template <cuda_precision P>
struct device_scope<basic_cuda<P>> {
  cudaStream_t const before = stream_of_call();
  explicit device_scope(cuda const& device) { stream_of_call() = stream_of(device); }
  device_scope(device_scope const&) = delete;
  ~device_scope() { stream_of_call() = before; }
};

inline void* allocate_on(cudaStream_t stream, std::size_t bytes) {
  void* p = nullptr;
  if (bytes > 0) check_cuda(cudaMallocAsync(&p, bytes, stream));
  return p;
}
inline void release_on(cudaStream_t stream, void* p) noexcept {
  if (p != nullptr) static_cast<void>(cudaFreeAsync(p, stream));
}

/// What is started in `later` from now on waits for what has been started in `earlier`.
inline void order_streams(cudaStream_t earlier, cudaStream_t later) {
  if (earlier == later || earlier == nullptr || later == nullptr) return;
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  cudaError_t code = cudaEventRecord(event, earlier);
  if (code == cudaSuccess) code = cudaStreamWaitEvent(later, event, 0);
  static_cast<void>(cudaEventDestroy(event));  // the driver keeps it for as long as somebody waits
  check_cuda(code);
}

/// Scratch memory of a thread's programs in a stream, where they run one after the other; grows to the largest of them. Each thread has its own: the calls of two threads may mix in one stream.
struct stream_workspaces {
  struct block {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };
  std::map<cudaStream_t, block> of;

  stream_workspaces() = default;
  stream_workspaces(stream_workspaces const&) = delete;
  stream_workspaces& operator=(stream_workspaces const&) = delete;
  ~stream_workspaces() {
    for (auto const& [stream, b] : of) release_on(stream, b.memory);
  }
  static stream_workspaces& of_thread() {
    thread_local stream_workspaces w;
    return w;
  }
};
inline std::byte* workspace_on(cudaStream_t stream, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  stream_workspaces::block& b = stream_workspaces::of_thread().of[stream];
  if (b.bytes < bytes) {
    release_on(stream, b.memory);
    b = {};
    b.memory = allocate_on(stream, bytes);
    b.bytes = bytes;
  }
  return static_cast<std::byte*>(b.memory);
}

/// Plain numbers of a call, which travel as arguments of a kernel: copied when it is started, whatever becomes of them here.
struct number_writer {
  static constexpr int threads = 32, most = 8;
  static constexpr std::int64_t blocks = 1;
  struct arguments {
    void* to[most];
    std::uint64_t bits[most];
    int bytes[most];
    int count;
  };
  DIMITY_DEVICE static void run(arguments const& args) {
    int const i = static_cast<int>(threadIdx.x);
    if (i >= args.count) return;
    std::uint64_t const bits = args.bits[i];
    if (args.bytes[i] == 8) *static_cast<std::uint64_t*>(args.to[i]) = bits;
    else if (args.bytes[i] == 4) *static_cast<std::uint32_t*>(args.to[i]) = static_cast<std::uint32_t>(bits);
    else if (args.bytes[i] == 2) *static_cast<std::uint16_t*>(args.to[i]) = static_cast<std::uint16_t>(bits);
    else *static_cast<std::uint8_t*>(args.to[i]) = static_cast<std::uint8_t>(bits);
  }
};

/// Blocks that a multiprocessor should be able to run at once, for which a kernel has to do with so many registers fewer. 0: as it comes.
template <class Kernel>
inline constexpr int blocks_at_once = 0;
template <class Kernel>
  requires requires { Kernel::blocks_at_once; }
inline constexpr int blocks_at_once<Kernel> = Kernel::blocks_at_once;
/// Runs Kernel (a class with `run`, `threads` and `blocks`) on the stream.
template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, blocks_at_once<Kernel>) run_on_device(const __grid_constant__ typename Kernel::arguments arguments) {
  Kernel::run(arguments);
}

}  // namespace detail

/// Waits until everything that was started on the executor's stream is done, and throws what went wrong there.
inline void synchronize(cuda const& device = {}) { detail::check_cuda(cudaStreamSynchronize(detail::stream_of(device))); }

/// Gives back the scratch memory that this thread's programs have used in a stream: before the stream is destroyed. Tensors that were made in it must be gone by then.
inline void release(cuda const& device) {
  cudaStream_t const stream = detail::stream_of(device);
  auto& all = detail::stream_workspaces::of_thread().of;
  if (auto const found = all.find(stream); found != all.end()) {
    detail::release_on(stream, found->second.memory);
    all.erase(found);
  }
}

/// Whether this machine has a GPU that programs can use.
inline bool has_cuda_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

}  // namespace DIMITY_NAMESPACE
