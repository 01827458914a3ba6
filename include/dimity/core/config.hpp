// Version, and the few attributes that every layer needs.
#pragma once

#define DIMITY_VERSION_MAJOR 0
#define DIMITY_VERSION_MINOR 1
#define DIMITY_VERSION_PATCH 0

// Kernels lose a factor of six when one helper is left as a call (DESIGN section 6), so inlining is not left to the compiler's judgement there, unless a program that
// is built to be tested rather than to be fast defines DIMITY_NO_FORCED_INLINING: it compiles sooner.
#ifdef DIMITY_NO_FORCED_INLINING
#define DIMITY_INLINE inline
#define DIMITY_INLINE_LAMBDA
#else
#define DIMITY_INLINE [[gnu::always_inline]] inline
#define DIMITY_INLINE_LAMBDA __attribute__((always_inline))
#endif

// Files of one program that are compiled for different instruction sets (docs/dispatch.md) must not share a function: the linker would keep one of several
// versions of it, and that one might not run on the machine. So each of them has a namespace dimity of its own, and the compiler does not mix their types.
#ifdef DIMITY_ARCHITECTURE
#define DIMITY_NAMESPACE dimity::inline DIMITY_ARCHITECTURE
#else
#define DIMITY_NAMESPACE dimity
#endif

namespace DIMITY_NAMESPACE {

struct version_number {
  int major, minor, patch;
};
inline constexpr version_number version{DIMITY_VERSION_MAJOR, DIMITY_VERSION_MINOR, DIMITY_VERSION_PATCH};

}  // namespace DIMITY_NAMESPACE
