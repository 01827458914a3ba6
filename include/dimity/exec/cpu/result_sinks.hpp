// Where the elements of products and convolutions go: into memory, through the epilogue, or both.
#pragma once

#include <dimity/exec/cpu/loop.hpp>
#include <dimity/exec/cpu/operands.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Stores. `Step` has the plan's step `s`, the element type T, the `rank` of the result, and the `rows` and `columns` of its last two axes.
template <class Step>
struct plain_sink {
  using T = typename Step::T;
  T* out;
  extent_t n;  ///< columns, where they are not known
  DIMITY_INLINE extent_t columns() const {
    if constexpr (Step::columns.is_known()) return Step::columns.code;
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

template <class Step, class E>
struct epilogue_sink {
  plain_sink<Step> own;
  typename E::scalars const& scalars;
  void* const* slots;
  typename E::position start;
  static constexpr amount m = Step::rows, n = Step::columns;
  /// The kernel's axis of rows. A constant: a position that is indexed by a variable is memory, and its stores would queue behind those of the results where these wait for the last-level cache.
  static constexpr int axis = [] {
    constexpr shape_value shape = Step::plan::value.shapes[Step::s.shape];
    int before = 0;
    for (int i = 0; i < Step::rank - 2; ++i) before += shape.extent[i] != amount(1);
    return before;
  }();

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
    if constexpr (Step::s.result_slot >= 0) own(i, j, x);
    // One element where the kernel has vectors: convolutions of integers.
    if constexpr (!element_of_part<X>::is_batch && E::facts::width > 1) finish<true>(i, n == amount(1) ? i : j, x, 1);
    else if constexpr (element_of_part<X>::is_batch || n != amount(1)) finish<false>(i, n == amount(1) ? i : j, x, E::facts::width);
    else finish<false>(i, i, x, 1);
  }
  template <class X>
  DIMITY_INLINE void operator()(extent_t i, extent_t j, X const& x, int count) const {
    if constexpr (Step::s.result_slot >= 0) own(i, j, x, count);
    finish<true>(i, n == amount(1) ? i : j, x, count);
  }
};

/// The sinks of a step's entries: what is before the last two axes of its result.
template <class Step, bool HasEpilogue = (Step::s.epilogue >= 0)>
class result_sinks {
 public:
  result_sinks(void* const* slots, void* const*, extent_t columns) : own_{Step::facts::result(slots), columns} {}
  /// For the entry at `index`, whose first element is the `first` of the result.
  DIMITY_INLINE plain_sink<Step> at(extent_t const*, extent_t first) const { return {own_.out + first, own_.n}; }

 private:
  plain_sink<Step> own_;
};
template <class Step>
class result_sinks<Step, true> {
  using e = loop<typename Step::plan, Step::s.epilogue>;

 public:
  result_sinks(void* const* slots, void* const* epilogue_slots, extent_t columns) : own_{nullptr, columns}, slots_(epilogue_slots) {
    if constexpr (Step::s.result_slot >= 0) own_.out = Step::facts::result(slots);
    e::invariants(scalars_, epilogue_slots, start_);
  }
  DIMITY_INLINE epilogue_sink<Step, e> at(extent_t const* index, extent_t first) const {
    constexpr shape_value shape = Step::plan::value.shapes[Step::s.shape];
    typename e::position at = start_;
    int axis = 0;
    for (int i = 0; i < Step::rank - 2; ++i)
      if (shape.extent[i] != amount(1)) at.index[axis++] = index[i];
    plain_sink<Step> own = own_;
    if constexpr (Step::s.result_slot >= 0) own.out += first;
    return {own, scalars_, slots_, at};
  }

 private:
  plain_sink<Step> own_;
  void* const* slots_;
  typename e::scalars scalars_;
  typename e::position start_;
};

}  // namespace DIMITY_NAMESPACE::detail
