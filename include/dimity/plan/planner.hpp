// What the planning passes share: the program being planned and what is known about each of its values.
#pragma once

#include <dimity/plan/plan.hpp>

namespace DIMITY_NAMESPACE::detail {

/// How a value reaches its users.
enum class status : std::uint8_t {
  dead,
  constant,
  floating,  ///< cheap, made of memory and constants only: computed wherever it is used
  anchored,  ///< computed in the kernel of its home
  memory     ///< readable through its place: inputs, results of opaque primitives, views of anything in memory
};

/// Where the elements of a value are: element (i0, ...) of the value is element offset + sum(i * stride) of node `root`'s buffer.
struct place {
  std::int32_t root = -1;
  amount offset = 0;
  amount stride[max_rank] = {};
};

struct node_info {
  status state = status::dead;
  bool required = false;     ///< must be written to memory
  bool accumulated = false;  ///< a reduction over outer axes, complete only when its kernel is
  std::int16_t ready = 0;    ///< memory, floating: the first level that can use it
  std::int16_t depth = 0;    ///< floating: operations on top of memory
  std::int16_t group = -1;   ///< anchored: index of its home
  std::int16_t buffer = -1;
  axis_map map;              ///< anchored: its axes -> axes of the home's space
};

/// All anchored values of one level over one index space; connected parts of it become kernels.
struct group {
  std::int16_t level = 0, space = 0, split = -1;  ///< split: first inner axis, -1 while undecided
};

struct planner {
  builder* g;
  list<node_info> info;
  list<place> places;
  list<std::int32_t> order;
  list<group> groups;
  list<std::int32_t> first_user, next_user, user;  ///< users of each value, as linked lists

  constexpr int rank(int id) const { return g->shape(id).rank; }
  constexpr bool is_memory(int id) const { return info[id].state == status::memory; }
  constexpr bool is_anchored(int id) const { return info[id].state == status::anchored; }
  /// True when a kernel of `group` reads the value from memory. A floating value that somebody required after kernels of its own level had used it
  /// is not written early enough for those: they compute it again.
  constexpr bool is_read_by(int id, int group) const {
    return is_memory(id) || (is_anchored(id) && info[id].required && groups[info[id].group].level < groups[group].level);
  }

  constexpr int find_group(int level, int space) {
    for (int i = groups.size() - 1; i >= 0; --i)
      if (groups[i].level == level && groups[i].space == space) return i;
    groups.push({static_cast<std::int16_t>(level), static_cast<std::int16_t>(space), -1});
    return groups.size() - 1;
  }
  /// The shape without extents of 1, which is what a kernel iterates over.
  constexpr int squeezed_space(int id, axis_map& map) {
    shape_value const s = g->shape(id);
    shape_value space;
    map = {};
    for (int i = 0; i < s.rank; ++i)
      if (s.extent[i] != 1) {
        map.set(i, space.rank);
        space.push(s.extent[i]);
      }
    return g->intern(space);
  }
  constexpr void row_major(place& p, shape_value const& s) {
    amount stride = 1;
    for (int i = s.rank - 1; i >= 0; --i) {
      p.stride[i] = s.extent[i] == 1 ? amount(0) : stride;
      stride *= s.extent[i];
    }
  }
  constexpr bool is_row_major(place const& p, shape_value const& s) const {
    amount stride = 1;
    for (int i = s.rank - 1; i >= 0; --i) {
      if (s.extent[i] != 1 && p.stride[i] != stride) return false;
      stride *= s.extent[i];
    }
    return true;
  }
};

/// Everything that a node reads, in a finished program.
template <class F>
constexpr void for_each_operand(builder const& g, node const& n, F const& f) {
  for (int k = 0; k < arity_of(n.op); ++k) f(n.arg[k]);
  if (n.op != primitive::control) return;
  closed_control const& c = g.closed[static_cast<int>(n.attribute)];
  for (int i = 0; i < c.operand_count; ++i) f(g.closed_operands[c.operands + i].node);
  if (c.kind == control_kind::branches) f(c.head);
}

/// True when two shapes differ only in extents of 1.
constexpr bool only_ones_differ(shape_value const& a, shape_value const& b) {
  int i = 0, j = 0;
  for (;;) {
    while (i < a.rank && a.extent[i] == 1) ++i;
    while (j < b.rank && b.extent[j] == 1) ++j;
    if (i == a.rank || j == b.rank) return i == a.rank && j == b.rank;
    if (a.extent[i++] != b.extent[j++]) return false;
  }
}

}  // namespace DIMITY_NAMESPACE::detail
