// error: \[dimity\.vmap\.2\]
// error: 1 == 0
#include <dimity/dimity.hpp>
using namespace dimity;
template <class T>
struct net {
  nn::linear<T, 3, 2> layer;
  constexpr auto operator()(auto const& x) const { return layer(x); }
};
int main() {
  auto const model = nn::init<net<float>>(key{1});
  auto const models = stack_trees(std::array{model, model});
  tensor<float, 2, 3> x;
  auto f = [](auto const& m, auto const& v) { return m(v); };
  (void)model;
  (void)models;
#ifdef MISTAKE
  auto y = vmap<axis<1>, whole>(f)(models, x);
  (void)y;
#else
  auto y = vmap<mapped, whole>(f)(models, x);
  (void)y;
#endif
}
