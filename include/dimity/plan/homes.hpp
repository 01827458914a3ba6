// First planning pass: which values are memory, which are computed, and in which kernel (level and index space) each of the latter is at home.
#pragma once

#include <dimity/plan/planner.hpp>

namespace DIMITY_NAMESPACE::detail {

inline constexpr int max_floating_depth = 8;

struct home_finder {
  planner& p;

  constexpr explicit home_finder(planner& planned) : p(planned) {}

  constexpr node_info& at(int id) { return p.info[id]; }
  constexpr int level(int id) { return p.groups[at(id).group].level; }
  constexpr int later(int a, int b) { return a > b ? a : b; }

  constexpr void anchor(int id, int group, axis_map map) {
    at(id).state = status::anchored;
    at(id).group = static_cast<std::int16_t>(group);
    at(id).map = map;
  }
  constexpr void anchor_fresh(int id, int level) {
    axis_map map;
    int const space = p.squeezed_space(id, map);
    anchor(id, p.find_group(level, space), map);
  }
  /// Makes sure that a value can be read from memory; returns the level from which on.
  constexpr int require(int id) {
    if (p.is_memory(id)) return at(id).ready;
    if (!p.is_anchored(id)) anchor_fresh(id, at(id).ready);
    at(id).required = true;
    return level(id) + 1;
  }
  /// A reduction over outer axes is computed in its operand's kernel, but nobody can use it there.
  constexpr void accumulate(int id, int group, axis_map map) {
    anchor(id, group, map);
    at(id).state = status::memory;
    at(id).accumulated = at(id).required = true;
    at(id).ready = static_cast<std::int16_t>(level(id) + 1);
    place_itself(id);
  }
  /// Something with the value of `id` that can be read from memory, for users that need memory. A relabelled value is its operand seen with other strides, not a second
  /// buffer; users in its own kernel keep the original.
  constexpr int readable(int id, int& ready) {
    bool const relabelled = p.is_anchored(id) && !at(id).required && (family_of(p.g->nodes[id].op) == family::relabel || family_of(p.g->nodes[id].op) == family::view);
    if (!relabelled) {
      ready = require(id);
      return id;
    }
    node alias = p.g->nodes[id];
    alias.arg[0] = readable(alias.arg[0], ready);
    p.g->nodes.push(alias);
    int const a = p.g->nodes.size() - 1;
    p.info.push({});
    p.places.push({});
    place to;
    view(a, place_of(alias.arg[0]), to);
    p.places[a] = to;
    at(a).state = status::memory;
    at(a).ready = static_cast<std::int16_t>(ready);
    p.order.push(a);
    return a;
  }
  constexpr void place_itself(int id) {
    p.places[id] = {};
    p.places[id].root = id;
    p.row_major(p.places[id], p.g->shape(id));
  }
  /// Reads `id` in its own right once it is computed.
  constexpr place place_of(int id) {
    if (p.is_memory(id)) return p.places[id];
    place own;
    own.root = id;
    p.row_major(own, p.g->shape(id));
    return own;
  }

  /// The place of a relabelled or viewed value, from its operand's; false when no strides describe it.
  constexpr bool view(int id, place const& from, place& to) {
    node const n = p.g->nodes[id];
    shape_value const s = p.g->shape(id), so = p.g->shape(n.arg[0]);
    to = {};
    to.root = from.root;
    to.offset = from.offset;
    switch (n.op) {
      case primitive::broadcast:
      case primitive::transpose: {
        axis_map const map{static_cast<std::uint32_t>(n.attribute)};
        for (int i = 0; i < s.rank; ++i) to.stride[i] = map[i] >= 0 ? from.stride[map[i]] : amount(0);
        return true;
      }
      case primitive::slice: {
        int const pooled = static_cast<int>(n.attribute);
        for (int i = 0; i < s.rank; ++i) {
          to.offset = p.g->extents->sum(to.offset, amount(p.g->pool[pooled + i]) * from.stride[i]);
          to.stride[i] = amount(p.g->pool[pooled + s.rank + i]) * from.stride[i];
        }
        return true;
      }
      default: break;
    }
    if (p.is_row_major(from, so)) {
      p.row_major(to, s);
      return true;
    }
    // Otherwise axes can be split, and merged where the operand runs through them evenly.
    int i = 0, j = 0;
    while (i < so.rank || j < s.rank) {
      amount left = i < so.rank ? so.extent[i] : amount(1), right = j < s.rank ? s.extent[j] : amount(1);
      int const first_i = i, first_j = j;
      i += i < so.rank;
      j += j < s.rank;
      while (left != right) {
        // Products of extents that are not known grow until one is a multiple of the other, if they ever are.
        amount multiple = 0;
        bool const known = left.is_known() && right.is_known();
        if (known ? left.code < right.code : divide(right, left, multiple)) {
          if (i >= so.rank) return false;
          left *= so.extent[i++];
        } else if (known || divide(left, right, multiple) || i >= so.rank) {
          if (j >= s.rank) return false;
          right *= s.extent[j++];
        } else {
          left *= so.extent[i++];
        }
      }
      amount stride = 0;
      for (int a = i - 1; a >= first_i; --a) {
        if (so.extent[a] == 1) continue;
        if (stride != 0 && from.stride[a] != stride) return false;
        if (stride == 0) stride = from.stride[a];
        if (stride == 0 && a > first_i) {
          for (int c = first_i; c < a; ++c)
            if (so.extent[c] != 1 && from.stride[c] != 0) return false;
          break;
        }
        stride *= so.extent[a];
      }
      amount innermost = 0;
      for (int a = i - 1; a >= first_i; --a)
        if (so.extent[a] != 1) {
          innermost = from.stride[a];
          break;
        }
      for (int b = j - 1; b >= first_j; --b) {
        if (s.extent[b] == 1) continue;
        to.stride[b] = innermost;
        innermost *= s.extent[b];
      }
    }
    return true;
  }

  constexpr void visit_relabel(int id) {
    node const n = p.g->nodes[id];
    int o = n.arg[0];
    bool const relabels = family_of(n.op) == family::relabel || (n.op == primitive::reshape && only_ones_differ(p.g->shape(id), p.g->shape(o)));
    if (relabels && at(o).state != status::memory && at(o).state != status::anchored) {
      at(id).state = status::floating;
      at(id).ready = at(o).ready;
      at(id).depth = at(o).depth;
      return;
    }
    if (relabels && p.is_anchored(o)) {
      axis_map map;
      if (relabel_map(id, o, map)) {
        anchor(id, at(o).group, map);
        return;
      }
    }
    int ready = 0;
    o = readable(o, ready);
    p.g->nodes[id].arg[0] = o;
    place to;
    if (view(id, place_of(o), to)) {
      p.places[id] = to;
      at(id).state = status::memory;
      at(id).ready = static_cast<std::int16_t>(ready);
      return;
    }
    int const c = row_major_copy(o, ready);
    p.g->nodes[id].arg[0] = c;
    view(id, place_of(c), p.places[id]);
    at(id).state = status::memory;
    at(id).ready = static_cast<std::int16_t>(ready + 1);
  }
  /// A value in memory once more, without gaps, from one level after `ready` on.
  constexpr int row_major_copy(int o, int ready) {
    node copy = p.g->nodes[o];
    copy.op = primitive::copy;
    copy.arg[0] = o;
    copy.arg[1] = copy.arg[2] = -1;
    copy.attribute = 0;
    int const c = p.g->append(copy);
    p.info.push({});
    p.places.push({});
    p.order.push(c);
    at(c).ready = static_cast<std::int16_t>(ready);
    anchor_fresh(c, ready);
    at(c).required = true;
    return c;
  }

  /// A loop or branch reads its operands where they are; what is carried from iteration to iteration has no gaps.
  constexpr void visit_control(int id) {
    int ready = 0;
    int const index = static_cast<int>(p.g->nodes[id].attribute);
    closed_control const c = p.g->closed[index];
    for (int i = 0; i < c.operand_count; ++i) {
      closed_operand o = p.g->closed_operands[c.operands + i];
      int mine = 0;
      o.node = readable(o.node, mine);
      if (o.carried >= 0 && !p.is_row_major(place_of(o.node), p.g->shape(o.node))) {
        o.node = row_major_copy(o.node, mine);
        ++mine;
      }
      p.g->closed_operands[c.operands + i] = o;
      ready = later(ready, mine);
    }
    if (c.kind == control_kind::branches) {
      int mine = 0;
      p.g->closed[index].head = readable(c.head, mine);
      ready = later(ready, mine);
    }
    at(id).state = status::memory;
    at(id).ready = static_cast<std::int16_t>(ready + 1);
  }

  /// The first operand, seen again from when the second is known on. Later passes need not know of the second.
  constexpr void visit_after(int id) {
    int const token = p.g->nodes[id].arg[1];
    int const known = p.is_anchored(token) ? level(token) + 1 : at(token).ready;
    int ready = 0;
    int const o = readable(p.g->nodes[id].arg[0], ready);
    p.g->nodes[id].arg[0] = p.g->nodes[id].arg[1] = o;
    p.places[id] = place_of(o);
    at(id).state = status::memory;
    at(id).ready = static_cast<std::int16_t>(later(ready, known));
  }

  /// The map of a relabelled value into its operand's space; false when it needs another space.
  constexpr bool relabel_map(int id, int o, axis_map& map) {
    node const n = p.g->nodes[id];
    shape_value const s = p.g->shape(id), so = p.g->shape(o);
    axis_map const from = at(o).map;
    map = {};
    if (n.op == primitive::transpose) {
      axis_map const perm{static_cast<std::uint32_t>(n.attribute)};
      for (int i = 0; i < s.rank; ++i) map.set(i, from[perm[i]]);
      return true;
    }
    if (n.op == primitive::reshape) {
      int j = 0;
      for (int i = 0; i < s.rank; ++i) {
        if (s.extent[i] == 1) continue;
        while (so.extent[j] == 1) ++j;
        map.set(i, from[j++]);
      }
      return true;
    }
    // A broadcast that gives the reduced axes back: the result covers the space, in its order.
    shape_value const space = p.g->shapes[p.groups[at(o).group].space];
    axis_map const repeated{static_cast<std::uint32_t>(n.attribute)};
    int next = 0;
    for (int i = 0; i < s.rank; ++i) {
      if (s.extent[i] == 1) continue;
      if (next >= space.rank || space.extent[next] != s.extent[i]) return false;
      if (repeated[i] >= 0 && from[repeated[i]] != next) return false;
      if (repeated[i] < 0)
        for (int j = 0; j < so.rank; ++j)
          if (from[j] == next) return false;
      map.set(i, next++);
    }
    return next == space.rank;
  }

  constexpr bool covers(int id, shape_value const& space) {
    int n = 0;
    for (int i = 0; i < p.rank(id); ++i) n += at(id).map[i] >= 0;
    return n == space.rank;
  }

  constexpr void visit_elementwise(int id) {
    node const n = p.g->nodes[id];
    int ready = 0, depth = 0, anchor_node = -1;
    for (int k = 0; k < arity_of(n.op); ++k) {
      node_info const& o = at(n.arg[k]);
      if (o.state == status::anchored) {
        if (anchor_node < 0 || level(n.arg[k]) > level(anchor_node)) anchor_node = n.arg[k];
      } else {
        ready = later(ready, o.ready);
        depth = later(depth, o.depth);
      }
    }
    if (anchor_node < 0) {
      // A lone scalar is computed once a kernel, outside of its loops: that costs less than a kernel of its own, which would also hold back those who use it. The exception is a power,
      // which optimizers would repeat for every parameter.
      bool const once = p.g->shape(id).size() == 1 && n.op != primitive::power;
      if ((cost_of(n.op) == cost_class::cheap || once) && depth < max_floating_depth) {
        at(id).state = status::floating;
        at(id).ready = static_cast<std::int16_t>(ready);
        at(id).depth = static_cast<std::int16_t>(depth + 1);
      } else {
        anchor_fresh(id, ready);
      }
      return;
    }
    int const group = at(anchor_node).group, home_level = p.groups[group].level, space = p.groups[group].space;
    axis_map const map = at(anchor_node).map;
    int wanted = later(home_level, ready);
    for (int k = 0; k < arity_of(n.op); ++k) {
      if (!p.is_anchored(n.arg[k])) continue;
      node_info const& o = at(n.arg[k]);
      bool const compatible = p.groups[o.group].space == space && o.map == map;
      if (!compatible) wanted = later(wanted, level(n.arg[k]) + 1);
    }
    if (wanted == home_level) {
      anchor(id, group, map);
    } else {
      anchor_fresh(id, wanted);
    }
  }

  constexpr void visit_reduction(int id) {
    node const n = p.g->nodes[id];
    int const o = n.arg[0];
    auto const mask = static_cast<std::uint32_t>(n.attribute);
    shape_value const s = p.g->shape(o);
    bool const was_anchored = p.is_anchored(o);
    int const own_level = was_anchored ? 0 : at(o).ready;
    for (int attempt = 0;; ++attempt) {
      int group = 0;
      axis_map map;
      if (was_anchored && attempt == 0) {
        group = at(o).group;
        map = at(o).map;
      } else {
        int const space = p.squeezed_space(o, map);
        group = p.find_group((was_anchored ? level(o) + 1 : own_level) + (was_anchored ? attempt - 1 : attempt), space);
      }
      int const space_rank = p.g->shapes[p.groups[group].space].rank;
      std::uint32_t reduced = 0, covered = 0;
      for (int i = 0; i < s.rank; ++i) {
        if (map[i] < 0) continue;
        covered |= 1u << map[i];
        if (mask >> i & 1u) reduced |= 1u << map[i];
      }
      int first = space_rank;
      while (first > 0 && (reduced >> (first - 1) & 1u)) --first;
      bool const trailing = (reduced >> first) << first == reduced && first < space_rank;
      std::int16_t& split = p.groups[group].split;
      axis_map result;
      int j = 0;
      for (int i = 0; i < s.rank; ++i)
        if (!(mask >> i & 1u)) result.set(j++, map[i]);
      if (trailing && (split < 0 || split == first)) {
        split = static_cast<std::int16_t>(first);
        anchor(id, group, result);
        return;
      }
      bool const whole_rows = split < 0 ? (covered >> (space_rank - 1) & 1u) != 0 : (covered >> split) + 1u == 1u << (space_rank - split);
      int const candidate = split < 0 ? space_rank - 1 : split;
      if (reduced != 0 && whole_rows && first == space_rank && (reduced >> candidate) == 0) {
        split = static_cast<std::int16_t>(candidate);
        accumulate(id, group, result);
        return;
      }
      // Rows first, in this kernel; what is left of the axes then, in a later one.
      std::uint32_t const inner = split < 0 ? (first < space_rank ? ~0u << first : 0u) : ~0u << split;
      if (first < space_rank && (split < 0 || split > first) && (reduced & ~inner) != 0 && (reduced & inner) == (inner & ((1u << space_rank) - 1u))) {
        std::uint32_t rows = 0, rest = 0;
        int kept = 0;
        shape_value partial;
        for (int i = 0; i < s.rank; ++i) {
          bool const in_row = (mask >> i & 1u) && map[i] >= 0 && (inner >> map[i] & 1u);
          if (in_row) {
            rows |= 1u << i;
          } else {
            if (mask >> i & 1u) rest |= 1u << kept;
            partial.push(s.extent[i]);
            ++kept;
          }
        }
        node by_row = n;
        by_row.attribute = rows;
        by_row.shape = static_cast<std::int16_t>(p.g->intern(partial));
        int const r = p.g->append(by_row);
        if (r == p.info.size()) {
          p.info.push({});
          p.places.push({});
        }
        visit(r);
        p.g->nodes[id].arg[0] = r;
        p.g->nodes[id].attribute = rest;
        int const ready = require(r);
        axis_map again;
        int const space = p.squeezed_space(r, again);
        int const next = p.find_group(ready, space);
        reduce_memory(id, next, again, rest, partial);
        return;
      }
      if (was_anchored) require(o);
    }
  }

  /// A reduction whose operand is read from memory by a kernel of its own.
  constexpr void reduce_memory(int id, int group, axis_map map, std::uint32_t mask, shape_value const& s) {
    int const space_rank = p.g->shapes[p.groups[group].space].rank;
    std::uint32_t reduced = 0;
    axis_map result;
    int j = 0;
    for (int i = 0; i < s.rank; ++i) {
      if (mask >> i & 1u) {
        if (map[i] >= 0) reduced |= 1u << map[i];
      } else {
        result.set(j++, map[i]);
      }
    }
    int first = space_rank;
    while (first > 0 && (reduced >> (first - 1) & 1u)) --first;
    std::int16_t& split = p.groups[group].split;
    bool const trailing = (reduced >> first) << first == reduced && first < space_rank;
    int const wanted = trailing ? first : space_rank - 1;
    if (split >= 0 && split != wanted) {
      int const level = p.groups[group].level + 1, space = p.groups[group].space;
      p.groups.push({static_cast<std::int16_t>(level), static_cast<std::int16_t>(space), -1});
      group = p.groups.size() - 1;
    }
    p.groups[group].split = static_cast<std::int16_t>(wanted);
    if (trailing) {
      anchor(id, group, result);
    } else {
      accumulate(id, group, result);
    }
  }

  constexpr void visit(int id) {
    if (at(id).state != status::dead) return;
    node const n = p.g->nodes[id];
    switch (family_of(n.op)) {
      case family::source:
        if (n.op == primitive::constant) {
          at(id).state = status::constant;
        } else {
          place_itself(id);
          at(id).state = status::memory;
          if (n.arg[0] >= 0)
            for (int i = 0; i < p.rank(id); ++i) p.places[id].stride[i] = p.g->pool[n.arg[0] + i];
        }
        break;
      case family::elementwise: visit_elementwise(id); break;
      case family::relabel:
      case family::view:
        if (n.op == primitive::after) visit_after(id);
        else visit_relabel(id);
        break;
      case family::reduction: visit_reduction(id); break;
      case family::control:
        if (n.op == primitive::control) {
          visit_control(id);
        } else {
          place_itself(id);
          at(id).state = status::memory;
          at(id).ready = at(n.arg[0]).ready;
        }
        break;
      case family::opaque: {
        int ready = 0;
        for (int k = 0; k < arity_of(n.op); ++k) {
          int mine = 0;
          int const from = readable(n.arg[k], mine);
          p.g->nodes[id].arg[k] = from;
          ready = later(ready, mine);
        }
        place_itself(id);
        at(id).state = status::memory;
        at(id).ready = static_cast<std::int16_t>(ready + 1);
        break;
      }
    }
    p.order.push(id);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
