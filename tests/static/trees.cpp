// Pytrees: what can be taken apart, into which leaves, and what it becomes when it is traced.
#include <dimity/dimity.hpp>

using namespace dimity;

namespace tree_types {

template <class T>
struct layer {
  tensor<T, 3, 2> weight;
  tensor<T, 2> bias;
};
template <class T>
struct net {
  std::array<layer<T>, 2> layers;
  std::tuple<T, tensor<T, 4>> rest;
};
struct relu_layer {};
class opaque {
 public:
  explicit opaque(int n) : n_(n) {}
  int number() const { return n_; }

 private:
  int n_;
};
struct holds_opaque {
  float x;
  std::array<std::tuple<opaque>, 2> y;
};

static_assert(detail::field_count<layer<float>> == 2);
static_assert(detail::field_name<layer<float>, 1>() == "bias");
static_assert(detail::leaf_count<net<float>> == 6);
static_assert(detail::leaf_count<float> == 1);
static_assert(detail::leaf_count<relu_layer> == 0, "an empty class is passed on as it is");
static_assert(std::is_same_v<detail::leaves_t<layer<float>>, detail::leaf_list<tensor<float, 3, 2>, tensor<float, 2>>>);
static_assert(std::is_same_v<detail::traced_tree_t<layer<float>>, layer<traced<float>>>);
static_assert(std::is_same_v<detail::traced_tree_t<float>, tensor<traced<float>>>);
static_assert(std::is_same_v<detail::untraced_tree_t<net<traced<float>>>, net<float>>);

static_assert(detail::are_trees<net<float>, relu_layer, std::pair<int, tensor<float, 3>>, std::tuple<>>);
static_assert(!detail::are_trees<float, opaque>);
static_assert(!detail::are_trees<holds_opaque>);
static_assert(std::is_same_v<detail::tree_misfit<holds_opaque>::type, opaque>, "the error names what is in the way, not what it lies in");

// What a transform can be given: the type must tell everything.
constexpr auto captureless = [](auto x) { return x; };
static_assert(detail::is_transformable<decltype(captureless)>);
inline auto capturing(int n) {
  return [n](auto x) { return x * n; };
}
static_assert(!detail::is_transformable<decltype(capturing(1))>);

// Operands, and what is none.
static_assert(operand<tensor<float, 3>> && operand<tensor<float, 3> const&> && operand<tensor_view<float, shape<3>, strides<2>>>);
static_assert(operand<tensor<traced<float>, 3>> && operand<traced<float>>);
static_assert(operand<decltype(std::declval<tensor<float, 3>&>() + 1.0f)>);
static_assert(!operand<float> && !operand<std::array<float, 3>> && !operand<layer<float>>);

}  // namespace tree_types
