// The program: a constexpr graph of primitives in topological order, and the builder that every pass appends to.
#pragma once

#include <dimity/core/dtype.hpp>
#include <dimity/core/shape.hpp>
#include <dimity/program/extents.hpp>
#include <dimity/program/list.hpp>
#include <dimity/program/primitive.hpp>

#include <bit>
#include <cstdint>

namespace DIMITY_NAMESPACE::detail {

/// Where a shape stands in a list, -1 if it does not. Most differ in what is looked at first, in plain numbers: a call of an operator is the greater part of a comparison in constant evaluation.
constexpr int find_shape(list<shape_value> const& shapes, shape_value const& s) {
  shape_value const* const all = shapes.begin();
  int const count = shapes.size(), rank = s.rank;
  std::int64_t const first = s.extent[0].code;
  for (int i = 0; i < count; ++i)
    if (all[i].rank == rank && (rank == 0 || (all[i].extent[0].code == first && all[i] == s))) return i;
  return -1;
}

/// Up to eight small axis numbers in one integer, a nibble each; 15 means none. One integer compares and copies at once in constant evaluation.
struct axis_map {
  std::uint32_t bits = 0xffffffffu;

  constexpr int operator[](int i) const {
    int const v = static_cast<int>((bits >> (4 * i)) & 15u);
    return v == 15 ? -1 : v;
  }
  constexpr void set(int i, int axis) {
    bits = (bits & ~(15u << (4 * i))) | (static_cast<std::uint32_t>(axis < 0 ? 15 : axis) << (4 * i));
  }
  constexpr bool operator==(axis_map const&) const = default;
  static constexpr axis_map identity(int rank) {
    axis_map m;
    for (int i = 0; i < rank; ++i) m.set(i, i);
    return m;
  }
};

/// One primitive applied to earlier nodes. `attribute` means, by primitive:
/// input: its number, block_input: any number of its own (arg[0] is the pool index of its strides, or -1 when it is row-major); constant: the bits of a double or an integer; iota, concat, argmax, argmin: the axis; extent: the code of an amount; broadcast: axis_map from result axes to operand axes; transpose: axis_map from
/// result axes to operand axes; sum..all: bit mask of the reduced axes; cumulative_*: axis + 16 if from the end; slice, pad: index of
/// [start..., step...] in the pool (pad puts element i at start + i * step among zeros: the transpose of slice).
/// debug_print, check_finite: index of a name in the pool, its length first;
/// convolution and its gradients, window_max, select_and_*: index of a geometry in the pool (convolution_geometry.hpp);
/// after: 0, or which operand it is (stands_for_first, stands_for_first_on_gpu); attention and its gradients: attention_numbers (emit_attention.hpp);
/// triangular_solve: 1 where the matrix is an upper triangle; fft: 1 for the inverse transform;
/// control: its index in `controls` (in a finished program: in `closed`); control_result: the number of the output.
/// Operands whose leading axes are a batch: the keys of random_bits, [..., 2]; the starts of dynamic_slice and dynamic_update_slice, [..., axes that are cut].
struct node {
  primitive op = primitive::input;
  dtype type = dtype::float32;
  std::int16_t shape = 0;
  std::int32_t arg[3] = {-1, -1, -1};
  std::int64_t attribute = 0;
};

/// A finished program, as a compile-time constant.
template <int Nodes, int Shapes, int Pool, int Inputs, int Outputs>
struct graph {
  static constexpr int node_count = Nodes, input_count = Inputs, output_count = Outputs;
  node nodes[Nodes > 0 ? Nodes : 1] = {};
  shape_value shapes[Shapes > 0 ? Shapes : 1] = {};
  std::int64_t pool[Pool > 0 ? Pool : 1] = {};
  std::int32_t outputs[Outputs > 0 ? Outputs : 1] = {};
};

struct graph_size {
  int nodes, shapes, pool, inputs, outputs;
};

class builder;
struct ref;

/// A derivative given by the user, for a function whose results were recorded as copies with attribute `first_custom_rule + index`. Nodes are in the
/// builder's `rule_nodes`. The functions append to the program: `pull` the cotangents of the inputs from those of the outputs, `push` the tangents of
/// the outputs from those of the inputs; one of them may be null.
struct custom_rule {
  std::int32_t inputs = 0, input_count = 0, outputs = 0, output_count = 0;
  std::int32_t parent = -1;  ///< in a batched program: the rule of one entry, whose functions are run and batched
  amount batch = 0;
  void (*pull)(builder&, ref const* inputs, ref const* cotangents, ref* results) = nullptr;
  void (*push)(builder&, ref const* inputs, ref const* tangents, ref* results) = nullptr;
};
/// What a copy is, by its attribute: a value of its own (0), one through which no derivative flows (1), a result with a rule; one with a name (below 0).
inline constexpr std::int64_t stops_derivative = 1, first_custom_rule = 2;

enum class control_kind : std::uint8_t {
  scan,        ///< one body, a fixed number of times
  while_loop,  ///< one body, while `head` holds
  branches     ///< one of several bodies: number `head`, moved into range
};
/// What the bodies of a control are given. `inner` stands for it there: any node at all, which is then not computed but given.
struct control_input {
  std::int32_t inner = -1, operand = -1;
  std::int32_t carried = -1;  ///< the output that takes its place in the next iteration; -1: an entry of the operand along axis 0 (scan), or the operand (branches)
};
/// A loop or a branch. Bodies are nodes of the same program, between `inner` nodes and outputs; nodes that do not depend on an inner node are outside,
/// so what does not change is computed once without further ado. Immutable: passes make new controls that share inner nodes and bodies.
struct control {
  control_kind kind = control_kind::scan;
  bool from_end = false;             ///< scan: the last entry first
  std::int16_t bodies = 1;
  amount trips = 0;                  ///< scan
  std::int32_t inputs = 0, input_count = 0;    ///< in control_inputs
  std::int32_t outputs = 0, output_count = 0;  ///< in control_nodes, body after body; what no input carries is stacked (scan)
  std::int32_t frees = 0, free_count = 0;      ///< in control_nodes: what bodies use of the nodes outside
  std::int32_t head = -1;            ///< while_loop: a node inside, branches: a node outside
  std::int32_t extends = -1;         ///< a control with the first of these inputs and outputs
};
/// A control whose bodies are programs of their own, as the planner takes it.
struct closed_operand {
  std::int32_t node = -1;
  std::int32_t carried = -1;  ///< number of the output that takes its place
  bool entry = false;         ///< an entry of the node along axis 0
};
struct closed_control {
  control_kind kind = control_kind::scan;
  bool from_end = false;
  amount trips = 0;
  std::int32_t operands = 0, operand_count = 0;  ///< in closed_operands
  std::int32_t bodies = 0, body_count = 0;       ///< while_loop: the condition, then the body
  std::int32_t output_count = 0;                 ///< what no operand carries is stacked (scan)
  std::int32_t head = -1;                        ///< branches: the index
  std::int32_t node = -1;
};

/// Owns the bodies' programs; the inputs of body i are operands `inputs[begin[i]], ...` of its control.
template <class Builder>
struct closed_bodies {
  list<Builder*> programs;
  list<std::int32_t> begin, inputs;

  constexpr closed_bodies() = default;
  closed_bodies(closed_bodies const&) = delete;
  closed_bodies& operator=(closed_bodies const&) = delete;
  constexpr ~closed_bodies() {
    for (Builder* b : programs) delete b;
  }
};

/// `after` with this attribute: the value of the second operand, with the derivative of the first, which computes the same.
inline constexpr std::int64_t stands_for_first = 1;
/// The same on a GPU; elsewhere the first operand, which is what all passes before the last one see.
inline constexpr std::int64_t stands_for_first_on_gpu = 2;
constexpr bool is_stand_in(node const& n) { return n.op == primitive::after && n.attribute != 0; }
/// The operands of a node that a finished program has: one of a stand-in, which then is that operand.
struct kept_operands {
  int begin, end;
  constexpr kept_operands(node const& n, bool on_gpu) : begin(0), end(arity_of(n.op)) {
    if (!is_stand_in(n)) return;
    begin = n.attribute == stands_for_first || on_gpu ? 1 : 0;
    end = begin + 1;
  }
};

/// While a function is traced again to be computed again: which nodes each of its nodes repeats, and which of those are saved after all.
struct recomputation {
  static constexpr std::int32_t itself = -1, unknown = -2;
  bool active = false, saves_contractions = false;
  list<std::int64_t> saved_names;
  list<std::int32_t> twins;

  constexpr std::int32_t twin(int id) const { return id < twins.size() ? twins[id] : itself; }
  constexpr void set_twin(int id, std::int32_t of) {
    while (twins.size() <= id) twins.push(itself);
    twins[id] = of;
  }
  constexpr bool saves(node const& n) const {
    if (is_contraction(n.op)) return saves_contractions;
    if (n.op == primitive::copy && n.attribute < 0)
      for (std::int64_t const name : saved_names)
        if (name == n.attribute) return true;
    return false;
  }
};

/// Why a program cannot be run, found by a pass: planned<> turns it into a compile error.
enum class program_error : std::uint8_t { none, reverse_of_while, unknown_extent, presence_differs };

/// Collects nodes. Equal nodes are found by hashing when they are appended, so common subexpressions never exist twice; cheap
/// rewrites happen there too, which keeps every pass linear.
class builder {
 public:
  list<node> nodes;
  list<shape_value> shapes;
  list<std::int64_t> pool;
  list<std::int32_t> outputs;
  list<custom_rule> rules;
  list<std::int32_t> rule_nodes;
  list<control> controls;
  list<control_input> control_inputs;
  list<std::int32_t> control_nodes;
  list<closed_control> closed;
  list<closed_operand> closed_operands;
  closed_bodies<builder> bodies;
  int inputs = 0;
  int block_inputs = 0;
  bool on_gpu = false;  ///< what the program is finished for
  program_error error = program_error::none;
  extent_table own_extents;
  extent_table* extents = &own_extents;  ///< a finished program and the bodies in it have those of the program they were made from

  constexpr builder() = default;
  builder(builder const&) = delete;
  builder& operator=(builder const&) = delete;

  constexpr node const& operator[](int id) const { return nodes[id]; }
  constexpr shape_value const& shape(int id) const { return shapes[nodes[id].shape]; }
  constexpr dtype type(int id) const { return nodes[id].type; }

  constexpr int intern(shape_value const& s) {
    if (int const at = find_shape(shapes, s); at >= 0) return at;
    shapes.push(s);
    return shapes.size() - 1;
  }
  /// Puts a sequence into the pool; equal sequences get the same index.
  constexpr std::int64_t intern(std::int64_t const* values, int n) {
    return intern_in(pool, values, n);
  }

  recomputation again;

  constexpr int append(node const& n) { return again.active ? append_again(n) : append_once(n); }
  /// A node that repeats another one: where that is saved, its value is used.
  constexpr int append_again(node const& n) {
    int const id = append_once(n);
    bool repeats = false, known = n.op != primitive::control;
    node original = n;
    for (int k = 0; k < arity_of(n.op); ++k) {
      std::int32_t const twin = again.twin(n.arg[k]);
      known = known && twin != recomputation::unknown;
      repeats = repeats || twin >= 0;
      if (twin >= 0) original.arg[k] = twin;
    }
    if (!known) again.set_twin(id, recomputation::unknown);
    if (!known || !repeats) return id;
    int const twin = n.op == primitive::copy ? original.arg[0] : append_once(original);
    again.set_twin(id, twin);
    if (!again.saves(n)) return id;
    node saved = n;
    saved.op = primitive::after;
    saved.attribute = stands_for_first;
    saved.arg[0] = id;
    saved.arg[1] = twin;
    saved.arg[2] = -1;
    int const stand_in = append_once(saved);
    again.set_twin(stand_in, twin);
    return stand_in;
  }
  constexpr int append_once(node const& n) {
    if (n.op == primitive::copy) {  // kept apart on purpose: a copy gives one argument of a differentiated function its own identity
      nodes.push(n);
      return nodes.size() - 1;
    }
    if (2 * (nodes.size() + 1) > table_.size()) rehash();
    int const mask = table_.size() - 1;
    for (int slot = static_cast<int>(hash(n) & static_cast<std::uint32_t>(mask));; slot = (slot + 1) & mask) {
      int const found = table_[slot];
      if (found < 0) {
        nodes.push(n);
        table_[slot] = nodes.size() - 1;
        return nodes.size() - 1;
      }
      if (same(nodes[found], n)) return found;
    }
  }

  /// `s` may be the shape of a type, with codes for extents chosen at run time.
  constexpr int input(dtype type, shape_value s) {
    for (int i = 0; i < s.rank; ++i) s.extent[i] = extents->of_type(s.extent[i], inputs, i);
    node n;
    n.op = primitive::input;
    n.type = type;
    n.shape = static_cast<std::int16_t>(intern(s));
    n.attribute = inputs++;
    return append(n);
  }

  /// One of two extents that must be equal, for both from now on. Where that is not known yet it is checked at every call; two different numbers are a mistake that
  /// was reported before.
  constexpr amount unify(amount a, amount b) {
    if (a.is_known() && b.is_known()) return a;
    a = extents->canonical(a);
    b = extents->canonical(b);
    if (a == b) return a;
    // What is left of one size when all but one factor of the other are known.
    for (amount const product : {a, b}) {
      amount const other = product == a ? b : a;
      int const wanted = product.is_one_symbol() ? -1 : extents->unknown_factor(product);
      amount rest = 0;
      if (wanted < 0 || extents->depends_on(other, wanted) || !divide(product, amount::symbol(wanted), rest)) continue;
      amount q = 0;
      bool const exact = divide(other, rest, q);
      if (!exact) q = extents->quotient(other, rest);
      substitute(wanted, q);
      if (!exact) extents->require({q * rest, other, false});
      return other;
    }
    int const symbol = extents->replaceable(a, b);
    if (symbol >= 0) {
      amount const by = a.is_one_symbol() && a.factor(0) == symbol ? b : a;
      if (extent_t& tag = by.is_one_symbol() ? extents->symbols[by.factor(0)].tag : extents->symbols[symbol].tag; tag == dyn) tag = extents->symbols[symbol].tag;
      substitute(symbol, by);
      return by;
    }
    extents->require({a, b, false});
    return a;
  }

  /// All extents of two shapes of one rank.
  constexpr void unify(shape_value const& a, shape_value const& b) {
    for (int i = 0; i < a.rank && i < b.rank; ++i) unify(a.extent[i], b.extent[i]);
  }

  constexpr graph_size size() const { return {nodes.size(), shapes.size(), pool.size(), inputs, outputs.size()}; }

 private:
  /// Everywhere: nodes keep their numbers, shapes theirs.
  constexpr void substitute(int symbol, amount by) {
    extent_table& t = *extents;
    auto const replace = [&](amount& a) { a = t.substituted(a, symbol, by); };
    for (int i = 0; i < t.symbols.size(); ++i) {
      replace(t.symbols[i].a);
      replace(t.symbols[i].b);
    }
    t.symbols[symbol].kind = symbol_kind::replaced;
    t.symbols[symbol].a = by;
    for (int i = 0; i < t.conditions.size(); ++i) {
      replace(t.conditions[i].a);
      replace(t.conditions[i].b);
    }
    for (int i = 0; i < shapes.size(); ++i)
      for (int k = 0; k < shapes[i].rank; ++k) replace(shapes[i].extent[k]);
    for (int i = 0; i < pool.size(); ++i) pool[i] = t.substituted(pool[i], symbol, by).code;
    for (int i = 0; i < nodes.size(); ++i)
      if (nodes[i].op == primitive::extent) nodes[i].attribute = t.substituted(nodes[i].attribute, symbol, by).code;
    for (int i = 0; i < controls.size(); ++i) replace(controls[i].trips);
    for (int i = 0; i < rules.size(); ++i) replace(rules[i].batch);
  }

  static constexpr bool same(node const& a, node const& b) {
    return a.op == b.op && a.attribute == b.attribute && a.arg[0] == b.arg[0] && a.arg[1] == b.arg[1] && a.shape == b.shape && a.type == b.type &&
           a.arg[2] == b.arg[2];
  }
  static constexpr std::uint32_t hash(node const& n) {
    std::uint32_t h = static_cast<std::uint32_t>(n.op) * 0x9e3779b1u ^ static_cast<std::uint32_t>(n.arg[0] + 1) * 0x85ebca6bu;
    h ^= static_cast<std::uint32_t>(n.arg[1] + 7) * 0xc2b2ae35u;
    h = (h << 13 | h >> 19) * 5u + static_cast<std::uint32_t>(n.shape) * 0x27d4eb2fu;
    h ^= static_cast<std::uint32_t>(n.attribute) ^ static_cast<std::uint32_t>(static_cast<std::uint64_t>(n.attribute) >> 32) * 0x165667b1u;
    return h ^ h >> 15;
  }
  constexpr void rehash() {
    int const size = table_.size() == 0 ? 16 : table_.size() * 4;
    table_ = list<std::int32_t>(size, -1);
    for (int i = 0; i < nodes.size(); ++i) {
      if (nodes[i].op == primitive::copy) continue;
      int slot = static_cast<int>(hash(nodes[i]) & static_cast<std::uint32_t>(size - 1));
      while (table_[slot] >= 0) slot = (slot + 1) & (size - 1);
      table_[slot] = i;
    }
  }

  list<std::int32_t> table_;
};

constexpr std::int64_t constant_bits(dtype type, double value) {
  return is_floating(type) ? std::bit_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}
constexpr double constant_value(node const& n) {
  return is_floating(n.type) ? std::bit_cast<double>(n.attribute) : static_cast<double>(n.attribute);
}

}  // namespace DIMITY_NAMESPACE::detail
