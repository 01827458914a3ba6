// Device tags: which evaluator runs a plan.
#pragma once

namespace dimity {

/// This machine's vector units, through xsimd. The default.
struct simd_device {};
inline constexpr simd_device simd{};

/// The same plans one element at a time, with the standard library's functions: the reference that vector kernels are tested against.
struct scalar_device {};
inline constexpr scalar_device scalar{};

}  // namespace dimity
