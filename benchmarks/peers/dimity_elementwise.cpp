#include "dimity_worker.hpp"

using namespace dimity;

namespace {

constexpr auto gelu_total = [](auto const& a, auto const& x, auto const& b) { return sum(gelu_tanh(a * x + b)); };
// The old gradients are passed in and moved: their memory becomes that of the new ones.
constexpr auto gelu_gradient = peers::compiled([](auto const& a, auto const& x, auto const& b, auto) { return grad<0, 1, 2>(gelu_total)(a, x, b); });

template <extent_t N>
void add_size() {
  using line = tensor<float, N>;
  std::string const size = "-" + std::to_string(N);
  peers::add<line, line>("copy" + size, {"x"}, [](line& y, line const& x) { peers::put(y, x); });
  peers::add<line, line, line>("triad" + size, {"b", "c"}, [](line& y, line const& b, line const& c) { peers::put(y, b + 3.0f * c); });
  peers::add<line, line, line, line>("gelu_chain" + size, {"a", "x", "b"}, [](line& y, line const& a, line const& x, line const& b) { peers::put(y, gelu_tanh(a * x + b)); });
  using gradients = std::tuple<line, line, line>;
  peers::add<gradients, line, line, line>("gelu_gradient" + size, {"a", "x", "b"}, [](gradients& g, line const& a, line const& x, line const& b) { g = gelu_gradient(a, x, b, std::move(g)); });
}

peers::registered const sizes{[] {
  add_size<4 << 10>();
  add_size<64 << 10>();
  add_size<1 << 20>();
  add_size<16 << 20>();
}};

}  // namespace
