// Runs a plan on this machine.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/exec/cpu/opaque.hpp>
#include <dimity/exec/extents.hpp>

#include <cstddef>

namespace dimity::detail {

/// Memory of one call: where arguments are, where results go, and scratch of `workspace_bytes`.
struct memory {
  void* const* inputs;
  void* const* outputs;
  std::byte* workspace;
  extent_t const* symbols = nullptr;  ///< the values of extents chosen at run time
};

/// A plan for the scalar device: the same constant under another type, which kernels look at.
template <class Plan>
struct scalar_plan {
  static constexpr bool is_scalar = true;
  static constexpr auto const& value = Plan::value;
  static constexpr plan_size size = Plan::size;
};
template <class Device, class Plan>
struct plan_on {
  using type = Plan;
};
template <class Plan>
struct plan_on<scalar_device, Plan> {
  using type = scalar_plan<Plan>;
};

template <class Plan, int Index>
[[gnu::noinline]] void run_control(void* const* slots);

template <class Plan>
struct executor {
  template <int Buffer>
  DIMITY_INLINE static void* address(memory const& m) {
    constexpr buffer b = Plan::value.buffers[Buffer];
    if constexpr (b.where == residence::input) return m.inputs[b.index];
    else if constexpr (b.where == residence::output) return m.outputs[b.index];
    else if constexpr (b.region < 0) return m.workspace + b.offset;
    else return in_region<Buffer>(m);
  }
  template <int Buffer>
  DIMITY_INLINE static void* in_region(memory const& m) {
    constexpr buffer b = Plan::value.buffers[Buffer];
    constexpr region r = Plan::value.regions[b.region];
    constexpr enclosing_workspace around = workspace_around(b.region);
    constexpr int first = around.first_region;
    return m.workspace + region_start<Plan, first, b.region>(m.symbols, around.known_bytes) + round_up(b.offset * value_of<r.unit>(m.symbols), buffer_alignment) + b.slack;
  }
  /// The workspace that a region is in: that of a block, or of the whole.
  struct enclosing_workspace {
    int first_region;
    std::int64_t known_bytes;
  };
  static constexpr enclosing_workspace workspace_around(int region) {
    for (int i = 0; i < Plan::size.blocks; ++i)
      if (block const& b = Plan::value.blocks[i]; b.regions.begin <= region && region < b.regions.end) return {b.regions.begin, b.workspace_bytes};
    return {Plan::size.first_region, Plan::value.workspace_bytes};
  }
  template <int Begin, int... I, class F>
  DIMITY_INLINE static void with_slots(std::integer_sequence<int, I...>, memory const& m, F const& f) {
    // Behind the pointers: the values of extents chosen at run time.
    void* const slots[sizeof...(I) + 1] = {address<Plan::value.slots[Begin + I]>(m)..., has_symbols<Plan> ? const_cast<extent_t*>(m.symbols) : nullptr};
    f(slots);
  }
  template <int Epilogue>
  static constexpr range epilogue_slots() {
    if constexpr (Epilogue >= 0) return Plan::value.kernels[Epilogue].slots;
    else return {};
  }
  static constexpr bool is_short(kernel const& k) {
    amount size = 1;
    for (int axis = 0; axis < k.axes; ++axis) size *= k.extent[axis];
    return size.is_known() && size.number() <= 64;
  }
  template <int Step>
  DIMITY_INLINE static void run_step(memory const& m) {
    constexpr step s = Plan::value.steps[Step];
    if constexpr (s.kind == step_kind::control) {
      constexpr control_step c = Plan::value.controls[s.index];
      constexpr int index = s.index;
      with_slots<c.slots.begin>(std::make_integer_sequence<int, c.slots.size()>{}, m, [](void* const* slots) DIMITY_INLINE_LAMBDA { run_control<Plan, index>(slots); });
    } else if constexpr (s.kind == step_kind::kernel) {
      constexpr kernel k = Plan::value.kernels[s.index];
      constexpr int code = k.same_as >= 0 ? k.same_as : s.index;
      constexpr bool is_alone = Plan::value.size.steps == 1 && is_short(k);
      with_slots<k.slots.begin>(std::make_integer_sequence<int, k.slots.size()>{}, m, [](void* const* slots) DIMITY_INLINE_LAMBDA {
        // A call costs nothing beside a longer loop, and the paths that lead here share its code.
        if constexpr (is_alone) loop<Plan, code>::run(slots);
        else run_kernel<Plan, code>(slots);
      });
    } else {
      constexpr opaque_step o = Plan::value.opaques[s.index];
      constexpr int code = o.same_as >= 0 ? o.same_as : s.index;
      constexpr range e = epilogue_slots<o.epilogue>();
      with_slots<o.slots.begin>(std::make_integer_sequence<int, o.slots.size()>{}, m, [&](void* const* slots) DIMITY_INLINE_LAMBDA {
        with_slots<e.begin>(std::make_integer_sequence<int, e.size()>{}, m, [&](void* const* epilogue_slots) DIMITY_INLINE_LAMBDA { run_opaque<Plan, code>(slots, epilogue_slots); });
      });
    }
  }
  template <int First, int... Step>
  DIMITY_INLINE static void run_steps(std::integer_sequence<int, Step...>, memory const& m) {
    (run_step<First + Step>(m), ...);
  }
  /// Long programs are several functions: compilers take more than linear time for one (measured with 417 steps: 21 s of g++).
  template <int Begin, int End>
  [[gnu::noinline]] static void run_part(memory const& m) {
    run_steps<Begin>(std::make_integer_sequence<int, End - Begin>{}, m);
  }
  template <int Begin, int... Part>
  static void run_parts(std::integer_sequence<int, Part...>, memory const& m) {
    (run_part<Begin + Part * part_size, Begin + Part * part_size + part_size>(m), ...);
  }
  static constexpr int part_size = 24;
  template <int Begin, int End>
  DIMITY_INLINE static void run_range(memory const& m) {
    if constexpr (End - Begin == 1) {
      run_step<Begin>(m);
    } else if constexpr (End - Begin <= 2 * part_size) {
      run_steps<Begin>(std::make_integer_sequence<int, End - Begin>{}, m);
    } else {
      constexpr int parts = (End - Begin) / part_size;
      run_parts<Begin>(std::make_integer_sequence<int, parts>{}, m);
      run_steps<Begin + parts * part_size>(std::make_integer_sequence<int, End - Begin - parts * part_size>{}, m);
    }
  }
  DIMITY_INLINE static void run(memory const& m) {
    constexpr int first = Plan::value.size.first_step, end = Plan::value.size.steps;
    // Most expressions have one step; each function on the way to it costs compile time, inlined or not.
    if constexpr (end - first == 1) run_step<first>(m);
    else run_range<first, end>(m);
  }
};

}  // namespace dimity::detail

#include <dimity/exec/cpu/control.hpp>
