// A plan is made once, in a draft with room to spare, and only what is larger than the room is planned again: both ways must give one plan.
#include <doctest/doctest.h>

#include <dimity/dimity.hpp>
#include <dimity/plan/print.hpp>

namespace {

using namespace dimity;

constexpr auto loss = [](auto const& weights, auto const& x) {
  auto const h = tanh(matmul(x, weights));
  return sum(std::get<0>(scan([](auto const& carry, auto const& row) { return std::tuple(carry + row, carry * row); }, zeros_like(row(h, 0)), h))) + mean(square(h));
};

struct no_room {
  static constexpr detail::plan_size size{};
};

template <class Source>
void check_both_ways() {
  constexpr detail::plan_size n = detail::planned<Source>::size;
  static_assert(fits(n, detail::long_room::size) && !fits(n, detail::short_room::size));
  std::string const from_draft = to_string(detail::exact_plan<Source, detail::long_room, n>, plan_detail::values);
  CHECK(from_draft.size() > 100);
  CHECK(from_draft == to_string(detail::exact_plan<Source, no_room, n>, plan_detail::values));
}

}  // namespace

TEST_CASE("a plan is the same from its draft and made for its size") {
  using gradient = grad_function<std::remove_const_t<decltype(loss)>, 0>;
  check_both_ways<detail::traced_source<gradient, tensor<float, 4, 5>, tensor<float, 6, 4>>>();
  check_both_ways<detail::traced_source<gradient, tensor<float, 4, 5>, tensor<float, dim<"batch">, 4>>>();
}

TEST_CASE("every count of a plan is compared with the room for it") {
  detail::plan_size const room = detail::long_room::size;
  CHECK(fits(room, room));
  int detail::plan_size::*const counts[] = {
      &detail::plan_size::kernels,  &detail::plan_size::opaques, &detail::plan_size::steps,       &detail::plan_size::buffers, &detail::plan_size::values,
      &detail::plan_size::accesses, &detail::plan_size::stores,  &detail::plan_size::slots,       &detail::plan_size::lists,   &detail::plan_size::list_ranges,
      &detail::plan_size::shapes,   &detail::plan_size::pool,    &detail::plan_size::controls,    &detail::plan_size::ports,   &detail::plan_size::blocks,
      &detail::plan_size::symbols,  &detail::plan_size::regions, &detail::plan_size::block_inputs, &detail::plan_size::conditions, &detail::plan_size::interface};
  for (auto const count : counts) {
    detail::plan_size larger = room;
    ++(larger.*count);
    CHECK_FALSE(fits(larger, room));
  }
}
