// Program -> plan, as a constant of a type: `planned<Source>::value`. Source says how to build the program.
#pragma once

#include <dimity/exec/cpu/run.hpp>
#include <dimity/exec/workspace.hpp>
#include <dimity/plan/alias.hpp>
#include <dimity/plan/schedule.hpp>
#include <dimity/program/row_chain.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Who runs the plan of a source: this machine's processors, unless specialised.
template <class Source>
inline constexpr plan_rules rules_of_source = cpu_rules;

template <class Source, class F>
constexpr auto with_plan(F const& f) {
  builder raw, finished, blocked;
  Source::build(raw);
  constexpr plan_rules rules = rules_of_source<Source>;
  raw.on_gpu = rules.on_gpu;
  bool const as_it_is = is_finished(raw);
  if (!as_it_is) finish(raw, finished);
  builder& whole = as_it_is ? raw : finished;
  builder& g = rules.chains_rows && make_row_blocks(whole, blocked) ? blocked : whole;
  plan_builder out;
  scheduler s(g, out, rules);
  s.run_program();
  return f(s, g, out);
}
/// A plan in a constant that is larger than it: constant evaluation cannot hand an array out whose size is not yet a constant, and planning twice, to find the sizes first, doubled the
/// time and the compiler's memory. What is not used costs next to nothing: compilers keep equal elements as one.
template <class Room>
struct draft_plan {
  plan_size used = {};
  plan<Room::size> content = {};
};
template <class Room>
struct take_draft {
  constexpr draft_plan<Room> operator()(scheduler const& s, builder const& g, plan_builder const& out) const {
    draft_plan<Room> d;
    d.used = s.size();
    if (fits(d.used, Room::size)) copy_plan(d.content, out, *g.extents, d.used);
    return d;
  }
};
template <plan_size N>
struct take_plan {
  constexpr plan<N> operator()(scheduler const&, builder const& g, plan_builder const& out) const {
    plan<N> p;
    copy_plan(p, out, *g.extents, N);
    return p;
  }
};
template <plan_size N, plan_size Room>
constexpr plan<N> without_spare_room(plan<Room> const& draft) {
  plan<N> p;
  copy_plan(p, draft, draft, N);
  return p;
}

/// The plan of an everyday expression stays in its draft: `size` says how much of it counts. Types, because these numbers would stand in error messages.
struct short_room {
  static constexpr plan_size size{1, 1, 1, 8, 24, 12, 2, 12, 32, 12, 6, 8};
};
struct long_room {
  static constexpr plan_size size{256, 512, 1024, 2048, 4096, 2048, 1024, 4096, 8192, 4096, 256, 2048, 32, 256, 64, 256, 64, 64, 64, 64};
};

template <class Source, class Room>
inline constexpr draft_plan<Room> draft = with_plan<Source>(take_draft<Room>{});
template <class Source, class Room, plan_size N>
constexpr plan<N> make_exact_plan() {
  if constexpr (fits(N, Room::size)) return without_spare_room<N>(draft<Source, Room>.content);
  else return with_plan<Source>(take_plan<N>{});
}
template <class Source, class Room, plan_size N>
inline constexpr plan<N> exact_plan = make_exact_plan<Source, Room, N>();

template <class Source, bool IsShort>
struct made_plan {
  static constexpr plan_size size = draft<Source, long_room>.used;
  static constexpr auto const& value = exact_plan<Source, long_room, size>;
};
template <class Source>
struct made_plan<Source, true> {
  static constexpr plan_size size = draft<Source, short_room>.used;
  static constexpr auto const& choose() {
    if constexpr (fits(size, short_room::size)) return draft<Source, short_room>.content;
    else return exact_plan<Source, short_room, size>;
  }
  static constexpr auto const& value = choose();
};

template <class Source>
inline constexpr bool is_short_source = false;
template <class Source>
  requires requires { Source::is_short; }
inline constexpr bool is_short_source<Source> = Source::is_short;

/// Kernels are keyed on this type, so Source should have a short name (DESIGN section 6).
template <class Source>
struct planned : made_plan<Source, is_short_source<Source>> {};

/// What a pass found wrong with a program.
template <program_error Error>
struct program_rule {
  static_assert(Error != program_error::reverse_of_while,
                "[dimity.loop.1] grad, vjp: while_loop has no reverse mode, because nobody knows how much to save; use scan, or fori_loop with a bound, or custom_vjp");
  static_assert(Error != program_error::unknown_extent,
                "[dimity.shape.17] an extent chosen at run time is in no argument, and follows from none: give it a tensor that has it (zeros_like, full_like, reshape)");
};

template <std::size_t Bytes>
DIMITY_INLINE std::byte* workspace_of() {
  if constexpr (Bytes == 0) return nullptr;
  else return workspace_of_thread<Bytes>();
}
/// Runs the plan in this thread's workspace. A function of its own: a call costs nothing beside a longer loop, and the paths that lead here share its code.
template <class Plan>
[[gnu::noinline]] void run_out_of_line(void* const* inputs, void* const* outputs) {
  memory const m{inputs, outputs, workspace_of<static_cast<std::size_t>(Plan::value.workspace_bytes)>()};
  if constexpr (executor<Plan>::is_one_kernel && !is_threaded<Plan> && !adds_up_in_blocks<Plan, 0>) {
    // Most expressions are one kernel, and this is its code: each function on the way to it costs compile time, inlined or not.
    typename executor<Plan>::kernel_pointers const own(m);
    loop<Plan, 0>::run(own.p);
  } else {
    executor<Plan>::run(m);
  }
}
template <class Plan, class Device = simd_device>
DIMITY_INLINE void run_planned(void* const* inputs, void* const* outputs) {
  using plan = typename plan_on<Device, Plan>::type;
  if constexpr (executor<plan>::is_short) executor<plan>::run({inputs, outputs, workspace_of<static_cast<std::size_t>(Plan::value.workspace_bytes)>()});
  else run_out_of_line<plan>(inputs, outputs);
}

/// The same, where extents are chosen at run time.
template <class Plan, class Device = simd_device>
void run_planned(void* const* inputs, void* const* outputs, extent_t const* symbols) {
  auto const bytes = static_cast<std::size_t>(workspace_needed<Plan>(symbols));
  executor<typename plan_on<Device, Plan>::type>::run({inputs, outputs, bytes > 0 ? workspace_of_thread(bytes) : nullptr, symbols});
}

}  // namespace DIMITY_NAMESPACE::detail
