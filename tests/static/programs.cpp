// What a compiled function is known to need before it runs.
#include <dimity/dimity.hpp>

using namespace dimity;

namespace {

using vector = tensor<float, 1024>;

// Elementwise work needs no memory besides its operands.
constexpr auto fused = compile([](auto const& x, auto const& y) { return eval(tanh(x * y) + 1.0f); });
static_assert(fused.workspace_bytes<vector, vector> == 0);

// A gradient has the type of its argument, a value that of a rank-0 tensor, and reductions of single rows need no memory either.
constexpr auto square_sum = [](auto const& x) { return sum(square(x)); };
static_assert(std::is_same_v<decltype(grad(square_sum)(std::declval<vector&>())), vector>);
static_assert(std::is_same_v<decltype(value_and_grad(square_sum)(std::declval<vector&>())), std::tuple<tensor<float>, vector>>);
static_assert(compile(grad(square_sum)).workspace_bytes<vector> == 0);

// One intermediate between two products: 64 x 32 floats, and the packed operands of the products.
constexpr auto two_products = compile([](auto const& x, auto const& v, auto const& w) { return matmul(tanh(matmul(x, v)), w); });
static_assert(two_products.workspace_bytes<tensor<float, 64, 32>, tensor<float, 32, 32>, tensor<float, 32, 8>> >= 64 * 32 * sizeof(float));
static_assert(two_products.workspace_bytes<tensor<float, 64, 32>, tensor<float, 32, 32>, tensor<float, 32, 8>> % 64 == 0);

template <class T>
struct model {
  nn::linear<T, 8, 16> hidden;
  nn::linear<T, 16, 4> output;
  constexpr auto operator()(auto const& x) const { return output(relu(hidden(x))); }
};
constexpr auto loss = [](auto const& m, auto const& x) { return mean(square(m(x))); };
static_assert(std::is_same_v<decltype(grad(loss)(std::declval<model<float>&>(), std::declval<tensor<float, 32, 8>&>())), model<float>>);
static_assert(std::is_same_v<decltype(grad<1>(loss)(std::declval<model<float>&>(), std::declval<tensor<float, 32, 8>&>())), tensor<float, 32, 8>>);
static_assert(std::is_same_v<decltype(hessian(square_sum)(std::declval<tensor<float, 5>&>())), tensor<float, 5, 5>>);
static_assert(std::is_same_v<decltype(jacobian([](auto const& x) { return outer(x, x); })(std::declval<tensor<double, 3>&>())), tensor<double, 3, 3, 3>>);

}  // namespace
