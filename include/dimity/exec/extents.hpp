// Extents chosen at run time, at a call: their values from those of the arguments, and what does not agree.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/error.hpp>
#include <dimity/plan/extents.hpp>
#include <dimity/plan/memory.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Plan>
inline constexpr bool has_symbols = Plan::size.symbols > 0;

template <class Plan>
constexpr extent_rules rules_of(int inputs) {
  return {Plan::value.symbols, Plan::size.symbols, Plan::value.conditions, Plan::size.conditions, Plan::value.shapes, Plan::value.interface, inputs};
}

inline std::string given_shape_text(shape_value const& s, extent_t const* extents) {
  std::string text = "(";
  for (int i = 0; i < s.rank; ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
  return text + (s.rank == 1 ? ",)" : ")");
}

/// An extent, offset or stride of a step: a constant, or what it is at this call. The values of extents lie behind a step's pointers.
template <amount A, int Pointers>
DIMITY_INLINE constexpr extent_t number_at_call([[maybe_unused]] void* const* slots) {
  if constexpr (A.is_known()) return A.code;
  else return value_of<A>(static_cast<extent_t const*>(slots[Pointers]));
}

/// Throws shape_error unless the arguments' extents are what the program takes them for. Nothing has been written then.
inline void check_extents(extent_rules const& rules, extent_t const* const* given, extent_t const* values) {
  auto const fail_with = [&](std::string const& what) {
    std::string text = what + "; arguments";
    for (int i = 0; i < rules.inputs; ++i) text += (i > 0 ? ", " : " ") + given_shape_text(rules.shapes[rules.interface[i]], given[i]);
    fail<shape_error>(text);
  };
  for (int i = 0; i < rules.inputs; ++i) {
    shape_value const& s = rules.shapes[rules.interface[i]];
    for (int axis = 0; axis < s.rank; ++axis) {
      extent_t const wanted = value_of(s.extent[axis], values);
      if (given[i][axis] != wanted)
        fail_with("extents chosen at run time do not fit: axis " + std::to_string(axis) + " of argument " + std::to_string(i) + " has " + std::to_string(given[i][axis]) + " elements, the others need " +
                  std::to_string(wanted));
    }
  }
  for (int i = 0; i < rules.condition_count; ++i) {
    extent_condition const& c = rules.conditions[i];
    extent_t const a = value_of(c.a, values), b = value_of(c.b, values);
    if (c.at_least ? a < b : a != b)
      fail_with("extents chosen at run time do not fit: " + std::to_string(a) + (c.at_least ? " elements where at least " + std::to_string(b) + " are needed" : " and " + std::to_string(b) + " must be equal"));
  }
}

/// The extents of all arguments, checked: what the kernels of a plan with such extents are given beside their pointers.
template <class Plan>
struct call_extents {
  extent_t values[Plan::size.symbols + 1];

  call_extents([[maybe_unused]] extent_t const* const* given, [[maybe_unused]] int inputs) {
    if constexpr (has_symbols<Plan>) find_and_check(given, inputs);
  }
  void find_and_check(extent_t const* const* given, int inputs) {
    extent_rules const rules = rules_of<Plan>(inputs);
    find_extents(rules, [&](extent_symbol const& s) { return given[s.input][s.axis]; }, values);
    check_extents(rules, given, values);
  }
  /// Of output k.
  void output_extents(int inputs, int k, extent_t* to) const {
    shape_value const& s = Plan::value.shapes[Plan::value.interface[inputs + k]];
    for (int i = 0; i < s.rank; ++i) to[i] = value_of(s.extent[i], values);
  }
};

/// The bytes that a call needs when its extents, one for each symbol that is read from an argument, are these `count`.
template <class Plan>
constexpr std::size_t workspace_for(extent_t const* extents, int count) {
  extent_t values[Plan::size.symbols + 1] = {};
  int next = 0;
  find_extents(rules_of<Plan>(0), [&](extent_symbol const&) { return next < count ? extents[next++] : 0; }, values);
  std::int64_t bytes = Plan::value.workspace_bytes;
  for (int r = Plan::size.first_region; r < Plan::size.regions; ++r)
    bytes += round_up(Plan::value.regions[r].bytes * value_of(Plan::value.regions[r].unit, values), buffer_alignment) + Plan::value.regions[r].slack;
  return static_cast<std::size_t>(bytes);
}

/// Where region R of a workspace begins, in bytes.
template <class Plan, int First, int R>
DIMITY_INLINE extent_t region_start([[maybe_unused]] extent_t const* symbols, [[maybe_unused]] extent_t known) {
  if constexpr (R <= First) {
    return known;
  } else {
    constexpr region r = Plan::value.regions[R - 1];
    return region_start<Plan, First, R - 1>(symbols, known) + round_up(r.bytes * value_of<r.unit>(symbols), buffer_alignment) + r.slack;
  }
}
/// The bytes that a call needs.
template <class Plan>
DIMITY_INLINE extent_t workspace_needed(extent_t const* symbols) {
  return region_start<Plan, Plan::size.first_region, Plan::size.regions>(symbols, Plan::value.workspace_bytes);
}

}  // namespace DIMITY_NAMESPACE::detail
