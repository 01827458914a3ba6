// Plans as text: what runs, over which elements, on which memory, and why it costs what it costs.
#pragma once

#include <dimity/plan/alias.hpp>
#include <dimity/plan/extent_text.hpp>
#include <dimity/plan/facts.hpp>

#include <cstdio>
#include <string>

namespace DIMITY_NAMESPACE {

/// How much to_string(plan) tells: a line a step, or also every value of every kernel.
enum class plan_detail { steps, values };

namespace detail {

inline std::string bytes_text(std::int64_t n) {
  if (n < 10240) return std::to_string(n) + " B";
  return n < 10240 * 1024 ? std::to_string((n + 512) / 1024) + " KiB" : std::to_string((n + 524288) / 1048576) + " MiB";
}
/// Bytes that depend on extents chosen at run time, as a product: "24 batch B".
inline std::string bytes_text(plan_view const& p, amount n) { return n.is_known() ? bytes_text(n.number()) : amount_text(p.symbols, n) + " B"; }
inline std::string bytes_text(plan_view const& p, amount elements, dtype type) { return bytes_text(p, elements * amount(static_cast<std::int64_t>(size_of(type)))); }
inline std::string extents_text(plan_view const& p, amount const* extent, int begin, int end) {
  std::string s = "[";
  for (int i = begin; i < end; ++i) s += (i > begin ? ", " : "") + amount_text(p.symbols, extent[i]);
  return s + "]";
}
inline std::string shape_text(plan_view const& p, shape_value const& s) { return extents_text(p, s.extent, 0, s.rank); }
inline std::string count_text(int n, char const* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

/// in0 and out1 are arguments and results, w5 is buffer 5 in the workspace; given0 and left1 what a loop's or branch's body is given and leaves.
inline std::string buffer_name(plan_view const& p, int b) {
  buffer const& x = p.buffers[b];
  char const* const names[] = {x.in_block ? "given" : "in", x.in_block ? "left" : "out"};
  return x.where == residence::workspace ? "w" + std::to_string(b) : names[x.where == residence::output] + std::to_string(x.index);
}
inline std::string value_name(int v) { return "v" + std::to_string(v); }

/// What kind of loop nest it is: reductions of rows keep their result, reductions over the rows accumulate in memory.
inline std::string kernel_kind(plan_view const& p, kernel const& k) {
  bool rows = false, columns = false;
  for (int v = 0; v < k.values.size(); ++v) rows = rows || family_of(p.value_of(k, v).op) == family::reduction;
  for (int s = k.stores.begin; s < k.stores.end; ++s) columns = columns || p.stores[s].combine != primitive::copy;
  std::string const row = k.rows() == 1 ? "full reduction" : "row reduction";
  return rows && columns ? row + " + column reduction" : rows ? row : columns ? "column reduction" : "elementwise";
}
/// Rows | elements of a row.
inline std::string space_text(plan_view const& p, kernel const& k) {
  if (kernel_kind(p, k) == "elementwise") return extents_text(p, k.extent, 0, k.axes);
  return extents_text(p, k.extent, 0, k.outer) + " x " + extents_text(p, k.extent, k.outer, k.axes);
}
/// "reads in0 512 B, w3 64 B; writes out0 512 B"
inline std::string traffic_text(plan_view const& p, kernel const& k) {
  std::string reads, writes;
  for (int v = 0; v < k.values.size(); ++v) {
    value const& x = p.value_of(k, v);
    if (x.op != primitive::input || v == k.injected || !is_first_load(p, k, v)) continue;
    access const& a = p.access_of(k, static_cast<int>(x.attribute));
    reads += (reads.empty() ? "reads " : ", ") + buffer_name(p, p.buffer_of(k, a)) + " " + bytes_text(p, elements_of(k, a), a.type);
  }
  for (int s = k.stores.begin; s < k.stores.end; ++s) {
    access const& a = p.access_of(k, p.stores[s].access);
    writes += (writes.empty() ? "writes " : ", ") + buffer_name(p, p.buffer_of(k, a)) + " " + bytes_text(p, elements_of(k, a), a.type);
  }
  return reads + (reads.empty() || writes.empty() ? "" : "; ") + writes;
}
inline int listed_kernel(plan_view const& p, step const& s) {
  return s.kind == step_kind::kernel ? s.index : s.kind == step_kind::primitive ? p.opaques[s.index].epilogue : -1;
}
/// The step that runs a kernel, also inside a contraction.
inline int step_of_kernel(plan_view const& p, int kernel_index) {
  for (int i = 0; i < p.size.steps; ++i)
    if (listed_kernel(p, p.steps[i]) == kernel_index) return i;
  return -1;
}
inline int step_of_opaque(plan_view const& p, int index) {
  for (int i = 0; i < p.size.steps; ++i)
    if (p.steps[i].kind == step_kind::primitive && p.steps[i].index == index) return i;
  return -1;
}
inline std::string kernel_text(plan_view const& p, int index) {
  kernel const& k = p.kernels[index];
  std::string s = kernel_kind(p, k) + " " + space_text(p, k) + ", " + count_text(k.values.size(), "value");
  if (k.stages > 1) s += ", " + count_text(k.stages, "stage");
  for (int i = k.stores.begin; i < k.stores.end; ++i)
    if (p.stores[i].partial_slot >= 0) {
      bool const known = k.rows().is_known() && k.inner().is_known();
      s += std::string(known ? ", in " : ", in up to ") + std::to_string(most_row_blocks_of(k)) + " blocks of rows";
      break;
    }
  std::string const moved = traffic_text(p, k);
  if (!moved.empty()) s += "; " + moved;
  if (k.same_as >= 0) s += "; same code as step " + std::to_string(step_of_kernel(p, k.same_as));
  return s;
}
inline std::string opaque_text(plan_view const& p, int index) {
  opaque_step const& o = p.opaques[index];
  std::string s = o.op == primitive::dot ? "matmul" : name_of(o.op), operands;
  for (int i = 0; i < arity_of(o.op); ++i) {
    shape_value const& shape = p.shapes[o.operand_shape[i]];
    s += (i > 0 ? o.op == primitive::dot ? " x " : ", " : " ") + shape_text(p, shape);
    operands += (i > 0 ? ", " : "; reads ") + buffer_name(p, p.slots[o.slots.begin + o.operand_slot[i]]) + " " + bytes_text(p, shape.size(), o.operand_type[i]);
  }
  s += std::string(" ") + name_of(o.type);
  if (is_contraction(o.op)) s += ", " + amount_text(p.symbols, flops_of(p, o)) + " flops";
  s += operands;
  if (o.result_slot >= 0)
    s += "; writes " + buffer_name(p, p.slots[o.slots.begin + o.result_slot]) + " " + bytes_text(p, p.shapes[o.shape].size(), o.type);
  if (o.scratch_slot >= 0) s += "; scratch " + bytes_text(p, p.buffers[p.slots[o.slots.begin + o.scratch_slot]].bytes);
  if (o.same_as >= 0) s += "; same code as step " + std::to_string(step_of_opaque(p, o.same_as));
  if (o.epilogue >= 0) s += "; epilogue: " + kernel_text(p, o.epilogue);
  return s;
}

/// Offset and strides of an access, unless it simply runs through its array: "[8 + 64 i0 + 1 i2]".
inline std::string access_text(plan_view const& p, kernel const& k, access const& a) {
  std::string s = buffer_name(p, p.buffer_of(k, a)) + "[";
  bool any = a.offset != 0;
  if (any) s += amount_text(p.symbols, a.offset);
  for (int i = 0; i < k.axes; ++i) {
    if (a.stride[i] == 0) continue;
    s += (any ? " + " : "") + (a.stride[i] == 1 ? std::string() : amount_text(p.symbols, a.stride[i]) + " ") + "i" + std::to_string(i);
    any = true;
  }
  return s + (any ? "]" : "0]");
}
inline std::string value_text(plan_view const& p, kernel const& k, int v) {
  value const& x = p.value_of(k, v);
  if (v == k.injected) return "the product";
  if (x.op == primitive::input) return "load " + access_text(p, k, p.access_of(k, static_cast<int>(x.attribute)));
  if (x.op == primitive::extent) return amount_text(p.symbols, x.attribute);
  if (x.op == primitive::iota) return "iota(i" + std::to_string(x.attribute) + ")";
  if (x.op == primitive::constant) {
    char text[40];
    if (is_floating(x.type)) std::snprintf(text, sizeof(text), "%.9g", std::bit_cast<double>(x.attribute));
    else std::snprintf(text, sizeof(text), "%lld", static_cast<long long>(x.attribute));
    return text;
  }
  std::string s = std::string(name_of(x.op)) + "(";
  for (int i = 0; i < arity_of(x.op); ++i) s += (i > 0 ? ", " : "") + value_name(x.arg[i]);
  return s + ")" + (family_of(x.op) == family::reduction ? " over the row" : "");
}
inline std::string values_text(plan_view const& p, int index) {
  constexpr char const* places[] = {"once", "per row", ""};
  kernel const& k = p.kernels[index];
  std::string out;
  for (int t = 0; t < k.stages; ++t) {
    if (k.stages > 1) out += "      stage " + std::to_string(t) + "\n";
    for (int v = 0; v < k.values.size(); ++v) {
      value const& x = p.value_of(k, v);
      if (x.stage != t) continue;
      std::string line = "      " + value_name(v) + " = " + value_text(p, k, v);
      if (line.size() < 46) line.append(46 - line.size(), ' ');
      line += std::string("  ") + name_of(x.type);
      if (x.at != level::lane) line += std::string("  ") + places[static_cast<int>(x.at)];
      if (x.kept >= 0) line += "  kept for later stages";
      out += line + "\n";
    }
    for (int s = k.stores.begin; s < k.stores.end; ++s) {
      store const& st = p.stores[s];
      if (st.stage != t) continue;
      out += "      " + access_text(p, k, p.access_of(k, st.access)) + (st.combine == primitive::copy ? std::string(" = ") : std::string(" = ") + name_of(st.combine) + " with ") + value_name(st.value) + "\n";
    }
  }
  return out;
}

inline std::string control_text(plan_view const& p, control_step const& c) {
  std::string s = c.kind == control_kind::scan ? "scan, " + amount_text(p.symbols, c.trips) + " iterations" + (c.from_end ? " from the end" : "")
                  : c.kind == control_kind::while_loop ? std::string("while loop") : "one of " + std::to_string(c.blocks.size()) + " branches";
  for (int i = c.operands.begin; i < c.operands.end; ++i) {
    port const& x = p.ports[i];
    s += (i == c.operands.begin ? "; given " : ", ") + buffer_name(p, p.slots[c.slots.begin + x.slot]);
    if (x.carried >= 0) s += " (then left" + std::to_string(x.carried) + ")";
    else if (x.stride != 0) s += " by entry";
  }
  for (int i = c.outputs.begin; i < c.outputs.end; ++i) {
    port const& x = p.ports[i];
    s += (i == c.outputs.begin ? "; leaves " : ", ") + buffer_name(p, p.slots[c.slots.begin + x.slot]);
    if (x.spare >= 0) s += " and " + buffer_name(p, p.slots[c.slots.begin + x.spare]) + " in turn";
    else if (x.stride != 0) s += " by entry";
  }
  return s;
}
inline void steps_text(plan_view const& p, plan_detail how, int begin, int end, std::string const& indent, std::string& out) {
  for (int i = begin; i < end; ++i) {
    step const s = p.steps[i];
    int const listed = listed_kernel(p, s);
    out += indent + std::to_string(i) + ": ";
    if (s.kind == step_kind::control) {
      control_step const& c = p.controls[s.index];
      out += control_text(p, c) + "\n";
      for (int b = c.blocks.begin; b < c.blocks.end; ++b) {
        if (c.kind == control_kind::branches) out += indent + "  branch " + std::to_string(b - c.blocks.begin) + ":\n";
        if (c.kind == control_kind::while_loop) out += indent + (b == c.blocks.begin ? "  while:\n" : "  do:\n");
        steps_text(p, how, p.blocks[b].steps.begin, p.blocks[b].steps.end, indent + "    ", out);
      }
      continue;
    }
    out += (s.kind == step_kind::kernel ? kernel_text(p, s.index) : opaque_text(p, s.index)) + "\n";
    if (how == plan_detail::values && listed >= 0) out += values_text(p, listed);
  }
}
/// What is known, and a product for each region: "1280 B + 24 batch B", up to what alignment needs.
inline std::string workspace_text(plan_view const& p) {
  std::string s = bytes_text(p.workspace_bytes);
  for (int r = p.size.first_region; r < p.size.regions; ++r) s += " + " + bytes_text(p, p.regions[r].unit * amount(p.regions[r].bytes));
  return s;
}
inline std::string plan_text(plan_view const& p, plan_detail how) {
  std::string out;
  steps_text(p, how, p.size.first_step, p.size.steps, "", out);
  int const contractions = count_opaques(p, true), others = count_opaques(p, false);
  out += count_text(p.size.steps, "step") + ": " + count_text(p.size.steps - p.size.opaques - p.size.controls, "kernel") + ", " + count_text(contractions, "contraction");
  if (others > 0) out += ", " + count_text(others, "other primitive");
  if (p.size.controls > 0) out += ", " + std::to_string(p.size.controls) + (p.size.controls == 1 ? " loop or branch" : " loops or branches");
  out += "; " + std::to_string(count_distinct(p)) + " distinct\n";
  if (p.size.symbols > 0) return out + "workspace " + workspace_text(p) + "\n";
  traffic const t = total_traffic(p);
  std::int64_t const flops = flops_of(p, p.size.first_step, p.size.steps);
  out += "reads " + bytes_text(t.read) + ", writes " + bytes_text(t.written) + ", " + std::to_string(t.passes) + " passes";
  if (flops > 0) out += ", " + std::to_string(flops) + " flops in contractions";
  return out + "; workspace " + bytes_text(p.workspace_bytes) + "\n";
}
/// Which results may take the memory of which arguments, as far as sizes allow it: the first of each, and how many more.
template <plan_size N>
std::string in_place_text(plan<N> const& p) {
  std::string s;
  for (int o = 0; o < N.buffers; ++o) {
    int more = -1;
    for (int i = 0; i < N.buffers; ++i) {
      buffer const &to = p.buffers[o], &from = p.buffers[i];
      if (to.in_block || from.in_block || to.where != residence::output || from.where != residence::input || to.bytes != from.bytes || !may_overwrite(p, to.index, from.index)) continue;
      if (++more == 0) s += (s.empty() ? "in place if donated: out" : ", out") + std::to_string(to.index) + " over in" + std::to_string(from.index);
    }
    if (more > 0) s += " or " + std::to_string(more) + " more";
  }
  return s.empty() ? s : s + "\n";
}

}  // namespace detail

/// A line for every step: what it is, its index space (rows x elements of a row where it reduces), how many values it computes, what it reads and
/// writes; then totals. in0, out0 are arguments and results, counted leaf by leaf; w3 is memory of the workspace. With plan_detail::values also every value of
/// every kernel, one assignment each: what is computed once, per row, or for each element, in which stage, and what is kept between stages.
template <detail::plan_size N>
std::string to_string(detail::plan<N> const& plan, plan_detail how = plan_detail::steps) {
  return detail::plan_text(detail::view_plan(plan), how) + detail::in_place_text(plan);
}
/// to_string(plan), to stdout.
template <detail::plan_size N>
void print(detail::plan<N> const& plan, plan_detail how = plan_detail::steps) {
  std::fputs(to_string(plan, how).c_str(), stdout);
}

}  // namespace DIMITY_NAMESPACE
