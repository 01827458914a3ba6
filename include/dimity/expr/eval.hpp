// Expression -> program -> plan -> loops, at assignment.
#pragma once

#include <dimity/exec/planned.hpp>
#include <dimity/expr/expression.hpp>

#include <cstdint>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Says how the program of an expression type is built.
template <class X>
struct expression_source {
  static constexpr bool is_short = lowering<X>::leaves <= 6;
  static constexpr void build(builder& g) { g.outputs.push(lowering<X>::emit(g).id); }
};
/// The same, converted to the element type and laid out for the destination.
template <class X, class T>
struct converted_source {
  static constexpr bool is_short = lowering<X>::leaves <= 6;
  static constexpr void build(builder& g) { g.outputs.push(cast(lowering<X>::emit(g), dtype_of<T>).id); }
};

template <class Destination>
inline constexpr bool is_row_major_destination = false;
template <class T, extent_t... E>
inline constexpr bool is_row_major_destination<tensor<T, E...>> = true;
template <class T, class Shape>
inline constexpr bool is_row_major_destination<tensor_view<T, Shape, row_major_strides<Shape>>> = true;

/// For each operand of an expression: the bytes it spans, those of them before its pointer, and whether the result may take its place.
struct operand_extent {
  std::int64_t bytes = 0, before = 0;
  bool may_share = false;
};
template <int Leaves>
struct overlap_rules {
  operand_extent operand[Leaves + 1] = {};
};
inline bool must_not_overwrite(void const* const* inputs, int count, operand_extent const* operand, void const* to, std::int64_t to_bytes) {
  auto const first = reinterpret_cast<std::uintptr_t>(to);
  for (int i = 0; i < count; ++i) {
    auto const from = reinterpret_cast<std::uintptr_t>(inputs[i]) - static_cast<std::uintptr_t>(operand[i].before);
    bool const overlaps = from < first + static_cast<std::uintptr_t>(to_bytes) && first < from + static_cast<std::uintptr_t>(operand[i].bytes);
    if (overlaps && !(operand[i].may_share && from == first)) return true;
  }
  return false;
}

template <class T, extent_t... E>
inline constexpr bool is_row_major_destination<tensor_view<T, shape<E...>, run_time_strides>> = true;

using run_function = void(void* const* inputs, void* const* outputs);

template <class Destination, class Run>
void assign(Destination& to, void const* const* inputs, int count, operand_extent const* operand, Run run) {
  using T = typename Destination::value_type;
  using temporary = typename tensor_of<T, typename Destination::shape_type>::type;
  if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
  temporary t(no_elements_t{});
  T* target = to.data();
  if (must_not_overwrite(inputs, count, operand, target, static_cast<std::int64_t>(t.size() * sizeof(T)))) {
    t.ensure_elements();
    target = t.data();
  }
  void* const outputs[] = {target};
  run(const_cast<void* const*>(inputs), outputs);
  if (target == to.data()) return;
  if constexpr (std::is_same_v<temporary, std::remove_const_t<Destination>>) {
    to = static_cast<temporary&&>(t);
  } else {
    for (std::size_t i = 0; i < t.size(); ++i) to.data()[i] = target[i];
  }
}

/// The extents of an expression's operands, checked.
template <class Plan, class X>
struct run_time_call {
  static constexpr int leaves = lowering<X>::leaves;
  struct given_extents {
    extent_t const* of[leaves + 1];
    explicit given_extents(X const& x) {
      extent_t const** end = of;
      lowering<X>::collect_extents(x, end);
    }
  };
  call_extents<Plan> extents;
  explicit run_time_call(X const& x) : extents(given_extents(x).of, leaves) {}
};

/// Which operands the result may take the place of.
template <class Plan, int Leaves>
struct shareable_operands {
  bool of[Leaves + 1] = {};
  constexpr shareable_operands() {
    for (int i = 0; i < Leaves; ++i) of[i] = may_overwrite(Plan::value, range{Plan::size.first_step, Plan::size.steps}, 0, i);
  }
};
template <class Plan, int Leaves>
inline constexpr shareable_operands<Plan, Leaves> shareable{};

/// Where extents are chosen at run time: they are found and checked first, then the destination gets them, then the program runs; through a temporary when the destination is read at
/// other indices than it is written at.
template <class Plan, class Device = simd_device, class Destination, class X>
void assign_at_run_time(Destination& to, X const& x) {
  using T = typename Destination::value_type;
  constexpr int leaves = lowering<X>::leaves, rank = Destination::shape_type::rank;
  constexpr program_error error = Plan::size.error;
  (void)sizeof(program_rule<error>);
  run_time_call<Plan, X> const call(x);
  extent_t extents[rank + 1] = {};
  if constexpr (has_symbols<Plan>) {
    call.extents.output_extents(leaves, 0, extents);
  } else {
    for (int i = 0; i < rank; ++i) extents[i] = extents_of_type<shape_of<X>>[i];
  }
  extent_t const* const mine = extents_of(to);
  extent_t const size = product(extents, rank);
  bool same = true;
  for (int i = 0; i < rank; ++i) {
    same = same && mine[i] == extents[i];
    // Known extents, and those of a view, cannot change.
    if (mine[i] != extents[i] && (Destination::shape_type::at(i) >= 0 || !requires { to.take_extents(extents); }))
      fail<shape_error>("assignment: axis " + std::to_string(i) + " of the destination has " + std::to_string(mine[i]) + " elements, the value has " + std::to_string(extents[i]));
  }
  void const* inputs[leaves + 1];
  void const** end = inputs;
  lowering<X>::collect(x, end);
  auto const run = [&](T* target) {
    void* const outputs[] = {target};
    if constexpr (has_symbols<Plan>) run_planned<Plan, Device>(const_cast<void* const*>(inputs), outputs, call.extents.values);
    else run_planned<Plan, Device>(const_cast<void* const*>(inputs), outputs);
  };
  operand_extent rules[leaves + 1] = {};
  auto const number = [&](amount a) -> extent_t {
    if constexpr (has_symbols<Plan>) return value_of(a, call.extents.values);
    else return a.code;  // g++ 12 warns of values that were not set, and that nothing asks for
  };
  for (int b = 0; b < Plan::size.buffers; ++b) {
    buffer const& of = Plan::value.buffers[b];
    if (of.where == residence::input && !of.in_block) rules[of.index] = {number(of.bytes), number(of.before), shareable<Plan, leaves>.of[of.index]};
  }
  constexpr bool row_major = is_row_major_destination<std::remove_const_t<Destination>>;
  bool const in_place = row_major && !must_not_overwrite(inputs, leaves, rules, to.data(), size * static_cast<extent_t>(sizeof(T)));
  if (in_place && same) return run(to.data());
  if constexpr (requires { to.take_extents(extents); }) {
    if (in_place && static_cast<std::size_t>(size) <= to.capacity()) {
      to.take_extents(extents);
      return run(to.data());
    }
    // A fresh block where the old one is read, or too small.
    std::remove_const_t<Destination> t;
    t.take_extents(extents);
    run(t.data());
    to = static_cast<std::remove_const_t<Destination>&&>(t);
  } else {
#ifdef DIMITY_NO_HEAP
    fail<dimity::error>("assignment: the destination is read at other indices than it is written at, or has gaps, and DIMITY_NO_HEAP forbids the temporary that this needs");
#else
    run_time_storage<T> t;
    t.reserve(static_cast<std::size_t>(size));
    run(t.data());
    known_shape s;
    for (int i = 0; i < rank; ++i) s.push(extents[i]);
    T const* from = t.data();
    extent_t stride[max_rank] = {};
    if constexpr (row_major) set_row_major_strides(extents, rank, stride);
    else
      for (int i = 0; i < rank; ++i) stride[i] = Destination::strides_type::at(i);
    for_each_index(s, [&](extent_t const* index) { to.data()[offset_at(index, stride, rank)] = *from++; });
#endif
  }
}

template <class X>
struct evaluator {
  using result = typename tensor_of<element_of<X>, shape_of<X>>::type;
  static constexpr int leaves = lowering<X>::leaves;

  template <class Destination>
  using source = std::conditional_t<std::is_same_v<typename Destination::value_type, element_of<X>>, expression_source<X>, converted_source<X, typename Destination::value_type>>;

  /// Whether it can be stored there; the error, if not, was given by who assigns.
  template <class Destination>
  static constexpr bool fits = may_hold<shape_of<X>, typename Destination::shape_type> && stores<element_of<X>, typename Destination::value_type>;

  /// Whether some extent, of an operand or of where the value goes, is chosen at run time.
  template <class Destination>
  static constexpr bool at_run_time = has_symbols<planned<source<Destination>>> || Destination::shape_type::run_time_extents > 0;

  template <class Destination, class Device = simd_device>
  DIMITY_INLINE static void run(void* to, X const& x) {
    void const* inputs[leaves + 1];
    void const** end = inputs;
    lowering<X>::collect(x, end);
    void* const outputs[] = {to};
    if constexpr (has_symbols<planned<source<Destination>>>) run_planned<planned<source<Destination>>, Device>(const_cast<void* const*>(inputs), outputs, run_time_call<planned<source<Destination>>, X>(x).extents.values);
    else run_planned<planned<source<Destination>>, Device>(const_cast<void* const*>(inputs), outputs);
  }

  /// Into elements that nothing in the expression reads.
  template <class Destination>
  static void into_new(Destination& to, X const& x) {
    if constexpr (fits<Destination>) {
      if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
      if constexpr (at_run_time<Destination>) assign_at_run_time<planned<source<Destination>>>(to, x);
      else run<Destination>(to.data(), x);
    }
  }

  /// Into elements that the expression may read: in place where every index is read before it is written, through a temporary otherwise.
  template <class Device = simd_device, class Destination>
  static void into(Destination& to, X const& x) {
    if constexpr (fits<Destination>) {
      using T = typename Destination::value_type;
      using temporary = typename tensor_of<T, shape_of<X>>::type;
      if constexpr (at_run_time<Destination>) {
        if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
        assign_at_run_time<planned<source<Destination>>, Device>(to, x);
      } else if constexpr (!is_row_major_destination<std::remove_const_t<Destination>>) {
        temporary t(uninitialized);
        run<Destination, Device>(t.data(), x);
        copy_strided<0>(to.data(), static_cast<T const*>(t.data()), static_cast<Destination const&>(to));
      } else {
        using plan = planned<source<Destination>>;
        void const* inputs[leaves + 1];
        void const** end = inputs;
        lowering<X>::collect(x, end);
        if constexpr (executor<typename plan_on<Device, plan>::type>::is_tiny) {
          // Every operand is read before the first element is written, so it need not be asked whether they overlap.
          if constexpr (requires { to.ensure_elements(); }) to.ensure_elements();
          void* const outputs[] = {to.data()};
          run_planned<plan, Device>(const_cast<void* const*>(inputs), outputs);
          return;
        }
        // Called through a pointer where that costs nothing beside the loop: all assignments to one type then share this code.
        if constexpr (result::size() > 64) assign(to, inputs, leaves, overlap<plan>::value.operand, static_cast<run_function*>(run_out_of_line<typename plan_on<Device, plan>::type>));
        else assign(to, inputs, leaves, overlap<plan>::value.operand, [](void* const* in, void* const* out) { run_planned<plan, Device>(in, out); });
      }
    }
  }

  template <class Device>
  static result on(Device const& device, X const& x) {
    device_scope<Device> const scope(device);
    result to(uninitialized);
    if constexpr (at_run_time<result>) {
      assign_at_run_time<planned<source<result>>, Device>(to, x);
      return to;
    } else {
      void const* inputs[leaves + 1];
      void const** end = inputs;
      lowering<X>::collect(x, end);
      void* const outputs[] = {to.data()};
      run_planned<planned<source<result>>, Device>(const_cast<void* const*>(inputs), outputs);
      return to;
    }
  }

  static element_of<X> scalar(X const& x) {
    element_of<X> value;
    run<result>(&value, x);
    return value;
  }

 private:
  template <class Plan>
  struct overlap {
    static constexpr overlap_rules<leaves> value = [] {
      overlap_rules<leaves> r;
      for (int b = 0; b < Plan::size.buffers; ++b)
        if (Plan::value.buffers[b].where == residence::input)
          r.operand[Plan::value.buffers[b].index] = {Plan::value.buffers[b].bytes.number(), Plan::value.buffers[b].before.number(), may_overwrite(Plan::value, range{Plan::size.first_step, Plan::size.steps}, 0, Plan::value.buffers[b].index)};
      return r;
    }();
  };
  template <int Axis, class T, class Destination>
  static T const* copy_strided(T* to, T const* from, Destination const& d) {
    if constexpr (Axis == Destination::rank) {
      *to = *from;
      return from + 1;
    } else {
      for (extent_t i = 0; i < Destination::shape_type::at(Axis); ++i) from = copy_strided<Axis + 1>(to + i * Destination::strides_type::at(Axis), from, d);
      return from;
    }
  }
};

}  // namespace detail

/// The value of an expression as a tensor that owns its elements. Tensors are copied (or moved), tracers stay what they are.
template <operand X>
constexpr auto eval(X&& x) {
  if constexpr (detail::tracer<X> || detail::is_failed<std::remove_cvref_t<X>>) {
    return x;
  } else {
    using result = typename detail::evaluator<std::remove_cvref_t<X>>::result;
    return result(static_cast<X&&>(x));
  }
}

/// The value of an expression, computed on a device: `eval(x, cpu{.threads = 4})`; `eval(x, scalar)` is the reference that vector kernels are compared with.
template <operand X, class Device>
  requires(!detail::tracer<X>)
auto eval(X const& x, Device const& device) {
  return detail::evaluator<X>::on(device, x);
}

/// `to = x` on a device, with the rules of that assignment: `assign(y, tanh(x) + b, cpu{.threads = 4})`. `to` is a tensor or a view.
template <class Destination, operand X, class Device>
  requires(!detail::tracer<X> && operand<Destination>)
void assign(Destination&& to, X const& x, Device const& device) {
  using target = std::remove_cvref_t<Destination>;
  (void)sizeof(detail::elements_of_assignment<X, typename target::value_type>);
  (void)sizeof(detail::shapes_of_assignment<X, typename target::shape_type>);
  detail::device_scope<Device> const scope(device);
  detail::evaluator<X>::template into<Device>(to, x);
}

}  // namespace DIMITY_NAMESPACE
