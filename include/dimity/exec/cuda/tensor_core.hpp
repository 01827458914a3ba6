// Instructions of the tensor cores and what feeds them: 8 x 8 matrices of 16-bit elements out of shared memory, products of 16-row tiles by a warp, copies into shared memory that nobody waits for. PTX ISA 8.x, sections
// "mma.sync", "ldmatrix" and "cp.async"; compute capability 8.0 and later.
#pragma once

#include <dimity/exec/cuda/math.hpp>

namespace DIMITY_NAMESPACE::detail {

/// What the tensor cores read a float as: 8 bits of exponent, 10 of fraction.
struct tensor_float32 {};

// Operands of a tile, as the lanes of a warp hold them. With g = lane / 4, t = lane % 4 and E elements to a register (2 of 16 bits, 1 of 32): `a` has rows g, g + 8, g, g + 8 at terms E t, E t, E t + 4 E, E t + 4 E; `b` has column
// g at the same two places; results are row g at columns 2 t and 2 t + 1, then row g + 8.
using tile_operand_a = std::uint32_t[4];
using tile_operand_b = std::uint32_t[2];
using tile_results = float[4];

#ifndef DIMITY_CUDA_EMULATION

DIMITY_DEVICE unsigned shared_address(void const* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

/// Four matrices: lane i gives the address of row i % 8 of matrix i / 8, 16 bytes; register j of lane i is word i % 4 of row i / 4 of matrix j, or with `Transposed` its elements (2 (i % 4), i / 4) and (2 (i % 4) + 1, i / 4).
template <bool Transposed>
DIMITY_DEVICE void load_matrices(std::uint32_t (&to)[4], void const* row) {
  if constexpr (Transposed) asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(shared_address(row)) : "memory");
  else asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(shared_address(row)) : "memory");
}
/// sums += a b: 16 x 16 x 8 of 16-bit elements, 16 x 8 x 8 of 32-bit ones; products are exact, sums are floats.
template <class X>
DIMITY_DEVICE void multiply_tiles(tile_results& sums, tile_operand_a const& a, tile_operand_b const& b) {
#define DIMITY_MULTIPLY_TILES(SHAPE) \
  asm("mma.sync.aligned." SHAPE " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
  if constexpr (std::is_same_v<X, bfloat16>) DIMITY_MULTIPLY_TILES("m16n8k16.row.col.f32.bf16.bf16.f32");
  else if constexpr (std::is_same_v<X, float16>) DIMITY_MULTIPLY_TILES("m16n8k16.row.col.f32.f16.f16.f32");
  else DIMITY_MULTIPLY_TILES("m16n8k8.row.col.f32.tf32.tf32.f32");
#undef DIMITY_MULTIPLY_TILES
}
/// Four floats of 8 bits as two pairs of float16, which holds them all.
DIMITY_DEVICE void widen_to_halves(float8_e5m2, std::uint32_t bytes, std::uint32_t (&to)[2]) {
  to[0] = __byte_perm(bytes, 0, 0x1404);
  to[1] = __byte_perm(bytes, 0, 0x3424);
}
DIMITY_DEVICE void widen_to_halves(float8_e4m3fn, std::uint32_t bytes, std::uint32_t (&to)[2]) {
#if __CUDA_ARCH__ >= 890
  asm("{.reg .b16 low, high; mov.b32 {low, high}, %2; cvt.rn.f16x2.e4m3x2 %0, low; cvt.rn.f16x2.e4m3x2 %1, high;}" : "=r"(to[0]), "=r"(to[1]) : "r"(bytes));
#else
  widen_to_halves(float8_e5m2{}, bytes, to);
  DIMITY_UNROLL
  for (int i = 0; i < 2; ++i) {
    // Exponents are 8 too small, also those of subnormal numbers; the bits of a nan, and only those, carry into the exponent's upper end.
    std::uint32_t const size = (to[i] & 0x7f007f00u) >> 1, nan = (size + 0x00800080u) & 0x40004000u;
    std::uint32_t scaled;
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(scaled) : "r"(size), "r"(0x5c005c00u));
    to[i] = scaled | ((nan << 1) - (nan >> 5)) | (to[i] & 0x80008000u);
  }
#endif
}
/// Two floats as neighbours of 16 bits, rounded to nearest, ties to even.
template <class X>
DIMITY_DEVICE std::uint32_t narrow_pair(float first, float second) {
  std::uint32_t both;
  if constexpr (std::is_same_v<X, bfloat16>) asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
  else asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
  return both;
}
/// 2^x in one instruction, which is the quick exp2f of CUDA (programming guide, "Intrinsic Functions"); 0 for what is below 2^-126.
DIMITY_DEVICE float power_of_2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// A float to the nearest that the tensor cores read exactly, ties away from zero.
DIMITY_DEVICE std::uint32_t round_to_tensor_float32(std::uint32_t bits) {
  std::uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
  return rounded;
}

/// Copies 4, 8 or 16 bytes to shared memory, in the background; zeros instead where there is nothing to copy.
template <int Bytes>
DIMITY_DEVICE void copy_async(void* to, void const* from, bool there) {
  if constexpr (Bytes == 16) asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(there ? 16 : 0) : "memory");
  else asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)), "l"(from), "n"(Bytes), "r"(there ? Bytes : 0) : "memory");
}
/// Ends a group of copies.
DIMITY_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most so many of this thread's groups are under way. Other threads see the copies behind a barrier.
template <int Groups>
DIMITY_DEVICE void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}

#else

template <bool Transposed>
void load_matrices(std::uint32_t (&to)[4], void const* row) {
  emulation::load_matrices(to, row, Transposed);
}
template <class X>
void multiply_tiles(tile_results& sums, tile_operand_a const& a, tile_operand_b const& b) {
  if constexpr (std::is_same_v<X, tensor_float32>) {
    emulation::multiply_tiles<1>(sums, a, b, [](std::uint32_t bits) {
      if ((bits & 0x1fffu) != 0) throw std::logic_error("emulation: an operand of the tensor cores has not been rounded");
      return std::bit_cast<float>(bits);
    });
  } else {
    emulation::multiply_tiles<2>(sums, a, b, [](std::uint32_t bits) { return static_cast<float>(X::from_bits(static_cast<std::uint16_t>(bits))); });
  }
}
template <class X>
void widen_to_halves(X, std::uint32_t bytes, std::uint32_t (&to)[2]) {
  for (int i = 0; i < 2; ++i) {
    to[i] = 0;
    for (int j = 0; j < 2; ++j) to[i] |= static_cast<std::uint32_t>(float16(static_cast<float>(X::from_bits(static_cast<std::uint8_t>(bytes >> (16 * i + 8 * j))))).bits) << 16 * j;
  }
}
template <class X>
std::uint32_t narrow_pair(float first, float second) {
  return narrow_float<X>(first).bits | static_cast<std::uint32_t>(narrow_float<X>(second).bits) << 16;
}
inline float power_of_2(float x) { return std::exp2(x); }
inline std::uint32_t round_to_tensor_float32(std::uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffe000u : (bits + 0x1000u) & ~0x1fffu; }
template <int Bytes>
void copy_async(void* to, void const* from, bool there) {
  emulation::copy_async(to, from, Bytes, there);
}
inline void commit_copies() { emulation::commit_copies(); }
template <int Groups>
void wait_for_copies() {
  emulation::wait_for_copies(Groups);
}

#endif

}  // namespace DIMITY_NAMESPACE::detail
