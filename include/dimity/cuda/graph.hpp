// Calls as CUDA graphs: recorded when a program runs on some memory, after its first call, replayed when it comes there again. A replay costs one call of the driver instead of one for each kernel.
#pragma once

#include <dimity/exec/cuda/run.hpp>

#include <array>
#include <mutex>
#include <utility>

namespace DIMITY_NAMESPACE::detail {

template <int Inputs, int Outputs, int Symbols>
struct call_pointers {
  void* inputs[Inputs + 1] = {};
  void* outputs[Outputs + 1] = {};
  void* destinations[Outputs + 1] = {};  ///< where results are copied that could not be written in place
  std::byte* workspace = nullptr;
  extent_t symbols[Symbols + 1] = {};    ///< the values of extents chosen at run time: arguments of the recorded kernels
  bool operator==(call_pointers const&) const = default;
};

/// Whether a program decides on this side, by a value that the GPU has computed, what runs next, or shows it values.
template <class Plan>
inline constexpr bool waits_for_host = [] {
  for (int i = 0; i < Plan::size.controls; ++i)
    if (Plan::value.controls[i].kind != control_kind::scan) return true;
  for (int i = 0; i < Plan::size.opaques; ++i)
    if (is_look(Plan::value.opaques[i].op)) return true;
  return false;
}();
/// What is started in a stream while this lives is recorded instead.
class capture {
 public:
  explicit capture(cudaStream_t stream) : stream_(stream) { check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal)); }
  capture(capture const&) = delete;
  capture& operator=(capture const&) = delete;
  ~capture() {
    if (stream_ != nullptr) static_cast<void>(cudaStreamEndCapture(stream_, &graph_));
    if (graph_ != nullptr) static_cast<void>(cudaGraphDestroy(graph_));
  }
  cudaGraphExec_t finish() {
    cudaGraphExec_t made = nullptr;
    check_cuda(cudaStreamEndCapture(std::exchange(stream_, nullptr), &graph_));
    check_cuda(cudaGraphInstantiate(&made, graph_, 0));
    return made;
  }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
};

/// The recordings of one program. The oldest gives way: what is made anew for each call alternates between few places.
template <class Plan, int Inputs, int Outputs>
class recorded_calls {
 public:
  static recorded_calls& get() {
    static recorded_calls& r = *new recorded_calls;
    return r;
  }
  template <class Kernels>
  void run(call_pointers<Inputs, Outputs, Plan::size.symbols> const& at, cudaStream_t stream, Kernels const& kernels) {
    std::lock_guard const lock(guard_);
    // The driver loads a kernel when it is first started, which it may refuse while a stream is recorded.
    if (!warm_) {
      kernels(stream);
      warm_ = true;
      return;
    }
    for (recording& r : all_)
      if (r.graph != nullptr && r.at == at) {
        misses_ = 0;
        r.stream = stream;
        return check_cuda(cudaGraphLaunch(r.graph, stream));
      }
    // Who never comes on the same memory twice gains nothing from being recorded.
    if (++misses_ > 2 * static_cast<int>(all_.size())) return kernels(stream);
    recording& r = all_[next_++ % all_.size()];
    if (r.graph != nullptr) {
      check_cuda(r.stream == stream ? cudaStreamSynchronize(stream) : cudaDeviceSynchronize());  // it may still run
      check_cuda(cudaGraphExecDestroy(r.graph));
    }
    r = {};
    // In a stream of its own: what other threads start in the caller's stream meanwhile is theirs.
    if (private_ == nullptr) check_cuda(cudaStreamCreateWithFlags(&private_, cudaStreamNonBlocking));
    cudaGraphExec_t made = nullptr;
    {
      capture taken(private_);
      is_unprepared() = false;
      kernels(private_);
      if (!is_unprepared()) made = taken.finish();
    }
    // Once as it is: the next call is recorded.
    if (made == nullptr) return kernels(stream);
    r.graph = made;
    r.stream = stream;
    r.at = at;
    check_cuda(cudaGraphLaunch(made, stream));
  }

 private:
  struct recording {
    cudaGraphExec_t graph = nullptr;
    cudaStream_t stream = nullptr;  ///< in which it ran last
    call_pointers<Inputs, Outputs, Plan::size.symbols> at;
  };
  std::mutex guard_;
  bool warm_ = false;
  int misses_ = 0;
  cudaStream_t private_ = nullptr;
  std::array<recording, 8> all_{};
  std::size_t next_ = 0;
};

}  // namespace DIMITY_NAMESPACE::detail
