// vmap(f) entry by entry against f: over every primitive, every mapping, and the other transforms.
#include "derivatives.hpp"

#include <dimity/plan/facts.hpp>

#include <array>
#include <cstdint>

using namespace dimity;
using test::spread;

namespace {

template <class X>
auto entry_of(X const& x, extent_t i) {
  return eval(pick<0>(x, i));
}
template <class A, class B>
void check_same(A const& a, B const& b) {
  static_assert(std::is_same_v<detail::shape_of<A>, detail::shape_of<B>>);
  // The compiler may contract products and sums differently in the two programs.
  double const tolerance = sizeof(typename A::value_type) == 4 ? 1e-6 : 1e-12;
  if constexpr (is_floating(dtype_of<typename A::value_type>)) CHECK(allclose(a, b, tolerance, tolerance));
  else CHECK(array_equal(a, b));
}

/// f returns a tuple of tensors; every argument is mapped along axis 0.
template <class F, class First, class... Rest>
void check_vmap(F const& f, First const& x, Rest const&... rest) {
  auto const all = vmap(f)(x, rest...);
  for (extent_t i = 0; i < First::shape_type::at(0); ++i) {
    CAPTURE(i);
    auto const one = compile(f)(entry_of(x, i), entry_of(rest, i)...);
    [&]<std::size_t... K>(std::index_sequence<K...>) { (check_same(entry_of(std::get<K>(all), i), std::get<K>(one)), ...); }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(one)>>>{});
  }
}

constexpr auto cut = [](auto const& a, auto const& i) { return dynamic_slice<0, 2>(a, i); };

template <class T>
struct net {
  nn::linear<T, 3, 4> hidden;
  nn::linear<T, 4, 2> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};

}  // namespace

TEST_CASE("elementwise and reductions") {
  check_vmap([](auto const& x) { return std::tuple{exp(x) + 1.0, where(x > 0.0, x, x * x), cast<float>(x), maximum(x, 0.2), sum(x), sum(x, axis<0>), mean(x, axis<1>, keep_dims), max(x, axis<-1>), prod(x, axis<0>), var(x, axis<1>), softmax(x, axis<-1>), logsumexp(x, axis<0>)}; },
             spread<tensor<double, 5, 3, 4>>(-1, 1));
  check_vmap([](auto const& x) { return std::tuple{any(x > 0.5, axis<0>), all(x > -2.0), argmax(x, axis<1>), argmin(x, axis<0>), cumulative_sum(x, axis<0>), cumulative_prod(x, axis<1>), sort(x, axis<0>), argsort(x, axis<1>)}; }, spread<tensor<double, 5, 3, 4>>(-1, 1));
}
TEST_CASE("layout") {
  check_vmap([](auto const& x) { return std::tuple{transpose(x), reshape<2, 6>(x), slice<1, 1, 4, 2>(x), flip(x, axis<0>), roll<1>(x, axis<1>), pad<1, 0, 0, 2>(x), tile<2, 1>(x), repeat<2>(x, axis<0>), expand_dims<1>(x), concat<1>(x, x * 2.0), stack<1>(x, -x), diagonal(x), tril(x)}; }, spread<tensor<double, 5, 3, 4>>(-1, 1));
}
TEST_CASE("work on products of one element each") {
  check_vmap([](auto const& a, auto const& b) { return std::tuple{-dot(a, b), exp(dot(a, b)) + sum(a), reshape<1, 1>(tanh(matmul(reshape<1, 3>(a), reshape<3, 1>(b))))}; }, spread<tensor<double, 6, 3>>(-1, 1), spread<tensor<double, 6, 3>>(-1, 1));
}
TEST_CASE("contractions, of two mapped operands and of one") {
  check_vmap([](auto const& a, auto const& b) { return std::tuple{matmul(a, b), dot(a, b), einsum<"ij,jk->ki">(a, b), tensordot<1>(a, b)}; }, spread<tensor<double, 4, 2, 3>>(-1, 1), spread<tensor<double, 4, 3, 5>>(-1, 1));
  auto const a = spread<tensor<double, 4, 2, 3>>(-1, 1);
  auto const w = spread<tensor<double, 3, 5>>(-1, 1);
  auto const left = vmap<mapped, whole>([](auto const& x, auto const& m) { return matmul(x, m); })(a, w);
  auto const right = vmap<whole, mapped>([](auto const& m, auto const& x) { return matmul(x, m); })(w, a);
  check_same(left, eval(matmul(a, w)));
  check_same(right, left);
}
TEST_CASE("indexing, with mapped data, mapped indices, and both") {
  auto const x = spread<tensor<double, 4, 5, 3>>(-1, 1);
  tensor<std::int32_t, 4, 2> const ids = {{0, 4}, {1, 1}, {-1, 2}, {3, 0}};
  constexpr auto f = [](auto const& a, auto const& i) { return std::tuple{take(a, i, axis<0>), scatter_add(a, i, 1.5, axis<0>), one_hot<5>(i)}; };
  check_vmap(f, x, ids);
  auto const table = spread<tensor<double, 5, 3>>(-1, 1);
  auto const rows = vmap<whole, mapped>([](auto const& a, auto const& i) { return take(a, i, axis<0>); })(table, ids);
  for (int i = 0; i < 4; ++i) check_same(entry_of(rows, i), eval(take(table, entry_of(ids, i), axis<0>)));
}
TEST_CASE("slices whose start is mapped, nested too") {
  auto const x = spread<tensor<double, 4, 6, 3>>(-1, 1);
  tensor<std::int32_t, 4> const start = {0, 2, 9, -2};
  constexpr auto f = [](auto const& a, auto const& i) { return std::tuple{dynamic_slice<0, 2>(a, i), pick<0>(a, i), dynamic_update_slice<0>(a, slice<0, 0, 2>(a) * 10.0, i)}; };
  check_vmap(f, x, start);
  // The same table for all, one start each: [2 tables] x [4 starts].
  auto const all = vmap<mapped, whole>([](auto const& a, auto const& s) { return vmap<whole, mapped>(cut)(a, s); })(slice<0, 0, 2>(x), start);
  for (int a = 0; a < 2; ++a)
    for (int s = 0; s < 4; ++s) check_same(eval(pick<0>(pick<0>(all, a), s)), eval(dynamic_slice<0, 2>(pick<0>(x, a), start(s))));
  auto const swapped = vmap<whole, mapped>([](auto const& a, auto const& s) { return vmap<mapped, whole>(cut)(a, s); })(slice<0, 0, 2>(x), start);
  check_same(swapped, eval(permute<1, 0, 2, 3>(all)));
  auto const gradient = grad([](auto const& a, auto const& s) { return sum(square(vmap<mapped, mapped>([](auto const& b, auto const& i) { return dynamic_slice<0, 2>(b, i); })(a, s))); })(x, start);
  CHECK(gradient(1, 2, 0) == doctest::Approx(2 * x(1, 2, 0)));
  CHECK(gradient(1, 0, 0) == 0);
}
TEST_CASE("random numbers from many keys") {
  auto const keys = random::split<3>(key{7});
  auto const many = stack_trees(keys);
  constexpr auto draw = [](auto const& k, auto const& x) { return random::normal<float, 5>(k) + x; };
  tensor<float, 3> const shift = {0, 10, 20};
  auto const all = vmap(draw)(many, shift);
  for (int i = 0; i < 3; ++i) check_same(entry_of(all, i), eval(random::normal<float, 5>(keys[static_cast<std::size_t>(i)]) + shift(i)));
  auto const split_again = vmap([](auto const& k) { return random::uniform<float, 2>(random::split<2>(k)[1]); })(many);
  check_same(entry_of(split_again, 2), eval(random::uniform<float, 2>(random::split<2>(keys[2])[1])));
}
TEST_CASE("any axis, tuples, results that do not depend on the entry") {
  auto const x = spread<tensor<double, 3, 4, 2>>(-1, 1);
  check_same(vmap<axis<1>>([](auto const& a) { return sum(a, axis<0>); })(x), eval(transpose(sum(transpose(x), axis<2>))));
  check_same(vmap<axis<-1>>([](auto const& a) { return a * 2.0; })(x), eval(permute<2, 0, 1>(x) * 2.0));
  auto const [same, pair] = vmap([](auto const& both) { return std::tuple{zeros<double, 2>(), std::get<0>(both) * sum(std::get<1>(both))}; })(std::tuple{x, spread<tensor<double, 3, 7>>(0, 1)});
  CHECK(same.extent(0) == 3);
  CHECK(pair.extent(2) == 2);
  CHECK(vmap([](auto const& s) { return s * s; })(tensor<float, 3>{1, 2, 3})(2) == 9.0f);
}
TEST_CASE("per-example gradients add up to the gradient of the sum, Hessians one by one") {
  constexpr auto energy = [](auto const& x, auto const& w) { return sum(tanh(matmul(x, w))); };
  auto const x = spread<tensor<double, 6, 3>>(-1, 1);
  auto const w = spread<tensor<double, 3, 2>>(-1, 1);
  auto const each = vmap<mapped, whole>(grad<1>(energy))(x, w);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(each)>, tensor<double, 6, 3, 2>>);
  auto const together = grad<1>([](auto const& a, auto const& b) { return sum(vmap<mapped, whole>([](auto const& p, auto const& q) { return sum(tanh(matmul(p, q))); })(a, b)); })(x, w);
  CHECK(allclose(sum(each, axis<0>), together, 1e-12, 1e-12));
  auto const hessians = vmap<mapped, whole>(hessian(energy))(x, w);
  for (int i = 0; i < 6; ++i) check_same(entry_of(hessians, i), hessian(energy)(entry_of(x, i), w));
  auto const pushed = vmap([](auto const& a, auto const& d) { return std::get<1>(jvp([](auto const& p) { return exp(p) * sum(p); }, std::tuple{a}, std::tuple{d})); })(x, x);
  check_same(entry_of(pushed, 4), std::get<1>(jvp([](auto const& p) { return exp(p) * sum(p); }, std::tuple{entry_of(x, 4)}, std::tuple{entry_of(x, 4)})));
  test::check_derivatives([](auto const& a, auto const& b) { return std::tuple{vmap<mapped, whole>([](auto const& p, auto const& q) { return tanh(matmul(p, q)); })(a, b)}; }, x, w);
}
TEST_CASE("an ensemble: many models, one input, and its gradients") {
  std::array<net<double>, 3> const models = {nn::init<net<double>>(key{1}), nn::init<net<double>>(key{2}), nn::init<net<double>>(key{3})};
  auto const ensemble = stack_trees(models);
  auto const x = spread<tensor<double, 5, 3>>(-1, 1);
  constexpr auto loss = [](auto const& model, auto const& inputs) { return mean(square(model(inputs))); };
  auto const outputs = vmap<mapped, whole>([](auto const& model, auto const& inputs) { return model(inputs); })(ensemble, x);
  auto const gradients = vmap<mapped, whole>(grad(loss))(ensemble, x);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gradients)>, stacked<net<double>, 3>>);
  for (int i = 0; i < 3; ++i) {
    auto const& model = models[static_cast<std::size_t>(i)];
    check_same(entry_of(outputs, i), compile([](auto const& m, auto const& inputs) { return m(inputs); })(model, x));
    check_same(gradients.get(i).hidden.weight, grad(loss)(model, x).hidden.weight);
    check_same(gradients.get(i).output.bias, grad(loss)(model, x).output.bias);
    check_same(ensemble.get(i).hidden.weight, model.hidden.weight);
  }
}
TEST_CASE("the batch is an axis of the kernels, not a loop around them") {
  constexpr auto f = compile(vmap<mapped, whole>([](auto const& x, auto const& w) { return relu(matmul(x, w) + 1.0f); }));
  constexpr auto plan = f.plan<tensor<float, 64, 16>, tensor<float, 16, 8>>;
  static_assert(step_count(plan) == 1 && contraction_count(plan) == 1 && epilogue_count(plan) == 1);
  static_assert(f.workspace_bytes<tensor<float, 64, 16>, tensor<float, 16, 8>> == 0);
}
