// What the program sees of the dispatched functions. policy.cpp is compiled for every instruction set, dispatch_test.cpp for the build's alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

/// The widest vectors that the including file was compiled for, in bytes. One name, another function in each version.
[[gnu::noinline]] inline int widest_vector() {
#if defined(__AVX512F__)
  return 64;
#elif defined(__AVX2__)
  return 32;
#else
  return 16;
#endif
}

/// One variable for the whole program: which versions' objects at namespace scope were initialised.
inline std::vector<std::string>& initialised() {
  static std::vector<std::string> names;
  return names;
}
inline int calls = 0;

struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  int width = 0;
};

/// A whole object that was made for one instruction set.
struct model {
  virtual ~model() = default;
  virtual void observe(std::span<float const, 8> observation) = 0;
  virtual float mean() const = 0;
  virtual int width() const { return widest_vector(); }
};

std::string_view architecture();
int native_vector();
int native_vector(std::string_view element);
int width_of_inline_function();
void act(std::span<float const, 48 * 12> weights, std::span<float const, 48> observation, std::span<float, 12> action);
void quantised(std::span<std::uint8_t const, 6 * 70> x, std::span<std::int8_t const, 20 * 70> w, std::span<std::int32_t, 6 * 20> sums, std::span<std::int8_t, 6 * 20> rounded);
void square_of_bytes(std::span<std::int8_t const, 24 * 24> x, std::span<std::int32_t, 24 * 24> y);
std::array<float, 2> extremes(std::span<float const> values) noexcept;
std::unique_ptr<int> exchange(std::unique_ptr<int> given, int& count);
void throws_failure();
float throws_shape_error(std::span<float const> three);
std::unique_ptr<model> make_model();
int called_by_threads(int x);
int called_with_a_wrong_variable();
extern "C" int dispatched_for_c(int x);

}  // namespace policy
