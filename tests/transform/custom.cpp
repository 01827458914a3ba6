// custom_vjp and custom_jvp: used by every mode and transform that should use them, by no other.
#include "derivatives.hpp"

#include <cstdint>

using namespace dimity;
using test::spread;

namespace {

constexpr auto clipped_sqrt = custom_vjp([](auto const& x) { return sqrt(x); }, [](auto const& x, auto const& u) { return std::tuple{u * 0.5 / maximum(sqrt(x), 1e-3)}; });
/// Rounds, and pretends not to have.
constexpr auto straight_through = custom_vjp([](auto const& x) { return round(x); }, [](auto const&, auto const& u) { return u; });
/// Two results, three arguments, one of them labels.
constexpr auto two = custom_vjp([](auto const& a, auto const& b, auto const& labels) { return std::tuple{a * b, sum(a) + cast<double>(sum(labels))}; },
                                [](auto const& a, auto const& b, auto const&, auto const& u) { return std::tuple{2.0 * std::get<0>(u) * b + std::get<1>(u), 5.0 * std::get<0>(u) * a, no_derivative{}}; });
/// log(1 + exp(x)) with the derivative written without overflow, as in JAX's documentation of custom_jvp.
constexpr auto log1pexp = custom_jvp([](auto const& x) { return log(1.0 + exp(x)); }, [](auto const& primals, auto const& tangents) {
  auto const& x = std::get<0>(primals);
  return std::tuple{log(1.0 + exp(x)), (1.0 - 1.0 / (1.0 + exp(x))) * std::get<0>(tangents)};
});
/// Tripled on purpose, so that one sees which rule was used.
constexpr auto tripled = custom_jvp([](auto const& a, auto const& b) { return a * sin(b); }, [](auto const& p, auto const& t) {
  auto const& [a, b] = p;
  auto const& [da, db] = t;
  return std::tuple{a * sin(b), 3.0 * (da * sin(b) + a * cos(b) * db)};
});

template <class T>
struct pair_of {
  tensor<T, 2> first;
  tensor<T, 3> second;
};
constexpr auto weighted = custom_vjp([](auto const& p) { return sum(p.first) * sum(p.second); }, [](auto const& p, auto const& u) {
  auto result = p;
  result.first = full<double, 2>(7.0) * u;
  result.second = p.second * u;
  return std::tuple{result};
});

}  // namespace

TEST_CASE("the value is the function's, the gradient the rule's") {
  tensor<double, 3> const x = {1, 4, 9};
  tensor<double, 3> const y = clipped_sqrt(x);
  CHECK(y(2) == 3);
  CHECK(allclose(grad([](auto const& a) { return sum(clipped_sqrt(a) * a); })(x), 1.5 * sqrt(x)));
  CHECK(double(eval(sum(grad([](auto const& a) { return sum(clipped_sqrt(a)); })(zeros<double, 2>())))) == doctest::Approx(1000));
  CHECK(allclose(grad([](auto const& a) { return sum(straight_through(a) * a); })(tensor<double, 2>{0.6, 2.2}), tensor<double, 2>{1.6, 4.2}));
}
TEST_CASE("several arguments and results, one of them unused or without a derivative") {
  tensor<double, 3> const a = {1, 2, 3}, b = {4, 5, 6};
  tensor<std::int32_t, 2> const labels = {1, 2};
  auto const [first, second] = two(a, b, labels);
  CHECK(second == 9.0);
  auto const both = grad<0, 1>([](auto const& p, auto const& q, auto const& l) { auto const [y, s] = two(p, q, l); return sum(y) + 10.0 * s; })(a, b, labels);
  CHECK(allclose(std::get<0>(both), 2.0 * b + 10.0));
  CHECK(allclose(std::get<1>(both), 5.0 * a));
  CHECK(allclose(grad([](auto const& p, auto const& q, auto const& l) { return sum(std::get<0>(two(p, q, l))); })(a, b, labels), 2.0 * b));
  CHECK(allclose(grad([](auto const& p, auto const& q, auto const& l) { return std::get<1>(two(p, q, l)); })(a, b, labels), ones<double, 3>()));
  CHECK(allclose(grad<1>([](auto const& p, auto const& q, auto const& l) { return std::get<1>(two(p, q, l)); })(a, b, labels), zeros<double, 3>()));
}
TEST_CASE("structs") {
  pair_of<double> const p{{1, 2}, {3, 4, 5}};
  auto const g = grad([](auto const& q) { return 2.0 * weighted(q); })(p);
  CHECK(allclose(g.first, full<double, 2>(14)));
  CHECK(allclose(g.second, 2.0 * p.second));
}
TEST_CASE("forward mode differentiates the function of custom_vjp, and uses the rule of custom_jvp") {
  tensor<double, 3> const x = {1, 4, 9}, d = {1, 1, 2};
  CHECK(allclose(std::get<1>(jvp([](auto const& a) { return clipped_sqrt(a); }, std::tuple{x}, std::tuple{d})), d * 0.5 / sqrt(x)));
  CHECK(allclose(std::get<1>(jvp([](auto const& a, auto const& b) { return tripled(a, b); }, std::tuple{x, x}, std::tuple{d, d})), 3.0 * (d * sin(x) + x * cos(x) * d)));
  auto const g = grad<0, 1>([](auto const& a, auto const& b) { return sum(tripled(a, b) * b); })(x, x);
  CHECK(allclose(std::get<0>(g), 3.0 * sin(x) * x));
  CHECK(allclose(std::get<1>(g), 3.0 * x * cos(x) * x + x * sin(x)));
}
TEST_CASE("log1pexp: right where the plain derivative is inf / inf") {
  tensor<double, 3> const x = {-1, 0, 1000};
  auto const g = grad([](auto const& a) { return sum(where(a > 100.0, a, log1pexp(minimum(a, 100.0)))); })(x);
  CHECK(allclose(slice<0, 0, 2>(g), sigmoid(slice<0, 0, 2>(x))));
  CHECK(double(grad([](auto const& a) { return log1pexp(a); })(tensor<double>(800.0))) == 1.0);
  CHECK(std::isnan(double(grad([](auto const& a) { return log(1.0 + exp(a)); })(tensor<double>(800.0)))));
  // Second derivatives come from the rule's own nodes.
  CHECK(double(eval(hessian([](auto const& a) { return log1pexp(a); })(tensor<double>(0.5)))) == doctest::Approx(double(eval(sigmoid(tensor<double>(0.5)) * sigmoid(tensor<double>(-0.5))))));
}
TEST_CASE("under vmap, on either side of grad, twice") {
  tensor<double, 3> const x = {1, 4, 9};
  tensor<double, 3> const want = 1.5 * sqrt(x);
  CHECK(allclose(vmap(grad([](auto const& a) { return clipped_sqrt(a) * a; }))(x), want));
  CHECK(allclose(grad([](auto const& a) { return sum(vmap([](auto const& b) { return clipped_sqrt(b) * b; })(a)); })(x), want));
  auto const m = spread<tensor<double, 2, 3>>(1, 2);
  auto const nested = grad([](auto const& a) { return sum(vmap([](auto const& r) { return vmap([](auto const& e) { return clipped_sqrt(e) * e; })(r); })(a)); })(m);
  CHECK(allclose(nested, 1.5 * sqrt(m)));
  auto const rows = spread<tensor<double, 4, 3>>(1, 2);
  tensor<double, 3> const b = {4, 5, 6};
  tensor<std::int32_t, 2> const labels = {1, 2};
  constexpr auto batch_loss = [](auto const& p, auto const& q, auto const& l) {
    auto const [y, s] = vmap<mapped, whole, whole>([](auto const& u, auto const& v, auto const& w) { return two(u, v, w); })(p, q, l);
    return sum(y);
  };
  auto const g = grad<0, 1>(batch_loss)(rows, b, labels);
  CHECK(allclose(std::get<0>(g), 2.0 * broadcast_to<4, 3>(b)));
  CHECK(allclose(std::get<1>(g), 5.0 * sum(rows, axis<0>)));
  auto const t = grad([](auto const& a) { return sum(vmap([](auto const& e) { return tripled(e, e); })(a)); })(x);
  CHECK(allclose(t, 3.0 * (sin(x) + x * cos(x))));
  auto const pushed = jvp([](auto const& a) { return vmap([](auto const& e) { return tripled(e, e); })(a); }, std::tuple{x}, std::tuple{ones<double, 3>()});
  CHECK(allclose(std::get<1>(pushed), 3.0 * (sin(x) + x * cos(x))));
}
