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
namespace {
constexpr auto cell = [](auto const& h, auto const& x, auto const& w) { return std::tuple{tanh(matmul(h, w)) + x, std::tuple<>{}}; };
}  // namespace
TEST_CASE("loops and branches with their bodies") {
  CHECK(to_string(trace<tensor<float, 3>, tensor<float, 6, 3>, tensor<float, 3, 3>>([](auto const& h, auto const& xs, auto const& w) { return std::get<0>(scan(cell, h, xs, w)); })) ==
        "%0 float32[3] = input 0\n"
        "%1 float32[6, 3] = input 1\n"
        "%2 float32[3, 3] = input 2\n"
        "%3 = scan 6 times (%0, then result 0; %1 by entry; %2)\n"
        "  body:\n"
        "    %0 float32[3] = input %0, then result 0\n"
        "    %1 float32[3] = input %1 by entry\n"
        "    %2 float32[3, 3] = input %2\n"
        "    %3 float32[1, 3] = reshape %0\n"
        "    %4 float32[1, 3] = matmul %3, %2\n"
        "    %5 float32[3] = reshape %4\n"
        "    %6 float32[3] = tanh %5\n"
        "    %7 float32[3] = add %1, %6\n"
        "    return %7\n"
        "%4 float32[3] = result 0 of %3\n"
        "return %4\n");
  CHECK(to_string(trace<float>([](auto const& x) { return while_loop([](auto const& a) { return a > 1.0f; }, [](auto const& a) { return cond(a > 9.0f, [](auto const& b) { return b * 0.5f; }, [](auto const& b) { return b - 1.0f; }, a); }, x); })) ==
        "%0 float32[] = input 0\n"
        "%1 = while (%0, then result 0)\n"
        "  condition:\n"
        "    %0 float32[] = input %0, then result 0\n"
        "    %2 bool[] = less 1, %0\n"
        "    return %2\n"
        "  body:\n"
        "    %0 float32[] = input %0, then result 0\n"
        "    %2 bool[] = less 9, %0\n"
        "    %3 = branch %2 (%0)\n"
        "      case 0:\n"
        "        %0 float32[] = input %0\n"
        "        %2 float32[] = subtract %0, 1\n"
        "        return %2\n"
        "      case 1:\n"
        "        %0 float32[] = input %0\n"
        "        %2 float32[] = multiply %0, 0.5\n"
        "        return %2\n"
        "    %4 float32[] = result 0 of %3\n"
        "    return %4\n"
        "%2 float32[] = result 0 of %1\n"
        "return %2\n");
}
