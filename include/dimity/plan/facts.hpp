// What a plan costs, as constants to assert on: kernels, contractions, bytes moved, operations.
#pragma once

#include <dimity/plan/extents.hpp>
#include <dimity/program/convolution_geometry.hpp>

#include <concepts>
#include <initializer_list>

namespace DIMITY_NAMESPACE {
namespace detail {

/// A plan without its sizes in the type, so that what reads plans is compiled once.
struct plan_view {
  plan_size size;
  kernel const* kernels;
  opaque_step const* opaques;
  step const* steps;
  buffer const* buffers;
  value const* values;
  access const* accesses;
  store const* stores;
  std::int16_t const* slots;
  shape_value const* shapes;
  std::int64_t const* pool;
  control_step const* controls;
  port const* ports;
  block const* blocks;
  extent_symbol const* symbols;
  region const* regions;
  std::int64_t workspace_bytes;
  std::int64_t const* extents = nullptr;  ///< values of extents chosen at run time

  constexpr std::int64_t at(amount a) const { return detail::value_of(a, extents); }

  /// The buffer behind one of a kernel's pointers.
  constexpr int buffer_of(kernel const& k, access const& a) const { return slots[k.slots.begin + a.slot]; }
  constexpr access const& access_of(kernel const& k, int i) const { return accesses[k.accesses.begin + i]; }
  constexpr value const& value_of(kernel const& k, int i) const { return values[k.values.begin + i]; }
};
template <plan_size N>
constexpr plan_view view_plan(plan<N> const& p, extent_t const* extents = nullptr) {
  return {N, p.kernels, p.opaques, p.steps, p.buffers, p.values, p.accesses, p.stores, p.slots, p.shapes, p.pool, p.controls, p.ports, p.blocks, p.symbols, p.regions, p.workspace_bytes, extents};
}

/// The elements that an access reaches: axes along which it does not move do not count.
constexpr amount elements_of(kernel const& k, access const& a) {
  amount n = 1;
  for (int i = 0; i < k.axes; ++i)
    if (a.stride[i] != 0) n *= k.extent[i];
  return n;
}
/// An element-for-element repetition of an earlier load costs nothing: the loop loads it once, or finds it in L1.
constexpr bool is_first_load(plan_view const& p, kernel const& k, int v) {
  access const& a = p.access_of(k, static_cast<int>(p.value_of(k, v).attribute));
  for (int i = 0; i < v; ++i) {
    if (p.value_of(k, i).op != primitive::input) continue;
    if (same_access(a, p.access_of(k, static_cast<int>(p.value_of(k, i).attribute)), k.axes)) return false;
  }
  return true;
}

/// Traffic of one loop nest or of one primitive: bytes, and how many arrays of at least `whole` elements.
struct traffic {
  std::int64_t read = 0, written = 0;
  int passes = 0;
  constexpr void add(std::int64_t elements, dtype type, bool write, std::int64_t whole) {
    (write ? written : read) += elements * static_cast<std::int64_t>(size_of(type));
    passes += elements >= whole && elements > 1;
  }
  constexpr void add(traffic const& other) {
    read += other.read;
    written += other.written;
    passes += other.passes;
  }
};
constexpr void add_kernel_traffic(plan_view const& p, kernel const& k, traffic& t) {
  std::int64_t const whole = p.at(k.rows() * k.inner());
  for (int v = 0; v < k.values.size(); ++v) {
    value const& x = p.value_of(k, v);
    if (x.op == primitive::input && v != k.injected && is_first_load(p, k, v)) t.add(p.at(elements_of(k, p.access_of(k, static_cast<int>(x.attribute)))), x.type, false, whole);
  }
  for (int s = k.stores.begin; s < k.stores.end; ++s) {
    access const& a = p.access_of(k, p.stores[s].access);
    t.add(p.at(elements_of(k, a)), a.type, true, whole);
  }
}
constexpr traffic traffic_of(plan_view const& p, step const& s);
/// Every iteration of a scan; once through a while loop; of branches the one that moves most.
constexpr traffic traffic_of(plan_view const& p, control_step const& c) {
  traffic t;
  for (int b = c.blocks.begin; b < c.blocks.end; ++b) {
    traffic body;
    for (int i = p.blocks[b].steps.begin; i < p.blocks[b].steps.end; ++i) body.add(traffic_of(p, p.steps[i]));
    if (c.kind != control_kind::branches) t.add(body);
    else if (body.read + body.written > t.read + t.written) t = body;
  }
  if (c.kind == control_kind::scan) {
    t.read *= p.at(c.trips);
    t.written *= p.at(c.trips);
    t.passes *= static_cast<int>(p.at(c.trips));
  }
  return t;
}
constexpr traffic traffic_of(plan_view const& p, step const& s) {
  traffic t;
  if (s.kind == step_kind::control) return traffic_of(p, p.controls[s.index]);
  if (s.kind == step_kind::kernel) {
    add_kernel_traffic(p, p.kernels[s.index], t);
    return t;
  }
  opaque_step const& o = p.opaques[s.index];
  std::int64_t const result = p.at(p.shapes[o.shape].size());
  for (int i = 0; i < arity_of(o.op); ++i) t.add(p.at(p.shapes[o.operand_shape[i]].size()), o.operand_type[i], false, result);
  if (o.result_slot >= 0) t.add(result, o.type, true, result);
  if (o.epilogue >= 0) add_kernel_traffic(p, p.kernels[o.epilogue], t);
  return t;
}
/// All terms, those with zeros around the images too.
constexpr amount convolution_flops(plan_view const& p, opaque_step const& o) {
  convolution_geometry const c = geometry_from(p.pool + o.attribute);
  shape_value const& images = p.shapes[o.operand_shape[0]];
  amount entries = 2 * c.groups * c.in_channels * c.out_channels * c.kernel_size() * c.out_size();
  for (int i = 0; i + 3 < images.rank; ++i) entries *= images.extent[i];
  return entries;
}
/// A product and a sum for each term of each element.
constexpr amount flops_of(plan_view const& p, opaque_step const& o) {
  if (is_convolution(o.op)) return convolution_flops(p, o);
  if (o.op != primitive::dot) return 0;
  shape_value const& left = p.shapes[o.operand_shape[0]];
  return amount(2) * p.shapes[o.shape].size() * left.extent[left.rank - 1];
}

/// Values of all symbols, from those of arguments' extents in the order in which the arguments have them.
template <plan_size N>
struct fact_extents {
  extent_t values[N.symbols + 1] = {};
  constexpr fact_extents(plan<N> const& p, std::initializer_list<extent_t> given) {
    auto next = given.begin();
    auto const take = [&](extent_symbol const&) { return next == given.end() ? 1 : *next++; };
    find_extents({p.symbols, N.symbols, p.conditions, 0, p.shapes, p.interface, 0}, take, values);
  }
};

constexpr traffic total_traffic(plan_view const& p) {
  traffic t;
  for (int i = p.size.first_step; i < p.size.steps; ++i) t.add(traffic_of(p, p.steps[i]));
  return t;
}
/// Floating-point operations of matrix products in steps [begin, end), counted as their traffic is.
constexpr std::int64_t flops_of(plan_view const& p, int begin, int end) {
  std::int64_t n = 0;
  for (int i = begin; i < end; ++i) {
    step const s = p.steps[i];
    if (s.kind == step_kind::primitive) n += p.at(flops_of(p, p.opaques[s.index]));
    if (s.kind != step_kind::control) continue;
    control_step const& c = p.controls[s.index];
    std::int64_t own = 0;
    for (int b = c.blocks.begin; b < c.blocks.end; ++b) {
      std::int64_t const body = flops_of(p, p.blocks[b].steps.begin, p.blocks[b].steps.end);
      own = c.kind != control_kind::branches ? own + body : body > own ? body : own;
    }
    n += c.kind == control_kind::scan ? own * p.at(c.trips) : own;
  }
  return n;
}
constexpr int count_opaques(plan_view const& p, bool contractions) {
  int n = 0;
  for (int i = 0; i < p.size.opaques; ++i) n += is_contraction(p.opaques[i].op) == contractions;
  return n;
}
constexpr int count_distinct(plan_view const& p) {
  int n = 0;
  for (int i = 0; i < p.size.steps; ++i) {
    step const s = p.steps[i];
    n += s.kind == step_kind::control || (s.kind == step_kind::kernel ? p.kernels[s.index].same_as : p.opaques[s.index].same_as) < 0;
  }
  return n;
}

}  // namespace detail

/// Everything that runs: loop nests, contractions, primitives with code of their own, loops and branches. What is in the body of one counts once.
template <detail::plan_size N>
constexpr int step_count(detail::plan<N> const&) {
  return N.steps;
}
/// Fused loop nests (elementwise work, layout changes and reductions); those that run inside a contraction do not count.
template <detail::plan_size N>
constexpr int kernel_count(detail::plan<N> const&) {
  return N.steps - N.opaques - N.controls;
}
/// scan, while_loop, branches.
template <detail::plan_size N>
constexpr int control_count(detail::plan<N> const&) {
  return N.controls;
}
/// Matrix products.
template <detail::plan_size N>
constexpr int contraction_count(detail::plan<N> const& p) {
  return detail::count_opaques(detail::view_plan(p), true);
}
/// Primitives with code of their own that are not contractions: concat, pad, gather, cumulative sums, ...
template <detail::plan_size N>
constexpr int primitive_count(detail::plan<N> const& p) {
  return detail::count_opaques(detail::view_plan(p), false);
}
/// Steps whose code is not that of an earlier step: what the compiler has to generate.
template <detail::plan_size N>
constexpr int distinct_count(detail::plan<N> const& p) {
  return detail::count_distinct(detail::view_plan(p));
}
/// Contractions with elementwise work on their results while these are in registers.
template <detail::plan_size N>
constexpr int epilogue_count(detail::plan<N> const& p) {
  int n = 0;
  for (int i = 0; i < N.opaques; ++i) n += p.opaques[i].epilogue >= 0;
  return n;
}
/// Bytes that all steps read; what a step reads in several stages counts once, the operands of a contraction once, the body of a scan in every iteration, of
/// while_loop once, of branches the one that moves most. Here and below: extents chosen at run time are given, in the order in which the arguments have them.
template <detail::plan_size N, std::integral... E>
constexpr std::int64_t bytes_read(detail::plan<N> const& p, E... extents) {
  detail::fact_extents<N> const at(p, {static_cast<extent_t>(extents)...});
  return detail::total_traffic(detail::view_plan(p, at.values)).read;
}
template <detail::plan_size N, std::integral... E>
constexpr std::int64_t bytes_written(detail::plan<N> const& p, E... extents) {
  detail::fact_extents<N> const at(p, {static_cast<extent_t>(extents)...});
  return detail::total_traffic(detail::view_plan(p, at.values)).written;
}
/// How many arrays of at least as many elements as their step's index space are read or written: 2 for y = f(x), however long f is.
template <detail::plan_size N, std::integral... E>
constexpr int passes(detail::plan<N> const& p, E... extents) {
  detail::fact_extents<N> const at(p, {static_cast<extent_t>(extents)...});
  return detail::total_traffic(detail::view_plan(p, at.values)).passes;
}
/// 2 m n k for every matrix product.
template <detail::plan_size N, std::integral... E>
constexpr std::int64_t contraction_flops(detail::plan<N> const& p, E... extents) {
  detail::fact_extents<N> const at(p, {static_cast<extent_t>(extents)...});
  return detail::flops_of(detail::view_plan(p, at.values), N.first_step, N.steps);
}

}  // namespace DIMITY_NAMESPACE
