// Loops that carry nothing from one iteration to the next, divided among threads by iterations: one division for all steps of the body.
#pragma once

#include <dimity/exec/cpu/control.hpp>
#include <dimity/exec/cpu/thread_pool.hpp>
#include <dimity/exec/workspace.hpp>
#include <dimity/plan/facts.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Whether steps [begin, end), or loops and branches among them, print or throw: their order is part of what they do, and a thread of the pool has nobody to throw to.
constexpr bool speaks(plan_view const& p, int begin, int end) {
  for (int i = begin; i < end; ++i) {
    step const s = p.steps[i];
    if (s.kind == step_kind::primitive && (p.opaques[s.index].op == primitive::debug_print || p.opaques[s.index].op == primitive::check_finite)) return true;
    if (s.kind != step_kind::control) continue;
    control_step const& c = p.controls[s.index];
    for (int b = c.blocks.begin; b < c.blocks.end; ++b)
      if (speaks(p, p.blocks[b].steps.begin, p.blocks[b].steps.end)) return true;
  }
  return false;
}
/// Of steps [begin, end), in nanoseconds: an estimate from products, bytes and the operations of fused loops.
constexpr double cost_of_steps(plan_view const& p, int begin, int end) {
  double cost = static_cast<double>(flops_of(p, begin, end)) * 0.01;
  for (int i = begin; i < end; ++i) {
    step const s = p.steps[i];
    traffic const t = traffic_of(p, s);
    cost += static_cast<double>(t.read + t.written) * 0.02;
    if (s.kind != step_kind::kernel) continue;
    kernel const& k = p.kernels[s.index];
    double operations = 0;
    for (int v = 0; v < k.values.size(); ++v)
      if (p.value_of(k, v).at == level::lane) operations += cost_of(p.value_of(k, v).op) == cost_class::costly ? 10 : 1;
    cost += operations * 0.04 * static_cast<double>(p.at(k.rows() * k.inner()));
  }
  return cost;
}

template <class Plan, int Index>
struct threaded_scan {
  using runner = control_runner<Plan, Index>;
  static constexpr control_step c = runner::c;
  static constexpr block body = Plan::value.blocks[c.blocks.begin];
  static constexpr bool possible = [] {
    for (int k = 0; k < runner::output_count; ++k)
      if (runner::is_carried(k)) return false;
    return c.kind == control_kind::scan && !speaks(view_plan(Plan::value), body.steps.begin, body.steps.end);
  }();

  static double cost_of_body([[maybe_unused]] void* const* slots) {
    if constexpr (has_symbols<Plan>) {
      return cost_of_steps(view_plan(Plan::value, static_cast<extent_t const*>(slots[c.slots.size()])), body.steps.begin, body.steps.end);
    } else {
      constexpr double cost = cost_of_steps(view_plan(Plan::value), body.steps.begin, body.steps.end);
      return cost;
    }
  }
  static std::byte* scratch_of(void* const* slots, int share) {
    if constexpr (c.scratch_slot < 0) {
      return nullptr;
    } else {
      if (share == 0) return static_cast<std::byte*>(slots[c.scratch_slot]);
      constexpr amount bytes = Plan::value.buffers[Plan::value.slots[c.slots.begin + c.scratch_slot]].bytes;
      return workspace_of_share(share, static_cast<std::size_t>(runner::template number<bytes>(slots)));
    }
  }
  /// The steps of an iteration are not divided again.
  struct undivided {
    int const before = call_threads;
    undivided() { call_threads = 1; }
    ~undivided() { call_threads = before; }
  };

  /// False where iterations are too few, or worth too little, so that threads had better divide the steps of each.
  static bool run(void* const* slots, extent_t trips) {
    if constexpr (!possible) {
      return false;
    } else {
      if (call_threads == 1 || trips < call_threads) return false;
      int const shares = count_shares(static_cast<double>(trips) * cost_of_body(slots), trips);
      if (shares == 1) return false;
      run_shares(shares, [&](int share) {
        undivided const one;
        runner::iterations(slots, scratch_of(slots, share), trips, trips * share / shares, trips * (share + 1) / shares);
      });
      return true;
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
