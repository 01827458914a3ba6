// Tile registers of AMX (Sapphire Rapids and later): eight of 16 lines of 64 bytes, and products of tiles of bfloat16 that are added to tiles of float. Intel SDM volume 1, chapter 18, and TDPBF16PS in volume 2.
#pragma once

#include <dimity/core/config.hpp>

#include <cstddef>
#include <cstdint>

// DIMITY_PLANS_AMX: programs for machines with AVX-512 BF16 have memory for tiles, unless they may not allocate; the same in files that nvcc compiles, because the linker may take the rest of such a program from either.
// DIMITY_AMX: the instructions, used where the machine and its operating system allow, or an emulation that a test defines.
#if defined(DIMITY_EMULATED_AMX)
#define DIMITY_PLANS_AMX 1
#define DIMITY_AMX 1
#define DIMITY_TILES
#elif defined(__x86_64__) && defined(__AVX512BF16__) && defined(__linux__) && !defined(DIMITY_NO_HEAP)
#define DIMITY_PLANS_AMX 1
#if defined(__CUDACC__)
#define DIMITY_AMX 0
#else
#define DIMITY_AMX 1
#define DIMITY_TILES [[gnu::target("amx-tile,amx-bf16")]]
#include <sys/syscall.h>
#include <unistd.h>
#endif
#else
#define DIMITY_PLANS_AMX 0
#define DIMITY_AMX 0
#endif

namespace DIMITY_NAMESPACE::detail::mm {

/// Lines of a tile, pairs of bfloat16 in one of its lines, and bytes of it.
inline constexpr std::int64_t tile_lines = 16, tile_pairs = 16, tile_bytes = 1024;

#if DIMITY_AMX

/// LDTILECFG: every tile has 16 lines of 64 bytes; what is smaller is filled with zeros.
struct alignas(64) tile_configuration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_of_line[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t lines[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(tile_configuration) == 64);

#if defined(DIMITY_EMULATED_AMX)

inline bool has_amx() { return emulated_amx::is_available; }
inline void configure_tiles(tile_configuration const& c) { emulated_amx::configure(&c); }
inline void release_tiles() { emulated_amx::release(); }
template <int Tile>
inline void load_tile(void const* from, std::int64_t stride) {
  emulated_amx::load(Tile, from, stride);
}
template <int Tile>
inline void store_tile(void* to, std::int64_t stride) {
  emulated_amx::store(Tile, to, stride);
}
template <int Tile>
inline void clear_tile() {
  emulated_amx::clear(Tile);
}
template <int Sums, int Left, int Right>
inline void multiply_tiles() {
  emulated_amx::multiply(Sums, Left, Right);
}

#else

/// Whether the machine has tiles of bfloat16 and Linux lets this process use them. Asks once; the permission is the process's, whichever thread asks.
inline bool has_amx() {
  static bool const has = [] {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("amx-tile") || !__builtin_cpu_supports("amx-bf16")) return false;
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  }();
  return has;
}

// Not the compilers' intrinsics: those of g++ 12 take literals only, and its load does not say that it reads memory.
DIMITY_TILES inline void configure_tiles(tile_configuration const& c) { asm volatile("ldtilecfg %0" : : "m"(c) : "memory"); }
DIMITY_TILES inline void release_tiles() { asm volatile("tilerelease" : : : "memory"); }
template <int Tile>
DIMITY_TILES [[gnu::always_inline]] inline void load_tile(void const* from, std::int64_t stride) {
  asm volatile("{tileloadd\t(%0,%1,1), %%tmm%c2|tileloadd\ttmm%c2, [%0+%1*1]}" : : "r"(from), "r"(stride), "i"(Tile) : "memory");
}
template <int Tile>
DIMITY_TILES [[gnu::always_inline]] inline void store_tile(void* to, std::int64_t stride) {
  asm volatile("{tilestored\t%%tmm%c2, (%0,%1,1)|tilestored\t[%0+%1*1], tmm%c2}" : : "r"(to), "r"(stride), "i"(Tile) : "memory");
}
template <int Tile>
DIMITY_TILES [[gnu::always_inline]] inline void clear_tile() {
  asm volatile("{tilezero\t%%tmm%c0|tilezero\ttmm%c0}" : : "i"(Tile));
}
template <int Sums, int Left, int Right>
DIMITY_TILES [[gnu::always_inline]] inline void multiply_tiles() {
  asm volatile("{tdpbf16ps\t%%tmm%c2, %%tmm%c1, %%tmm%c0|tdpbf16ps\ttmm%c0, tmm%c1, tmm%c2}" : : "i"(Sums), "i"(Left), "i"(Right));
}

#endif

/// This thread's tiles, while it lives. Released, because threads whose tiles are in use take longer to be switched.
class tiles_in_use {
 public:
  tiles_in_use() { configure_tiles(tile_configuration{}); }
  ~tiles_in_use() { release_tiles(); }
  tiles_in_use(tiles_in_use const&) = delete;
  tiles_in_use& operator=(tiles_in_use const&) = delete;
};

/// Where tiles of 16 lines lie along k: some from `first` on, and one more at `last`, whose lines are 64 bytes apart, unless that is null.
struct tile_run {
  std::byte const* first;
  std::int64_t stride, step;  // bytes between lines, and between tiles
  std::byte const* last;
};

template <int Rows, int Columns, int Tile = 0>
DIMITY_TILES [[gnu::always_inline]] inline void begin_sums(float const* sums, std::int64_t stride, bool continues) {
  if constexpr (Tile < Rows * Columns) {
    if (continues) load_tile<Tile>(sums + Tile / Columns * tile_lines * stride + Tile % Columns * tile_pairs, stride * 4);
    else clear_tile<Tile>();
    begin_sums<Rows, Columns, Tile + 1>(sums, stride, continues);
  }
}
template <int Rows, int Columns, int Tile = 0>
DIMITY_TILES [[gnu::always_inline]] inline void end_sums(float* sums, std::int64_t stride) {
  if constexpr (Tile < Rows * Columns) {
    store_tile<Tile>(sums + Tile / Columns * tile_lines * stride + Tile % Columns * tile_pairs, stride * 4);
    end_sums<Rows, Columns, Tile + 1>(sums, stride);
  }
}
/// The products of one step of k, whose operands go to the tiles 4, 5 and 6, 7.
template <int Rows, int Columns>
DIMITY_TILES [[gnu::always_inline]] inline void multiply_step(std::byte const* upper, std::int64_t upper_stride, std::byte const* lower, std::int64_t lower_stride, std::byte const* left, std::byte const* right) {
  load_tile<4>(upper, upper_stride);
  load_tile<6>(left, 64);
  multiply_tiles<0, 4, 6>();
  if constexpr (Columns == 2) {
    load_tile<7>(right, 64);
    multiply_tiles<1, 4, 7>();
  }
  if constexpr (Rows == 2) {
    load_tile<5>(lower, lower_stride);
    multiply_tiles<Columns, 5, 6>();
    if constexpr (Columns == 2) multiply_tiles<3, 5, 7>();
  }
}

/// Adds the products of 16 * Rows lines and 16 * Columns columns to their sums, `stride` floats between two lines of which: `whole` tiles along k, and the last one where the rows have one (all or none do). The tiles of
/// columns lie one behind the other from columns[c] on. Four tiles of sums hide the latency of the products (52 cycles, one every 16).
template <int Rows, int Columns>
DIMITY_TILES [[gnu::noinline]] void add_tiles(tile_run const* rows, std::byte const* const* columns, std::int64_t whole, float* sums, std::int64_t stride, bool continues) {
  tile_run const &upper = rows[0], &lower = rows[Rows - 1];
  std::byte const *left = columns[0], *right = columns[Columns - 1];
  begin_sums<Rows, Columns>(sums, stride, continues);
  for (std::int64_t t = 0; t < whole; ++t, left += tile_bytes, right += tile_bytes)
    multiply_step<Rows, Columns>(upper.first + t * upper.step, upper.stride, lower.first + t * lower.step, lower.stride, left, right);
  if (upper.last != nullptr) multiply_step<Rows, Columns>(upper.last, 64, lower.last, 64, left, right);
  end_sums<Rows, Columns>(sums, stride);
}

#endif

}  // namespace DIMITY_NAMESPACE::detail::mm
