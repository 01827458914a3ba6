// Where buffers live: never two at once at one place, and hardly more memory than the largest set that lives at once. Plans are made at run time here, which compiles no kernels.
#include "../../benchmarks/models.hpp"

#include <doctest/doctest.h>

#include <dimity/dimity.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

using namespace dimity;

struct lifetimes {
  std::vector<int> birth, death;
  explicit lifetimes(detail::plan_builder const& plan) : birth(static_cast<std::size_t>(plan.buffers.size()), -1), death(birth) {
    for (int t = plan.first_step; t < plan.steps.size(); ++t)
      for (detail::range const r : {plan.slots_of(plan.steps[t]), plan.epilogue_slots_of(plan.steps[t])})
        for (int i = r.begin; i < r.end; ++i) {
          auto const b = static_cast<std::size_t>(plan.slots[i]);
          if (birth[b] < 0) birth[b] = t;
          death[b] = t;
        }
  }
};
bool is_in_workspace(detail::plan_builder const& plan, int b) { return plan.buffers[b].where == detail::residence::workspace && plan.buffers[b].region < 0; }

std::int64_t least_bytes(detail::plan_builder const& plan) {
  lifetimes const of(plan);
  std::int64_t most = 0;
  for (int t = plan.first_step; t < plan.steps.size(); ++t) {
    std::int64_t now = 0;
    for (int b = 0; b < plan.buffers.size(); ++b)
      if (auto const i = static_cast<std::size_t>(b); is_in_workspace(plan, b) && of.birth[i] >= 0 && of.birth[i] <= t && t <= of.death[i]) now += plan.buffers[b].bytes.number();
    most = std::max(most, now);
  }
  return most;
}
void check_places(detail::plan_builder const& plan) {
  lifetimes const of(plan);
  int overlaps = 0, outside = 0, unaligned = 0;
  for (int a = 0; a < plan.buffers.size(); ++a) {
    if (!is_in_workspace(plan, a) || of.birth[static_cast<std::size_t>(a)] < 0) continue;
    detail::buffer const& x = plan.buffers[a];
    outside += x.offset < 0 || x.offset + x.bytes.number() > plan.workspace_bytes;
    unaligned += x.offset % detail::buffer_alignment != 0;
    for (int b = 0; b < a; ++b) {
      if (!is_in_workspace(plan, b) || of.birth[static_cast<std::size_t>(b)] < 0) continue;
      detail::buffer const& y = plan.buffers[b];
      bool const at_once = of.birth[static_cast<std::size_t>(a)] <= of.death[static_cast<std::size_t>(b)] && of.birth[static_cast<std::size_t>(b)] <= of.death[static_cast<std::size_t>(a)];
      overlaps += at_once && x.offset < y.offset + y.bytes.number() && y.offset < x.offset + x.bytes.number();
    }
  }
  CHECK(overlaps == 0);
  CHECK(outside == 0);
  CHECK(unaligned == 0);
}

template <class F, class... Args>
void check_program(F const&, Args const&...) {
  detail::builder raw, finished;
  detail::traced_source<std::remove_const_t<F>, Args...>::build(raw);
  detail::finish(raw, finished);
  detail::plan_builder plan;
  detail::scheduler s(finished, plan, detail::cpu_rules);
  s.run_program();
  check_places(plan);
  std::int64_t const least = least_bytes(plan);
  CHECK(least > 0);
  CHECK(plan.workspace_bytes >= least);
  CHECK(static_cast<double>(plan.workspace_bytes) <= 1.1 * static_cast<double>(least));
}

}  // namespace

TEST_CASE("models need at most a tenth more than what lives at once") {
  tensor<std::int32_t, 32> const labels;
  models::sequences const x;
  check_program(models::step<models::label_loss>, models::classifier<float>{}, tensor<float, 32, 784>{}, labels);
  check_program(models::step<models::label_loss>, models::image_classifier<float>{}, tensor<float, 32, 1, 28, 28>{}, labels);
  check_program(models::forward, models::block<float>{}, x);
  check_program(models::step<models::square_loss>, models::block<float>{}, x, x);
}

TEST_CASE("random lifetimes") {
  std::uint32_t state = 1;
  auto const random = [&](int n) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>((state >> 8) % static_cast<unsigned>(n));
  };
  for (int round = 0; round < 200; ++round) {
    int const steps = 1 + random(40), count = 1 + random(round % 10 == 0 ? 400 : 60);
    std::vector<std::vector<int>> used(static_cast<std::size_t>(steps));
    detail::plan_builder plan;
    for (int b = 0; b < count; ++b) {
      detail::buffer x;
      x.bytes = 1 + random(random(3) == 0 ? 100000 : 500);
      plan.buffers.push(x);
      int const from = random(steps), to = std::min(steps - 1, from + random(6));
      used[static_cast<std::size_t>(from)].push_back(b);
      if (to > from) used[static_cast<std::size_t>(to)].push_back(b);
    }
    for (auto const& buffers : used) {
      detail::kernel k;
      k.slots.begin = plan.slots.size();
      for (int b : buffers) plan.slots.push(static_cast<std::int16_t>(b));
      k.slots.end = plan.slots.size();
      plan.kernels.push(k);
      plan.steps.push({detail::step_kind::kernel, static_cast<std::int16_t>(plan.kernels.size() - 1)});
    }
    plan.workspace_bytes = detail::assign_workspace(plan, 0);
    check_places(plan);
    CHECK(plan.workspace_bytes >= least_bytes(plan));
  }
}
