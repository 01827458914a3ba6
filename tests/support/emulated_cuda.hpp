// The part of CUDA that dimity's kernels and its runtime use, on this machine: one block after the other, its threads as fibers that give way at barriers and exchanges. Include it before <dimity/cuda.hpp>.
//
// What it finds: wrong results, missing barriers (three schedules), divergent barriers, accesses outside of allocations and misaligned packets (with sanitizers), reads of memory that nobody wrote (new memory is NaN).
// What it cannot: the memory model between blocks, speed, and whatever nvcc makes of the source (tests/support/sass.py looks at that).
#pragma once

#if defined(__CUDACC__)
#error "the emulation is for ordinary compilers"
#endif
#define DIMITY_CUDA_EMULATION 1

#include <ucontext.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define DIMITY_EMULATION_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DIMITY_EMULATION_ASAN 1
#endif
#endif
#ifdef DIMITY_EMULATION_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __host__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static

struct emulated_index {
  unsigned x = 0, y = 0, z = 0;
};
inline emulated_index threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

/// In which order threads run between barriers. A missing barrier shows when one thread runs far ahead of others, which the greedy ones make it do.
enum class schedule { round_robin, forward, backward };
inline schedule order = schedule::round_robin;
/// Barriers and exchanges that still take part; tests take some out to see that this is noticed.
inline long barriers = 0, barrier_to_skip = -1;
inline long launches = 0, recordings = 0, replays = 0;

struct thread {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  bool done = true, at_barrier = false;
  long exchanges = 0;  ///< how many this thread has begun
  void* fake_stack = nullptr;
  /// Copies to shared memory in the background, in groups; the last one is still open.
  struct copy {
    void* to;
    void const* from;
    int bytes;
    bool there;
  };
  std::vector<std::vector<copy>> copies = std::vector<std::vector<copy>>(1);
};
struct posted_value {
  std::uint64_t words[3];
};
struct warp {
  posted_value posted[2][32] = {};
  long arrived[2] = {};
  long generation[2] = {};
};

struct grid {
  static constexpr std::size_t stack_bytes = 128 << 10;
  std::vector<thread> threads;
  std::vector<warp> warps;
  ucontext_t home;
  void* home_stack = nullptr;
  std::size_t home_stack_bytes = 0;
  void* home_fake = nullptr;
  std::function<void()> const* kernel = nullptr;
  int size = 0, now = 0, waiting = 0, alive = 0;

  static grid& get() {
    static grid g;
    return g;
  }
  static void enter() {
    grid& g = get();
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_finish_switch_fiber(nullptr, const_cast<void const**>(&g.home_stack), &g.home_stack_bytes);
#endif
    (*g.kernel)();
    g.threads[static_cast<std::size_t>(g.now)].done = true;
    --g.alive;
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_start_switch_fiber(nullptr, g.home_stack, g.home_stack_bytes);
#endif
    swapcontext(&g.threads[static_cast<std::size_t>(g.now)].context, &g.home);
  }
  void give_way() {
    thread& t = threads[static_cast<std::size_t>(now)];
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_start_switch_fiber(&t.fake_stack, home_stack, home_stack_bytes);
#endif
    swapcontext(&t.context, &home);
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_finish_switch_fiber(t.fake_stack, const_cast<void const**>(&home_stack), &home_stack_bytes);
#endif
  }
  void resume(int i) {
    now = i;
    threadIdx.x = static_cast<unsigned>(i);
    thread& t = threads[static_cast<std::size_t>(i)];
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_start_switch_fiber(&home_fake, t.stack.get(), stack_bytes);
#endif
    swapcontext(&home, &t.context);
#ifdef DIMITY_EMULATION_ASAN
    __sanitizer_finish_switch_fiber(home_fake, nullptr, nullptr);
#endif
  }
  void run_block(int n) {
    size = alive = n;
    waiting = 0;
    if (static_cast<int>(threads.size()) < n) threads.resize(static_cast<std::size_t>(n));
    warps.assign(static_cast<std::size_t>((n + 31) / 32), warp{});
    for (int i = 0; i < n; ++i) {
      thread& t = threads[static_cast<std::size_t>(i)];
      if (!t.stack) t.stack = std::unique_ptr<char[]>(new char[stack_bytes]);
      t.done = t.at_barrier = false;
      t.exchanges = 0;
      t.copies.assign(1, {});
      getcontext(&t.context);
      t.context.uc_stack.ss_sp = t.stack.get();
      t.context.uc_stack.ss_size = stack_bytes;
      t.context.uc_link = &home;
      makecontext(&t.context, enter, 0);
    }
    while (alive > 0) {
      bool moved = false;
      for (int k = 0; k < n; ++k) {
        int const i = order == schedule::backward ? n - 1 - k : k;
        thread& t = threads[static_cast<std::size_t>(i)];
        // Greedy: as far as it comes. In turn: one step, then the next thread.
        while (!t.done && !t.at_barrier && can_go_on(i)) {
          resume(i);
          moved = true;
          if (order == schedule::round_robin) break;
        }
      }
      if (waiting > 0 && waiting == alive) {
        if (alive != n) throw std::logic_error("emulation: a barrier that some threads of the block have left behind");
        waiting = 0;
        for (int i = 0; i < n; ++i) threads[static_cast<std::size_t>(i)].at_barrier = false;
        moved = true;
      }
      if (!moved) throw std::logic_error("emulation: threads wait for each other (a divergent barrier or exchange)");
    }
  }
  /// In an exchange until all lanes of the warp have come.
  bool can_go_on(int i) const {
    thread const& t = threads[static_cast<std::size_t>(i)];
    if (t.exchanges == 0) return true;
    warp const& w = warps[static_cast<std::size_t>(i / 32)];
    int const slot = static_cast<int>(t.exchanges & 1);
    int const lanes = size - i / 32 * 32 < 32 ? size - i / 32 * 32 : 32;
    return w.generation[slot] != t.exchanges || w.arrived[slot] == lanes;
  }
  /// What `read` makes of the values of all lanes, once they have all come.
  template <class T, class F>
  auto exchange_all(T const& value, F const& read) {
    static_assert(sizeof(T) <= sizeof(posted_value));
    thread& t = threads[static_cast<std::size_t>(now)];
    warp& w = warps[static_cast<std::size_t>(now / 32)];
    int const lane = now % 32, slot = static_cast<int>(++t.exchanges & 1);
    if (w.generation[slot] != t.exchanges) {
      w.generation[slot] = t.exchanges;
      w.arrived[slot] = 0;
    }
    std::memcpy(&w.posted[slot][lane], &value, sizeof(T));
    ++w.arrived[slot];
    give_way();
    return read([&](int of) {
      T other;
      std::memcpy(&other, &w.posted[slot][of], sizeof(T));
      return other;
    });
  }
  template <class T>
  T exchange(T value, int distance) {
    int const lane = now % 32;
    return exchange_all(value, [&](auto const& of_lane) { return of_lane(lane ^ distance); });
  }
  template <class T>
  T exchange_from(T value, int source) {
    return exchange_all(value, [&](auto const& of_lane) { return of_lane(source); });
  }
  void barrier() {
    if (++barriers == barrier_to_skip) return;
    if (barrier_to_skip == -2) return;  // none takes part
    threads[static_cast<std::size_t>(now)].at_barrier = true;
    ++waiting;
    give_way();
  }
};

inline void run(std::function<void()> const& kernel, long blocks, int threads) {
  ++launches;
  grid& g = grid::get();
  g.kernel = &kernel;
  gridDim = {static_cast<unsigned>(blocks), 1, 1};
  blockDim = {static_cast<unsigned>(threads), 1, 1};
  for (long b = 0; b < blocks; ++b) {
    // Blocks in no particular order.
    blockIdx.x = static_cast<unsigned>(order == schedule::backward ? blocks - 1 - b : b);
    g.run_block(threads);
  }
}

// ---- tensor cores, and copies in the background

/// Performed at the last moment, when somebody waits; or at once, in another order of threads: programs must be right for both.
inline void perform(thread::copy const& c) {
  if (c.there) std::memcpy(c.to, c.from, static_cast<std::size_t>(c.bytes));
  else std::memset(c.to, 0, static_cast<std::size_t>(c.bytes));
}
inline thread& this_thread() { return grid::get().threads[static_cast<std::size_t>(grid::get().now)]; }
/// Nobody waits for copies: a test sees that this is noticed.
inline bool skips_waits = false;
/// By the tensor cores, of a warp each.
inline long tile_products = 0;
inline void copy_async(void* to, void const* from, int bytes, bool there) {
  if (reinterpret_cast<std::uintptr_t>(to) % static_cast<unsigned>(bytes) != 0 || (there && reinterpret_cast<std::uintptr_t>(from) % static_cast<unsigned>(bytes) != 0)) throw std::logic_error("emulation: a copy that is not aligned");
  thread::copy const c{to, from, bytes, there};
  if (order == schedule::forward) perform(c);
  else this_thread().copies.back().push_back(c);
}
inline void commit_copies() { this_thread().copies.emplace_back(); }
inline void wait_for_copies(int groups) {
  if (skips_waits) return;
  auto& all = this_thread().copies;
  while (static_cast<int>(all.size()) - 1 > groups) {
    for (thread::copy const& c : all.front()) perform(c);
    all.erase(all.begin());
  }
}
inline void load_matrices(std::uint32_t (&to)[4], void const* row, bool transposed) {
  grid& g = grid::get();
  int const lane = g.now % 32;
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) throw std::logic_error("emulation: a row of a matrix that is not aligned");
  g.exchange_all(row, [&](auto const& row_of) {
    auto const element = [&](int matrix, int r, int c) {
      std::uint16_t x;
      std::memcpy(&x, static_cast<char const*>(row_of(matrix * 8 + r)) + 2 * c, 2);
      return static_cast<std::uint32_t>(x);
    };
    int const i = lane / 4, j = lane % 4 * 2;
    for (int m = 0; m < 4; ++m) to[m] = transposed ? element(m, j, i) | element(m, j + 1, i) << 16 : element(m, i, j) | element(m, i, j + 1) << 16;
    return 0;
  });
}
template <int ElementsOfRegister, class F>
void multiply_tiles(float (&sums)[4], std::uint32_t const (&a)[4], std::uint32_t const (&b)[2], F const& value) {
  struct operands {
    std::uint32_t a[4], b[2];
  };
  grid& g = grid::get();
  int const lane = g.now % 32;
  tile_products += lane == 0;
  operands const mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  g.exchange_all(mine, [&](auto const& of_lane) {
    for (int s = 0; s < 4; ++s) {
      int const row = lane / 4, lower = s / 2, column = lane % 4 * 2 + s % 2;
      double sum = static_cast<double>(sums[s]);
      for (int half = 0; half < 2; ++half)
        for (int t = 0; t < 4; ++t)
          for (int e = 0; e < ElementsOfRegister; ++e) {
            float const x = value(of_lane(row * 4 + t).a[2 * half + lower] >> (16 * e)), y = value(of_lane(column * 4 + t).b[half] >> (16 * e));
            sum += static_cast<double>(x) * static_cast<double>(y);
          }
      sums[s] = static_cast<float>(sum);
    }
    return 0;
  });
}

/// Allocations: how many there are, and what is known of each.
struct memory_of_device {
  std::map<void*, std::size_t> blocks;
  long allocations = 0;
  static memory_of_device& get() {
    static memory_of_device m;
    return m;
  }
};
/// What kernels are given must be memory of the device, what is copied into their arguments must not.
inline void check_side(void const* p, bool on_device) {
  if (p == nullptr) return;
  auto const& blocks = memory_of_device::get().blocks;
  auto const next = blocks.upper_bound(const_cast<void*>(p));
  bool const inside = next != blocks.begin() && static_cast<char const*>(p) <= static_cast<char const*>(std::prev(next)->first) + std::prev(next)->second;
  if (inside != on_device) throw std::logic_error(on_device ? "emulation: a kernel is given memory of this side" : "emulation: a number is read from memory of the device");
}

}  // namespace emulation

template <class T>
T __shfl_xor_sync(unsigned, T value, int distance) {
  return emulation::grid::get().exchange(value, distance);
}
template <class T>
T __shfl_sync(unsigned, T value, int source) {
  return emulation::grid::get().exchange_from(value, source);
}
inline void sincospi(double x, double* s, double* c) { *s = std::sin(3.14159265358979323846 * x), *c = std::cos(3.14159265358979323846 * x); }
inline void sincospif(float x, float* s, float* c) { *s = static_cast<float>(std::sin(3.14159265358979323846 * static_cast<double>(x))), *c = static_cast<float>(std::cos(3.14159265358979323846 * static_cast<double>(x))); }
inline void __syncthreads() { emulation::grid::get().barrier(); }
inline void __syncwarp(unsigned = ~0u) { emulation::grid::get().exchange(0, 0); }

// ---- the runtime

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorInsufficientDriver = 35, cudaErrorNoDevice = 100 };
inline char const* cudaGetErrorString(cudaError_t e) { return e == cudaSuccess ? "no error" : e == cudaErrorNoDevice ? "no CUDA-capable device is detected" : "emulated error"; }
inline char const* cudaGetErrorName(cudaError_t e) { return e == cudaSuccess ? "cudaSuccess" : e == cudaErrorNoDevice ? "cudaErrorNoDevice" : "cudaErrorUnknown"; }

struct CUstream_st {
  bool capturing = false;
  std::vector<std::function<void()>> recorded;
  void submit(std::function<void()> work) {
    if (capturing) recorded.push_back(std::move(work));
    else work();
  }
};
using cudaStream_t = CUstream_st*;
struct emulated_graph {
  std::vector<std::function<void()>> work;
};
using cudaGraph_t = emulated_graph*;
using cudaGraphExec_t = emulated_graph*;
using cudaMemPool_t = void*;
enum { cudaMemPoolAttrReleaseThreshold = 4, cudaStreamNonBlocking = 1, cudaStreamCaptureModeThreadLocal = 1 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };

namespace emulation {
inline bool has_device = true;
}

inline cudaError_t cudaGetDeviceCount(int* n) { return *n = emulation::has_device ? 1 : 0, emulation::has_device ? cudaSuccess : cudaErrorNoDevice; }
inline cudaError_t cudaGetDevice(int* d) { return *d = 0, emulation::has_device ? cudaSuccess : cudaErrorNoDevice; }
inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* p, int) { return *p = nullptr, cudaSuccess; }
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, int, void*) { return cudaSuccess; }
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) { return *s = new CUstream_st, cudaSuccess; }
inline cudaError_t cudaStreamDestroy(cudaStream_t s) { return delete s, cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t s) { return s->capturing ? cudaErrorInvalidValue : cudaSuccess; }
using cudaEvent_t = int*;
enum { cudaEventDisableTiming = 2 };
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) { return *e = new int(0), cudaSuccess; }
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t s) { return s->capturing ? cudaErrorInvalidValue : cudaSuccess; }
inline cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t, unsigned) { return s->capturing ? cudaErrorInvalidValue : cudaSuccess; }
inline cudaError_t cudaEventDestroy(cudaEvent_t e) { return delete e, cudaSuccess; }
inline cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaMallocAsync(void** p, std::size_t bytes, cudaStream_t s) {
  if (s->capturing) return cudaErrorInvalidValue;
  *p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(*p, 0xff, bytes);  // a NaN of every floating-point type
  emulation::memory_of_device::get().blocks[*p] = bytes;
  ++emulation::memory_of_device::get().allocations;
  return cudaSuccess;
}
inline cudaError_t cudaFreeAsync(void* p, cudaStream_t) {
  if (emulation::memory_of_device::get().blocks.erase(p) != 1) std::fprintf(stderr, "emulation: freed what was not allocated\n"), std::abort();
  std::free(p);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t s) {
  s->submit([=] {
    if (bytes > 0) std::memmove(to, from, bytes);
  });
  return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void* to, int byte, std::size_t bytes, cudaStream_t s) {
  s->submit([=] {
    if (bytes > 0) std::memset(to, byte, bytes);
  });
  return cudaSuccess;
}
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone = 0, cudaStreamCaptureStatusActive = 1 };
inline cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* status) { return *status = s->capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone, cudaSuccess; }
namespace emulation {
inline int captures = 0;  ///< streams that are being recorded
}
inline cudaError_t cudaStreamBeginCapture(cudaStream_t s, int) { return ++emulation::captures, s->capturing = true, s->recorded.clear(), cudaSuccess; }
inline cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* g) {
  --emulation::captures;
  s->capturing = false;
  *g = new emulated_graph{std::move(s->recorded)};
  s->recorded.clear();
  return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* e, cudaGraph_t g, unsigned long long = 0) { return ++emulation::recordings, *e = new emulated_graph(*g), cudaSuccess; }
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s) {
  ++emulation::replays;
  for (auto const& w : e->work) s->submit(w);
  return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t g) { return delete g, cudaSuccess; }
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e) { return delete e, cudaSuccess; }
