// Traced programs as text.
#include <dimity/dimity.hpp>
#include <dimity/transform/print.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace dimity;

namespace {

template <class T>
struct net {
  nn::linear<T, 3, 4> hidden;
  tensor<T> scale;
};
constexpr auto f = [](auto const& m, auto const& x) { return sum(square(slice<1, 0, 2>(tanh(m.hidden(x)) * m.scale)), axis<1>); };

}  // namespace

TEST_CASE("inputs by their path, one assignment a line") {
  CHECK(to_string(trace<net<float>, tensor<float, 2, 3>>(f)) ==
        "%0 float32[3, 4] = input 0.hidden.weight\n"
        "%1 float32[4] = input 0.hidden.bias\n"
        "%2 float32[] = input 0.scale\n"
        "%3 float32[2, 3] = input 1\n"
        "%4 float32[2, 4] = matmul %3, %0\n"
        "%5 float32[2, 4] = broadcast %1 axes=[_, 0]\n"
        "%6 float32[2, 4] = add %4, %5\n"
        "%7 float32[2, 4] = tanh %6\n"
        "%8 float32[2, 4] = broadcast %2 axes=[_, _]\n"
        "%9 float32[2, 4] = multiply %7, %8\n"
        "%10 float32[2, 2] = slice %9 start=[0, 0] step=[1, 1]\n"
        "%11 float32[2, 2] = square %10\n"
        "%12 float32[2] = sum %11 axes=[1]\n"
        "return %12\n");
}
TEST_CASE("constants stand where they are used, derivatives are ordinary operations") {
  constexpr auto g = value_and_grad([](auto const& x) { return sum(exp(x) * 2.0f); });
  CHECK(to_string(trace<tensor<float, 3>>(g)) ==
        "%0 float32[3] = input 0\n"
        "%1 float32[3] = exp %0\n"
        "%3 float32[3] = broadcast 2 axes=[_]\n"
        "%4 float32[3] = multiply %1, %3\n"
        "%5 float32[] = sum %4 axes=[0]\n"
        "return %5, %4\n");
  static_assert(trace<tensor<float, 3>>([](auto const& x) { return x + x; }).node_count() == 2);
}
