// Loops and branches at run time: pointers are moved from iteration to iteration, values never.
#pragma once

#include <dimity/exec/cpu/run.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail {

/// Where the bodies of a loop run, and where its condition is read.
struct on_this_machine {
  template <class Plan, int Begin, int End>
  DIMITY_INLINE void run(memory const& m) const {
    executor<Plan>::template run_range<Begin, End>(m);
  }
  DIMITY_INLINE void copy(void* to, void const* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  template <class T>
  DIMITY_INLINE T read(void const* from) const {
    return *static_cast<T const*>(from);
  }
};

template <class Plan, int Index, class Machine = on_this_machine>
struct control_runner {
  static constexpr control_step c = Plan::value.controls[Index];
  static constexpr int operand_count = c.operands.size(), output_count = c.outputs.size();
  static constexpr port operand(int i) { return Plan::value.ports[c.operands.begin + i]; }
  static constexpr port output(int k) { return Plan::value.ports[c.outputs.begin + k]; }
  static constexpr bool is_carried(int k) {
    for (int i = 0; i < operand_count; ++i)
      if (operand(i).carried == k) return true;
    return false;
  }
  template <amount A>
  DIMITY_INLINE static extent_t number(void* const* slots) {
    return number_at_call<A, c.slots.size()>(slots);
  }
  template <int I>
  DIMITY_INLINE static extent_t stride_of(void* const* slots) {
    constexpr amount a = operand(I).stride;
    return number<a>(slots);
  }
  using operands = std::make_integer_sequence<int, operand_count>;
  using results = std::make_integer_sequence<int, output_count>;

  /// Where everything is in the iteration at hand.
  struct state {
    std::byte* read[operand_count + 1];
    void* written[output_count + 1];
    std::byte* scratch;
    extent_t const* symbols;
    [[no_unique_address]] Machine machine;
  };
  template <int B, int... I>
  DIMITY_INLINE static void run_block(std::integer_sequence<int, I...>, state const& s, void* const* written) {
    constexpr block b = Plan::value.blocks[c.blocks.begin + B];
    void* const inputs[] = {s.read[Plan::value.block_inputs[b.inputs.begin + I]]..., nullptr};
    s.machine.template run<Plan, b.steps.begin, b.steps.end>(memory{inputs, written, s.scratch, s.symbols});
  }
  template <int B>
  DIMITY_INLINE static void run_block(state const& s, void* const* written) {
    run_block<B>(std::make_integer_sequence<int, Plan::value.blocks[c.blocks.begin + B].inputs.size()>{}, s, written);
  }
  template <int I>
  DIMITY_INLINE static std::byte* first_of(void* const* slots) {
    constexpr amount offset = operand(I).offset;
    return static_cast<std::byte*>(slots[operand(I).slot]) + number<offset>(slots);
  }
  template <int... I, int... K>
  DIMITY_INLINE static void begin(std::integer_sequence<int, I...>, std::integer_sequence<int, K...>, state& s, void* const* slots, Machine const& machine) {
    s.machine = machine;
    ((s.read[I] = first_of<I>(slots)), ...);
    ((s.written[K] = slots[output(K).slot]), ...);
    s.scratch = nullptr;
    s.symbols = static_cast<extent_t const*>(slots[c.slots.size()]);
    if constexpr (c.scratch_slot >= 0) s.scratch = static_cast<std::byte*>(slots[c.scratch_slot]);
  }

  /// Output K goes to its own place, or alternates with a spare one so that the last iteration, and every other one before it, writes its own.
  template <int K>
  DIMITY_INLINE static void* place_of(void* const* slots, extent_t row, bool to_spare) {
    constexpr port o = output(K);
    auto* const own = static_cast<std::byte*>(slots[o.slot]);
    if constexpr (o.spare >= 0) return to_spare ? slots[o.spare] : own;
    else if constexpr (constexpr amount stride = o.stride; stride != amount(0)) return own + row * number<stride>(slots);
    else return own;
  }
  /// What operand I is in the next iteration.
  template <int I>
  DIMITY_INLINE static void carry(state& s) {
    if constexpr (operand(I).carried >= 0) s.read[I] = static_cast<std::byte*>(s.written[operand(I).carried]);
  }
  template <int K>
  DIMITY_INLINE static std::size_t bytes_of(void* const* slots) {
    constexpr amount bytes = output(K).bytes;
    return static_cast<std::size_t>(number<bytes>(slots));
  }
  template <int I>
  DIMITY_INLINE static void settle(state const& s, void* const* slots) {
    if constexpr (constexpr int k = operand(I).carried; k >= 0)
      if (void* const own = slots[output(k).slot]; s.read[I] != own) s.machine.copy(own, s.read[I], bytes_of<k>(slots));
  }
  /// Iterations [from, to) of `trips`, in the order of time.
  template <int... I, int... K>
  DIMITY_INLINE static void iterate(std::integer_sequence<int, I...>, std::integer_sequence<int, K...>, state& s, void* const* slots, extent_t trips, extent_t from, extent_t to) {
    std::byte* const first[] = {s.read[I]..., nullptr};
    for (extent_t t = from; t < to; ++t) {
      extent_t const row = c.from_end ? trips - 1 - t : t;
      ((operand(I).stride != amount(0) ? void(s.read[I] = first[I] + row * stride_of<I>(slots)) : void()), ...);
      ((s.written[K] = place_of<K>(slots, row, (trips - t) % 2 == 0)), ...);
      run_block<0>(s, s.written);
      (carry<I>(s), ...);
    }
  }
  /// Where nothing is carried: some iterations, in a workspace of their own.
  static void iterations(void* const* slots, std::byte* scratch, extent_t trips, extent_t from, extent_t to) {
    state s;
    begin(operands{}, results{}, s, slots, {});
    s.scratch = scratch;
    iterate(operands{}, results{}, s, slots, trips, from, to);
  }
  template <int... I, int... K>
  DIMITY_INLINE static void scan(std::integer_sequence<int, I...>, std::integer_sequence<int, K...>, void* const* slots, Machine const& machine) {
    constexpr amount all = c.trips;
    extent_t const trips = number<all>(slots);
    if constexpr (is_threaded<Plan>)
      if (threaded_scan<Plan, Index>::run(slots, trips)) return;
    state s;
    begin(operands{}, results{}, s, slots, machine);
    if constexpr (!c.trips.is_known())
      if (trips == 0) (settle<I>(s, slots), ...);
    iterate(operands{}, results{}, s, slots, trips, 0, trips);
  }

  template <int... I, int... K>
  DIMITY_INLINE static void loop_while(std::integer_sequence<int, I...>, std::integer_sequence<int, K...>, void* const* slots, Machine const& machine) {
    state s;
    begin(operands{}, results{}, s, slots, machine);
    void* const condition[] = {slots[c.head_slot]};
    for (bool to_spare = false;; to_spare = !to_spare) {
      run_block<0>(s, condition);
      if (!machine.template read<bool>(condition[0])) break;
      ((s.written[K] = place_of<K>(slots, 0, to_spare)), ...);
      run_block<1>(s, s.written);
      (carry<I>(s), ...);
    }
    (settle<I>(s, slots), ...);
  }

  template <int... B>
  DIMITY_INLINE static void branch(std::integer_sequence<int, B...>, void* const* slots, Machine const& machine) {
    state s;
    begin(operands{}, results{}, s, slots, machine);
    using index_type = type_of<c.head_type>;
    constexpr amount head_offset = c.head_offset;
    auto const index = machine.template read<index_type>(static_cast<std::byte const*>(slots[c.head_slot]) + number<head_offset>(slots));
    constexpr int last = c.blocks.size() - 1;
    int const taken = index <= index_type(0) ? 0 : static_cast<std::uint64_t>(index) >= static_cast<std::uint64_t>(last) ? last : static_cast<int>(index);
    ((taken == B ? run_block<B>(s, s.written) : void()), ...);
  }

  static void run(void* const* slots, Machine const& machine = {}) {
    if constexpr (c.kind == control_kind::scan) scan(operands{}, results{}, slots, machine);
    else if constexpr (c.kind == control_kind::while_loop) loop_while(operands{}, results{}, slots, machine);
    else branch(std::make_integer_sequence<int, c.blocks.size()>{}, slots, machine);
  }
};

template <class Plan, int Index>
void run_control(void* const* slots) {
  control_runner<Plan, Index>::run(slots);
}

}  // namespace DIMITY_NAMESPACE::detail
