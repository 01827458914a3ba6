// Expressions of tensors of a GPU, element by element: in kernels of your own, and for the algorithms of others (cuda/thrust.hpp).
#pragma once

#include <dimity/cuda/evaluate.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Code>
struct element_computer {
  using values = thread_values<Code, 0, 1>;
  using position = typename values::position;
  using arguments = typename Code::arguments;
  static constexpr int stored = Code::template st<0>.value;
  using element = typename values::template element<stored>;

  static constexpr device_access target = Code::template acc<Code::template st<0>.access>;
  /// Whether every element of the result is stored once: the kernel may go through them in another order (a transposed result).
  static constexpr bool is_dense = [] {
    if (Code::store_count != 1 || target.offset != 0) return false;
    for (std::int64_t next = 1, found = 1; next < Code::size; next *= found) {
      found = 0;
      for (int i = 0; i < Code::axes; ++i)
        if (target.stride[i] == next && Code::content.extent[i] > 1) found = Code::content.extent[i];
      if (found == 0) return false;
    }
    return true;
  }();

  template <int Axis>
  DIMITY_DEVICE static void place(position& p, [[maybe_unused]] typename Code::index n) {
    using index = typename Code::index;
    constexpr std::int64_t stride = target.stride[Axis], extent = Code::template extent<Axis>;
    if constexpr (extent > 1) {
      p.at[Axis] = n / static_cast<index>(stride);
      if constexpr (stride * extent < Code::size) p.at[Axis] %= static_cast<index>(extent);
    }
    if constexpr (Axis == Code::last) p.packet = p.at[Axis];
  }
  template <int... V, int... Axis>
  DIMITY_DEVICE static element at(std::integer_sequence<int, V...>, std::integer_sequence<int, Axis...>, arguments const& args, [[maybe_unused]] std::ptrdiff_t n) {
    position p;
    (place<Axis>(p, static_cast<typename Code::index>(n)), ...);
    typename values::rows r;
    (values::template compute_single<V>(r, args, p), ...);
    return cell_of<stored>(r);
  }
  DIMITY_DEVICE static element at(arguments const& args, std::ptrdiff_t n) { return at(std::make_integer_sequence<int, Code::value_count>{}, std::make_integer_sequence<int, Code::axes>{}, args, n); }
};

template <bool Elementwise>
struct computed_by_element {
  static_assert(Elementwise, "[dimity.cuda.6] this expression needs memory on the way (a reduction, a product, sorting, ...), or has extents chosen at run time: its elements cannot be computed one by one; eval(x) it first");
};

/// An expression, or one of its operands, that owns a tensor.
template <class X>
inline constexpr bool owns_tensors = false;
template <class T, extent_t... E>
inline constexpr bool owns_tensors<tensor<on_cuda<T>, E...>> = true;
template <class Operation, class T, class Shape, class... X>
inline constexpr bool owns_tensors<expression<Operation, T, Shape, X...>> = (owns_tensors<X> || ...);
template <bool Stays>
struct elements_of_what_stays {
  static_assert(Stays, "[dimity.cuda.7] this expression owns a tensor that would be gone: give the tensor, or the expression, a name");
};

}  // namespace detail

/// What computes elements of an expression on the GPU: pass it to a kernel by value, and call it there. It does not own the tensors.
template <class Code>
class cuda_elements {
 public:
  using value_type = typename detail::element_computer<Code>::element;
  explicit cuda_elements(typename Code::arguments const& arguments) : arguments_(arguments) {}

  __host__ __device__ static constexpr std::ptrdiff_t size() { return Code::size; }
  /// Element n, in row-major order.
  DIMITY_DEVICE value_type operator()(std::ptrdiff_t n) const { return detail::element_computer<Code>::at(arguments_, n); }

 private:
  typename Code::arguments arguments_;
};

namespace detail {

// The type that a caller gets is made of integers alone, deduced from an argument (exec/cuda/launch.hpp says why).
template <template <std::int64_t...> class Code, std::int64_t... W>
cuda_elements<Code<W...>> make_elements(Code<W...>, typename Code<W...>::arguments const& arguments) {
  return cuda_elements<Code<W...>>(arguments);
}

template <class X, cuda_precision P>
struct elements_of_expression {
  using plan = planned<typename evaluator_on_cuda<X, P>::template source<element_of<X>>>;
  static constexpr int first = plan::size.first_step;
  static constexpr bool is_one_kernel = plan::size.steps == first + 1 && plan::value.steps[first].kind == step_kind::kernel && numbers_of<plan> == numbers_among_leaves<X> && evaluator_on_cuda<X, P>::leaves <= 64;
  static constexpr bool is_elementwise() {
    if constexpr (!is_one_kernel || has_symbols<plan>) return false;
    else if constexpr (lowered<plan, plan::value.steps[first].index>::size.launches != 1) return false;
    else {
      using code = typename launch_code<lowered<plan, plan::value.steps[first].index>, 0>::type;
      if constexpr (code::kind != device_family::elementwise) return false;
      else return element_computer<code>::is_dense;
    }
  }

  static auto make(X const& x, cudaStream_t stream) {
    constexpr int kernel = plan::value.steps[first].index;
    using low = lowered<plan, kernel>;
    using code = typename launch_code<low, 0>::type;
    constexpr int leaves = evaluator_on_cuda<X, P>::leaves;
    leaf_of_call given[leaves + 1];
    leaf_of_call* end = given;
    collect_leaves(x, end);
    void const* inputs[leaves + 1] = {};
    for (int i = 0; i < leaves; ++i) {
      inputs[i] = given[i].address;
      order_streams(given[i].stream, stream);
    }
    void* const outputs[] = {nullptr};
    constexpr range slots = plan::value.kernels[kernel].slots;
    typename executor<plan>::template pointers_of<slots.begin, slots.size()> const own(memory{const_cast<void* const*>(inputs), outputs, nullptr});
    return make_elements(code{}, launch_arguments<low, 0>(std::make_integer_sequence<int, low::value.launches[0].pointers.size()>{}, launch_memory{own.p, nullptr, nullptr}));
  }
};

}  // namespace detail

/// The elements of an expression of tensors of a GPU, computed where they are asked for: a kernel calls `elements(n)` for element n of the row-major result, as often as it likes, and nothing is written to memory.
/// For elementwise expressions, broadcasts, slices and other layouts; what needs memory on the way (a reduction, a product) is refused by the compiler. The tensors must stay where they are as long as it is used; a
/// temporary among them is refused. The executor's stream waits for what they depend on; but tensors of other streams do not wait for kernels of yours: synchronise before you change or destroy those.
template <operand X, cuda_precision P = cuda_precision::standard>
auto elements_of(X&& x, basic_cuda<P> const& device = {}) {
  using namespace detail;
  using E = std::remove_cvref_t<X>;
  (void)sizeof(operands_on_cuda<E>);
  constexpr bool stays = std::is_lvalue_reference_v<X> || !owns_tensors<E>;
  (void)sizeof(elements_of_what_stays<stays>);
  if constexpr (!is_on_host<E> && stays) {
    using code = elements_of_expression<E, P>;
    (void)sizeof(computed_by_element<code::is_elementwise()>);
    if constexpr (code::is_elementwise()) return code::make(x, stream_of(device));
  }
}

}  // namespace DIMITY_NAMESPACE
