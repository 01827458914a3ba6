// Program -> plan, as a constant of a type: `planned<Source>::value`. Source says how to build the program.
#pragma once

#include <dimity/exec/cpu/run.hpp>
#include <dimity/exec/workspace.hpp>
#include <dimity/plan/alias.hpp>
#include <dimity/plan/schedule.hpp>
#include <dimity/program/finish.hpp>

namespace dimity::detail {

/// Room for the plan of an everyday expression.
inline constexpr plan_size draft_size{1, 1, 1, 8, 24, 12, 2, 12, 32, 12, 6, 8};
struct draft_plan {
  plan_size used = {};
  plan<draft_size> content = {};
};

/// Kernels are keyed on this type, so Source should have a short name (DESIGN section 6).
template <class Source>
struct planned {
  template <class F>
  static constexpr auto with_plan(F const& f) {
    builder raw;
    Source::build(raw);
    builder g;
    finish(raw, g);
    plan_builder out;
    scheduler s(g, out, cpu_scratch_bytes);
    s.run();
    return f(s, g, out);
  }
  // Constant evaluation cannot hand an array out whose size is not yet a constant: small plans leave in one of a fixed size, larger ones are made twice.
  static constexpr draft_plan draft = with_plan([](scheduler const& s, builder const& g, plan_builder const& out) {
    draft_plan d;
    d.used = s.size();
    if (fits(d.used, draft_size)) d.content = to_plan<draft_size>(g, out);
    return d;
  });
  static constexpr plan_size size = draft.used;
  static constexpr plan<size> make() {
    if constexpr (fits(size, draft_size)) return shrink<size>(draft.content);
    else return with_plan([](scheduler const&, builder const& g, plan_builder const& out) { return to_plan<size>(g, out); });
  }
  static constexpr plan<size> value = make();
};

/// Runs the plan in this thread's workspace.
template <class Plan, class Device = simd_device>
DIMITY_INLINE void run_planned(void* const* inputs, void* const* outputs) {
  if constexpr (Plan::value.workspace_bytes == 0) {
    executor<typename plan_on<Device, Plan>::type>::run({inputs, outputs, nullptr});
  } else {
    executor<typename plan_on<Device, Plan>::type>::run({inputs, outputs, workspace_of_thread(static_cast<std::size_t>(Plan::value.workspace_bytes))});
  }
}

}  // namespace dimity::detail
