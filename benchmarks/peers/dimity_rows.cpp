#include "dimity_worker.hpp"

using namespace dimity;

namespace {

constexpr auto softmax_of = [](auto const& x) { return softmax(x, axis<-1>); };
constexpr auto layer_norm = [](auto const& x, auto const& gamma, auto const& beta) {
  return (x - mean(x, axis<-1>, keep_dims)) * rsqrt(var(x, axis<-1>, keep_dims) + 1e-5f) * gamma + beta;
};
constexpr auto loss = [](auto const& x, auto const& labels) { return mean(nn::cross_entropy(x, labels)); };

// The old results are passed in and moved: their memory becomes that of the new ones.
constexpr auto softmax_both = peers::compiled([](auto const& x, auto const& g, auto) { return vjp(softmax_of, std::tuple{x}, g); });
constexpr auto layer_norm_both = peers::compiled([](auto const& x, auto const& gamma, auto const& beta, auto const& g, auto) { return vjp(layer_norm, std::tuple{x, gamma, beta}, g); });
constexpr auto loss_both = peers::compiled([](auto const& x, auto const& labels, auto) { return value_and_grad(loss)(x, labels); });

template <extent_t Columns>
void add_columns() {
  constexpr extent_t rows = (256 << 10) / Columns;
  using block = tensor<float, rows, Columns>;
  using row = tensor<float, Columns>;
  using classes = tensor<std::int32_t, rows>;
  std::string const size = "-" + std::to_string(rows) + "x" + std::to_string(Columns);
  peers::add<block, block>("softmax" + size, {"x"}, [](block& y, block const& x) { peers::put(y, softmax(x, axis<-1>)); });
  peers::add<block, block, row, row>("layer_norm" + size, {"x", "gamma", "beta"}, [](block& y, block const& x, row const& gamma, row const& beta) { peers::put(y, layer_norm(x, gamma, beta)); });
  peers::add<tensor<float>, block, classes>("cross_entropy" + size, {"x", "labels"}, [](tensor<float>& y, block const& x, classes const& labels) { peers::put(y, loss(x, labels)); });

  using softmax_results = std::tuple<block, std::tuple<block>>;
  peers::add<softmax_results, block, block>("softmax_gradient" + size, {"x", "g"}, [](softmax_results& y, block const& x, block const& g) { peers::put(y, softmax_both(x, g, std::move(y))); });
  using norm_results = std::tuple<block, std::tuple<block, row, row>>;
  peers::add<norm_results, block, row, row, block>("layer_norm_gradient" + size, {"x", "gamma", "beta", "g"}, [](norm_results& y, block const& x, row const& gamma, row const& beta, block const& g) {
    y = layer_norm_both(x, gamma, beta, g, std::move(y));
  });
  using loss_results = std::tuple<tensor<float>, block>;
  peers::add<loss_results, block, classes>("cross_entropy_gradient" + size, {"x", "labels"}, [](loss_results& y, block const& x, classes const& labels) { peers::put(y, loss_both(x, labels, std::move(y))); });
}

using square_matrix = tensor<float, 1024, 1024>;
using vector = tensor<float, 1024>;

peers::registered const sizes{[] {
  add_columns<64>();
  add_columns<256>();
  add_columns<1024>();
  add_columns<8192>();
  peers::add<vector, square_matrix>("sum_over_rows-1024x1024", {"x"}, [](vector& y, square_matrix const& x) { peers::put(y, sum(x, axis<0>)); });
  peers::add<vector, square_matrix>("sum_over_columns-1024x1024", {"x"}, [](vector& y, square_matrix const& x) { peers::put(y, sum(x, axis<1>)); });
  peers::add<tensor<float>, square_matrix>("sum_all-1024x1024", {"x"}, [](tensor<float>& y, square_matrix const& x) { peers::put(y, sum(x)); });
}};

}  // namespace
