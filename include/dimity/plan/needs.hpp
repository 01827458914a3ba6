// Second planning pass: values move to the kernel that uses them, and what is needed elsewhere is kept when it is costly, computed again when it is not.
#pragma once

#include <dimity/plan/homes.hpp>

namespace DIMITY_NAMESPACE::detail {

struct need_finder {
  planner& p;
  home_finder homes;

  constexpr explicit need_finder(planner& planned) : p(planned), homes(planned) {}

  constexpr node_info& at(int id) { return p.info[id]; }

  constexpr void collect_users() {
    int const count = p.g->nodes.size();
    p.first_user = list<std::int32_t>(count, -1);
    p.next_user.clear();
    p.user.clear();
    for (int id : p.order)
      for_each_operand(*p.g, p.g->nodes[id], [&](int o) {
        p.user.push(id);
        p.next_user.push(p.first_user[o]);
        p.first_user[o] = p.user.size() - 1;
      });
  }

  /// The map that operand o of a computed value has in the value's space.
  constexpr axis_map operand_map(int id, int o, axis_map map) {
    node const& n = p.g->nodes[id];
    if (family_of(n.op) != family::relabel && family_of(n.op) != family::view) return map;
    shape_value const &s = p.g->shape(id), &so = p.g->shape(o);
    axis_map result;
    switch (n.op) {
      case primitive::broadcast: {
        axis_map const repeated{static_cast<std::uint32_t>(n.attribute)};
        for (int i = 0; i < s.rank; ++i)
          if (repeated[i] >= 0) result.set(repeated[i], map[i]);
        return result;
      }
      case primitive::transpose: {
        axis_map const perm{static_cast<std::uint32_t>(n.attribute)};
        for (int i = 0; i < s.rank; ++i) result.set(perm[i], map[i]);
        return result;
      }
      case primitive::reshape: {
        int j = 0;
        for (int i = 0; i < s.rank; ++i) {
          if (s.extent[i] == 1) continue;
          while (so.extent[j] == 1) ++j;
          result.set(j++, map[i]);
        }
        return result;
      }
      default: return map;
    }
  }
  constexpr axis_map reduced_operand_map(int o, int group) {
    if (p.is_anchored(o) && at(o).group == group) return at(o).map;
    axis_map map;
    p.squeezed_space(o, map);
    return map;
  }

  static constexpr int no_reader = -1, several_readers = -2;
  /// The one later group over the same space that reads `id` element for element, as itself or in floating values on the way, `last` being the value at hand.
  constexpr int reader_of(int id, int last, int so_far, int depth = 0) {
    node_info const& me = at(id);
    for (int u = p.first_user[last]; u >= 0 && so_far != several_readers; u = p.next_user[u]) {
      int const user = p.user[u];
      node_info const& other = at(user);
      bool const is_reduction = family_of(p.g->nodes[user].op) == family::reduction;
      if (other.state == status::dead || (other.group == me.group && other.state == status::anchored)) continue;
      if (other.state == status::floating && depth < max_floating_depth && p.g->nodes[user].shape == p.g->nodes[id].shape && family_of(p.g->nodes[user].op) != family::relabel &&
          family_of(p.g->nodes[user].op) != family::view) {
        so_far = reader_of(id, user, so_far, depth + 1);
      } else if (other.state != status::anchored || (so_far >= 0 && other.group != so_far) || p.groups[other.group].space != p.groups[me.group].space || p.groups[other.group].level <= p.groups[me.group].level ||
                 (is_reduction ? identity_map(last) : operand_map(user, last, other.map)) != me.map) {
        so_far = several_readers;
      } else {
        so_far = other.group;
      }
    }
    return so_far;
  }
  /// A group of which everything that is stored, and nothing but that, is read in place by one later group moves there as a whole: what it stores is then not read again, and what both read is read once. AdamW is the case: its moments are
  /// results, and the step that reads them waits for a correction of its rate.
  constexpr void sink_groups() {
    list<std::int32_t> heir(p.groups.size(), no_reader);
    for (int const id : p.order) {
      node_info const& me = at(id);
      if (me.group < 0 || me.state == status::dead || heir[me.group] == several_readers) continue;
      if (me.state != status::anchored || me.accumulated || family_of(p.g->nodes[id].op) == family::reduction) {
        heir[me.group] = several_readers;
        continue;
      }
      int const reader = reader_of(id, id, heir[me.group]);
      heir[me.group] = me.required && reader == no_reader ? several_readers : reader;
    }
    // An heir may move on in its turn, and is followed.
    for (int const id : p.order)
      while (at(id).group >= 0 && heir[at(id).group] >= 0) at(id).group = static_cast<std::int16_t>(heir[at(id).group]);
  }

  /// A value whose users all sit in one later kernel over the same space moves there, so that it need not be stored.
  constexpr void sink() {
    sink_groups();
    for (int i = p.order.size() - 1; i >= 0; --i) {
      int const id = p.order[i];
      node_info& me = at(id);
      if (me.state != status::anchored || me.required || family_of(p.g->nodes[id].op) == family::reduction) continue;
      int target = -1;
      bool fits = p.first_user[id] >= 0;
      for (int u = p.first_user[id]; u >= 0 && fits; u = p.next_user[u]) {
        int const user = p.user[u];
        node_info const& other = at(user);
        if (other.group < 0 || (target >= 0 && other.group != target)) {
          fits = false;
          break;
        }
        target = other.group;
        if (target == me.group || p.groups[target].space != p.groups[me.group].space) {
          fits = false;
        } else if (family_of(p.g->nodes[user].op) == family::reduction) {
          fits = identity_map(id) == me.map;
        } else {
          fits = operand_map(user, id, other.map) == me.map;
        }
      }
      if (fits && p.groups[target].level > p.groups[me.group].level) me.group = static_cast<std::int16_t>(target);
    }
  }
  constexpr axis_map identity_map(int id) {
    axis_map map;
    p.squeezed_space(id, map);
    return map;
  }

  /// Marks what the kernels of required values must read from memory.
  constexpr void mark() {
    list<std::int32_t> work;
    list<std::int32_t> seen(p.g->nodes.size(), -1);
    for (int i = p.order.size() - 1; i >= 0; --i)
      if (at(p.order[i]).required) work.push(p.order[i]);
    for (int next = 0; next < work.size(); ++next) {
      int const id = work[next];
      for (int k = 0; k < arity_of(p.g->nodes[id].op); ++k) trace(p.g->nodes[id].arg[k], at(id).group, 0, work, seen);
    }
  }
  constexpr bool is_kept(int id) const { return cost_of(p.g->nodes[id].op) == cost_class::costly || family_of(p.g->nodes[id].op) == family::reduction; }
  /// How many arrays as large as `id` computing it again would read, 2 standing for more. Two or more cost more than storing it once, and in a chain of
  /// residual blocks every later gradient would read all earlier ones.
  constexpr int whole_reads(int id, int depth) {
    node_info const& info = at(id);
    if (info.state == status::constant || p.g->shape(id).size() == 1) return 0;
    // What is costly on the way is kept itself, and read.
    if (info.state == status::memory || (info.state == status::anchored && depth > 0 && (info.required || is_kept(id)))) return 1;
    if (depth > 2 * max_floating_depth) return 2;
    int reads = 0;
    for (int k = 0; k < arity_of(p.g->nodes[id].op) && reads < 2; ++k) {
      int const o = p.g->nodes[id].arg[k];
      if (p.g->shape(o).size() == p.g->shape(id).size()) reads += whole_reads(o, depth + 1);
    }
    return reads > 2 ? 2 : reads;
  }
  constexpr void trace(int o, int group, int depth, list<std::int32_t>& work, list<std::int32_t>& seen) {
    node_info& info = at(o);
    if (info.state != status::anchored || info.required) return;
    if (info.group != group) {
      if (is_kept(o) || depth >= max_floating_depth || whole_reads(o, 0) > 1) {
        info.required = true;
        work.push(o);
        return;
      }
      ++depth;
    } else {
      if (seen[o] == group) return;
      seen[o] = group;
    }
    for (int k = 0; k < arity_of(p.g->nodes[o].op); ++k) trace(p.g->nodes[o].arg[k], group, depth, work, seen);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
