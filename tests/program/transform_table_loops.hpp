// Entries of the table of primitives for loops and branches.
#pragma once

#include "transform_table.hpp"

namespace test {

struct call {
  builder& g;
  primitive op;
  ref const* x;
};
struct entry {
  primitive op;
  char const* variant;
  std::vector<operand> operands;
  ref (*emit)(call const&);
  std::string row;
  bool has_no_reverse = false;
  bool stops_derivatives = false;  ///< whatever differences say
};
struct entries {
  std::vector<entry> all = {};
  char const* row = nullptr;  ///< of what is added next; the name of the primitive where there is none
  bool has_no_reverse = false;

  [[gnu::noinline]] entry& add(primitive op, char const* variant, std::initializer_list<operand> operands, ref (*emit)(call const&)) {
    all.push_back({op, variant, operands, emit, row != nullptr ? row : name_of(op), has_no_reverse});
    return all.back();
  }
};

inline ref given_like(ref x) { return block_input(*x.g, x.type(), x.shape()); }
inline ref given_entry(ref x) { return block_input(*x.g, x.type(), entry_shape(x.shape())); }
/// Several results, as one value.
inline ref side_by_side(std::vector<ref> const& results) {
  ref all;
  for (ref r : results) {
    shape_value flat;
    flat.push(r.shape().size());
    r = cast(reshape(r, flat), dtype::float64);
    all = all.valid() ? concat(all, r, 0) : r;
  }
  return all;
}
inline std::vector<ref> results_of(ref made, int count) {
  std::vector<ref> results;
  for (int k = 0; k < count; ++k) results.push_back(control_result(made, k));
  return results;
}

struct scan_step {
  std::vector<ref> state, ys;
};
/// body(state, entries)
template <class Body>
std::vector<ref> scanned(builder& g, std::vector<ref> const& init, std::vector<ref> const& xs, bool from_end, Body const& body) {
  std::vector<ref> state, entries;
  list<control_input> inputs;
  list<std::int32_t> outputs;
  for (ref const& x : init) state.push_back(given_like(x));
  for (ref const& x : xs) entries.push_back(given_entry(x));
  scan_step const step = body(state, entries);
  for (std::size_t j = 0; j < init.size(); ++j) inputs.push({state[j].id, init[j].id, static_cast<std::int32_t>(j)});
  for (std::size_t j = 0; j < xs.size(); ++j) inputs.push({entries[j].id, xs[j].id, -1});
  for (ref const& r : step.state) outputs.push(r.id);
  for (ref const& r : step.ys) outputs.push(r.id);
  control c;
  c.trips = xs[0].extent(0);
  c.from_end = from_end;
  return results_of(add_control(g, c, inputs, outputs), outputs.size());
}
/// Bodies are functions of `arguments`, all with as many results.
template <class... Body>
std::vector<ref> branched(builder& g, ref head, std::vector<ref> const& arguments, Body const&... bodies) {
  std::vector<ref> inner;
  list<control_input> inputs;
  list<std::int32_t> outputs;
  for (ref const& x : arguments) {
    inner.push_back(given_like(x));
    inputs.push({inner.back().id, x.id, -1});
  }
  auto const add = [&](std::vector<ref> const& results) {
    for (ref const& r : results) outputs.push(r.id);
  };
  (add(bodies(inner)), ...);
  control c;
  c.kind = control_kind::branches;
  c.bodies = static_cast<std::int16_t>(sizeof...(Body));
  c.head = head.id;
  return results_of(add_control(g, c, inputs, outputs), outputs.size() / static_cast<int>(sizeof...(Body)));
}
template <class Condition, class Body>
std::vector<ref> looped(builder& g, std::vector<ref> const& init, Condition const& condition, Body const& body) {
  std::vector<ref> state;
  list<control_input> inputs;
  list<std::int32_t> outputs;
  for (ref const& x : init) state.push_back(given_like(x));
  for (std::size_t j = 0; j < init.size(); ++j) inputs.push({state[j].id, init[j].id, static_cast<std::int32_t>(j)});
  control c;
  c.kind = control_kind::while_loop;
  c.head = condition(state).id;
  for (ref const& r : body(state)) outputs.push(r.id);
  return results_of(add_control(g, c, inputs, outputs), outputs.size());
}

using state = std::vector<ref> const&;

inline ref tanh_of(ref x) { return unary(primitive::tanh, x); }
inline ref sin_of(ref x) { return unary(primitive::sin, x); }
/// h = tanh(h w + x u): state [1, 2], entries [1, 3], and what does not change
inline ref recurrent(call const& c, bool from_end) {
  return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, from_end, [&](state h, state x) {
    ref const next = tanh_of(dot(h[0], c.x[2]) + dot(x[0], sin_of(c.x[3])));
    return scan_step{{next}, {next * h[0]}};
  }));
}

inline void add_control(entries& table) {
  using p = primitive;
  table.row = "scan";
  std::initializer_list<operand> const network = {real({1, 2}), real({3, 1, 3}), real({2, 2}), real({3, 2})};
  table.add(p::control, "forwards", network, [](call const& c) { return recurrent(c, false); });
  table.add(p::control, "from the end", network, [](call const& c) { return recurrent(c, true); });
  table.add(p::control, "elementwise, and a sum over the iterations", {real({2}), real({3, 2}), real({2})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, false, [&](state s, state x) { return scan_step{{sin_of(s[0] * c.x[2]) + x[0]}, {s[0] * x[0] * c.x[2]}}; }));
  });
  table.add(p::control, "no state", {real({3, 2}), real({2})}, [](call const& c) { return side_by_side(scanned(c.g, {}, {c.x[0]}, false, [&](state, state x) { return scan_step{{}, {tanh_of(x[0] * c.x[1])}}; })); });
  table.add(p::control, "a counter, and a state that only changes in the end", {real({2}), integers({}, 0, 2), real({3})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0], c.x[1], c.x[0] * 2.0}, {c.x[2]}, true, [&](state s, state x) {
      return scan_step{{s[0] * cast(s[1], dtype::float64) + x[0], s[1] + integer_constant(c.g, dtype::int32, 1), sin_of(s[0])}, {s[2]}};
    }));
  });
  table.add(p::control, "a loop in a loop", {real({}), real({2, 2}), real({})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, false, [&](state s, state x) {
      auto const inner = scanned(c.g, {s[0]}, {x[0]}, true, [&](state t, state y) { return scan_step{{tanh_of(t[0] * c.x[2] + y[0])}, {t[0] * s[0]}}; });
      return scan_step{{inner[0]}, {reduce(p::sum, inner[1], 1)}};
    }));
  });
  table.add(p::control, "a branch in a loop", {real({2}), real({3, 2}), integers({3}, 0, 1)}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1], c.x[2]}, false, [&](state s, state x) {
      auto const taken = branched(c.g, x[1], {s[0], x[0]}, [](state a) { return std::vector{sin_of(a[0]) * a[1]}; }, [](state a) { return std::vector{a[0] + a[1] * a[1] * a[0]}; });
      return scan_step{{taken[0]}, {}};
    }));
  });
  table.add(p::control, "run-time extents", {real({2}), real({dim<"n">, 2}), real({2})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, true, [&](state s, state x) { return scan_step{{tanh_of(s[0] * c.x[2]) + x[0]}, {s[0]}}; }));
  });
  table.add(p::control, "a state that is a matrix, multiplied from both sides", {real({2, 2}), real({2, 2, 2}), real({2, 2}), real({2, 2})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, false, [&](state h, state x) { return scan_step{{tanh_of(dot(c.x[2], h[0]) + dot(dot(h[0], swap_last_two(c.x[2])), c.x[3]) + x[0])}, {}}; }));
  });
  table.add(p::control, "a state that never changes", {real({2}), real({3, 2})}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0], c.x[0] * 2.0}, {c.x[1]}, false, [&](state s, state x) { return scan_step{{sin_of(s[0] * s[1]) + x[0], s[1]}, {}}; }));
  });
  table.add(p::control, "a state that does not depend on the entries", {real({2}), real({3, 2}, 0.5, 1)}, [](call const& c) {
    return side_by_side(scanned(c.g, {c.x[0], sin_of(c.x[0])}, {c.x[1]}, false, [&](state s, state x) { return scan_step{{s[0] + unary(primitive::log, x[0]) * s[1], s[1] * 0.9}, {s[1]}}; }));
  });
  table.add(p::control, "one iteration", {real({2}), real({1, 2})}, [](call const& c) { return side_by_side(scanned(c.g, {c.x[0]}, {c.x[1]}, true, [&](state s, state x) { return scan_step{{sin_of(s[0]) * x[0]}, {s[0]}}; })); });
  table.row = "branches";
  table.add(p::control, "three", {integers({}, -1, 3), real({2, 2}), real({2, 2})}, [](call const& c) {
    return side_by_side(branched(c.g, c.x[0], {c.x[1]}, [&](state a) { return std::vector{sin_of(a[0]) * c.x[2], a[0]}; }, [&](state a) { return std::vector{dot(a[0], c.x[2]), c.x[2]}; },
        [&](state a) { return std::vector{a[0] * a[0], a[0] * 3.0}; }));
  });
  table.add(p::control, "a condition of the operand", {real({}), real({3})}, [](call const& c) {
    return branched(c.g, less(c.x[0], constant(c.g, dtype::float64, 0)), {c.x[0], c.x[1]}, [](state a) { return std::vector{sin_of(a[1] * a[0])}; }, [](state a) { return std::vector{a[1] * a[1]}; })[0];
  });
  table.add(p::control, "a loop in a branch", {booleans({}), real({2}), real({3, 2})}, [](call const& c) {
    return branched(c.g, c.x[0], {c.x[1]}, [&](state a) { return std::vector{scanned(c.g, {a[0]}, {c.x[2]}, false, [&](state s, state x) { return scan_step{{tanh_of(s[0]) + x[0] * s[0]}, {}}; })[0]}; },
        [&](state a) { return std::vector{a[0] * reduce(p::sum, c.x[2], 1)}; })[0];
  });
  table.row = nullptr;
  table.add(p::block_input, "", {integers({}, 0, 1), real({3}), real({3})}, [](call const& c) { return branched(c.g, c.x[0], {c.x[1], c.x[2]}, [](state a) { return std::vector{a[1]}; }, [](state a) { return std::vector{a[0]}; })[0]; });
  table.add(p::control_result, "the state", {real({2}), real({3, 2})}, [](call const& c) { return scanned(c.g, {c.x[0]}, {c.x[1]}, false, [](state s, state x) { return scan_step{{sin_of(s[0]) + x[0]}, {x[0]}}; })[0]; });
  table.add(p::control_result, "of all iterations", {real({2}), real({3, 2})}, [](call const& c) { return scanned(c.g, {c.x[0]}, {c.x[1]}, false, [](state s, state x) { return scan_step{{sin_of(s[0]) + x[0]}, {s[0] * x[0]}}; })[1]; });
  table.row = "while_loop";
  table.has_no_reverse = true;
  table.add(p::control, "a counter", {real({2}), integers({}, 0, 4), real({2})}, [](call const& c) {
    return looped(c.g, {c.x[0], c.x[1]}, [&](state s) { return less(s[1], integer_constant(c.g, dtype::int32, 4)); },
        [&](state s) { return std::vector{sin_of(s[0] * c.x[2]) + s[0], s[1] + integer_constant(c.g, dtype::int32, 1)}; })[0];
  });
  table.add(p::control, "until a sum is large", {real({3}, 0.2, 1), real({3}, 1.3, 2)}, [](call const& c) {
    return looped(c.g, {c.x[0]}, [&](state s) { return less(reduce(p::sum, s[0], 1), constant(c.g, dtype::float64, 9)); }, [&](state s) { return std::vector{s[0] * c.x[1]}; })[0];
  });
}

}  // namespace test
