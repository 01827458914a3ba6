// Arguments with optionals: one program for each presence that a call may meet.
#pragma once

#include <dimity/transform/trace.hpp>

namespace DIMITY_NAMESPACE::detail {

/// For a function whose first `count` arguments all have the optionals of argument `argument`, once or several times over: its member `optionals_like`.
struct argument_pattern {
  int argument = 0, count = 0;
};

template <int Optionals, bool Fits>
struct optionals_of_a_call {
  static_assert(Fits, "[dimity.tree.5] the arguments of one call can have at most 4 optionals: each combination of them is a program of its own (optionals)");
};
struct no_optionals {
  using rule = no_optionals;
};

/// The programs of a call of F whose arguments have optionals.
template <class F, class... Args>
struct presence_choices {
  static constexpr int optionals = optional_count<Args...>, most = 16;
  using tree = std::tuple<Args...>;

  struct table {
    int same_as[optionals + 1] = {};  ///< the optional that decides for this one
    int count = 0;
    presence of[most + 1] = {};

    constexpr presence spread(presence deciding) const {
      presence p = 0;
      for (int i = 0, bit = 0; i < optionals; ++i)
        if (same_as[i] == i) p |= (deciding >> bit++ & 1u) << i;
      for (int i = 0; i < optionals; ++i)
        if (same_as[i] != i) p |= (p >> same_as[i] & 1u) << i;
      return p;
    }
  };
  static constexpr void apply_pattern([[maybe_unused]] table& t) {
    if constexpr (requires { F::optionals_like; }) {
      constexpr argument_pattern like = F::optionals_like;
      constexpr int counts[] = {optional_count<Args>...};
      constexpr int period = counts[like.argument];
      int total = 0;
      for (int i = 0; i < like.count; ++i) {
        if (period == 0 || counts[i] % period != 0) return;
        total += counts[i];
      }
      for (int i = 0; i < total; ++i) t.same_as[i] = i % period;
    }
  }
  static constexpr table value = [] {
    table t;
    for (int i = 0; i < optionals; ++i) t.same_as[i] = places_of<tree>.same_as[i];
    apply_pattern(t);
    int deciding = 0;
    for (int i = 0; i < optionals; ++i) deciding += t.same_as[i] == i ? 1 : 0;
    if (deciding > most) t.count = most + 1;
    for (presence p = 0; deciding <= most && p < presence{1} << deciding && t.count <= most; ++p)
      if (presence const all = t.spread(p); places_of<tree>.is_possible(all)) t.of[t.count++] = all;
    return t;
  }();
  static constexpr bool fits = value.count <= most;
  using rule = optionals_of_a_call<optionals, fits>;

  /// Whether trees that must have the same optionals do.
  static constexpr bool is_one(presence p) {
    for (int i = 0; i < optionals; ++i)
      if ((p >> i & 1u) != (p >> value.same_as[i] & 1u)) return false;
    return true;
  }
};

template <class F, class... Args>
using optionals_rule = typename std::conditional_t<(optional_count<Args...> > 0), presence_choices<F, Args...>, no_optionals>::rule;
template <program_error Error>
struct presence_rule {
  static_assert(Error != program_error::presence_differs, "[dimity.tree.6] trees that belong together (a loop's state before and after, the results of branches, a value and its tangent) must have the same optionals");
};
inline constexpr char const* presence_text = "trees that belong together (a loop's state before and after, the results of branches, a value and its tangent, a model and its optimizer's state) differ in which optionals are there";

/// What comes of tracing a function.
struct trace_outcome {
  presence result_there = 0;
  program_error error = program_error::none;
};
template <class Source>
constexpr trace_outcome outcome_of() {
  builder g;
  presence const there = Source::build(g);
  return {there, g.error};
}
template <trace_outcome Outcome>
struct traced_with {
  static constexpr bool value = true;
  static constexpr trace_outcome outcome = Outcome;
};
struct not_traced {
  static constexpr bool value = false;
};
template <class Source>
auto try_trace(int) -> traced_with<outcome_of<Source>()>;
template <class Source>
auto try_trace(long) -> not_traced;
/// For arguments of which not all optionals are there: a function that uses what is not there cannot be traced, nor a transform without a single tensor. That is a mistake only if it is called so.
template <class Source>
struct trial : decltype(try_trace<Source>(0)) {};

}  // namespace DIMITY_NAMESPACE::detail
