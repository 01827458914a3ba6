// Every primitive under every transform, from one table: values against the interpreter, derivatives against differences, entries against a loop. docs/transform_table.md is what came out.
#include "transform_table_entries.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace test {
namespace {

/// An entry as a function; `bends`: with second derivatives, also where the primitive is linear.
function function_of(entry const& e, bool bends) {
  function f{std::make_unique<builder>()};
  f.stops_derivatives = e.stops_derivatives;
  builder& g = *f.g;
  for (operand const& o : e.operands) {
    shape_value s;
    for (extent_t const x : o.shape) s.push(x);
    f.arguments.push_back(f.add(s, o));
  }
  ref y = cast(e.emit({g, e.op, references(f.arguments).data()}), dtype::float64);
  if (bends) y = y + 0.25 * unary(primitive::square, y);
  f.results = {y};
  return f;
}

/// Whether anything that a result needs is this primitive.
bool uses(function const& f, primitive op) {
  builder const& g = *f.g;
  std::vector<bool> seen(static_cast<std::size_t>(g.nodes.size()), false);
  std::vector<std::int32_t> work = {f.results[0].id};
  while (!work.empty()) {
    std::int32_t const id = work.back();
    work.pop_back();
    node const& n = g.nodes[id];
    if (n.op == op) return true;
    if (seen[static_cast<std::size_t>(id)]) continue;
    seen[static_cast<std::size_t>(id)] = true;
    for_each_dependency(g, n, [&](int d) { work.push_back(d); });
    if (n.op != primitive::control) continue;
    control const& c = g.controls[static_cast<int>(n.attribute)];
    for (int k = 0; k < c.bodies * c.output_count; ++k) work.push_back(g.control_nodes[c.outputs + k]);
  }
  return false;
}

/// A column: a transform of what other transforms made of the function.
struct column {
  char const* name;
  report (*check)(entry const&);
};
maker plain(entry const& e) {
  return [&e] { return function_of(e, false); };
}
maker gradient(entry const& e) {
  return [&e] { return grad_of(function_of(e, true)); };
}
maker tangent(entry const& e) {
  return [&e] { return jvp_of(function_of(e, true)); };
}
/// For each way to map the operands.
template <class Check>
report for_mapped(entry const& e, Check const& check) {
  report all;
  for (unsigned const mask : subsets(e.operands.size())) {
    report const one = check(maker([&e, mask] { return vmap_of(function_of(e, true), mask, 2); }), mask);
    all.expect(one.problem.empty(), "mapped " + std::to_string(mask) + ": " + one.problem);
    all.is_refused = all.is_refused || one.is_refused;
    all.is_zero = all.is_zero && one.is_zero;
  }
  return all;
}
constexpr column columns[] = {
    {"grad", [](entry const& e) { return check_grad(plain(e)); }},
    {"jvp", [](entry const& e) { return check_jvp(plain(e)); }},
    {"vmap", [](entry const& e) { return check_vmap(plain(e), {3, 1}); }},
    {"grad(grad)", [](entry const& e) { return check_grad(gradient(e)); }},
    {"grad(jvp)", [](entry const& e) { return check_grad(tangent(e)); }},
    {"grad(vmap)", [](entry const& e) { return for_mapped(e, [](maker const& m, unsigned) { return check_grad(m); }); }},
    {"jvp(grad)", [](entry const& e) { return check_jvp(gradient(e)); }},
    {"jvp(jvp)", [](entry const& e) { return check_jvp(tangent(e)); }},
    {"jvp(vmap)", [](entry const& e) { return for_mapped(e, [](maker const& m, unsigned) { return check_jvp(m); }); }},
    {"vmap(grad)", [](entry const& e) { return check_vmap(gradient(e), {2}); }},
    {"vmap(jvp)", [](entry const& e) { return check_vmap(tangent(e), {2}); }},
    {"vmap(vmap)", [](entry const& e) {
      return for_mapped(e, [&](maker const& m, unsigned mapped) {
        unsigned const all = (1u << e.operands.size()) - 1u;
        return check_vmap(m, {2}, mapped == all ? subsets(e.operands.size()) : std::vector{all, all & ~mapped});
      });
    }},
    {"vmap(jvp(grad))", [](entry const& e) { return check_vmap([&e] { return jvp_of(grad_of(function_of(e, true))); }, {2}); }}};

bool reverses(column const& c) { return std::string(c.name).find("grad") != std::string::npos; }

/// What a cell says, the stronger of two entries: the text of the table.
char const* cell_of(column const& c, report const& r) {
  bool const is_derivative = reverses(c) || std::string(c.name).find("jvp") != std::string::npos;
  return !r.problem.empty() ? "✗" : r.is_refused ? "refused¹" : is_derivative && r.is_zero ? "0" : "✓";
}
char const* stronger(char const* a, char const* b) {
  for (char const* cell : {"✗", "refused¹", "✓", "0"})
    if (std::string(a) == cell || std::string(b) == cell) return cell;
  return "";
}
report checked(entry const& e, column const& c) {
  try {
    return c.check(e);
  } catch (std::exception const& x) {
    report r;
    r.problem = x.what();
    return r;
  }
}

std::string document(std::vector<entry> const& entries) {
  std::string text =
      "# Every primitive under every transform\n\n"
      "Written by `tests/program/transform_table.cpp` from what it has checked; the test fails when this file differs (`DIMITY_WRITE_TABLE=docs/transform_table.md` writes it again). The programs of each row's "
      "entries are transformed and run by an interpreter that shares nothing with the kernels: derivatives are compared with central differences of the program that they are of, in both modes and for each operand "
      "alone and all together; `vmap` with a loop over the entries, for every choice of mapped operands. Each program is also compared with itself after the last pass.\n\n"
      "✓ checked; 0 checked, and the derivative is zero everywhere: the result is made of integers, truth values or steps, or does not depend on an operand. In columns with two derivatives the result of the "
      "primitive is y + y² / 4, so that linear primitives count as well. `jvp(grad)` is `hvp`, `vmap(jvp(grad))` with mapped tangents `hessian`.\n\n| primitive | entries |";
  std::string rule = "\n| --- | --- |";
  for (column const& c : columns) {
    text += " " + std::string(c.name) + " |";
    rule += " --- |";
  }
  text += rule + "\n";
  std::vector<std::string> rows;
  for (entry const& e : entries)
    if (std::find(rows.begin(), rows.end(), e.row) == rows.end()) rows.push_back(e.row);
  for (std::string const& row : rows) {
    int count = 0;
    std::vector<char const*> cells(std::size(columns), "");
    for (entry const& e : entries) {
      if (row != e.row) continue;
      ++count;
      for (std::size_t i = 0; i < std::size(columns); ++i) {
        report const r = checked(e, columns[i]);
        std::string const what = std::string(columns[i].name) + " of " + row + " (" + e.variant + "): " + (r.is_refused ? "refused" : r.problem);
        CHECK_MESSAGE((r.problem.empty() && r.is_refused == (e.has_no_reverse && reverses(columns[i]))), what);
        cells[i] = stronger(cells[i], cell_of(columns[i], r));
      }
    }
    text += "| " + row + " | " + std::to_string(count) + " |";
    for (char const* const cell : cells) text += " " + std::string(cell) + " |";
    text += "\n";
  }
  return text + "\n¹ Nobody knows how many iterations a `while_loop` would have to save for reverse mode; with a bound, `fori_loop<bound>`, it is a `scan`.\n";
}

}  // namespace

TEST_CASE("every primitive has an entry that has it in its program") {
  std::vector<entry> const entries = all_entries();
  for (int p = 0; p < static_cast<int>(primitive::count); ++p) {
    // Derivatives are those of the loops that these stand for on a GPU (tests/cuda/attention.cpp).
    if (is_attention(static_cast<primitive>(p))) continue;
    bool found = false;
    for (entry const& e : entries) found = found || static_cast<int>(e.op) == p;
    std::string const name = name_of(static_cast<primitive>(p));
    CHECK_MESSAGE(found, "no entry for ", name);
  }
  for (entry const& e : entries) {
    std::string const name = e.row + " (" + e.variant + ")";
    CHECK_MESSAGE(uses(function_of(e, false), e.op), name);
  }
}
TEST_CASE("the table of transforms") {
  std::string const text = document(all_entries());
  if (char const* const path = std::getenv("DIMITY_WRITE_TABLE")) std::ofstream(path, std::ios::binary) << text;
  std::ifstream in(DIMITY_TEST_DATA "/../../docs/transform_table.md", std::ios::binary);
  std::string const known{std::istreambuf_iterator<char>(in), {}};
  CHECK_MESSAGE(known == text, "docs/transform_table.md is not what was found: write it with DIMITY_WRITE_TABLE");
}

}  // namespace test
