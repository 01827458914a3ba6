#include <dimity/core/fixed_string.hpp>

#include <doctest/doctest.h>

using dimity::fixed_string;

template <fixed_string S>
constexpr std::string_view text() {
  return S.view();
}
template <fixed_string S>
struct named {};

static_assert(text<"ij,jk->ik">() == "ij,jk->ik");
static_assert(text<"">().empty());
static_assert(text<"a\0b">().size() == 3);
static_assert(std::is_same_v<named<"x">, named<"x">> && !std::is_same_v<named<"x">, named<"y">>);

TEST_CASE("a string literal is a template argument") { CHECK(text<"batch">() == "batch"); }
