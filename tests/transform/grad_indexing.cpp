// The derivative of everything that looks elements up, and of einsum.
#include "derivatives.hpp"

#include <cstdint>

using namespace dimity;
using test::check_derivatives;
using test::spread;
using matrix = tensor<double, 4, 3>;

TEST_CASE("take, also of the same row twice") {
  constexpr auto f = [](auto const& x, auto const& ids) { return std::tuple{take(square(x), ids, axis<0>), take(exp(x), ids, axis<-1>), take(x * x, ids), take_along_axis(square(x), reshape<5, 1>(ids) - 1, axis<0>)}; };
  check_derivatives(f, spread<matrix>(-1, 1), tensor<std::int32_t, 5>{2, 0, 2, 1, 2});
}
TEST_CASE("scatter_add") {
  check_derivatives([](auto const& base, auto const& updates, auto const& ids) { return std::tuple{scatter_add(square(base), ids, exp(updates), axis<0>), scatter_add(base, ids, 2.0, axis<0>) * base}; }, spread<matrix>(-1, 1),
                    spread<tensor<double, 5, 3>>(-1, 1), tensor<std::int32_t, 5>{3, 0, 3, 3, 1});
}
TEST_CASE("sort, and selection by order") {
  check_derivatives([](auto const& x) { return std::tuple{sort(square(x)), sort(x * x * x, axis<0>), take_along_axis(exp(x), argmax(x, axis<1>, keep_dims), axis<1>)}; }, spread<matrix>(-1, 1));
}
TEST_CASE("einsum") {
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{einsum<"bij,bjk->bik">(a, b), einsum<"bij,bjk->ik">(a, b), einsum<"bij,bjk->kb">(a, b), einsum<"bij,bjk->">(a, b)}; }, spread<tensor<double, 2, 3, 4>>(-1, 1),
                    spread<tensor<double, 2, 4, 3>>(-1, 1));
  check_derivatives([](auto const& a, auto const& v) { return std::tuple{einsum<"ii->i">(square(a)), einsum<"ii->">(exp(a)), einsum<"ij->ji">(a * a), einsum<"i,j->ij">(v, v), einsum<"i,ij,j->">(v, a, v)}; }, spread<tensor<double, 3, 3>>(-1, 1),
                    spread<tensor<double, 3>>(-1, 1));
}
