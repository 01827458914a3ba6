// Run once for each value of DIMITY_MAX_ARCHITECTURE; 77 says that this machine does not have what the variable allows. This file and the baseline are compiled for plain x86-64.
#include "policy.hpp"

#include <dimity/dispatch.hpp>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <thread>

namespace {

int bytes_of(std::string_view architecture) { return architecture == "baseline" ? 16 : architecture.starts_with("avx2") ? 32 : 64; }
int expected_bytes() { return bytes_of(dimity::machine_architecture()); }

}  // namespace

int main(int count, char** arguments) {
  char const* const most = std::getenv("DIMITY_MAX_ARCHITECTURE");
  if (most != nullptr && dimity::machine_architecture() != most) return 77;
  return doctest::Context(count, arguments).run();
}

TEST_CASE("the best version that the machine has and the variable allows is called") {
  CHECK(dimity::compiled_architecture == "baseline");
  CHECK(policy::architecture() == dimity::machine_architecture());
  CHECK(policy::native_vector() == expected_bytes());
  CHECK(policy::native_vector("double") == expected_bytes());
  CHECK(policy::dispatched_for_c(3) == 3 * expected_bytes());
}

TEST_CASE("every version computes the same function") {
  std::array<float, 48 * 12> weights;
  std::array<float, 48> observation;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i)) / 4.0f;
  for (std::size_t i = 0; i < observation.size(); ++i) observation[i] = std::cos(static_cast<float>(i));
  std::array<float, 12> action{};
  policy::act(weights, observation, action);
  for (std::size_t j = 0; j < action.size(); ++j) {
    double total = 0;
    for (std::size_t i = 0; i < observation.size(); ++i) total += double(observation[i]) * double(weights[i * 12 + j]);
    CHECK(double(action[j]) == doctest::Approx(2 * std::tanh(total)).epsilon(1e-5));
  }
}

TEST_CASE("every version multiplies and converts bytes alike") {
  std::array<std::uint8_t, 6 * 70> x;
  std::array<std::int8_t, 20 * 70> w;
  std::array<std::int8_t, 24 * 24> square;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 37 + i / 9);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(i * 101 + i / 7);
  for (std::size_t i = 0; i < square.size(); ++i) square[i] = static_cast<std::int8_t>(i * 59 + i / 5);
  std::array<std::int32_t, 6 * 20> sums{};
  std::array<std::int8_t, 6 * 20> rounded{};
  std::array<std::int32_t, 24 * 24> squared{};
  policy::quantised(x, w, sums, rounded);
  policy::square_of_bytes(square, squared);
  int wrong = 0;
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 20; ++j) {
      int sum = 0;
      for (std::size_t k = 0; k < 70; ++k) sum += x[i * 70 + k] * w[j * 70 + k];
      wrong += sums[i * 20 + j] != sum;
      wrong += rounded[i * 20 + j] != static_cast<int>(std::fmin(std::fmax(std::nearbyint(static_cast<float>(sum) * 0.001f), -127.0f), 127.0f));
    }
  for (std::size_t i = 0; i < 24; ++i)
    for (std::size_t j = 0; j < 24; ++j) {
      int sum = 0;
      for (std::size_t k = 0; k < 24; ++k) sum += square[i * 24 + k] * square[k * 24 + j];
      wrong += squared[i * 24 + j] != sum;
    }
  CHECK(wrong == 0);
}

TEST_CASE("references, results and what can only be moved pass through, noexcept stays") {
  std::array<float, 5> const values{3, 1, 4, 1, 5};
  CHECK(policy::extremes(values) == std::array<float, 2>{1, 5});
  static_assert(noexcept(policy::extremes(values)));
  int count = 0;
  CHECK(*policy::exchange(std::make_unique<int>(41), count) == 42);
  CHECK(*policy::exchange(std::make_unique<int>(1), count) == 2);
  CHECK(count == 2);
}

TEST_CASE("exceptions pass through, and dimity's are caught by their base in the standard library") {
  int width = 0;
  try {
    policy::throws_failure();
  } catch (policy::failure const& f) {
    width = f.width;
  }
  CHECK(width == expected_bytes());
  std::array<float, 3> const three{};
  CHECK_THROWS_AS(policy::throws_shape_error(three), std::runtime_error);
}

TEST_CASE("a whole object is made by a dispatched function") {
  auto const model = policy::make_model();
  std::array<float, 8> observation;
  observation.fill(2);
  model->observe(observation);
  observation.fill(4);
  model->observe(observation);
  CHECK(model->mean() == 3.0f);
  CHECK(model->width() == expected_bytes());
}

TEST_CASE("inline functions of headers belong to the version that calls them, their variables to the program") {
  CHECK(policy::widest_vector() == 16);
  CHECK(policy::width_of_inline_function() == expected_bytes());
  int const before = policy::calls;
  policy::architecture();
  CHECK(policy::calls == before + 1);
}

TEST_CASE("nothing of a version runs before it is chosen") {
  policy::architecture();
  std::vector<std::string> expected{"baseline"};
  if (dimity::machine_architecture() != "baseline") expected.emplace_back(dimity::machine_architecture());
  CHECK(policy::initialised() == expected);
}

TEST_CASE("several threads may make the first call") {
  std::array<int, 4> results{};
  {
    std::vector<std::jthread> threads;
    for (int& result : results) threads.emplace_back([&result, i = static_cast<int>(&result - results.data())] { result = policy::called_by_threads(i); });
  }
  CHECK(results == std::array<int, 4>{1, 2, 3, 4});
}

TEST_CASE("DIMITY_MAX_ARCHITECTURE with an unknown name is an error at the call, and with a known one the next call works") {
  std::string const most = std::getenv("DIMITY_MAX_ARCHITECTURE") ? std::getenv("DIMITY_MAX_ARCHITECTURE") : "";
  setenv("DIMITY_MAX_ARCHITECTURE", "avx3", 1);
  CHECK_THROWS_WITH_AS(policy::called_with_a_wrong_variable(),
                       "[dimity.dispatch.2] DIMITY_MAX_ARCHITECTURE is 'avx3', which is none of baseline, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16", dimity::error);
  setenv("DIMITY_MAX_ARCHITECTURE", most.c_str(), 1);
  CHECK(policy::called_with_a_wrong_variable() == 1);
}
