// What fits with what, as the traits that generic code may ask.
#include <dimity/dimity.hpp>

using namespace dimity;

static_assert(shape<>::rank == 0 && shape<>::size == 1);
static_assert(shape<2, 3, 4>::rank == 3 && shape<2, 3, 4>::size == 24);
static_assert(shape<2, 0, 4>::size == 0);
static_assert(shape<2, 3, 4>::at(0) == 2 && shape<2, 3, 4>::at(-1) == 4);
static_assert(shape<2, 3>::at(2) == 1 && shape<2, 3>::at(-3) == 1, "beyond the axes as broadcasting has it");
static_assert(max_rank == 8);

// NumPy: from the last axis, equal or 1.
static_assert(broadcastable<shape<8, 3>, shape<8, 3>>);
static_assert(broadcastable<shape<8, 3>, shape<3>>);
static_assert(broadcastable<shape<3>, shape<8, 3>>);
static_assert(broadcastable<shape<8, 3>, shape<8, 1>>);
static_assert(broadcastable<shape<8, 1>, shape<1, 3>>);
static_assert(broadcastable<shape<>, shape<8, 3>>);
static_assert(broadcastable<shape<>, shape<>>);
static_assert(broadcastable<shape<5, 1, 4, 1>, shape<3, 1, 2>>);
static_assert(!broadcastable<shape<8, 3>, shape<8>>);
static_assert(!broadcastable<shape<8, 3>, shape<4>>);
static_assert(!broadcastable<shape<2, 3>, shape<3, 2>>);
static_assert(!broadcastable<shape<5, 2, 4, 1>, shape<3, 1, 2>>);
// An extent of 0 is an extent like any other: it goes with itself and with 1.
static_assert(broadcastable<shape<0>, shape<1>>);
static_assert(broadcastable<shape<0, 3>, shape<3>>);
static_assert(!broadcastable<shape<0>, shape<3>>);

static_assert(matmul_compatible<shape<2, 3>, shape<3, 5>>);
static_assert(matmul_compatible<shape<3>, shape<3, 5>>, "a vector is a row on the left");
static_assert(matmul_compatible<shape<2, 3>, shape<3>>, "and a column on the right");
static_assert(matmul_compatible<shape<3>, shape<3>>);
static_assert(matmul_compatible<shape<7, 2, 3>, shape<3, 5>>);
static_assert(matmul_compatible<shape<7, 2, 3>, shape<7, 3, 5>>);
static_assert(matmul_compatible<shape<4, 1, 2, 3>, shape<7, 3, 5>>);
static_assert(matmul_compatible<shape<0, 3>, shape<3, 0>>);
static_assert(!matmul_compatible<shape<2, 3>, shape<4, 5>>);
static_assert(!matmul_compatible<shape<2, 3>, shape<2>>);
static_assert(!matmul_compatible<shape<3>, shape<4>>);
static_assert(!matmul_compatible<shape<>, shape<3, 5>>);
static_assert(!matmul_compatible<shape<2, 1>, shape<>>);
static_assert(!matmul_compatible<shape<6, 2, 3>, shape<7, 3, 5>>, "leading axes must broadcast");

// One direction only, which is what assignments need.
static_assert(detail::broadcast_into<shape<3>, shape<8, 3>>::value);
static_assert(detail::broadcast_into<shape<8, 1>, shape<8, 3>>::value);
static_assert(detail::broadcast_into<shape<>, shape<>>::value);
static_assert(!detail::broadcast_into<shape<8, 3>, shape<3>>::value);
static_assert(!detail::broadcast_into<shape<3>, shape<1>>::value);

// The traits ask nothing of a tensor, so they may stand in a requires-clause.
template <class A, class B>
concept multipliable = matmul_compatible<typename A::shape_type, typename B::shape_type>;
static_assert(multipliable<tensor<float, 2, 3>, tensor<float, 3, 5>>);
static_assert(!multipliable<tensor<float, 2, 3>, tensor<float, 4, 5>>);
