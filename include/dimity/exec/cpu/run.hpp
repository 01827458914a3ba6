// Runs a plan on this machine.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/exec/cpu/opaque.hpp>
#include <dimity/exec/cpu/row_blocks.hpp>
#include <dimity/exec/extents.hpp>

#include <cstddef>

namespace DIMITY_NAMESPACE::detail {

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

template <class Plan>
struct plan_on<cpu, Plan> {
  using type = threaded_plan<Plan>;
};

template <class Plan, int Index>
[[gnu::noinline]] void run_control(void* const* slots);

/// Where a kernel's pointer comes from, as one number: an index or an offset, and in the last two bits of what.
enum class pointer_source : int { input, output, workspace, region };
template <class Plan>
constexpr std::int64_t pointer_code(int slot) {
  int const index = Plan::value.slots[slot];
  buffer const& b = Plan::value.buffers[index];
  if (b.where == residence::input) return b.index * 4 + static_cast<int>(pointer_source::input);
  if (b.where == residence::output) return b.index * 4 + static_cast<int>(pointer_source::output);
  if (b.region < 0) return b.offset * 4 + static_cast<int>(pointer_source::workspace);
  return index * 4 + static_cast<int>(pointer_source::region);
}
constexpr pointer_source source_of(std::int64_t code) { return static_cast<pointer_source>(code & 3); }

template <class Plan>
struct executor {
  template <std::int64_t Code>
  DIMITY_INLINE static void* address(memory const& m) {
    if constexpr (source_of(Code) == pointer_source::input) return m.inputs[Code >> 2];
    else if constexpr (source_of(Code) == pointer_source::output) return m.outputs[Code >> 2];
    else if constexpr (source_of(Code) == pointer_source::workspace) return m.workspace + (Code >> 2);
    else return in_region<static_cast<int>(Code >> 2)>(m);
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
  /// The pointers of a step; behind them, where extents are chosen at run time, their values. Where none are, each pointer is an expression: a function of its own for each would cost compile time.
  template <std::int64_t... Code>
  struct pointers {
    void* p[sizeof...(Code) + 1];
    DIMITY_INLINE explicit pointers(memory const& m)
      requires(!has_symbols<Plan>)
        : p{(source_of(Code) == pointer_source::input ? m.inputs[Code >> 2] : source_of(Code) == pointer_source::output ? m.outputs[Code >> 2] : m.workspace + (Code >> 2))..., nullptr} {}
    DIMITY_INLINE explicit pointers(memory const& m)
      requires(has_symbols<Plan>)
        : p{address<Code>(m)..., const_cast<extent_t*>(m.symbols)} {}
  };
  template <int Begin, class Indices>
  struct pointers_from;
  template <int Begin, int... I>
  struct pointers_from<Begin, std::integer_sequence<int, I...>> {
    using type = pointers<pointer_code<Plan>(Begin + I)...>;
  };
  template <int Begin, int Size>
  using pointers_of = typename pointers_from<Begin, std::make_integer_sequence<int, Size>>::type;
  template <int Epilogue>
  static constexpr range epilogue_slots() {
    if constexpr (Epilogue >= 0) return Plan::value.kernels[Epilogue].slots;
    else return {};
  }
  template <int Step>
  DIMITY_INLINE static void run_step(memory const& m) {
    constexpr step_kind kind = Plan::value.steps[Step].kind;
    constexpr int index = Plan::value.steps[Step].index;
    if constexpr (kind == step_kind::control) {
      constexpr range slots = Plan::value.controls[index].slots;
      pointers_of<slots.begin, slots.size()> const own(m);
      run_control<Plan, index>(own.p);
    } else if constexpr (kind == step_kind::kernel) {
      constexpr int same_as = Plan::value.kernels[index].same_as;
      constexpr range slots = Plan::value.kernels[index].slots;
      pointers_of<slots.begin, slots.size()> const own(m);
      run_kernel<Plan, (same_as >= 0 ? same_as : index)>(own.p);
    } else {
      constexpr int same_as = Plan::value.opaques[index].same_as;
      constexpr range slots = Plan::value.opaques[index].slots, e = epilogue_slots<Plan::value.opaques[index].epilogue>();
      pointers_of<slots.begin, slots.size()> const own(m);
      pointers_of<e.begin, e.size()> const epilogue(m);
      run_opaque<Plan, (same_as >= 0 ? same_as : index)>(own.p, epilogue.p);
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
  static constexpr int first = Plan::size.first_step, end = Plan::size.steps;
  static constexpr bool is_one_kernel = end == 1 && Plan::value.steps[0].kind == step_kind::kernel;
  /// One product of a few elements.
  static constexpr bool is_tiny = [] {
    if (runs_scalar<Plan> || end != 1 || first != 0 || Plan::value.steps[0].kind != step_kind::primitive || Plan::size.symbols > 0) return false;
    opaque_step const& s = Plan::value.opaques[0];
    return is_tiny_product(s, Plan::value.shapes) && Plan::value.shapes[s.shape].rank == 2;
  }();
  /// Too short for a call.
  static constexpr bool is_short = [] {
    if (is_tiny) return true;
    if (!is_one_kernel) return false;
    kernel const& k = Plan::value.kernels[0];
    amount size = 1;
    for (int axis = 0; axis < k.axes; ++axis) size *= k.extent[axis];
    return size.is_known() && size.number() <= 64;
  }();
  static constexpr range kernel_slots = Plan::value.kernels[0].slots;
  using kernel_pointers = pointers_of<kernel_slots.begin, kernel_slots.size()>;
  DIMITY_INLINE static void run(memory const& m) {
    if constexpr (is_tiny) {
      constexpr range slots = Plan::value.opaques[0].slots;
      pointers_of<slots.begin, slots.size()> const own(m);
      contraction<Plan, 0>::run_here(own.p, nullptr);
    } else if constexpr (is_short) {
      kernel_pointers const own(m);
      loop<Plan, 0>::run(own.p);
    } else {
      run_range<first, end>(m);
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail

#include <dimity/exec/cpu/control.hpp>
