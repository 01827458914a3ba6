#include "dimity_worker.hpp"

using namespace dimity;

namespace {

template <extent_t M, extent_t N, extent_t K>
void add_shape() {
  using left = tensor<float, M, K>;
  using right = tensor<float, K, N>;
  using product = tensor<float, M, N>;
  peers::add<product, left, right>("matmul-" + std::to_string(M) + "x" + std::to_string(N) + "x" + std::to_string(K), {"a", "b"}, [](product& y, left const& a, right const& b) { peers::put(y, matmul(a, b)); });
}

template <extent_t M, extent_t N, extent_t K>
void add_dense() {
  using input = tensor<float, M, K>;
  using weight = tensor<float, K, N>;
  using bias = tensor<float, N>;
  using result = tensor<float, M, N>;
  peers::add<result, input, weight, bias>("dense-" + std::to_string(M) + "x" + std::to_string(N) + "x" + std::to_string(K), {"x", "w", "b"},
                                          [](result& y, input const& x, weight const& w, bias const& b) { peers::put(y, relu(matmul(x, w) + b)); });
}

peers::registered const shapes{[] {
  []<extent_t... N>(std::integer_sequence<extent_t, N...>) { (add_shape<N, N, N>(), ...); }(std::integer_sequence<extent_t, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048>{});
  add_shape<1, 256, 256>();
  add_shape<256, 10, 256>();
  add_shape<32, 256, 784>();
  add_shape<32, 784, 256>();
  add_dense<256, 256, 256>();
  add_dense<32, 256, 784>();
}};

}  // namespace
