// Version, and the few attributes that every layer needs.
#pragma once

#define DIMITY_VERSION_MAJOR 0
#define DIMITY_VERSION_MINOR 1
#define DIMITY_VERSION_PATCH 0

// Kernels lose a factor of six when one helper is left as a call (DESIGN section 6), so inlining is not left to the compiler's judgement there.
#define DIMITY_INLINE [[gnu::always_inline]] inline
#define DIMITY_INLINE_LAMBDA __attribute__((always_inline))

namespace dimity {

struct version_number {
  int major, minor, patch;
};
inline constexpr version_number version{DIMITY_VERSION_MAJOR, DIMITY_VERSION_MINOR, DIMITY_VERSION_PATCH};

}  // namespace dimity
