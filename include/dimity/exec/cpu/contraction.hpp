// Contractions with their epilogue: one product for each entry of the batch.
#pragma once

#include <dimity/exec/cpu/loop.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/matmul_run_time.hpp>
#include <dimity/exec/cpu/operands.hpp>

namespace dimity::detail {

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
  if (s.type != dtype::float32 && s.type != dtype::float64) return 0;
  product_sizes const p = product_of(s, shapes);
  if (p.is_known()) return static_cast<std::int64_t>(matmul_scratch_size(p.known(), size_of(s.type), true));
  return static_cast<std::int64_t>(matmul_run_time_scratch(size_of(s.type)));
}

template <class Plan, int Index>
struct contraction {
  using facts = primitive_facts<Plan, Index>;
  using T = typename facts::T;
  static constexpr opaque_step s = facts::s;
  static constexpr int rank = Plan::value.shapes[s.shape].rank;
  static constexpr product_sizes sizes = product_of(s, Plan::value.shapes);

  static void run(void* const* slots, [[maybe_unused]] void* const* epilogue_slots) {
    known_shape const whole = facts::result_shape(slots);
    known_shape batch;
    for (int i = 0; i < rank - 2; ++i) batch.push(whole.extent[i]);
    extent_t const n = whole.extent[rank - 1], entry = whole.extent[rank - 2] * n;
    auto const a = facts::template operand<0>(slots);
    auto const b = facts::template operand<1>(slots);
    std::byte* scratch = nullptr;
    if constexpr (s.scratch_slot >= 0) scratch = static_cast<std::byte*>(slots[s.scratch_slot]);
    T* out = nullptr;
    if constexpr (s.result_slot >= 0) out = facts::result(slots);
    if constexpr (s.epilogue >= 0) {
      using e = loop<Plan, s.epilogue>;
      typename e::scalars scalars;
      typename e::position start;
      e::invariants(scalars, epilogue_slots, start);
      constexpr shape_value shape = Plan::value.shapes[s.shape];
      for_each_index(batch, [&](extent_t const* index) {
        typename e::position at;
        int axis = 0;
        for (int i = 0; i < rank - 2; ++i)
          if (shape.extent[i] != amount(1)) at.index[axis++] = index[i];
        product(a.data + offset_at(index, a.stride, rank - 2), b.data + offset_at(index, b.stride, rank - 2), scratch, slots,
                epilogue_sink<e>{plain_sink{out, n}, scalars, epilogue_slots, at, axis});
        if constexpr (s.result_slot >= 0) out += entry;
      });
    } else {
      for_each_index(batch, [&](extent_t const* index) {
        product(a.data + offset_at(index, a.stride, rank - 2), b.data + offset_at(index, b.stride, rank - 2), scratch, slots, plain_sink{out, n});
        out += entry;
      });
    }
  }

  template <class Sink>
  DIMITY_INLINE static void product(T const* a, T const* b, [[maybe_unused]] std::byte* scratch, [[maybe_unused]] void* const* slots, Sink const& sink) {
    if constexpr (sizes.is_known()) {
      constexpr matmul_problem p = sizes.known();
      if constexpr (std::is_floating_point_v<T> && !runs_scalar<Plan>) matmul<T, p>(a, b, scratch, sink);
      else matmul_scalar(p, a, b, sink);
    } else {
      matmul_problem const p = sizes.at(facts::symbols(slots));
      if constexpr (std::is_floating_point_v<T> && !runs_scalar<Plan>) matmul_run_time(p, a, b, reinterpret_cast<T*>(scratch), sink);
      else matmul_scalar(p, a, b, sink);
    }
  }
  struct plain_sink {
    T* out;
    extent_t n;  ///< columns, where they are not known
    DIMITY_INLINE extent_t columns() const {
      if constexpr (sizes.n.is_known()) return sizes.n.code;
      else return n;
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x) const {
      if constexpr (element_of_part<X>::is_batch) x.store_unaligned(out + i * columns() + j);
      else out[i * columns() + j] = x;
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x, int count) const {
      store_first<T, native_lanes<T>()>(out + i * columns() + j, {{x}}, count);
    }
  };
  template <class E>
  struct epilogue_sink {
    plain_sink own;
    typename E::scalars const& scalars;
    void* const* slots;
    typename E::position start;
    int axis;
    static constexpr amount m = sizes.m, n = sizes.n;

    // The product calls from every register of its tile: a long epilogue, or one with a function in it, stays one function (AdamW behind a weight
    // gradient: 26 copies otherwise).
    static constexpr bool is_long = [] {
      int operations = 0;
      for (int v = 0; v < E::facts::value_count; ++v) {
        value const x = E::facts::val(v);
        if (x.at == level::lane && x.op != primitive::input) operations += cost_of(x.op) == cost_class::costly ? 8 : 1;
      }
      return operations > 5;
    }();
    template <bool Partial, class X>
    [[gnu::noinline]] void outlined(extent_t i, extent_t lane, X x, int count) const {
      E::template epilogue<Partial>(scalars, slots, position_of(i), lane, x, count);
    }
    template <bool Partial, class X>
    DIMITY_INLINE void finish(extent_t i, extent_t lane, X const& x, int count) const {
      if constexpr (is_long) outlined<Partial>(i, lane, x, count);
      else E::template epilogue<Partial>(scalars, slots, position_of(i), lane, x, count);
    }

    // A product with one row or one column runs over one axis less.
    DIMITY_INLINE typename E::position position_of(extent_t i) const {
      auto at = start;
      if constexpr (m != amount(1) && n != amount(1)) at.index[axis] = i;
      return at;
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x) const {
      if constexpr (s.result_slot >= 0) own(i, j, x);
      if constexpr (element_of_part<X>::is_batch || n != amount(1)) finish<false>(i, n == amount(1) ? i : j, x, E::facts::width);
      else finish<false>(i, i, x, 1);
    }
    template <class X>
    DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x, int count) const {
      if constexpr (s.result_slot >= 0) own(i, j, x, count);
      finish<true>(i, n == amount(1) ? i : j, x, count);
    }
  };
};

}  // namespace dimity::detail
