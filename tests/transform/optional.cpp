// Models with std::optional fields as arguments and results of transforms: against the same functions of models without them.
// heavy: many compiled derivatives
#include "optional_models.hpp"

#include "allocations.hpp"

#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace dimity;
using namespace test;

namespace {

template <class T>
struct scaling {
  tensor<T, 3> scale;
  std::optional<tensor<T, 3>> shift;
};
template <class T>
struct net {
  std::array<layer<T>, 2> layers;
  std::optional<scaling<T>> norm;
  constexpr auto operator()(auto const& x) const {
    auto h = x;
    for (auto const& l : layers) h = l(h);
    if (norm) {
      h = h * norm->scale;
      if (norm->shift) h = h + *norm->shift;
    }
    return h;
  }
};

/// What layer computes, of plain tensors.
constexpr auto plain = [](auto const& w, auto const& b, auto const& x) { return sum(square(tanh(matmul(x, w) + b))); };

tensor<double, 3> bias_of(layer<double> const& m) { return m.bias ? *m.bias : tensor<double, 3>(zeros<double, 3>()); }
tensor<double, 3> const x = {0.3, -0.8, 0.5};

}  // namespace

TEST_CASE("compile: the field is there in the function when it is there in the argument") {
  constexpr auto f = compile(apply_model);
  for (bool const there : {true, false, true}) {
    auto const m = example(there);
    CHECK(allclose(f(m, x), tanh(matmul(x, m.weight) + bias_of(m)), 1e-14, 1e-14));
  }
}
TEST_CASE("grad, value_and_grad, vjp, jvp, hvp have the optionals of their argument") {
  for (bool const there : {true, false}) {
    CAPTURE(there);
    auto const m = example(there), d = example(there, 7);
    auto const b = bias_of(m), db = bias_of(d);
    auto const [value, slope] = value_and_grad<0, 1>(plain)(m.weight, b, x);
    auto const& [dw, dbias] = slope;

    layer<double> const g = grad(loss)(m, x);
    CHECK(allclose(g.weight, dw));
    CHECK(g.bias.has_value() == there);
    if (there) CHECK(allclose(*g.bias, dbias));
    auto const [v, same] = value_and_grad(loss)(m, x);
    CHECK((allclose(v, value) && same.bias.has_value() == there && allclose(same.weight, dw)));

    auto const [y, pulled] = vjp(loss, std::tuple{m, x}, 2.0);
    CHECK(allclose(y, value));
    CHECK(allclose(std::get<0>(pulled).weight, 2.0 * dw));
    CHECK(std::get<0>(pulled).bias.has_value() == there);
    if (there) CHECK(allclose(*std::get<0>(pulled).bias, 2.0 * dbias));

    auto const [z, along] = jvp(loss, std::tuple{m, x}, std::tuple{d, tensor<double, 3>(zeros<double, 3>())});
    CHECK(allclose(z, value));
    CHECK(allclose(along, sum(dw * d.weight) + sum(dbias * db)));

    auto const second = hvp(loss)(m, d, x);
    auto const [plain_value, plain_second] = jvp(grad<0, 1>(plain), std::tuple{m.weight, b, x}, std::tuple{d.weight, db, tensor<double, 3>(zeros<double, 3>())});
    CHECK(allclose(second.weight, std::get<0>(plain_second)));
    CHECK(second.bias.has_value() == there);
    if (there) CHECK(allclose(*second.bias, std::get<1>(plain_second)));
  }
}
TEST_CASE("hessian beside a model, linearize and a two-step vjp of one") {
  constexpr auto of_input = [](auto const& v, auto const& m) { return loss(m, v); };
  constexpr auto plain_input = [](auto const& v, auto const& w, auto const& b) { return plain(w, b, v); };
  constexpr auto both_ways = [](auto const& m, auto const& d, auto const& v) {
    auto const [y, push] = linearize(apply_model, m, v);
    auto const [same, pull] = vjp(apply_model, std::tuple{m, v});
    return std::tuple{push(d, zeros_like(v)), std::get<0>(pull(y))};
  };
  for (bool const there : {true, false}) {
    auto const m = example(there), d = example(there, 7);
    CHECK(allclose(hessian(of_input)(x, m), hessian(plain_input)(x, m.weight, bias_of(m))));
    auto const [tangent, cotangent] = compile(both_ways)(m, d, x);
    CHECK(allclose(tangent, std::get<1>(jvp(apply_model, std::tuple{m, x}, std::tuple{d, tensor<double, 3>(zeros<double, 3>())}))));
    auto const half = grad(loss)(m, x);
    CHECK(allclose(cotangent.weight, 0.5 * half.weight));
    CHECK(cotangent.bias.has_value() == there);
    if (there) CHECK(allclose(*cotangent.bias, 0.5 * *half.bias));
  }
}
TEST_CASE("nested optionals, arrays of structs with optionals: each is there on its own") {
  net<double> m{{example(false, 1), example(false, 2)}, std::nullopt};
  tensor<double, 3> const ones_of_3 = {1, 1, 1}, none = {0, 0, 0};
  constexpr auto all_of_it = [](auto const& v, auto const& w0, auto const& b0, auto const& w1, auto const& b1, auto const& scale, auto const& shift) {
    return sum(square(tanh(matmul(tanh(matmul(v, w0) + b0), w1) + b1) * scale + shift));
  };
  auto const check = [&] {
    auto const scale = m.norm ? m.norm->scale : ones_of_3, shift = m.norm && m.norm->shift ? *m.norm->shift : none;
    auto const [dv, dw0, db0, dw1, db1, dscale, dshift] = grad<0, 1, 2, 3, 4, 5, 6>(all_of_it)(x, m.layers[0].weight, bias_of(m.layers[0]), m.layers[1].weight, bias_of(m.layers[1]), scale, shift);
    auto const g = grad(loss)(m, x);
    CHECK((allclose(g.layers[0].weight, dw0) && allclose(g.layers[1].weight, dw1)));
    CHECK(g.layers[0].bias.has_value() == m.layers[0].bias.has_value());
    CHECK(g.layers[1].bias.has_value() == m.layers[1].bias.has_value());
    CHECK(g.norm.has_value() == m.norm.has_value());
    if (g.layers[0].bias) CHECK(allclose(*g.layers[0].bias, db0));
    if (g.layers[1].bias) CHECK(allclose(*g.layers[1].bias, db1));
    if (g.norm) {
      CHECK(allclose(g.norm->scale, dscale));
      CHECK(g.norm->shift.has_value() == m.norm->shift.has_value());
      if (g.norm->shift) CHECK(allclose(*g.norm->shift, dshift));
    }
  };
  for (int i = 0; i < 12; ++i) {
    CAPTURE(i);
    m.layers[0].bias = example(i % 2 == 1, 3).bias;
    m.layers[1].bias = example(i / 2 % 2 == 1, 4).bias;
    m.norm.reset();
    if (i / 4 > 0) m.norm = scaling<double>{{1.5, 0.5, 2}, std::nullopt};
    if (i / 4 > 1) m.norm->shift = tensor<double, 3>{0.1, 0.2, 0.3};
    check();
  }
  std::vector<std::string> names;
  for_each_parameter(m, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "norm.scale", "norm.shift"});
  CHECK(parameter_count(m) == 2 * 12 + 6);
  m.norm.reset();
  m.layers[0].bias.reset();
  names.clear();
  for_each_parameter(m, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.1.weight", "layers.1.bias"});
  CHECK(parameter_count(m) == 9 + 12);
}
TEST_CASE("results have the optionals that they had while the function was traced") {
  constexpr auto split = [](auto const& m) {
    auto without = m;
    without.bias = {};  // not reset(), which leaves clang with an optional that it cannot copy in constant evaluation
    auto doubled = m.bias;
    if (doubled) doubled = *doubled * 2.0;
    return std::tuple{without, doubled, std::optional{m.weight + 1.0}};
  };
  for (bool const there : {true, false}) {
    auto const m = example(there);
    auto const [without, doubled, always] = compile(split)(m);
    static_assert(std::is_same_v<decltype(without), layer<double> const> && std::is_same_v<decltype(doubled), std::optional<tensor<double, 3>> const>);
    CHECK(!without.bias);
    CHECK(array_equal(without.weight, m.weight));
    CHECK(doubled.has_value() == there);
    if (there) CHECK(allclose(*doubled, 2.0 * *m.bias));
    CHECK((always && allclose(*always, m.weight + 1.0)));
  }
}
TEST_CASE("an optional alone, or nothing at all") {
  constexpr auto twice = [](auto const& v) {
    auto copy = v;
    if (copy) copy = *copy * 2.0;
    return copy;
  };
  using vector = std::optional<tensor<double, 3>>;
  vector const y = compile(twice)(vector(x)), none = compile(twice)(vector());
  CHECK((y && allclose(*y, 2.0 * x)));
  CHECK(!none);
  constexpr auto squares = [](auto const& v) { return sum(square(*v)); };
  vector const g = grad(squares)(vector(x));
  CHECK((g && allclose(*g, 2.0 * x)));
  CHECK_THROWS_AS((void)grad(squares)(vector()), presence_error);
}
TEST_CASE("moved arguments are overwritten when they are there") {
  using matrix = tensor<double, 32, 32>;
  constexpr auto step = compile([](auto const& first, auto const& second) {
    auto next = first;
    if (next) next = *next + second;
    return std::tuple{next, second * 2.0};
  });
  for (bool const there : {true, false}) {
    std::optional<matrix> first;
    if (there) first = full<double, 32, 32>(3.0);
    matrix second = full<double, 32, 32>(2.0);
    (void)step(first, second);
    double const* const memory = there ? first->data() : nullptr;
    double const* const other = second.data();
    auto const before = test::allocation_count();
    auto const [a, b] = step(std::move(first), std::move(second));
    CHECK(test::allocation_count() == before);
    CHECK(a.has_value() == there);
    if (there) CHECK((a->data() == memory && (*a)(3, 3) == 5.0));
    CHECK((b.data() == other && b(3, 3) == 4.0));
  }
}
TEST_CASE("extents chosen at run time, in an optional") {
  using vector = tensor<double, dyn>;
  constexpr auto f = compile([](auto const& a, auto const& b) {
    auto y = a * 2.0;
    if (b) y = y + *b;
    return y;
  });
  vector const a{1, 2, 3};
  vector const with = f(a, std::optional<vector>(vector{10, 20, 30})), without = f(a, std::optional<vector>());
  CHECK(allclose(with, vector{12, 24, 36}));
  CHECK(allclose(without, vector{2, 4, 6}));
  CHECK_THROWS_AS((void)f(a, std::optional<vector>(vector{10, 20})), shape_error);
}
