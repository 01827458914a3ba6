// Programs as text: what a function is once it has been traced, differentiated and simplified, before it is planned.
#pragma once

#include <dimity/plan/extent_text.hpp>
#include <dimity/program/finish.hpp>
#include <dimity/transform/trace.hpp>

#include <cstdio>
#include <string>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Integer>
inline std::string integers_text(builder const& g, Integer const* v, int n) {
  std::string s = "[";
  for (int i = 0; i < n; ++i) s += (i > 0 ? ", " : "") + amount_text(g.extents->symbols.begin(), v[i]);
  return s + "]";
}
inline std::string axes_text(axis_map map, int n) {
  std::string s = "[";
  for (int i = 0; i < n; ++i) s += (i > 0 ? ", " : "") + (map[i] < 0 ? std::string("_") : std::to_string(map[i]));
  return s + "]";
}
inline std::string mask_text(std::uint32_t mask, int n) {
  std::string s = "[";
  for (int i = 0; i < n; ++i)
    if (mask >> i & 1u) s += (s.size() > 1 ? ", " : "") + std::to_string(i);
  return s + "]";
}
inline std::string constant_text(node const& n) {
  char text[40];
  if (is_floating(n.type)) std::snprintf(text, sizeof(text), "%.9g", constant_value(n));
  else std::snprintf(text, sizeof(text), "%lld", static_cast<long long>(n.attribute));
  return text;
}
/// What an operation is told besides its operands.
inline std::string attribute_text(builder const& g, node const& n) {
  int const rank = n.arg[0] >= 0 ? g.shape(n.arg[0]).rank : 0, own = g.shapes[n.shape].rank;
  auto const bits = static_cast<std::uint32_t>(n.attribute);
  switch (n.op) {
    case primitive::extent: return " " + amount_text(g.extents->symbols.begin(), n.attribute);
    case primitive::iota: case primitive::concat: case primitive::argmax: case primitive::argmin: return " axis=" + std::to_string(n.attribute);
    case primitive::broadcast: case primitive::transpose: return " axes=" + axes_text(axis_map{bits}, own);
    case primitive::sum: case primitive::prod: case primitive::max: case primitive::min: case primitive::any: case primitive::all: return " axes=" + mask_text(bits, rank);
    case primitive::cumulative_sum: case primitive::cumulative_prod:
      return " axis=" + std::to_string(n.attribute & 15) + ((n.attribute & 16) != 0 ? " from the end" : "");
    case primitive::slice: case primitive::pad: {
      int const at = static_cast<int>(n.attribute);
      return " start=" + integers_text(g, g.pool.begin() + at, rank) + " step=" + integers_text(g, g.pool.begin() + at + rank, rank);
    }
    case primitive::convolution: case primitive::convolution_input_gradient: case primitive::convolution_kernel_gradient:
    case primitive::window_max: case primitive::select_and_gather: case primitive::select_and_scatter: {
      std::int64_t const* const p = g.pool.begin() + static_cast<int>(n.attribute);
      return " groups=" + std::to_string(p[1]) + " stride=" + integers_text(g, p + 10, 2) + " dilation=" + integers_text(g, p + 12, 2) + " before=" + integers_text(g, p + 14, 2);
    }
    default: return "";
  }
}
inline void program_lines(builder const& g, list<std::string> const& names, std::string const& indent, std::string& out);
/// "scan 20 times (%3, then left 0; %5 by entry; %6)" and its bodies below.
inline void control_lines(builder const& g, node const& n, std::string const& indent, std::string& out) {
  closed_control const& c = g.closed[static_cast<int>(n.attribute)];
  out += c.kind == control_kind::scan ? "scan " + amount_text(g.extents->symbols.begin(), c.trips) + " times" + (c.from_end ? " from the end" : "")
         : c.kind == control_kind::while_loop ? std::string("while")
                                              : "branch %" + std::to_string(c.head);
  list<std::string> operands;
  for (int i = 0; i < c.operand_count; ++i) {
    closed_operand const& o = g.closed_operands[c.operands + i];
    std::string text = "%" + std::to_string(o.node);
    if (o.carried >= 0) text += ", then result " + std::to_string(o.carried);
    else if (o.entry) text += " by entry";
    operands.push(text);
    out += (i == 0 ? " (" : "; ") + text;
  }
  out += operands.size() > 0 ? ")\n" : "\n";
  for (int b = 0; b < c.body_count; ++b) {
    builder const& body = *g.bodies.programs[c.bodies + b];
    list<std::string> names;
    for (int i = 0; i < body.inputs; ++i) names.push(operands[g.bodies.inputs[g.bodies.begin[c.bodies + b] + i]]);
    char const* const what = c.kind == control_kind::branches ? "case" : c.kind == control_kind::while_loop && b == 0 ? "condition" : "body";
    out += indent + "  " + what + (c.kind == control_kind::branches ? " " + std::to_string(b) : "") + ":\n";
    program_lines(body, names, indent + "    ", out);
  }
}
/// "%5 float32[8, 4] = tanh %3"; constants stand where they are used, `names` are those of the inputs.
inline void program_lines(builder const& g, list<std::string> const& names, std::string const& indent, std::string& out) {
  auto const name = [&](int id) {
    node const& n = g[id];
    return n.op == primitive::constant ? constant_text(n) : "%" + std::to_string(id);
  };
  auto const head = [&](int id) { return indent + "%" + std::to_string(id) + " " + name_of(g.type(id)) + integers_text(g, g.shape(id).extent, g.shape(id).rank); };
  for (int i = 0; i < g.nodes.size(); ++i) {
    node const& n = g[i];
    if (n.op == primitive::constant) continue;
    if (n.op == primitive::input) {
      out += head(i) + " = input " + names[static_cast<int>(n.attribute)] + "\n";
      continue;
    }
    if (n.op == primitive::control) {
      out += indent + "%" + std::to_string(i) + " = ";
      control_lines(g, n, indent, out);
      continue;
    }
    if (n.op == primitive::control_result) {
      out += head(i) + " = result " + std::to_string(n.attribute) + " of " + name(n.arg[0]) + "\n";
      continue;
    }
    out += head(i) + " = " + (n.op == primitive::dot ? "matmul" : name_of(n.op));
    for (int k = 0; k < arity_of(n.op); ++k) out += (k > 0 ? ", " : " ") + name(n.arg[k]);
    out += attribute_text(g, n) + "\n";
  }
  out += indent + "return";
  for (int i = 0; i < g.outputs.size(); ++i) out += (i > 0 ? ", " : " ") + name(g.outputs[i]);
  out += "\n";
}
inline std::string program_text(builder const& g, list<std::string> const& names) {
  std::string out;
  program_lines(g, names, "", out);
  return out;
}

}  // namespace detail

/// The program of F for arguments of these types. See trace().
template <class F, class... Args>
struct traced_function {
  using source = detail::traced_source<F, Args...>;
  /// The number of its operations, inputs and constants included, after simplification.
  static constexpr int node_count() {
    detail::builder raw, g;
    source::build(raw);
    detail::finish(raw, g);
    return g.nodes.size();
  }
};

/// What compile(f) makes of a function for arguments of the types Args, to look at: `print(trace<tensor<float, 8>>(f))`.
template <class... Args, class F>
constexpr traced_function<F, Args...> trace(F const&) {
  (void)sizeof(detail::transformable_function<F>);
  return {};
}

/// One assignment a line, in the order in which they were traced; inputs are named by the path to them: argument number, then fields.
template <class F, class... Args>
std::string to_string(traced_function<F, Args...> const&) {
  detail::builder raw, g, inputs;
  traced_function<F, Args...>::source::build(raw);
  detail::finish(raw, g);
  detail::list<std::string> names;
  auto const args = std::tuple<detail::traced_tree_t<Args>...>{detail::input_tracers<Args>(inputs)...};
  for_each_parameter(args, [&](std::string_view name, auto const&) { names.push(std::string(name)); });
  return detail::program_text(g, names);
}
/// to_string(program), to stdout.
template <class F, class... Args>
void print(traced_function<F, Args...> const& program) {
  std::fputs(to_string(program).c_str(), stdout);
}

}  // namespace DIMITY_NAMESPACE
