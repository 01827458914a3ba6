// Threads that wait for shares of one step at a time. They are made when a call first asks for them, and stay.
#pragma once

#include <dimity/exec/cpu/threaded.hpp>
#include <dimity/exec/workspace.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
#include <pthread.h>
#include <sched.h>
#endif

#ifdef DIMITY_NO_HEAP
#error "[dimity.device.2] threads allocate memory when they are made, which DIMITY_NO_HEAP forbids: leave out <dimity/threads.hpp>"
#endif

namespace DIMITY_NAMESPACE::detail {

/// How many threads the call that runs on this thread may use.
inline constinit thread_local int call_threads = 1;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Where a worker runs. One that is woken while other processors are busy for a moment may be put behind the thread that woke it, and Linux 6.18 leaves it there for many milliseconds: measured, two threads then take as long
/// as one. So the caller's processor is taken from those of a worker that sleeps, or was last seen there, before it is given work. What a worker may use is what the thread that made it could then.
class processor {
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
 public:
  void learn(std::thread& thread) {
    if (pthread_getaffinity_np(thread.native_handle(), sizeof(allowed_), &allowed_) != 0) CPU_ZERO(&allowed_);
  }
  /// By the worker.
  void seen() { last_.store(sched_getcpu(), std::memory_order_relaxed); }
  void sleeps() { last_.store(anywhere, std::memory_order_relaxed); }
  /// By the caller.
  void make_way(std::thread& thread) {
    int const here = sched_getcpu(), last = last_.load(std::memory_order_relaxed);
    if (here < 0 || here == left_free_ || (last != here && last != anywhere)) return;
    cpu_set_t others = allowed_;
    CPU_CLR(static_cast<std::size_t>(here), &others);
    if (CPU_COUNT(&others) > 0 && pthread_setaffinity_np(thread.native_handle(), sizeof(others), &others) == 0) left_free_ = here;
  }

 private:
  static constexpr int anywhere = -1;
  cpu_set_t allowed_;
  std::atomic<int> last_{anywhere};
  int left_free_ = -1;
#else
 public:
  void learn(std::thread&) {}
  void seen() {}
  void sleeps() {}
  void make_way(std::thread&) {}
#endif
};

/// A fork and join through one word for each worker, in a cache line of its own. Workers, and a caller whose own share is done, first look at the word for `patience` rounds, which is the order of time that waking a
/// thread takes (benchmarks/threads_bench.cpp), so that the steps of one program find them awake, and then sleep.
/// A caller takes over the shares that nobody has begun when its own is done: it does not wait for a worker that is still waking up, which takes longer than most steps.
class thread_pool {
 public:
  using task = void (*)(void const* context, int share);

  static thread_pool& shared() {
    static thread_pool p;
    return p;
  }
  thread_pool(thread_pool const&) = delete;
  thread_pool& operator=(thread_pool const&) = delete;
  ~thread_pool() {
    for (auto& w : workers_) {
      w->function = nullptr;
      post(*w);  // nobody takes this one over
    }
    for (auto& w : workers_) w->thread.join();
  }

  /// False while another call has them: that one then runs on its own thread, with the same result.
  bool take(int threads) {
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    try {
      while (static_cast<int>(workers_.size()) < threads - 1) {
        workers_.push_back(std::make_unique<worker>());
        worker& w = *workers_.back();
        w.thread = std::thread([&w] { work(w); });
        w.place.learn(w.thread);
      }
    } catch (...) {
      // The system has no more: those that there are will do.
      if (!workers_.empty() && !workers_.back()->thread.joinable()) workers_.pop_back();
    }
    return true;
  }
  void give_back() { taken_.store(false, std::memory_order_release); }
  /// How often work was divided.
  std::uint64_t divided() const { return divided_; }
  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls `function(context, share)` once for each share, the first on this thread, and returns when all are done. Of no more shares than threads().
  void run(int shares, task function, void const* context) {
    ++divided_;
    for (int i = 1; i < shares; ++i) {
      worker& w = *workers_[static_cast<std::size_t>(i - 1)];
      w.function = function;
      w.context = context;
      w.share = i;
      post(w);
    }
    function(context, 0);
    // The workers that were told last first: they have had the least time to begin.
    for (int i = shares - 1; i > 0; --i) {
      worker& w = *workers_[static_cast<std::size_t>(i - 1)];
      w.taken_over = w.claim(w.posted.load(std::memory_order_relaxed));
      if (w.taken_over) function(context, i);
    }
    for (int i = 1; i < shares; ++i) {
      worker& w = *workers_[static_cast<std::size_t>(i - 1)];
      if (!w.taken_over) wait_until(w.done, w.posted.load(std::memory_order_relaxed));
    }
  }
  /// Scratch memory for a share that is not the first, whoever it is done by: the thread's own may be the one that the caller's program uses.
  std::byte* workspace(int share, std::size_t bytes) {
    thread_workspace& w = workers_[static_cast<std::size_t>(share - 1)]->workspace;
    w.reserve(bytes);
    return w.memory;
  }

 private:
  struct alignas(128) worker {
    std::atomic<std::uint32_t> posted{0};
    task function = nullptr;
    void const* context = nullptr;
    int share = 0;
    bool taken_over = false;  ///< the caller's
    /// The last task that somebody began: this worker, or the caller in its place. What a task is may be read by who claimed it only.
    alignas(128) std::atomic<std::uint32_t> claimed{0};
    std::atomic<std::uint32_t> done{0};
    thread_workspace workspace;
    std::thread thread;
    processor place;

    bool claim(std::uint32_t number) {
      std::uint32_t before = number - 1;
      return claimed.compare_exchange_strong(before, number, std::memory_order_acq_rel, std::memory_order_relaxed);
    }
  };
  static constexpr int patience = 2000;

  thread_pool() = default;

  static void post(worker& w) {
    w.place.make_way(w.thread);
    w.posted.fetch_add(1, std::memory_order_release);
    w.posted.notify_one();
  }
  static void wait_until(std::atomic<std::uint32_t> const& word, std::uint32_t wanted) {
    for (int i = 0; i < patience; ++i) {
      if (word.load(std::memory_order_acquire) == wanted) return;
      relax();
    }
    for (std::uint32_t now; (now = word.load(std::memory_order_acquire)) != wanted;) word.wait(now, std::memory_order_acquire);
  }
  /// The number of the newest task: several may have been taken over since the last.
  static std::uint32_t wait_for_news(worker& w, std::uint32_t last) {
    for (int i = 0; i < patience; ++i) {
      if (std::uint32_t const now = w.posted.load(std::memory_order_acquire); now != last) return now;
      relax();
    }
    w.place.sleeps();
    w.posted.wait(last, std::memory_order_acquire);
    return w.posted.load(std::memory_order_acquire);
  }
  static void work(worker& w) {
    for (std::uint32_t last = 0;;) {
      last = wait_for_news(w, last);
      if (!w.claim(last)) continue;
      if (w.function == nullptr) return;
      w.function(w.context, w.share);
      w.place.seen();
      w.done.store(last, std::memory_order_release);
      w.done.notify_one();
    }
  }

  std::vector<std::unique_ptr<worker>> workers_;
  std::uint64_t divided_ = 0;
  std::atomic<bool> taken_{false};
};

inline std::byte* workspace_of_share(int share, std::size_t bytes) { return thread_pool::shared().workspace(share, bytes); }

/// Calls `f(share)` for each share.
template <class F>
void run_shares(int shares, F const& f) {
  thread_pool::shared().run(shares, [](void const* context, int share) { (*static_cast<F const*>(context))(share); }, &f);
}

/// Nanoseconds that a share must be worth: some twenty times what handing it to a thread that is awake costs (benchmarks/threads_bench.cpp). A variable for tests, which divide what is small.
inline constinit double least_share = 8000;
/// Into how many shares to divide work of an estimated time, of which there are `units` that stay whole.
inline int count_shares(double nanoseconds, std::int64_t units) {
  double const worth = nanoseconds / least_share;
  std::int64_t shares = call_threads;
  if (worth < static_cast<double>(shares)) shares = static_cast<std::int64_t>(worth);
  if (units < shares) shares = units;
  return shares < 1 ? 1 : static_cast<int>(shares);
}

/// Takes the pool for the length of a call, unless it is taken.
template <>
struct device_scope<cpu> {
  explicit device_scope(cpu const& device) : before(call_threads) {
    // A call within a call, in a thread of the pool or where the pool is this call's already, uses one thread.
    if (before == 1 && device.threads > 1 && thread_pool::shared().take(device.threads)) {
      int const there = thread_pool::shared().threads();
      call_threads = device.threads < there ? device.threads : there;
      owns = true;
    }
  }
  device_scope(device_scope const&) = delete;
  device_scope& operator=(device_scope const&) = delete;
  ~device_scope() {
    if (!owns) return;
    call_threads = before;
    thread_pool::shared().give_back();
  }

 private:
  int before;
  bool owns = false;
};

}  // namespace DIMITY_NAMESPACE::detail
