#include "policy.hpp"

#include <dimity/dimity.hpp>
#include <dimity/dispatch.hpp>

#include <algorithm>

using namespace dimity;

namespace {

[[maybe_unused]] bool const is_initialised = (policy::initialised().emplace_back(compiled_architecture), true);

}  // namespace

namespace policy {

DIMITY_DISPATCH(architecture, () -> std::string_view) {
  ++calls;
  return compiled_architecture;
}

DIMITY_DISPATCH(native_vector, () -> int) { return detail::native_lanes<float>() * static_cast<int>(sizeof(float)); }

DIMITY_DISPATCH(native_vector, (std::string_view element) -> int) {
  return element == "double" ? detail::native_lanes<double>() * static_cast<int>(sizeof(double)) : native_vector();
}

DIMITY_DISPATCH(width_of_inline_function, () -> int) { return widest_vector(); }

DIMITY_DISPATCH(act, (std::span<float const, 48 * 12> weights, std::span<float const, 48> observation, std::span<float, 12> action) -> void) {
  view<12>(action) = tanh(matmul(view<48>(observation), view<48, 12>(weights))) * 2.0f;
}

// Bytes are multiplied, and converted, by other instructions in each version.
DIMITY_DISPATCH(quantised, (std::span<std::uint8_t const, 6 * 70> x, std::span<std::int8_t const, 20 * 70> w, std::span<std::int32_t, 6 * 20> sums, std::span<std::int8_t, 6 * 20> rounded) -> void) {
  view<6, 20>(sums) = matmul(cast<std::int32_t>(view<6, 70>(x)), transpose(cast<std::int32_t>(view<20, 70>(w))));
  view<6, 20>(rounded) = cast<std::int8_t>(clip(round(cast<float>(view<6, 20>(sums)) * 0.001f), -127.0f, 127.0f));
}
DIMITY_DISPATCH(square_of_bytes, (std::span<std::int8_t const, 24 * 24> x, std::span<std::int32_t, 24 * 24> y) -> void) {
  view<24, 24>(y) = matmul(cast<std::int32_t>(view<24, 24>(x)), cast<std::int32_t>(view<24, 24>(x)));
}

DIMITY_DISPATCH(extremes, (std::span<float const> values) noexcept -> std::array<float, 2>) {
  std::vector<float> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return {sorted.front(), sorted.back()};
}

DIMITY_DISPATCH(exchange, (std::unique_ptr<int> given, int& count) -> std::unique_ptr<int>) {
  ++count;
  return std::make_unique<int>(*given + 1);
}

DIMITY_DISPATCH(throws_failure, () -> void) {
  failure f("as it should");
  f.width = widest_vector();
  throw f;
}

DIMITY_DISPATCH(throws_shape_error, (std::span<float const> three) -> float) { return sum(view<4>(three)); }

namespace {

struct averaging : model {
  tensor<float, 8> total = zeros<float, 8>();
  int count = 0;

  void observe(std::span<float const, 8> observation) override {
    total += view<8>(observation);
    ++count;
  }
  float mean() const override { return dimity::mean(total) / static_cast<float>(count); }
};

}  // namespace

DIMITY_DISPATCH(make_model, () -> std::unique_ptr<model>) { return std::make_unique<averaging>(); }

DIMITY_DISPATCH(called_by_threads, (int x) -> int) { return x + 1; }

DIMITY_DISPATCH(called_with_a_wrong_variable, () -> int) { return 1; }

DIMITY_DISPATCH(dispatched_for_c, (int x) -> int) { return x * widest_vector(); }

}  // namespace policy
