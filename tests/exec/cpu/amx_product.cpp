// Products of bfloat16 in tile registers, which are emulated: the library's own kernels, copies and plans around them, on any machine.
#define DIMITY_EMULATED_AMX
#include "emulated_amx.hpp"

#include "storage_products.hpp"

#include <dimity/threads.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

using namespace dimity;
using test::check_layouts;
using test::numbers;

namespace {

/// That something was multiplied in tiles since.
class tiles_used {
 public:
  bool yes() const { return emulated_amx::products > before_; }

 private:
  long before_ = emulated_amx::products;
};
struct without_amx {
  without_amx() { emulated_amx::is_available = false; }
  ~without_amx() { emulated_amx::is_available = true; }
};

template <extent_t M, extent_t K, extent_t N>
void check_in_tiles() {
  tiles_used const tiles;
  check_layouts<bfloat16, M, K, N>();
  CHECK(tiles.yes());
}
template <class X>
bool same_bits(X const& a, X const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0;
}

}  // namespace

TEST_CASE("amx: whole blocks, and every kind of remainder") {
  check_in_tiles<32, 32, 32>();
  check_in_tiles<64, 96, 48>();
  check_in_tiles<33, 35, 47>();
  check_in_tiles<16, 64, 80>();
  check_in_tiles<5, 130, 70>();
  check_in_tiles<70, 127, 6>();
  check_in_tiles<49, 32, 31>();
}
TEST_CASE("amx: rows that are a multiple of a page apart are copied") {
  static_assert(detail::mm::plan_tiles({9, 8, 2048, 2048, 1, 8, 1}, true).copies_rows);
  static_assert(!detail::mm::plan_tiles({9, 8, 2080, 2080, 1, 8, 1}, true).copies_rows);
  check_in_tiles<9, 2048, 8>();
}
TEST_CASE("amx: more columns than are in tiles at a time") {
  constexpr detail::matmul_problem p{8, 112, 40000, 40000, 1, 112, 1};
  static_assert(detail::mm::plan_tiles(p, true).column_block < 112);
  tiles_used const tiles;
  auto const a = numbers<tensor<bfloat16, 8, 40000>>(1);
  auto const b = numbers<tensor<bfloat16, 40000, 112>>(2);
  tensor<float, 8, 112> const y = cast<float>(matmul(a, b));
  CHECK(allclose(y, matmul(cast<float>(a), cast<float>(b)), 1e-4, 1e-2));
  CHECK(tiles.yes());
}
TEST_CASE("amx: more rows than stay in the cache at a time") {
  constexpr detail::matmul_problem p{80, 8, 20000, 20000, 1, 8, 1};
  static_assert(detail::mm::plan_tiles(p, true).row_block < 80);
  tiles_used const tiles;
  auto const a = numbers<tensor<bfloat16, 80, 20000>>(1);
  auto const b = numbers<tensor<bfloat16, 20000, 8>>(2);
  tensor<float, 80, 8> const y = cast<float>(matmul(a, b));
  CHECK(allclose(y, matmul(cast<float>(a), cast<float>(b)), 1e-4, 1e-2));
  CHECK(tiles.yes());
}
TEST_CASE("amx: small products stay with the other kernels") {
  tiles_used const tiles;
  check_layouts<bfloat16, 8, 16, 8>();
  check_layouts<bfloat16, 4, 64, 256>();
  check_layouts<float16, 32, 32, 32>();
  CHECK_FALSE(tiles.yes());
}
TEST_CASE("amx: a machine or a system without it") {
  without_amx const none;
  tiles_used const tiles;
  check_layouts<bfloat16, 33, 35, 47>();
  CHECK_FALSE(tiles.yes());
}

TEST_CASE("amx: batches, parts of larger matrices, epilogues and gradients") {
  tiles_used const tiles;
  tensor<bfloat16, 3, 40, 34> const a = random::normal<bfloat16, 3, 40, 34>(key{1});
  tensor<bfloat16, 34, 50> const w = random::normal<bfloat16, 34, 50>(key{2});
  tensor<bfloat16, 50> const bias = random::normal<bfloat16, 50>(key{3});
  constexpr auto layer = [](auto const& x, auto const& m, auto const& c) { return cast<float>(relu(matmul(x, m) + c)); };
  constexpr auto loss = [](auto const& x, auto const& m, auto const& c) { return sum(square(cast<float>(tanh(matmul(slice<1, 3, 38>(x), m) * 0.1 + c)))); };
  auto const y = compile(layer)(a, w, bias);
  auto const g = compile(grad(loss))(a, w, bias);
  auto const gw = compile(grad<1>(loss))(a, w, bias);
  CHECK(tiles.yes());
  CHECK(allclose(y, eval(layer(cast<float>(a), cast<float>(w), cast<float>(bias))), 1e-5, 1e-4));
  without_amx const none;
  CHECK(allclose(g, compile(grad(loss))(a, w, bias), 0.02, 0.02));
  CHECK(allclose(gw, compile(grad<1>(loss))(a, w, bias), 0.02, 0.02));
}

TEST_CASE("amx: infinities and nan stay in their row and column, and subnormal numbers count as zero") {
  auto a = numbers<tensor<bfloat16, 37, 41>>(1);
  auto b = numbers<tensor<bfloat16, 41, 45>>(2);
  for (extent_t i = 0; i < 41; ++i) b(i, 3) = bfloat16(1);
  a(2, 40) = std::numeric_limits<bfloat16>::infinity();
  b(1, 7) = std::numeric_limits<bfloat16>::quiet_NaN();
  tensor<float, 37, 45> const y = cast<float>(matmul(a, b));
  CHECK(std::isinf(y(2, 3)));
  int wrong = 0;
  for (extent_t i = 0; i < 37; ++i)
    for (extent_t j = 0; j < 45; ++j) wrong += j == 7 ? !std::isnan(y(i, j)) : i != 2 && !std::isfinite(y(i, j));
  CHECK(wrong == 0);

  tensor<bfloat16, 32, 32> tiny = zeros<bfloat16, 32, 32>(), large = zeros<bfloat16, 32, 32>();
  tiny(0, 0) = bfloat16(0x1p-130f);
  tiny(1, 0) = bfloat16(0x1p-126f);
  large(0, 0) = bfloat16(0x1p100f);
  tensor<float, 32, 32> const z = cast<float>(matmul(tiny, large));
  CHECK(z(0, 0) == 0.0f);
  CHECK(z(1, 0) == 0x1p-26f);
}

TEST_CASE("amx: extents chosen at run time, beyond every block") {
  auto const check = [](extent_t m, extent_t k, extent_t n) {
    CAPTURE(m);
    CAPTURE(k);
    CAPTURE(n);
    tiles_used const tiles;
    tensor<bfloat16, dyn, dyn> a(m, k), b(k, n), at(k, m), bt(n, k);
    auto const fill = [](auto& x, int seed) {
      for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = bfloat16(static_cast<float>(static_cast<int>((i * 37 + static_cast<std::size_t>(seed) * 11) % 33) - 16) * 0.125f);
    };
    fill(a, 1), fill(b, 2), fill(at, 3), fill(bt, 4);
    auto const wide = [](auto const& x) { return eval(cast<float>(x)); };
    CHECK(allclose(eval(cast<float>(matmul(a, b))), eval(matmul(wide(a), wide(b))), 1e-6, 1e-6));
    CHECK(allclose(eval(cast<float>(matmul(transpose(at), b))), eval(matmul(transpose(wide(at)), wide(b))), 1e-6, 1e-6));
    CHECK(allclose(eval(cast<float>(matmul(a, transpose(bt)))), eval(matmul(wide(a), transpose(wide(bt)))), 1e-6, 1e-6));
    CHECK(allclose(eval(cast<float>(matmul(transpose(at), transpose(bt)))), eval(matmul(transpose(wide(at)), transpose(wide(bt)))), 1e-6, 1e-6));
    CHECK(tiles.yes());
  };
  check(33, 47, 35);
  check(530, 40, 10);
  check(10, 33, 300);
  check(20, 600, 150);
  check(20, 1100, 18);
  check(520, 520, 8);
}

TEST_CASE("amx: threads change no bit") {
  double const before = detail::least_share;
  detail::least_share = 1e-3;
  auto const a = random::normal<bfloat16, 70, 66>(key{1});
  auto const w = random::normal<bfloat16, 130, 66>(key{2});
  tensor<bfloat16, 70, 66> const x = a;
  tensor<bfloat16, 130, 66> const weights = w;
  constexpr auto wide_layer = [](auto const& p, auto const& q) { return cast<float>(matmul(p, transpose(q))); };
  constexpr auto narrow_layer = [](auto const& p, auto const& q) { return cast<float>(matmul(q, transpose(p))); };
  auto const one = compile(wide_layer)(x, weights);
  auto const other = compile(narrow_layer)(x, weights);
  tensor<bfloat16, dyn, 66> any_rows(70);
  std::memcpy(any_rows.data(), x.data(), x.size() * sizeof(bfloat16));
  auto const any = compile(wide_layer)(any_rows, weights);
  for (int threads = 2; threads <= 3; ++threads) {
    tiles_used const tiles;
    CHECK(same_bits(compile(wide_layer, cpu{.threads = threads})(x, weights), one));
    CHECK(same_bits(compile(narrow_layer, cpu{.threads = threads})(x, weights), other));
    CHECK(same_bits(compile(wide_layer, cpu{.threads = threads})(any_rows, weights), any));
    CHECK(tiles.yes());
  }
  detail::least_share = before;
}

TEST_CASE("amx: the emulation refuses what the hardware does not define") {
  alignas(64) std::uint32_t words[256] = {};
  CHECK_THROWS_AS(emulated_amx::load(0, words, 64), std::logic_error);
  detail::mm::tiles_in_use const tiles;
  CHECK_THROWS_AS(emulated_amx::store(1, words, 64), std::logic_error);
  detail::mm::tile_configuration const again;
  CHECK_THROWS_AS(emulated_amx::configure(&again), std::logic_error);
}
