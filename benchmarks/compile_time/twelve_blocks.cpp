// 12 transformer-like blocks (layer norm, attention of one head, an MLP, residuals), unrolled by a C++ loop, with their gradient.
// limits: those of the CMake target
// budget: 30 s, 2000 MB
#include <dimity/dimity.hpp>

#include <array>
#include <cstdio>

using namespace dimity;

template <class T>
struct block {
  nn::linear<T, 64, 64> query, key, value, out;
  nn::linear<T, 64, 256> wide;
  nn::linear<T, 256, 64> narrow;
  static constexpr auto norm(auto const& x) {
    auto const centred = x - mean(x, axis<-1>, keep_dims);
    return centred * rsqrt(mean(square(centred), axis<-1>, keep_dims) + 1e-5f);
  }
  constexpr auto operator()(auto const& x) const {
    auto const n = norm(x);
    auto const weights = softmax(matmul(query(n), transpose(key(n))) * 0.125f, axis<-1>);
    auto const h = x + out(matmul(weights, value(n)));
    return h + narrow(gelu(wide(norm(h))));
  }
};
template <class T>
struct tower {
  std::array<block<T>, 12> blocks;
};
constexpr auto loss = [](auto const& m, auto const& x) {
  auto h = x;
  for (auto const& b : m.blocks) h = b(h);
  return mean(square(h));
};

int main() {
  static tower<float> model{};
  tensor<float, 32, 64> x;
  x = 0.5f;
  static auto gradient = grad(loss)(model, x);
  std::printf("%g\n", static_cast<double>(gradient.blocks[0].query.weight(0, 0)));
}
