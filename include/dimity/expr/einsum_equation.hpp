// The string of einsum, read while compiling, and what can be wrong with it.
#pragma once

#include <dimity/core/fixed_string.hpp>
#include <dimity/core/shape.hpp>

#include <bit>

namespace DIMITY_NAMESPACE::detail {

inline constexpr int max_einsum_operands = 16;

/// Labels of one operand or of the result. As numbers: 0..7 are the axes of "...", aligned at the end, then A..Z, then a..z, which is NumPy's order.
struct einsum_term {
  int rank = 0, ellipsis = -1;  ///< ellipsis: how many letters come before "...", or -1
  int label[2 * max_rank] = {};

  constexpr void push(int l) { label[rank++] = l; }
  constexpr int find(int l) const {
    for (int i = 0; i < rank; ++i)
      if (label[i] == l) return i;
    return -1;
  }
  constexpr std::uint64_t mask() const {
    std::uint64_t m = 0;
    for (int i = 0; i < rank; ++i) m |= std::uint64_t{1} << label[i];
    return m;
  }
  /// Puts the axes that "..." stands for into their places.
  constexpr einsum_term expanded(int axes) const {
    if (ellipsis < 0) return *this;
    einsum_term t;
    for (int i = 0; i < ellipsis; ++i) t.push(label[i]);
    for (int i = 0; i < axes; ++i) t.push(max_rank - axes + i);
    for (int i = ellipsis; i < rank; ++i) t.push(label[i]);
    return t;
  }
};

struct einsum_equation {
  bool well_formed = true, has_arrow = false;
  int operands = 1;
  einsum_term term[max_einsum_operands] = {}, result = {};

  static constexpr int label_of(char c) { return c >= 'A' && c <= 'Z' ? max_rank + (c - 'A') : c >= 'a' && c <= 'z' ? max_rank + 26 + (c - 'a') : -1; }

  constexpr explicit einsum_equation(std::string_view s) {
    einsum_term* t = &term[0];
    bool any_ellipsis = false;
    for (std::size_t i = 0; i < s.size() && well_formed; ++i) {
      if (s[i] == ' ') continue;
      if (label_of(s[i]) >= 0) {
        well_formed = t->rank < (t == &result ? 2 : 1) * max_rank;
        if (well_formed) t->push(label_of(s[i]));
      } else if (s[i] == ',' && !has_arrow) {
        well_formed = operands < max_einsum_operands;
        if (well_formed) t = &term[operands++];
      } else if (s.substr(i, 3) == "..." && t->ellipsis < 0) {
        t->ellipsis = t->rank;
        any_ellipsis = any_ellipsis || !has_arrow;
        i += 2;
      } else if (s.substr(i, 2) == "->" && !has_arrow) {
        has_arrow = true;
        t = &result;
        i += 1;
      } else {
        well_formed = false;
      }
    }
    int count[64] = {};
    for (int o = 0; o < operands; ++o)
      for (int i = 0; i < term[o].rank; ++i) ++count[term[o].label[i]];
    if (!has_arrow) {
      if (any_ellipsis) result.ellipsis = 0;
      for (int l = 0; l < 64; ++l)
        if (count[l] == 1 && result.rank < 2 * max_rank) result.push(l);
    }
    for (int i = 0; i < result.rank; ++i) well_formed = well_formed && count[result.label[i]] > 0 && result.find(result.label[i]) == i;
    well_formed = well_formed && (!any_ellipsis || result.ellipsis >= 0);
  }
  /// Axes that "..." stands for in operand o of this rank.
  constexpr int ellipsis_axes(int o, int rank) const { return term[o].ellipsis < 0 ? 0 : rank - term[o].rank; }
  constexpr std::uint64_t needed_after(int o) const {
    std::uint64_t m = result.mask();
    for (int i = o + 1; i < operands; ++i) m |= term[i].mask();
    return m;
  }
};

template <fixed_string Equation>
inline constexpr einsum_equation equation_of{Equation.view()};

template <fixed_string Equation>
struct einsum_string {
  static_assert(equation_of<Equation>.well_formed, "[dimity.einsum.1] einsum: expected labels (letters) and at most one ... for each operand, separated by commas, then optionally -> and the "
                             "labels of the result, each once and each from an operand");
};
template <fixed_string Equation, int Operands>
struct einsum_operands {
  static_assert(equation_of<Equation>.operands == Operands, "[dimity.einsum.2] einsum: the string needs as many comma-separated parts as there are operands");
};
template <fixed_string Equation, int Operand, class Shape>
struct einsum_rank {
  static constexpr int labels = equation_of<Equation>.term[Operand].rank;
  static constexpr bool open = equation_of<Equation>.term[Operand].ellipsis >= 0;
  static constexpr int axes = open ? labels : Shape::rank, named = open ? labels : 0;
  static_assert(labels == axes, "[dimity.einsum.2] einsum: an operand needs one label for each of its axes");
  static_assert(named <= Shape::rank, "[dimity.einsum.2] einsum: an operand needs one label for each of its axes");
};
// Apart from the errors: clang evaluates no function that mentions a class with one.
template <fixed_string Equation, int Operand, class Shape>
inline constexpr bool einsum_rank_fits =
    equation_of<Equation>.term[Operand].ellipsis >= 0 ? equation_of<Equation>.term[Operand].rank <= Shape::rank : equation_of<Equation>.term[Operand].rank == Shape::rank;
/// Extents by label, and the first disagreement: `left` and `right` differ.
struct einsum_extents {
  extent_t extent[64] = {}, left = 0, right = 0;

  constexpr void add(einsum_term const& t, shape_value const& s) {
    for (int i = 0; i < t.rank; ++i) {
      extent_t& e = extent[t.label[i]];
      bool const repeats = t.label[i] < max_rank;
      if (e == 0 || (repeats && e == 1)) {
        e = s.extent[i].code;
      } else if (extent_t const other = s.extent[i].code; !may_be_equal(e, other) && !(repeats && other == 1) && left == right) {
        left = e;
        right = other;
      }
    }
  }
};
template <fixed_string Equation, class... Shapes>
struct einsum_facts {
  static constexpr shape_value shapes[sizeof...(Shapes)] = {shape_value_of<Shapes>::value...};
  static constexpr einsum_extents find() {
    einsum_extents all;
    for (int o = 0; o < static_cast<int>(sizeof...(Shapes)); ++o)
      all.add(equation_of<Equation>.term[o].expanded(equation_of<Equation>.ellipsis_axes(o, shapes[o].rank)), shapes[o]);
    return all;
  }
  static constexpr einsum_extents extents = find();
  static constexpr bool fits() { return extents.left == extents.right && most_axes() <= max_rank; }
  /// Axes of the largest intermediate result or of the result.
  static constexpr int most_axes() {
    einsum_equation e = equation_of<Equation>;
    int ellipsis = 0;
    for (int o = 0; o < e.operands; ++o) {
      int const axes = e.ellipsis_axes(o, shapes[o].rank);
      ellipsis = axes > ellipsis ? axes : ellipsis;
      e.term[o] = e.term[o].expanded(axes);
    }
    e.result = e.result.expanded(ellipsis);
    int most = e.result.rank;
    std::uint64_t all = 0;
    for (int o = 0; o < e.operands; ++o) {
      std::uint64_t const needed = e.needed_after(o), mine = e.term[o].mask() & (needed | all), aligned = all & mine & ~needed;
      bool const product = (all & ~mine) == 0 && (mine & ~all) == 0;
      all = product ? all | mine : (all | mine) & ~aligned;
      int const axes = std::popcount(all);
      most = axes > most ? axes : most;
      all &= needed;
    }
    return most;
  }
};
template <fixed_string Equation, class... Shapes>
struct einsum_shapes {
  using facts = einsum_facts<Equation, Shapes...>;
  static_assert(facts::extents.left == facts::extents.right, "[dimity.einsum.3] einsum: a label stands for two different extents");
  static_assert(facts::most_axes() <= max_rank, "[dimity.einsum.4] einsum: the result, or a product on the way to it, has more than 8 axes");
};

}  // namespace DIMITY_NAMESPACE::detail
