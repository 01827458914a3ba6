// Chains of products on many rows become a loop over blocks of rows where that is worth it, with the same values; everything else stays as it was.
#include <doctest/doctest.h>

#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/plan/print.hpp>
#include <dimity/threads.hpp>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>

namespace {

using namespace dimity;

template <class T, extent_t In, extent_t Hidden, extent_t Out>
struct mlp {
  nn::linear<T, In, Hidden> first;
  nn::linear<T, Hidden, Hidden> second, third;
  nn::linear<T, Hidden, Out> last;
  constexpr auto operator()(auto const& x) const { return last(relu(third(tanh(second(relu(first(x))))))); }
};
constexpr auto run = [](auto const& model, auto const& x) { return model(x); };
constexpr auto classes = [](auto const& model, auto const& x) { return softmax(model(x * 2.0f - 1.0f), axis<-1>); };
constexpr auto normalized = [](auto const& a, auto const& b, auto const& c, auto const& shift, auto const& x) {
  auto const h = matmul(relu(matmul(x, a)), c) + shift;
  auto const centred = h - mean(h, axis<-1>, keep_dims);
  return matmul(centred * rsqrt(mean(square(centred), axis<-1>, keep_dims) + 1e-5f), transpose(b)) + sum(x, axis<-1>, keep_dims);
};
/// The mean over all rows depends on the first product, and the second on it: two loops would be needed, which nobody makes.
constexpr auto through_all_rows = [](auto const& a, auto const& b, auto const& x) {
  auto const h = matmul(x, a);
  return matmul(tanh(h - mean(h, axis<0>, keep_dims)), b);
};
/// The mask, and what scales the rows, are made for the chain alone: in the loop.
constexpr auto dropped = [](auto const& a, auto const& b, auto const& c, auto const& k, auto const& x) {
  auto const scale = rsqrt(mean(square(x), axis<-1>, keep_dims) + 1e-5f);
  return matmul(nn::dropout(relu(matmul(relu(matmul(x * scale, a)), b)), k, 0.5f), c);
};
constexpr auto through_self = [](auto const& a, auto const& x) { return tanh(matmul(relu(matmul(relu(matmul(x, a)), transpose(a))), a)) + x; };
constexpr auto loss = [](auto const& model, auto const& x) { return mean(square(model(x))); };
constexpr auto first_and_last = [](auto const& a, auto const& b, auto const& x) {
  auto const h = relu(matmul(x, a));
  auto const y = matmul(relu(matmul(h, a)), b);
  return std::tuple{y, sum(y, axis<0>), max(y)};
};

template <class P>
constexpr bool loops(P const& p) {
  return p.size.controls == 1;
}

template <class X>
std::unique_ptr<X> numbers(float scale) {
  auto x = std::make_unique<X>();
  std::uint32_t state = 99;
  for (std::size_t i = 0; i < x->size(); ++i) {
    state = state * 1664525u + 1013904223u;
    x->data()[i] = static_cast<typename X::value_type>((static_cast<float>(state >> 8) * 0x1p-23f - 1.0f) * scale);
  }
  return x;
}

/// Rows of the whole batch against the same function of a few rows, which makes no loop.
template <extent_t Few, class F, class X, class... Parameters>
void check_rows(F const& f, X const& x, Parameters const&... parameters) {
  constexpr extent_t columns = X::shape_type::at(1), rows = X::shape_type::at(0);
  using few = tensor<typename X::value_type, Few, columns>;
  static_assert(loops(compile(F{}).template plan<Parameters..., X>) && !loops(compile(F{}).template plan<Parameters..., few>));
  auto const whole = compile(f)(parameters..., x);
  double worst = 0;
  for (extent_t const row : {extent_t{0}, rows / 2 - 7, rows - Few}) {
    few part;
    std::memcpy(part.data(), x.data() + row * columns, part.size() * sizeof(*part.data()));
    auto const y = compile(f)(parameters..., part);
    auto const width = static_cast<std::size_t>(y.size() / Few);
    for (std::size_t i = 0; i < y.size(); ++i) {
      double const ours = static_cast<double>(whole.data()[static_cast<std::size_t>(row) * width + i]), few_rows = static_cast<double>(y.data()[i]);
      worst = std::max(worst, std::abs(ours - few_rows) / (1 + std::abs(few_rows)));
    }
  }
  CHECK(worst < 3e-6);
  auto const threaded = compile(f, cpu{.threads = 3})(parameters..., x);
  CHECK(std::memcmp(threaded.data(), whole.data(), whole.size() * sizeof(*whole.data())) == 0);
}

}  // namespace

TEST_CASE("an MLP on a large batch goes through all layers in blocks of rows") {
  using model = mlp<float, 48, 256, 16>;
  using batch = tensor<float, 4096, 48>;
  constexpr auto const& p = compile(run).plan<model, batch>;
  static_assert(loops(p) && p.size.steps - p.size.first_step == 1);
  // What lies between the layers needs memory for a block only: 4 MiB for each would be all rows.
  static_assert(p.workspace_bytes < (512 << 10));
  CHECK(to_string(p).find("scan, ") != std::string::npos);
  auto const m = std::make_unique<model>(nn::init<model>(key{1}));
  check_rows<32>(run, *numbers<batch>(1.0f), *m);
  check_rows<32>(classes, *numbers<batch>(1.0f), *m);
}
TEST_CASE("a number of rows that no block divides evenly stays whole, and so do chains that are small, narrow or of large matrices") {
  using model = mlp<float, 48, 256, 16>;
  static_assert(!loops(compile(run).plan<model, tensor<float, 4099, 48>>));
  static_assert(loops(compile(run).plan<model, tensor<float, 4100, 48>>));
  static_assert(!loops(compile(run).plan<model, tensor<float, 256, 48>>));
  static_assert(!loops(compile(run).plan<mlp<float, 48, 64, 16>, tensor<float, 4096, 48>>));
  static_assert(!loops(compile(run).plan<mlp<float, 48, 1024, 16>, tensor<float, 4096, 48>>));
  static_assert(!loops(compile(run).plan<mlp<float, 48, 256, 16>, tensor<float, dim<"batch">, 48>>));
}
TEST_CASE("statistics of rows and transposed matrices stay in the loop") {
  using batch = tensor<float, 3000, 128>;
  auto const a = numbers<tensor<float, 128, 300>>(0.1f);
  auto const b = numbers<tensor<float, 40, 300>>(0.1f);
  auto const c = numbers<tensor<float, 300, 300>>(0.1f);
  check_rows<24>(normalized, *numbers<batch>(1.0f), *a, *b, *c, *numbers<tensor<float, 300>>(1.0f));
}
TEST_CASE("what is computed of rows for the chain alone is computed in the loop") {
  using batch = tensor<float, 4096, 128>;
  using matrix = tensor<float, 128, 128>;
  constexpr auto const& p = compile(dropped).plan<matrix, matrix, tensor<float, 128, 8>, key, batch>;
  static_assert(loops(p));
  // Beside the loop there are the random bits and the number that dropout scales with: no mask of all rows, and no scaled rows.
  static_assert(p.size.steps - p.size.first_step == 3);
  auto const x = numbers<batch>(1.0f);
  auto const a = numbers<matrix>(0.2f);
  auto const c = numbers<tensor<float, 128, 8>>(0.2f);
  auto const y = compile(dropped)(*a, *a, *c, key{5}, *x);
  // The same in steps that make no loop.
  auto const h = eval(relu(matmul(*x * rsqrt(mean(square(*x), axis<-1>, keep_dims) + 1e-5f), *a)));
  auto const g = eval(relu(matmul(h, *a)));
  auto const kept = compile([](auto const& v, auto const& k) { return nn::dropout(v, k, 0.5f); })(g, key{5});
  CHECK(allclose(y, eval(matmul(kept, *c)), 1e-5, 1e-5));
}
TEST_CASE("a matrix that is computed and has as many rows as the batch is no part of its rows") {
  using batch = tensor<float, 576, 64>;
  constexpr auto masked = [](auto const& a, auto const& b, auto const& mask, auto const& c, auto const& d, auto const& x) {
    return matmul(relu(matmul(relu(matmul(relu(matmul(x, a)), b * mask)), c)), d);
  };
  auto const x = numbers<batch>(1.0f);
  auto const a = numbers<tensor<float, 64, 576>>(0.2f);
  auto const b = numbers<tensor<float, 576, 104>>(0.2f);
  auto const mask = numbers<tensor<float, 576, 104>>(1.0f);
  auto const c = numbers<tensor<float, 104, 104>>(0.2f);
  auto const d = numbers<tensor<float, 104, 8>>(0.2f);
  check_rows<24>(masked, *x, *a, *b, *mask, *c, *d);
}
TEST_CASE("the argument of a loop may be moved, and assigned to") {
  using batch = tensor<float, 4096, 128>;
  auto const a = numbers<tensor<float, 128, 128>>(0.1f);
  auto x = numbers<batch>(1.0f);
  static_assert(loops(compile(through_self).plan<tensor<float, 128, 128>, batch>));
  auto const wanted = compile(through_self)(*a, *x);
  auto y = *x;
  y = compile(through_self)(*a, std::move(y));
  CHECK(std::memcmp(y.data(), wanted.data(), y.size() * sizeof(float)) == 0);
  *x = compile(through_self)(*a, *x);
  CHECK(std::memcmp(x->data(), wanted.data(), x->size() * sizeof(float)) == 0);
}
TEST_CASE("doubles") {
  using batch = tensor<double, 2048, 128>;
  auto const m = std::make_unique<mlp<double, 128, 128, 4>>(nn::init<mlp<double, 128, 128, 4>>(key{2}));
  check_rows<16>(run, *numbers<batch>(1.0f), *m);
}
TEST_CASE("what all rows decide comes after the loop, or prevents it") {
  using batch = tensor<float, 4096, 128>;
  static_assert(!loops(compile(through_all_rows).plan<tensor<float, 128, 256>, tensor<float, 256, 32>, batch>));
  auto const x = numbers<batch>(1.0f);
  auto const a = numbers<tensor<float, 128, 128>>(0.2f);
  auto const b = numbers<tensor<float, 128, 16>>(0.2f);
  static_assert(loops(compile(first_and_last).plan<tensor<float, 128, 128>, tensor<float, 128, 16>, batch>));
  auto const [y, sums, highest] = compile(first_and_last)(*a, *b, *x);
  auto const h = eval(relu(matmul(*x, *a)));
  auto const g = eval(relu(matmul(h, *a)));
  auto const reference = eval(matmul(g, *b));
  CHECK(allclose(y, reference, 1e-5, 1e-5));
  CHECK(allclose(sums, eval(sum(y, axis<0>)), 1e-5, 1e-3));
  CHECK(highest() == eval(max(y))());
}
TEST_CASE("gradients, which need what lies between the layers, are made whole") {
  using model = mlp<float, 48, 256, 16>;
  using batch = tensor<float, 4096, 48>;
  constexpr auto gradient = [](auto const& m, auto const& x) { return grad(loss)(m, x); };
  static_assert(!loops(compile(gradient).plan<model, batch>));
}
