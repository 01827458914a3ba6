// The derivative of everything that moves elements.
#include "derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;
using matrix = tensor<double, 3, 4>;

TEST_CASE("shapes") {
  check_derivatives([](auto const& x) { return std::tuple{reshape<2, 6>(square(x)), flatten(exp(x)), transpose(square(x)), permute<1, 0>(x) * 2.0, expand_dims<1>(exp(x)), reshape<4, 3>(transpose(x))}; }, spread<matrix>(-1, 1));
  check_derivatives([](auto const& x) { return std::tuple{squeeze(exp(x)), broadcast_to<5, 3, 1, 2>(square(x)), swap_axes<0, 2>(square(x))}; }, spread<tensor<double, 3, 1, 2>>(-1, 1));
  check_derivatives([](auto const& x) { return std::tuple{matrix_transpose(square(x)), permute<2, 0, 1>(exp(x)), reshape<6, 4>(permute<1, 2, 0>(x))}; }, spread<tensor<double, 4, 3, 2>>(-1, 1));
}
TEST_CASE("slices") {
  check_derivatives([](auto const& x) { return std::tuple{slice<0, 1, 3>(square(x)), slice<1, 0, 4, 2>(exp(x)), slice<1, 3, -5, -1>(x), slice<1, -3, to_end>(x * x), pick<0>(exp(x), 1), row(square(x), 2), column(exp(x), 3)}; }, spread<matrix>(-1, 1));
}
TEST_CASE("flip, roll, tile, repeat") {
  check_derivatives([](auto const& x) { return std::tuple{flip(square(x), axis<1>), flip(x, axis<0, 1>) * x, roll<1>(exp(x), axis<1>), roll<-2>(x, axis<0>) * x, tile<2, 3>(square(x)), tile<2>(x), repeat<3>(exp(x), axis<0>), repeat<2>(x, axis<1>)}; },
                    spread<matrix>(-1, 1));
}
TEST_CASE("concat, stack, pad") {
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{concat<0>(a, b), concat<0>(exp(a), square(b), a), stack<0>(slice<0, 0, 2>(a), b), pad<1, 2, 0, 3>(square(a)), stack<-1>(b, exp(b))}; }, spread<matrix>(-1, 1),
                    spread<tensor<double, 2, 4>>(-1, 1));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{concat<1>(a, b * 2.0), concat<-1>(b, a)}; }, spread<matrix>(-1, 1), spread<tensor<double, 3, 2>>(-1, 1));
}
TEST_CASE("diagonals and triangles") {
  check_derivatives([](auto const& x) { return std::tuple{diagonal(exp(x)), diagonal<1>(square(x)), tril(exp(x)), triu<1>(square(x)), tril<-1>(x)}; }, spread<matrix>(-1, 1));
}
TEST_CASE("slices whose start is known at run time") {
  constexpr auto moving = [](auto const& x, auto const& block, auto const& i) {
    return std::tuple{dynamic_slice<1, 2>(exp(x), i), dynamic_update_slice<1>(square(x), block, i), pick<0>(x * x, i)};
  };
  check_derivatives(moving, spread<matrix>(-1, 1), spread<tensor<double, 3, 2>>(-1, 1), tensor<std::int32_t>(1));
}
