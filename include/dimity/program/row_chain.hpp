// The last pass before planning, for a chain of products on the same rows (an MLP on a large batch): it becomes a loop over blocks of rows, so that what one product leaves is still in the second-level cache when the next one
// reads it, and never needs memory for all rows.
#pragma once

#include <dimity/program/finish.hpp>

namespace DIMITY_NAMESPACE::detail {

/// What a product reads and writes of one block, and all matrices together, which a second-level cache of 1 MiB holds for the most part; and from where on the values of all rows are too much for it. Chosen from
/// benchmarks/row_chain_bench.cpp.
inline constexpr extent_t block_bytes = 128 << 10, most_matrix_bytes = 1 << 20, least_chain_bytes = 1536 << 10;
/// Products of fewer rows spend too much on reading the other matrix.
inline constexpr extent_t least_block_rows = 48;
/// Narrower values than this leave a product with little to do for each byte, whatever its place.
inline constexpr extent_t least_row_elements = 96;

struct row_chain {
  enum class place : std::uint8_t { outside, inside, behind };

  builder const& from;
  extent_t rows = 0;           ///< of every value inside, along its first axis
  extent_t block = 0;          ///< rows of one
  list<place> where = {};      ///< `inside`: computed block by block; `behind`: after all blocks
  list<unsigned char> leaves = {};  ///< values inside that something behind, or the caller, needs

  constexpr explicit row_chain(builder const& program) : from(program) {}

  constexpr bool has_rows(int id) const { return from.shape(id).rank > 0 && from.shape(id).extent[0] == rows; }
  constexpr extent_t row_bytes(int id) const { return from.shape(id).size().number() / rows * static_cast<extent_t>(size_of(from.type(id))); }
  constexpr bool is_product(int id) const {
    node const& n = from.nodes[id];
    return n.op == primitive::dot && from.shape(id).rank == 2 && (n.type == dtype::float32 || n.type == dtype::float64);
  }

  /// Whether block b of a value's rows depends on block b of its operands' rows alone.
  constexpr bool keeps_rows(int id) const {
    node const& n = from.nodes[id];
    if (!has_rows(id)) return false;
    if (family_of(n.op) == family::elementwise) return n.op != primitive::copy;
    if (family_of(n.op) == family::reduction) return has_rows(n.arg[0]) && (n.attribute & 1) == 0;
    switch (n.op) {
      case primitive::dot: return is_product(id) && where[n.arg[1]] == place::outside;
      case primitive::broadcast:
      case primitive::transpose: return has_rows(n.arg[0]) && axis_map{static_cast<std::uint32_t>(n.attribute)}[0] == 0;
      case primitive::reshape: return has_rows(n.arg[0]);
      default: return false;
    }
  }
  constexpr void classify() {
    int const count = from.nodes.size();
    where = list<place>(count, place::outside);
    leaves = list<unsigned char>(count, 0);
    for (int id = 0; id < count; ++id) {
      node const& n = from.nodes[id];
      bool any_inside = is_product(id), any_behind = false, depends = false;
      for (int k = 0; k < arity_of(n.op); ++k) {
        any_inside = any_inside || where[n.arg[k]] == place::inside;
        any_behind = any_behind || where[n.arg[k]] == place::behind;
        depends = depends || where[n.arg[k]] != place::outside;
      }
      if (any_inside && !any_behind && keeps_rows(id)) where[id] = place::inside;
      else if (depends) where[id] = place::behind;
      if (where[id] == place::behind)
        for (int k = 0; k < arity_of(n.op); ++k) leaves[n.arg[k]] = 1;
    }
    for (int o : from.outputs) leaves[o] = 1;
    take_in();
  }
  /// What is computed of rows for the chain alone, such as a scaling of its argument or the mask of a dropout, is computed in the loop too: otherwise it would be made for all rows before.
  constexpr void take_in() {
    list<unsigned char> elsewhere(from.nodes.size(), 0);
    for (int o : from.outputs) elsewhere[o] = 1;
    // From the last: all that uses a value is decided before it.
    for (int id = from.nodes.size() - 1; id >= 0; --id) {
      if (where[id] == place::outside && !elsewhere[id] && from.nodes[id].op != primitive::dot && keeps_rows(id)) where[id] = place::inside;
      node const& n = from.nodes[id];
      if (where[id] != place::inside)
        for (int k = 0; k < arity_of(n.op); ++k) elsewhere[n.arg[k]] = 1;
      else if (n.op == primitive::dot) elsewhere[n.arg[1]] = 1;  // it wants all of its right operand, which may have as many rows by chance
    }
  }

  /// Finds the chain and says whether a loop is worth it: several values between products that are too large for the cache, of which less leaves the loop than is passed on in it, and matrices small enough to stay there
  /// beside a block. Of the products with the most rows only.
  constexpr bool find() {
    if (from.closed.size() > 0) return false;
    for (int id = 0; id < from.nodes.size(); ++id)
      if (is_product(id) && from.shape(id).is_known() && from.shape(id).extent[0].number() > rows) rows = from.shape(id).extent[0].number();
    if (rows < 4 * least_block_rows) return false;
    for (shape_value const& s : from.shapes)
      if (!s.is_known()) return false;
    classify();
    extent_t matrices = 0, widest = 0, passed_on = 0, leaving = 0;
    int times = 0;
    for (int id = 0; id < from.nodes.size(); ++id) {
      if (where[id] != place::inside) continue;
      if (leaves[id]) leaving += row_bytes(id);
      if (!is_product(id)) continue;
      node const& n = from.nodes[id];
      matrices += from.shape(n.arg[1]).size().number() * static_cast<extent_t>(size_of(from.type(n.arg[1])));
      extent_t const around = row_bytes(id) + row_bytes(n.arg[0]);
      if (around > widest) widest = around;
      if (where[n.arg[0]] == place::inside && !leaves[n.arg[0]] && from.shape(n.arg[0]).extent[1].number() >= least_row_elements) {
        passed_on += row_bytes(n.arg[0]);
        ++times;
      }
    }
    if (times < 2 || passed_on * rows < least_chain_bytes || leaving > passed_on || matrices > most_matrix_bytes) return false;
    extent_t const most = block_bytes / widest;
    for (block = most < rows / 4 ? most : rows / 4; block >= least_block_rows; --block)
      if (rows % block == 0) return true;
    return false;
  }
};

struct row_blocking {
  row_chain const& chain;
  builder const& from;
  builder& to;
  builder* body = new builder;
  list<std::int32_t> moved, inner;
  list<closed_operand> operands = {};
  list<std::int32_t> given = {};  ///< per operand: the node of the body that stands for it

  constexpr row_blocking(row_chain const& c, builder& result)
      : chain(c), from(c.from), to(result), moved(c.from.nodes.size(), -1), inner(c.from.nodes.size(), -1) {}

  constexpr shape_value of_block(shape_value s) const {
    s.extent[0] = chain.block;
    return s;
  }
  constexpr void move(int id) {
    node const& n = from.nodes[id];
    auto const at = [&](int k) { return k < arity_of(n.op) ? moved[n.arg[k]] : -1; };
    moved[id] = n.op == primitive::input ? replay_input(from, to, n) : replay(to, from, n, at(0), at(1), at(2)).id;
  }
  /// What the body is given: a value as it is, or its rows.
  constexpr int operand(int id, bool by_rows) {
    ref const x{&to, moved[id]};
    shape_value s = x.shape(), part = s;
    if (by_rows) {
      part = of_block(s);
      s = part;
      shape_value blocks;
      blocks.push(chain.rows / chain.block);
      for (int i = 0; i < s.rank; ++i) blocks.push(s.extent[i]);
      s = blocks;
    }
    int const node = by_rows ? reshape(x, s).id : x.id;  // the same one for the same value: equal nodes exist once
    for (int i = 0; i < operands.size(); ++i)
      if (operands[i].node == node && operands[i].entry == by_rows) return given[i];
    operands.push({node, -1, by_rows});
    given.push(body->input(from.type(id), part));
    to.bodies.inputs.push(operands.size() - 1);
    return given.back();
  }
  /// A value from outside, in the body: what is repeated for all rows, or the number of a column, is made there.
  constexpr int from_outside(int id, bool whole) {
    node const& n = from.nodes[id];
    axis_map const map{static_cast<std::uint32_t>(n.attribute)};
    if (n.op == primitive::constant) return append(*body, n.op, n.type, from.shape(id), -1, -1, -1, n.attribute).id;
    if (whole) return operand(id, false);
    if (n.op == primitive::broadcast && map[0] < 0) return broadcast(ref{body, from_outside(n.arg[0], true)}, of_block(from.shape(id)), map).id;
    if (n.op == primitive::iota && n.attribute != 0) return iota(*body, n.type, of_block(from.shape(id)), static_cast<int>(n.attribute)).id;
    return operand(id, true);
  }
  constexpr void make_inside(int id) {
    node const& n = from.nodes[id];
    int x[3] = {-1, -1, -1};
    for (int k = 0; k < arity_of(n.op); ++k) {
      int const o = n.arg[k];
      x[k] = chain.where[o] == row_chain::place::inside ? inner[o] : from_outside(o, n.op == primitive::dot && k == 1);
    }
    ref const first{body, x[0]};
    shape_value const s = of_block(from.shape(id));
    switch (n.op) {
      case primitive::dot: inner[id] = append(*body, n.op, n.type, s, x[0], x[1]).id; break;
      case primitive::broadcast: inner[id] = broadcast(first, s, axis_map{static_cast<std::uint32_t>(n.attribute)}).id; break;
      case primitive::reshape: inner[id] = reshape(first, s).id; break;
      default: inner[id] = replay(*body, from, n, x[0], x[1], x[2]).id;
    }
  }

  constexpr void run() {
    using place = row_chain::place;
    int const count = from.nodes.size();
    to.error = from.error;
    to.extents = body->extents = from.extents;
    to.bodies.begin.push(0);
    to.bodies.programs.push(body);
    for (int id = 0; id < count; ++id)
      if (chain.where[id] == place::outside) move(id);
    for (int id = 0; id < count; ++id)
      if (chain.where[id] == place::inside) make_inside(id);
    closed_control made;
    made.trips = chain.rows / chain.block;
    made.body_count = 1;
    made.operand_count = operands.size();
    for (closed_operand const& o : operands) to.closed_operands.push(o);
    to.closed.push(made);
    to.closed[0].node = append(to, primitive::control, dtype::boolean, {}, -1, -1, -1, 0).id;
    for (int id = 0; id < count; ++id) {
      if (chain.where[id] != place::inside || !chain.leaves[id]) continue;
      body->outputs.push(inner[id]);
      // Blocks of rows side by side are all rows.
      moved[id] = append(to, primitive::control_result, from.type(id), from.shape(id), to.closed[0].node, -1, -1, to.closed[0].output_count++).id;
    }
    for (int id = 0; id < count; ++id)
      if (chain.where[id] == place::behind) move(id);
    for (int o : from.outputs) to.outputs.push(moved[o]);
  }
};

/// Rewrites a finished program into `to` where that is worth it; otherwise false.
constexpr bool make_row_blocks(builder const& from, builder& to) {
  row_chain chain(from);
  if (!chain.find()) return false;
  row_blocking blocking(chain, to);
  blocking.run();
  return true;
}

}  // namespace DIMITY_NAMESPACE::detail
