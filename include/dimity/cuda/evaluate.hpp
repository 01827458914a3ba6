// Expressions of tensors that are on a GPU: eval(x, cuda{}), assignment, and a rank-0 expression as its scalar.
#pragma once

#include <dimity/cuda/tensor.hpp>
#include <dimity/exec/cuda/run.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

inline constexpr std::int64_t scalar_slot_bytes = 16;

/// What a call reads: addresses on the GPU with their streams, and numbers (`x * rate`), which are on this side: arguments of kernels, or copied into memory of the stream.
struct leaf_of_call {
  void const* address;
  cudaStream_t stream;
  std::size_t number_bytes;  ///< 0: an address on the GPU
};
/// All leaves of an expression, in the order in which a program has them as inputs.
template <class X>
void collect_leaves(X const& x, leaf_of_call*& out) {
  if constexpr (requires { x.stream(); }) *out++ = {x.data(), x.stream(), 0};
  else *out++ = {&x.value, nullptr, sizeof(x.value)};
}
template <class Operation, class T, class Shape, class... X>
void collect_leaves(expression<Operation, T, Shape, X...> const& x, leaf_of_call*& out) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (collect_leaves(static_cast<held<I, X> const&>(x).operand, out), ...); }(std::index_sequence_for<X...>{});
}

/// Which of the first 64 leaves of an expression are numbers, as a mask.
template <class X>
constexpr void mark_numbers(std::type_identity<X>, std::uint64_t& mask, int& at) {
  if constexpr (!requires(X const& x) { x.stream(); }) mask |= at < 64 ? std::uint64_t{1} << at : 0;
  ++at;
}
template <class Operation, class T, class Shape, class... X>
constexpr void mark_numbers(std::type_identity<expression<Operation, T, Shape, X...>>, std::uint64_t& mask, int& at) {
  (mark_numbers(std::type_identity<X>{}, mask, at), ...);
}
template <class X>
inline constexpr std::uint64_t numbers_among_leaves = [] {
  std::uint64_t mask = 0;
  int at = 0;
  mark_numbers(std::type_identity<X>{}, mask, at);
  return mask;
}();

template <class X, cuda_precision P = cuda_precision::standard>
struct evaluator_on_cuda {
  static constexpr int leaves = lowering<X>::leaves;
  using result = typename device_tree<typename tensor_of<element_of<X>, shape_of<X>>::type>::type;

  template <class T>
  using source = std::conditional_t<std::is_same_v<T, element_of<X>>, source_on_cuda<expression_source<X>, P, numbers_among_leaves<X>>, source_on_cuda<converted_source<X, T>, P, numbers_among_leaves<X>>>;

  /// The program on these leaves. Numbers that do not go with the arguments of kernels are copied to the GPU first.
  template <class Plan>
  static void run(leaf_of_call const* given, void* to, cudaStream_t stream, extent_t const* symbols = nullptr) {
    using on = cuda_executor<Plan>;
    constexpr bool sends = numbers_of<Plan> != numbers_among_leaves<X> || leaves > 64;
    std::int64_t const own = on::workspace_bytes_at(symbols);
    std::byte* const workspace = workspace_on(stream, static_cast<std::size_t>(own + (sends ? leaves * scalar_slot_bytes : 0)));
    void const* inputs[leaves + 1];
    number_sender numbers(stream);
    for (int i = 0; i < leaves; ++i) {
      inputs[i] = given[i].address;
      if (given[i].number_bytes == 0 || (i < 64 && (numbers_of<Plan> >> i & 1) != 0)) continue;
      std::byte* const there = workspace + own + i * scalar_slot_bytes;
      numbers.send(there, given[i].address, given[i].number_bytes);
      inputs[i] = there;
    }
    numbers.finish();
    void* const outputs[] = {to};
    // What operands depend on in other streams is waited for; and what happens to them there later waits for this, their end too.
    for (int i = 0; i < leaves; ++i) order_streams(given[i].stream, stream);
    on::run({const_cast<void* const*>(inputs), outputs, workspace, symbols}, stream);
    for (int i = 0; i < leaves; ++i) order_streams(stream, given[i].stream);
  }

  /// In place where every element is read before it is written, through memory of the pool otherwise.
  template <class T, class Destination>
  static void into(Destination& to, X const& x, cudaStream_t stream) {
    (void)sizeof(operands_on_cuda<X>);
    using plan = planned<source<T>>;
    if constexpr (!is_on_host<X> && runs_on_gpu<plan>) {
      leaf_of_call given[leaves + 1];
      leaf_of_call* end = given;
      collect_leaves(x, end);
      to.move_to(stream);
      bool overlaps = false;
      for (int i = 0; i < leaves; ++i) overlaps = overlaps || (given[i].address == to.data() && !may_overwrite(plan::value, 0, i));
      if constexpr (has_symbols<plan> || Destination::shape_type::run_time_extents > 0) {
        into_at_run_time<plan>(to, x, given, overlaps, stream);
      } else {
        if (!overlaps) return run<plan>(given, to.data(), stream);
        Destination t(uninitialized, cuda{stream});
        run<plan>(given, t.data(), stream);
        to = static_cast<Destination&&>(t);
      }
    }
  }
  /// The destination gets the extents of the value, when they have been found and checked.
  template <class Plan, class Destination>
  static void into_at_run_time(Destination& to, X const& x, leaf_of_call const* given, bool overlaps, cudaStream_t stream) {
    constexpr program_error error = Plan::size.error;
    (void)sizeof(program_rule<error>);
    constexpr int rank = Destination::shape_type::rank;
    run_time_call<Plan, X> const call(x);
    extent_t extents[rank + 1] = {};
    if constexpr (has_symbols<Plan>) call.extents.output_extents(leaves, 0, extents);
    else
      for (int i = 0; i < rank; ++i) extents[i] = extents_of_type<shape_of<X>>[i];
    bool same = true;
    for (int i = 0; i < rank; ++i) {
      extent_t const mine = extents_of(to)[i];
      same = same && mine == extents[i];
      if (mine != extents[i] && Destination::shape_type::at(i) >= 0)
        fail<shape_error>("assignment: axis " + std::to_string(i) + " of the destination has " + std::to_string(mine) + " elements, the value has " + std::to_string(extents[i]));
    }
    bool reads = overlaps;
    for (int i = 0; i < leaves && !same; ++i) reads = reads || given[i].address == to.data();
    if (!reads) {
      if constexpr (has_own_extents<Destination>) to.take_extents(extents);
      return run<Plan>(given, to.data(), stream, call.extents.values);
    }
    Destination t(uninitialized, cuda{stream});
    if constexpr (has_own_extents<Destination>) t.take_extents(extents);
    run<Plan>(given, t.data(), stream, call.extents.values);
    to = static_cast<Destination&&>(t);
  }
};

/// The error of an expression that has no kernels there; where it is assigned, so that it is short.
template <class X, class T>
struct runs_on_cuda : extents_on_gpu<is_on_host<X> || runs_on_gpu<planned<typename evaluator_on_cuda<X>::template source<T>>>> {};

template <class X>
struct cuda_evaluator {
  using code = evaluator_on_cuda<X>;
  using result = typename code::result;
  using T = element_of<X>;

  template <class Device, class Destination>
  static void into(Destination& to, X const& x) {
    code::template into<typename untraced_type<typename Destination::value_type>::type>(to, x, stream_of({}));
  }
  template <cuda_precision P>
  static result on(basic_cuda<P> const& device, X const& x) {
    (void)sizeof(runs_on_cuda<X, T>);
    result to(uninitialized, device);
    evaluator_on_cuda<X, P>::template into<T>(to, x, stream_of(device));
    return to;
  }
  static T scalar(X const& x) { return to_host(on(cuda{}, x)); }
};
template <class Operation, class T, class Shape, class... X>
  requires is_on_cuda<expression<Operation, T, Shape, X...>>
struct evaluator<expression<Operation, T, Shape, X...>> : cuda_evaluator<expression<Operation, T, Shape, X...>> {};
template <class T, extent_t... E>
struct evaluator<tensor<on_cuda<T>, E...>> : cuda_evaluator<tensor<on_cuda<T>, E...>> {};
template <class T, class Shape>
struct evaluator<cuda_view<T, Shape>> : cuda_evaluator<cuda_view<T, Shape>> {};

}  // namespace detail

/// `to = x` in the executor's stream.
template <class T, extent_t... E, operand X, cuda_precision P>
void assign(tensor<on_cuda<T>, E...>& to, X const& x, basic_cuda<P> const& device) {
  (void)sizeof(detail::elements_of_assignment<X, T>);
  (void)sizeof(detail::shapes_of_assignment<X, shape<E...>>);
  (void)sizeof(detail::runs_on_cuda<X, T>);
  to.ensure_elements();
  detail::evaluator_on_cuda<X, P>::template into<T>(to, x, detail::stream_of(device));
}

}  // namespace DIMITY_NAMESPACE
