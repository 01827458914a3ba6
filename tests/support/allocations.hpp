// Counts calls of the global allocation functions, so that tests can assert that a call made none.
#pragma once

#include <cstddef>

namespace test {

/// Allocations by any thread since the program started.
std::size_t allocation_count() noexcept;

}  // namespace test
