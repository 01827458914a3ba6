// Scratch memory: one block a thread, which grows to the largest program that ran there and is then reused. With DIMITY_NO_HEAP a block of
// DIMITY_WORKSPACE_BYTES (64 KiB unless defined) that never grows.
#pragma once

#include <dimity/core/error.hpp>
#include <dimity/core/storage.hpp>

#include <cstddef>
#include <new>

namespace DIMITY_NAMESPACE {

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

#ifdef DIMITY_NO_HEAP
#ifndef DIMITY_WORKSPACE_BYTES
#define DIMITY_WORKSPACE_BYTES 65536
#endif

template <std::size_t Needed, std::size_t Given>
struct fixed_workspace {
  static_assert(Needed <= Given, "[dimity.storage.2] this program needs more scratch memory than DIMITY_WORKSPACE_BYTES, and DIMITY_NO_HEAP forbids allocation (needed, given)");
};

inline std::byte* this_thread_workspace() {
  alignas(storage_alignment) thread_local std::byte block[DIMITY_WORKSPACE_BYTES];
  return block;
}
template <std::size_t Bytes>
std::byte* workspace_of_thread() {
  (void)sizeof(fixed_workspace<Bytes, DIMITY_WORKSPACE_BYTES>);
  return this_thread_workspace();
}
inline std::byte* workspace_of_thread(std::size_t bytes) {
  if (bytes > DIMITY_WORKSPACE_BYTES) fail<dimity::error>("this call needs " + std::to_string(bytes) + " bytes of scratch memory, DIMITY_WORKSPACE_BYTES is " + std::to_string(DIMITY_WORKSPACE_BYTES));
  return this_thread_workspace();
}
}  // namespace detail

/// Nothing to do: the block exists from the start.
inline void reserve_workspace(std::size_t) {}

#else

inline thread_workspace& this_thread_workspace() {
  thread_local thread_workspace w;
  return w;
}
template <std::size_t Bytes>
std::byte* workspace_of_thread() {
  thread_workspace& w = this_thread_workspace();
  w.reserve(Bytes);
  return w.memory;
}
inline std::byte* workspace_of_thread(std::size_t bytes) {
  thread_workspace& w = this_thread_workspace();
  w.reserve(bytes);
  return w.memory;
}

}  // namespace detail

/// Allocates this thread's scratch memory ahead of time, so that even the first call of a compiled function allocates nothing.
inline void reserve_workspace(std::size_t bytes) { detail::this_thread_workspace().reserve(bytes); }
#endif

}  // namespace DIMITY_NAMESPACE
