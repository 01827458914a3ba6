// Scratch memory: one block a thread, which grows to the largest program that ran there and is then reused.
#pragma once

#include <dimity/core/storage.hpp>

#include <cstddef>
#include <new>

namespace dimity {

namespace detail {

struct thread_workspace {
  std::byte* memory = nullptr;
  std::size_t bytes = 0;

  thread_workspace() = default;
  thread_workspace(thread_workspace const&) = delete;
  thread_workspace& operator=(thread_workspace const&) = delete;
  ~thread_workspace() { release(); }
  void release() {
    if (memory) ::operator delete(memory, std::align_val_t{storage_alignment});
    memory = nullptr;
    bytes = 0;
  }
  void reserve(std::size_t wanted) {
    if (wanted <= bytes) return;
    release();
    memory = static_cast<std::byte*>(::operator new(wanted, std::align_val_t{storage_alignment}));
    bytes = wanted;
  }
};

inline thread_workspace& this_thread_workspace() {
  thread_local thread_workspace w;
  return w;
}
inline std::byte* workspace_of_thread(std::size_t bytes) {
  thread_workspace& w = this_thread_workspace();
  w.reserve(bytes);
  return w.memory;
}

}  // namespace detail

/// Allocates this thread's scratch memory ahead of time, so that even the first call of a compiled function allocates nothing.
inline void reserve_workspace(std::size_t bytes) { detail::this_thread_workspace().reserve(bytes); }

}  // namespace dimity
