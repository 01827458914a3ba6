// Contractions with their epilogue: one product for each entry of the batch.
#pragma once

#include <dimity/exec/cpu/float16_product.hpp>
#include <dimity/exec/cpu/integer_product.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/matmul_run_time.hpp>
#include <dimity/exec/cpu/matmul_scalar.hpp>
#include <dimity/exec/cpu/matmul_tiny.hpp>
#include <dimity/exec/cpu/result_sinks.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A matrix product whose extents and strides may be chosen at run time.
struct product_sizes {
  amount m, n, k, a_row, a_col, b_row, b_col;

  constexpr bool is_known() const {
    return m.is_known() && n.is_known() && k.is_known() && a_row.is_known() && a_col.is_known() && b_row.is_known() && b_col.is_known();
  }
  constexpr matmul_problem known() const {
    return {m.number(), n.number(), k.number(), a_row.number(), a_col.number(), b_row.number(), b_col.number()};
  }
  matmul_problem at(extent_t const* symbols) const {
    return {value_of(m, symbols), value_of(n, symbols), value_of(k, symbols), value_of(a_row, symbols), value_of(a_col, symbols), value_of(b_row, symbols), value_of(b_col, symbols)};
  }
};

/// The matrix product of one batch entry. Extents of 1 get the stride that a row-major operand would have, so that kernels see contiguity.
constexpr product_sizes product_of(opaque_step const& s, shape_value const* shapes) {
  shape_value const a = shapes[s.operand_shape[0]], b = shapes[s.operand_shape[1]];
  int const r = a.rank;
  product_sizes p{a.extent[r - 2], b.extent[r - 1], a.extent[r - 1], s.operand_stride[0][r - 2], s.operand_stride[0][r - 1], s.operand_stride[1][r - 2],
                  s.operand_stride[1][r - 1]};
  if (p.k == 1) {
    p.a_col = 1;
    p.b_row = p.n;
  }
  if (p.m == 1) p.a_row = p.k;
  if (p.n == 1) p.b_col = 1;
  return p;
}

constexpr amount contraction_scratch_bytes(opaque_step const& s, shape_value const* shapes) {
  product_sizes const p = product_of(s, shapes);
  if (is_integer(s.type)) {
    if (p.is_known()) return integer_product_scratch(p.known(), s.operand_type[0], s.operand_type[1], s.type);
    return static_cast<std::int64_t>(integer_run_time_scratch(s.operand_type[0], s.type));
  }
  if (s.type != dtype::float32 && s.type != dtype::float64) return 0;
  if (is_storage_float(s.operand_type[0])) {
    if (p.is_known()) return float16_product_scratch(p.known(), s.operand_type[0]);
    return static_cast<std::int64_t>(float16_run_time_scratch(s.operand_type[0]));
  }
  if (p.is_known()) return static_cast<std::int64_t>(matmul_scratch_size(p.known(), size_of(s.type), true));
  return static_cast<std::int64_t>(matmul_run_time_scratch(size_of(s.type)));
}

/// Written out, and not worth a call.
constexpr bool is_tiny_product(opaque_step const& s, shape_value const* shapes) {
  if (s.op != primitive::dot || s.epilogue >= 0 || (s.type != dtype::float32 && s.type != dtype::float64) || is_storage_float(s.operand_type[0])) return false;
  product_sizes const p = product_of(s, shapes);
  return p.is_known() && mm::is_tiny(p.known());
}

template <class Plan, int Index>
struct contraction {
  using plan = Plan;
  using facts = primitive_facts<Plan, Index>;
  using T = typename facts::T;
  static constexpr opaque_step s = facts::s;
  static constexpr int rank = Plan::value.shapes[s.shape].rank;
  static constexpr product_sizes sizes = product_of(s, Plan::value.shapes);

  static constexpr amount rows = sizes.m, columns = sizes.n;
  static constexpr bool is_tiny = is_tiny_product(s, Plan::value.shapes) && !runs_scalar<Plan>;

  static void run(void* const* slots, void* const* epilogue_slots) {
    if constexpr (is_threaded<Plan>) threaded_contraction<contraction>::run(slots, epilogue_slots);
    else run_here(slots, epilogue_slots);
  }
  static void run_here(void* const* slots, void* const* epilogue_slots) {
    known_shape batch = facts::result_shape(slots);
    extent_t const n = batch.extent[rank - 1], entry = batch.extent[rank - 2] * n;
    batch.rank -= 2;
    auto const a = facts::template operand<0>(slots);
    auto const b = facts::template operand<1>(slots);
    std::byte* scratch = nullptr;
    if constexpr (s.scratch_slot >= 0) scratch = static_cast<std::byte*>(slots[s.scratch_slot]);
    result_sinks<contraction> const sinks(slots, epilogue_slots, n);
    extent_t done = 0;
    for_each_index(batch, [&](extent_t const* index) {
      product(a.data + offset_at(index, a.stride, rank - 2), b.data + offset_at(index, b.stride, rank - 2), scratch, slots, sinks.at(index, done));
      done += entry;
    });
  }

  using A = typename facts::template element<0>;
  using B = typename facts::template element<1>;
  template <class Sink, class Share = mm::whole_product>
  DIMITY_INLINE static void product(A const* a, B const* b, [[maybe_unused]] std::byte* scratch, [[maybe_unused]] void* const* slots, Sink const& sink, Share const share = {}) {
    if constexpr (sizes.is_known()) {
      constexpr matmul_problem p = sizes.known();
      if constexpr (is_tiny) mm::tiny_product<T, p>::run(a, b, sink.out, p.n);
      else if constexpr (runs_scalar<Plan> || is_dual_number(s.type)) matmul_scalar<T>(p, a, b, sink, share);
      else if constexpr (storage_float<A>) float16_product<A, p>::run(a, b, scratch, sink, share);
      else if constexpr (std::is_floating_point_v<T>) matmul<T, p>(a, b, scratch, sink, share);
      else integer_product<T, A, B, p>::run(a, b, scratch, sink, share);
    } else {
      matmul_problem const p = sizes.at(facts::symbols(slots));
      if constexpr (runs_scalar<Plan> || is_dual_number(s.type)) matmul_scalar<T>(p, a, b, sink, share);
      else if constexpr (storage_float<A>) float16_product_at_run_time(p, a, b, reinterpret_cast<float*>(scratch), sink, share);
      else if constexpr (std::is_floating_point_v<T>) matmul_run_time(p, a, b, reinterpret_cast<T*>(scratch), sink, share);
      else integer_product_at_run_time<T>(p, a, b, scratch, sink, share);
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
