// Functions as programs, and their transforms: each is checked against what the interpreter makes of the function itself, by differences or entry by entry.
#pragma once

#include "../support/interpreter.hpp"

#include <dimity/program/forward.hpp>

#include <functional>
#include <memory>

namespace test {

/// splitmix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: the same numbers everywhere.
struct generator {
  std::uint64_t state;

  std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53; }
  int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
};

enum class values_of_operand : std::uint8_t { uniform, some_zeros, diagonal, definite, separated };
/// A shape that a table of hundreds can hold without code for each.
struct extents {
  int rank = 0;
  extent_t extent[6] = {};

  constexpr extents(std::initializer_list<extent_t> e) {
    for (extent_t const x : e) extent[rank++] = x;
  }
  extents(indices const& e) {
    for (extent_t const x : e) extent[rank++] = x;
  }
  constexpr extent_t const* begin() const { return extent; }
  constexpr extent_t const* end() const { return extent + rank; }
};
/// What an operand may be. An extent may be a name: it is chosen at run time then, and is `named_extent`.
struct operand {
  extents shape = {};
  double low = -1, high = 1;
  dtype type = dtype::float64;
  values_of_operand kind = values_of_operand::uniform;
};
inline constexpr std::int64_t named_extent = 3;

constexpr operand real(extents const& shape, double low = -1, double high = 1) { return {shape, low, high}; }
constexpr operand real_with_zeros(extents const& shape) { return {shape, 0.5, 1.5, dtype::float64, values_of_operand::some_zeros}; }
/// Matrices that are far from singular, with determinants of both signs.
constexpr operand regular(extents const& shape) { return {shape, -0.5, 0.5, dtype::float64, values_of_operand::diagonal}; }
constexpr operand positive_definite(extents const& shape) { return {shape, -0.5, 0.5, dtype::float64, values_of_operand::definite}; }
/// Matrices whose eigenvalues and singular values are far apart.
constexpr operand separated(extents const& shape) { return {shape, -0.5, 0.5, dtype::float64, values_of_operand::separated}; }
constexpr operand integers(extents const& shape, int low, int high, dtype type = dtype::int32) { return {shape, static_cast<double>(low), static_cast<double>(high), type}; }
constexpr operand booleans(extents const& shape) { return integers(shape, 0, 1, dtype::boolean); }

inline array sample(generator& random, operand const& of, indices const& batch) {
  indices shape;
  for (extent_t const e : of.shape) shape.push_back(e >= 0 ? e : named_extent);
  array x{joined(batch, shape), {}};
  for (std::int64_t b = count_elements(batch); b > 0; --b) {
    array one = made_of(shape, [&](indices const&) { return is_floating(of.type) ? random.uniform(of.low, of.high) : std::floor(random.uniform(of.low, of.high + 1)); });
    std::size_t const r = shape.size();
    if (of.kind == values_of_operand::some_zeros)
      for (std::size_t i = 0; i < one.elements.size(); i += 3) one.elements[i] = 0;
    if (of.kind == values_of_operand::diagonal)
      for_each_place(shape, [&](indices const& at) { element(one, at) += at[r - 1] != at[r - 2] ? 0 : at[r - 1] == 0 ? -2 : 2; });
    if (of.kind == values_of_operand::definite)
      for_each_place(shape, [&](indices const& at) { element(one, at) += at[r - 1] == at[r - 2] ? 3 : 0; });
    if (of.kind == values_of_operand::separated)
      for_each_place(shape, [&](indices const& at) { element(one, at) += at[r - 1] == at[r - 2] ? 1.5 * static_cast<double>(at[r - 1]) + 1 : 0; });
    x.elements.insert(x.elements.end(), one.elements.begin(), one.elements.end());
  }
  return x;
}

struct argument {
  ref x;
  std::size_t input;
  operand of;
  indices batch = {};

  bool is_differentiable() const { return is_floating(of.type); }
};
/// A program with arguments and results, at a point. Inputs that a transform replaced keep their shapes, but no elements.
struct function {
  std::unique_ptr<builder> g;
  std::vector<argument> arguments = {};
  std::vector<ref> results = {};
  values given = {};
  generator random = {1};
  bool stops_derivatives = false;

  argument add(shape_value const& shape, operand const& of, indices const& batch = {}) {
    given.push_back(sample(random, of, batch));
    return {{g.get(), g->input(of.type, shape)}, given.size() - 1, of, batch};
  }
  /// A seed or a tangent.
  argument add_like(ref x) { return add(x.shape(), real(interpreter(*g, given).shape_of(x.shape()))); }
  bool is_refused() const { return g->error == program_error::reverse_of_while; }
};
using maker = std::function<function()>;

inline list<ref> list_of(std::vector<ref> const& from) {
  list<ref> to;
  for (ref const& r : from) to.push(r);
  return to;
}
inline std::vector<ref> vector_of(list<ref> const& from) { return {from.begin(), from.end()}; }
inline std::vector<ref> references(std::vector<argument> const& arguments) {
  std::vector<ref> r;
  for (argument const& a : arguments) r.push_back(a.x);
  return r;
}
inline std::vector<argument> differentiable(function const& f) {
  std::vector<argument> r;
  for (argument const& a : f.arguments)
    if (a.is_differentiable()) r.push_back(a);
  return r;
}
inline std::vector<argument> add_like(function& f, std::vector<ref> const& like) {
  std::vector<argument> r;
  for (ref const& x : like) r.push_back(f.add_like(x));
  return r;
}
inline std::vector<ref> reverse_of(function& f, std::vector<argument> const& seeds, std::vector<argument> const& wanted) {
  return vector_of(reverse(*f.g, list_of(f.results), list_of(references(seeds)), list_of(references(wanted))));
}
inline std::vector<ref> forward_of(function& f, std::vector<argument> const& along, std::vector<argument> const& tangents) {
  return vector_of(forward(*f.g, list_of(references(along)), list_of(references(tangents)), list_of(f.results)));
}
inline std::vector<ref> batch_of(function& f, std::vector<argument> const& entries, std::vector<argument> const& batched, std::int64_t size) {
  return vector_of(batch(*f.g, list_of(references(entries)), list_of(references(batched)), list_of(f.results), size));
}
inline void append(std::vector<argument>& to, std::vector<argument> const& more) { to.insert(to.end(), more.begin(), more.end()); }

/// The transforms, as functions of functions.
inline function grad_of(function f) {
  auto const seeds = add_like(f, f.results);
  f.results = reverse_of(f, seeds, differentiable(f));
  append(f.arguments, seeds);
  return f;
}
inline function jvp_of(function f) {
  auto const along = differentiable(f), tangents = add_like(f, references(along));
  f.results = forward_of(f, along, tangents);
  append(f.arguments, tangents);
  return f;
}
/// Over the arguments whose bits are set in `mask`.
inline function vmap_of(function f, unsigned mask, std::int64_t size) {
  std::vector<argument> entries, batched;
  for (std::size_t k = 0; k < f.arguments.size(); ++k) {
    if ((mask >> k & 1u) == 0) continue;
    argument& a = f.arguments[k];
    entries.push_back(a);
    f.given[a.input].elements.clear();
    a = f.add(batched_shape(a.x.shape(), size), a.of, joined({size}, a.batch));
    batched.push_back(a);
  }
  f.results = batch_of(f, entries, batched, size);
  return f;
}

inline values evaluate(builder const& g, std::vector<ref> const& wanted, values const& given) {
  interpreter program(g, given);
  values results;
  for (ref const& r : wanted) results.push_back(program[r.id]);
  return results;
}

/// What checks find, of one function and transform.
struct report {
  std::string problem = {};
  bool is_refused = false, is_zero = true;

  void expect(bool ok, std::string const& what) {
    if (!ok && problem.empty()) problem = what;
  }
  void expect_same(array const& expected, array const& got, double tolerance, std::string const& what) {
    expect(expected.shape == got.shape, what + ": the shape");
    double scale = 1;
    for (double const x : expected.elements) scale = std::max(scale, std::fabs(x));
    for (std::size_t i = 0; problem.empty() && i < expected.elements.size(); ++i)
      expect(std::fabs(expected.elements[i] - got.elements[i]) <= tolerance * scale,
             what + ": element " + std::to_string(i) + " is " + std::to_string(got.elements[i]) + ", not " + std::to_string(expected.elements[i]));
  }
  void note_derivative(array const& x) {
    for (double const e : x.elements) is_zero = is_zero && e == 0;
  }
};
inline constexpr double exactly = 1e-10, by_differences = 1e-6, step = 1e-5;

/// The values of a program, which are the same once it is finished.
inline values checked_values(function& f, std::vector<ref> const& wanted, report& r, std::string const& what) {
  builder finished;
  f.g->outputs.clear();
  for (ref const& x : wanted) f.g->outputs.push(x.id);
  finish(*f.g, finished);
  std::vector<ref> outputs;
  for (std::int32_t const o : finished.outputs) outputs.push_back({&finished, o});
  values const raw = evaluate(*f.g, wanted, f.given), after = evaluate(finished, outputs, f.given);
  for (std::size_t i = 0; i < raw.size(); ++i) r.expect_same(raw[i], after[i], exactly, what + ", finished");
  return raw;
}
/// The derivative of `results` along directions for some of the inputs.
inline values differences(function const& f, std::vector<argument> const& along, values const& directions) {
  auto const moved = [&](double by) {
    values given = f.given;
    for (std::size_t k = 0; k < along.size(); ++k)
      for (std::size_t i = 0; i < directions[k].elements.size(); ++i) given[along[k].input].elements[i] += by * directions[k].elements[i];
    return evaluate(*f.g, f.results, given);
  };
  values up = moved(step), down = moved(-step);
  for (std::size_t k = 0; k < up.size(); ++k)
    for (std::size_t i = 0; i < up[k].elements.size(); ++i) up[k].elements[i] = f.stops_derivatives ? 0 : (up[k].elements[i] - down[k].elements[i]) / (2 * step);
  return up;
}
inline double inner_product(array const& a, array const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.elements.size(); ++i) sum += a.elements[i] * b.elements[i];
  return sum;
}
inline array scalar(double x) { return {{}, {x}}; }

/// Cotangents of all arguments, and of each alone.
inline report check_grad(maker const& make) {
  report r;
  function f = make();
  auto const wanted = differentiable(f), seeds = add_like(f, f.results);
  auto const together = reverse_of(f, seeds, f.arguments);
  r.is_refused = f.is_refused();
  if (r.is_refused) return r;
  values const pulled = checked_values(f, together, r, "all arguments");
  for (std::size_t k = 0; k < f.arguments.size(); ++k) {
    std::string const what = "argument " + std::to_string(k);
    argument const& a = f.arguments[k];
    r.note_derivative(pulled[k]);
    if (!a.is_differentiable()) {
      for (double const x : pulled[k].elements) r.expect(x == 0, what + " has no derivative");
      continue;
    }
    r.expect_same(pulled[k], checked_values(f, reverse_of(f, seeds, {a}), r, what + " alone")[0], exactly, what + " alone");
    for (int trial = 0; trial < 2; ++trial) {
      array const direction = sample(f.random, real(pulled[k].shape), {});
      values const changes = differences(f, {a}, {direction});
      double expected = 0;
      for (std::size_t i = 0; i < changes.size(); ++i) expected += inner_product(f.given[seeds[i].input], changes[i]);
      r.expect_same(scalar(expected), scalar(inner_product(pulled[k], direction)), by_differences, what + " along a direction");
    }
  }
  return r;
}
/// <u, J d> = <J^T u, d>, for the tangents d that gave `pushed`.
inline void expect_transposed(function& f, std::vector<argument> const& along, std::vector<argument> const& tangents, values const& pushed, report& r) {
  auto const seeds = add_like(f, f.results);
  auto const pulled = reverse_of(f, seeds, along);
  if (f.is_refused()) return;
  values const cotangents = evaluate(*f.g, pulled, f.given);
  double there = 0, back = 0;
  for (std::size_t i = 0; i < pushed.size(); ++i) there += inner_product(f.given[seeds[i].input], pushed[i]);
  for (std::size_t k = 0; k < along.size(); ++k) back += inner_product(cotangents[k], f.given[tangents[k].input]);
  r.expect_same(scalar(there), scalar(back), exactly, "reverse mode as the transpose of forward mode");
}
/// Tangents for all arguments, and for each alone; and that reverse mode is the transpose.
inline report check_jvp(maker const& make) {
  report r;
  function f = make();
  r.is_refused = f.is_refused();
  if (r.is_refused) return r;
  auto const along = differentiable(f), tangents = add_like(f, references(along));
  values directions;
  for (argument const& t : tangents) directions.push_back(f.given[t.input]);
  values const pushed = checked_values(f, forward_of(f, along, tangents), r, "all arguments"), changes = differences(f, along, directions);
  for (std::size_t i = 0; i < pushed.size(); ++i) {
    r.note_derivative(pushed[i]);
    r.expect_same(changes[i], pushed[i], by_differences, "all arguments");
  }
  for (std::size_t k = 0; k < along.size() && along.size() > 1; ++k) {
    std::string const what = "argument " + std::to_string(k);
    values const one = checked_values(f, forward_of(f, {along[k]}, {tangents[k]}), r, what + " alone"), change = differences(f, {along[k]}, {directions[k]});
    for (std::size_t i = 0; i < one.size(); ++i) r.expect_same(change[i], one[i], by_differences, what + " alone");
  }
  expect_transposed(f, along, tangents, pushed, r);
  return r;
}
/// Subsets of n arguments that are not empty: all while they are few, otherwise each alone, all but each, and all.
inline std::vector<unsigned> subsets(std::size_t n) {
  std::vector<unsigned> r;
  unsigned const all = (1u << n) - 1u;
  for (unsigned m = 1; m <= all; ++m)
    if (unsigned const rest = all & ~m; n <= 3 || (m & (m - 1)) == 0 || (rest & (rest - 1)) == 0) r.push_back(m);
  return r;
}
/// Each entry is what the function gives for it.
inline report check_vmap(maker const& make, std::vector<std::int64_t> const& sizes, std::vector<unsigned> const& masks) {
  report r;
  function const one = make();
  r.is_refused = one.is_refused();
  if (r.is_refused) return r;
  for (std::int64_t const size : sizes)
    for (unsigned const mask : masks) {
      std::string const what = std::to_string(size) + " entries of arguments " + std::to_string(mask);
      function many = vmap_of(make(), mask, size);
      values const all = checked_values(many, many.results, r, what);
      for (std::int64_t b = 0; b < size; ++b) {
        values given = one.given;
        for (std::size_t k = 0; k < one.arguments.size(); ++k)
          if (mask >> k & 1u) given[one.arguments[k].input] = entry_of(many.given[many.arguments[k].input], b);
        values const expected = evaluate(*one.g, one.results, given);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          r.note_derivative(expected[i]);
          r.expect(all[i].shape == joined({size}, expected[i].shape), what + ": the shape");
          if (r.problem.empty()) r.expect_same(expected[i], entry_of(all[i], b), exactly, what);
        }
      }
    }
  return r;
}
inline report check_vmap(maker const& make, std::vector<std::int64_t> const& sizes) { return check_vmap(make, sizes, subsets(make().arguments.size())); }

}  // namespace test
