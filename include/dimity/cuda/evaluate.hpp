// Expressions of tensors that are on a GPU: eval(x, cuda{}), assignment, and a rank-0 expression as its scalar.
#pragma once

#include <dimity/cuda/tensor.hpp>
#include <dimity/exec/cuda/run.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

// Numbers that stand in an expression (`x * rate`) are on this side: they travel with the call, into memory of the stream.

template <class X>
inline constexpr int bytes_of_scalar_leaf = 0;
template <class T>
inline constexpr int bytes_of_scalar_leaf<scalar_leaf<T>> = static_cast<int>(sizeof(scalar_leaf<T>::value));

/// Of each leaf of an expression, in order: the bytes of a number, or 0.
template <class X>
struct leaf_bytes {
  static void collect(int*& out) { *out++ = bytes_of_scalar_leaf<X>; }
};
template <class Operation, class T, class Shape, class... X>
struct leaf_bytes<expression<Operation, T, Shape, X...>> {
  static void collect(int*& out) { (leaf_bytes<X>::collect(out), ...); }
};

inline constexpr std::int64_t scalar_slot_bytes = 16;

/// f(stream) for every leaf that is on the GPU.
template <class X, class F>
void for_each_stream(X const& x, F const& f) {
  if constexpr (requires { x.stream(); }) f(x.stream());
}
template <class Operation, class T, class Shape, class... X, class F>
void for_each_stream(expression<Operation, T, Shape, X...> const& x, F const& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (for_each_stream(static_cast<held<I, X> const&>(x).operand, f), ...); }(std::index_sequence_for<X...>{});
}

template <class X>
struct evaluator_on_cuda {
  static constexpr int leaves = lowering<X>::leaves;
  using result = typename device_tree<typename tensor_of<element_of<X>, shape_of<X>>::type>::type;

  template <class T>
  using source = std::conditional_t<std::is_same_v<T, element_of<X>>, source_on_cuda<expression_source<X>>, source_on_cuda<converted_source<X, T>>>;

  /// The leaves as addresses on the GPU; numbers are copied there first.
  template <class Plan>
  static void run(X const& x, void* to, cudaStream_t stream) {
    using on = cuda_executor<Plan>;
    void const* inputs[leaves + 1];
    void const** end = inputs;
    lowering<X>::collect(x, end);
    int bytes[leaves + 1] = {};
    int* next = bytes;
    leaf_bytes<X>::collect(next);
    std::byte* const workspace = workspace_on(stream, static_cast<std::size_t>(on::workspace_bytes + leaves * scalar_slot_bytes));
    number_sender numbers(stream);
    for (int i = 0; i < leaves; ++i) {
      if (bytes[i] == 0) continue;
      std::byte* const there = workspace + on::workspace_bytes + i * scalar_slot_bytes;
      numbers.send(there, inputs[i], static_cast<std::size_t>(bytes[i]));
      inputs[i] = there;
    }
    numbers.finish();
    void* const outputs[] = {to};
    // What operands depend on in other streams is waited for; and what happens to them there later waits for this, their end too.
    for_each_stream(x, [&](cudaStream_t of) { order_streams(of, stream); });
    on::run({const_cast<void* const*>(inputs), outputs, workspace}, stream);
    for_each_stream(x, [&](cudaStream_t of) { order_streams(stream, of); });
  }

  /// In place where every element is read before it is written, through memory of the pool otherwise.
  template <class T, class Destination>
  static void into(Destination& to, X const& x, cudaStream_t stream) {
    (void)sizeof(operands_on_cuda<X>);
    using plan = planned<source<T>>;
    constexpr primitive missing = is_on_host<X> ? primitive::count : missing_on_cuda<plan>;
    (void)sizeof(primitive_on_cuda<missing>);
    if constexpr (!is_on_host<X> && missing == primitive::count) {
      void const* inputs[leaves + 1];
      void const** end = inputs;
      lowering<X>::collect(x, end);
      to.move_to(stream);
      bool overlaps = false;
      for (int i = 0; i < leaves; ++i) overlaps = overlaps || (inputs[i] == to.data() && !may_overwrite(plan::value, 0, i));
      if (!overlaps) return run<plan>(x, to.data(), stream);
      Destination t(uninitialized, cuda{stream});
      run<plan>(x, t.data(), stream);
      to = static_cast<Destination&&>(t);
    }
  }
};

template <class X>
struct cuda_evaluator {
  using code = evaluator_on_cuda<X>;
  using result = typename code::result;
  using T = element_of<X>;

  template <class Device, class Destination>
  static void into(Destination& to, X const& x) {
    code::template into<typename untraced_type<typename Destination::value_type>::type>(to, x, stream_of({}));
  }
  static result on(cuda const& device, X const& x) {
    result to(uninitialized, device);
    code::template into<T>(to, x, stream_of(device));
    return to;
  }
  static T scalar(X const& x) { return to_host(on({}, x)); }
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
template <class T, extent_t... E, operand X>
void assign(tensor<on_cuda<T>, E...>& to, X const& x, cuda const& device) {
  (void)sizeof(detail::elements_of_assignment<X, T>);
  (void)sizeof(detail::shapes_of_assignment<X, shape<E...>>);
  to.ensure_elements();
  detail::evaluator_on_cuda<X>::template into<T>(to, x, detail::stream_of(device));
}

}  // namespace DIMITY_NAMESPACE
