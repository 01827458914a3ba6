#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

using namespace dimity;

static_assert(shape<2, 3, 4>::rank == 3 && shape<2, 3, 4>::size == 24 && shape<>::size == 1 && shape<>::rank == 0 && shape<3, 0>::size == 0);
static_assert(shape<2, 3, 4>::at(0) == 2 && shape<2, 3, 4>::at(-1) == 4 && shape<2, 3, 4>::at(3) == 1 && shape<2, 3, 4>::at(-4) == 1);
static_assert(shape<100000, 100000>::size == 10'000'000'000);
static_assert(detail::row_major<shape<2, 3, 4>>::stride(0) == 12 && detail::row_major<shape<2, 3, 4>>::stride(2) == 1);
static_assert(std::is_same_v<row_major_strides<shape<2, 3, 4>>, strides<12, 4, 1>>);
static_assert(std::is_same_v<row_major_strides<shape<>>, strides<>>);
static_assert(detail::shape_value_of<shape<2, 3>>::value.size() == 6 && detail::shape_value_of<shape<2, 3>>::value == detail::shape_value_of<shape<2, 3>>::value);
static_assert(!(detail::shape_value_of<shape<2, 3>>::value == detail::shape_value_of<shape<3, 2>>::value));
static_assert(!(detail::shape_value_of<shape<2>>::value == detail::shape_value_of<shape<2, 1>>::value));
static_assert(detail::normalize_axis(-1, 3) == 2 && detail::normalize_axis(1, 3) == 1);

TEST_CASE("eight axes") {
  tensor<std::int32_t, 1, 2, 1, 2, 1, 2, 1, 2> x = reshape<1, 2, 1, 2, 1, 2, 1, 2>(arange<std::int32_t, 16>());
  CHECK(x(0, 1, 0, 1, 0, 1, 0, 1) == 15);
  CHECK(std::int64_t(sum(x)) == 120);
  tensor<std::int32_t, 2, 1, 2, 1, 2, 1, 2, 1> const t = transpose(x);
  CHECK(t(1, 0, 0, 0, 0, 0, 0, 0) == 1);
  CHECK(t(0, 0, 0, 0, 0, 0, 1, 0) == 8);
}
