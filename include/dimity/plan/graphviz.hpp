// Plans as Graphviz source: steps are boxes, the buffers between them are arrows.
#pragma once

#include <dimity/plan/print.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

inline void draw_edges(plan_view const& p, kernel const& k, std::string const& node, std::string& out) {
  for (int v = 0; v < k.values.size(); ++v) {
    value const& x = p.value_of(k, v);
    if (x.op != primitive::input || v == k.injected || !is_first_load(p, k, v)) continue;
    access const& a = p.access_of(k, static_cast<int>(x.attribute));
    out += "  " + buffer_name(p, p.buffer_of(k, a)) + " -> " + node + " [label=\"" + bytes_text(p, elements_of(k, a), a.type) + "\"];\n";
  }
  for (int s = k.stores.begin; s < k.stores.end; ++s) {
    access const& a = p.access_of(k, p.stores[s].access);
    out += "  " + node + " -> " + buffer_name(p, p.buffer_of(k, a)) + " [label=\"" + bytes_text(p, elements_of(k, a), a.type) + "\"];\n";
  }
}
inline std::string graphviz_text(plan_view const& p) {
  std::string out = "digraph plan {\n  node [shape=box, fontname=monospace];\n", edges;
  for (int i = 0; i < p.size.steps; ++i) {
    step const s = p.steps[i];
    std::string const node = "step" + std::to_string(i);
    std::string label = std::to_string(i) + ": ";
    if (s.kind == step_kind::control) {
      control_step const& c = p.controls[s.index];
      label += c.kind == control_kind::scan ? "scan\\n" + amount_text(p.symbols, c.trips) + " iterations" : c.kind == control_kind::while_loop ? std::string("while loop") : std::string("branch");
      for (int j = c.blocks.begin; j < c.blocks.end; ++j)
        if (p.blocks[j].steps.size() > 0) edges += "  " + node + " -> step" + std::to_string(p.blocks[j].steps.begin) + " [style=dotted, label=\"runs\"];\n";
      for (int j = c.operands.begin; j < c.operands.end; ++j) edges += "  " + buffer_name(p, p.slots[c.slots.begin + p.ports[j].slot]) + " -> " + node + ";\n";
      for (int j = c.outputs.begin; j < c.outputs.end; ++j) edges += "  " + node + " -> " + buffer_name(p, p.slots[c.slots.begin + p.ports[j].slot]) + ";\n";
    } else if (s.kind == step_kind::kernel) {
      kernel const& k = p.kernels[s.index];
      label += kernel_kind(p, k) + "\\n" + space_text(p, k) + "\\n" + count_text(k.values.size(), "value");
      draw_edges(p, k, node, edges);
    } else {
      opaque_step const& o = p.opaques[s.index];
      label += std::string(o.op == primitive::dot ? "matmul" : name_of(o.op)) + "\\n" + shape_text(p, p.shapes[o.shape]);
      for (int j = 0; j < arity_of(o.op); ++j)
        edges += "  " + buffer_name(p, p.slots[o.slots.begin + o.operand_slot[j]]) + " -> " + node + " [label=\"" +
                 bytes_text(p, p.shapes[o.operand_shape[j]].size(), o.operand_type[j]) + "\"];\n";
      if (o.result_slot >= 0)
        edges += "  " + node + " -> " + buffer_name(p, p.slots[o.slots.begin + o.result_slot]) + " [label=\"" +
                 bytes_text(p, p.shapes[o.shape].size(), o.type) + "\"];\n";
      if (o.epilogue >= 0) {
        label += "\\n+ " + count_text(p.kernels[o.epilogue].values.size(), "value");
        draw_edges(p, p.kernels[o.epilogue], node, edges);
      }
    }
    out += "  " + node + " [label=\"" + label + "\"];\n";
  }
  for (int b = 0; b < p.size.buffers; ++b) {
    std::string const name = buffer_name(p, b);
    bool const drawn = edges.find("  " + name + " ->") != std::string::npos || edges.find("-> " + name + " ") != std::string::npos;
    if (drawn) out += "  " + name + (p.buffers[b].where == residence::workspace ? " [shape=ellipse];\n" : " [shape=ellipse, style=bold];\n");
  }
  return out + edges + "}\n";
}

}  // namespace detail

/// Source for Graphviz's dot: a box a step, an ellipse a buffer (arguments and results bold), arrows with the bytes moved.
template <detail::plan_size N>
std::string to_graphviz(detail::plan<N> const& plan) {
  return detail::graphviz_text(detail::view_plan(plan));
}

}  // namespace DIMITY_NAMESPACE
