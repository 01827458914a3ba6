// Expressions of tensors that are on a GPU: eval(x, cuda{}), assignment, and a rank-0 expression as its scalar.
#pragma once

#include <dimity/cuda/tensor.hpp>
#include <dimity/exec/cuda/run.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <>
struct device_scope<cuda> {
  cudaStream_t const before = stream_of_call();
  explicit device_scope(cuda const& device) { stream_of_call() = stream_of(device); }
  device_scope(device_scope const&) = delete;
  ~device_scope() { stream_of_call() = before; }
};

/// Numbers that stand in an expression (`x * rate`) are on this side: they travel with the call, through memory of the stream.
struct scalar_on_host {
  void const* value;
  int input, bytes;
};

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
    for (int i = 0; i < leaves; ++i) {
      if (bytes[i] == 0) continue;
      std::byte* const there = workspace + on::workspace_bytes + i * scalar_slot_bytes;
      check_cuda(cudaMemcpyAsync(there, inputs[i], static_cast<std::size_t>(bytes[i]), cudaMemcpyHostToDevice, stream));
      inputs[i] = there;
    }
    void* const outputs[] = {to};
    on::run({const_cast<void* const*>(inputs), outputs, workspace}, stream);
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
