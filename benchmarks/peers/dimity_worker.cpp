// The dimity worker: dimity_*.cpp beside this register the workloads.
#include "dimity_worker.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

// Both ways to make an object are counted, those of the calling thread.
void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc{};
}
void* operator new(std::size_t n, std::align_val_t align) {
  ++allocations;
  auto const a = static_cast<std::size_t>(align);
  if (void* p = std::aligned_alloc(a, (n + a - 1) / a * a)) return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

int main(int count, char** arguments) {
  int const threads = count > 1 ? std::atoi(arguments[1]) : 1;
  if (threads != peers::threads) {
    std::cout << "no this worker was built for " << peers::threads << (peers::threads == 1 ? " thread" : " threads") << std::endl;
    return 0;
  }
  peers::allocation_counter = &allocations;
  return peers::serve("dimity", std::to_string(DIMITY_VERSION_MAJOR) + "." + std::to_string(DIMITY_VERSION_MINOR) + "." + std::to_string(DIMITY_VERSION_PATCH), threads);
}
