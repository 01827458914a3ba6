// Extents that are chosen at run time, on a GPU: primitives that are not loop nests, and attention.
#include "../../support/on_cuda.hpp"

using namespace dimity;
using namespace test;

namespace {
constexpr extent_t batch = dim<"batch">, length = dim<"length">;

}  // namespace

TEST_CASE("indexing, joining, padding, running sums, random bits") {
  for (int n : {1, 4, 70}) {
    CAPTURE(n);
    auto const x = numbers<float, batch, 12>(1, n);
    tensor<std::int64_t, length> which(5);
    for (int i = 0; i < 5; ++i) which(i) = (i * 3 - 1) % n;
    same_on_cuda([](auto const& a, auto const& i) { return take(a, i, axis<0>); }, x, which);
    same_on_cuda([](auto const& a, auto const& i) { return take(a, i, axis<0>); }, numbers<float, 6, 12>(1), eval(which % 6));
    same_within(1e-4, [](auto const& a, auto const& i) { return grad([](auto const& b, auto const& j) { return sum(square(take(b, j, axis<0>))); })(a, i); }, x, which);
    same_on_cuda([](auto const& a, auto const& b) { return concat<0>(a, b); }, x, numbers<float, 3, 12>(2));
    same_on_cuda([](auto const& a, auto const& b) { return concat<1>(a, b); }, x, numbers<float, batch, 5>(2, n));
    same_on_cuda([](auto const& a) { return std::tuple{argmax(a, axis<1>), argmin(a, axis<0>)}; }, x);
    same_on_cuda([](auto const& a) { return std::tuple{cumulative_sum(a, axis<0>), cumulative_sum(a, axis<1>)}; }, x);
    same_within(1e-4, [](auto const& a) { return grad([](auto const& b) { return sum(square(slice<1, 2, 9, 2>(b))); })(a); }, x);
  }
  same_within(1e-4, [](auto const& k, auto const& a) { return nn::dropout(a, k, 0.25); }, key{3}, numbers<float, batch, 5>(1, 9));
}

TEST_CASE_TEMPLATE("sorting lines of any number and length", T, float, double, std::int32_t, float16) {
  auto const order = [](auto const& a) { return argsort(a, axis<-1>); };
  for (int n : {0, 1, 40, 1024, 1025, 5000}) {
    CAPTURE(n);
    same_on_cuda(order, numbers<T, batch, length>(1, 3, n));
  }
  for (int n : {0, 1, 9}) {
    CAPTURE(n);
    same_on_cuda(order, numbers<T, batch, 30>(1, n));
    same_on_cuda(order, numbers<T, batch, 300>(1, n));
    same_on_cuda([](auto const& a) { return argsort(a, axis<0>); }, numbers<T, batch, 5>(1, n));
  }
}

TEST_CASE("convolutions and pooling of batches of any size") {
  for (int n : {1, 3}) {
    CAPTURE(n);
    auto const x = numbers<float, batch, 3, 8, 8>(1, n);
    auto const w = numbers<float, 4, 3, 3, 3>(2);
    auto const f = [](auto const& a, auto const& k) { return max_pool2d<2>(conv2d(a, k)); };
    same_within(1e-4, f, x, w);
    same_within(1e-4, [](auto const& a, auto const& k) { return grad<0, 1>([](auto const& b, auto const& l) { return sum(square(max_pool2d<2>(conv2d(b, l)))); })(a, k); }, x, w);
  }
}

TEST_CASE("attention over sequences of any length") {
  auto const attend = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention(q, k, v); };
  auto const causal = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention<attention_options{.causal = true}>(q, k, v); };
  for (int n : {1, 9, 40}) {
    CAPTURE(n);
    auto const q = numbers<float, 2, length, 8>(1, n), k = numbers<float, 2, length, 8>(2, n), v = numbers<float, 2, length, 8>(3, n);
    same_within(1e-4, attend, q, k, v);
    same_within(1e-4, causal, q, k, v);
  }
}
