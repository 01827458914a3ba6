// Tensors in the memory of a GPU: cuda_tensor<float, 32, 10> is tensor<on_cuda<float>, 32, 10>, so that net<on_cuda<float>> is a net whose parameters are there.
#pragma once

#include <dimity/core/pytree.hpp>
#include <dimity/cuda/extents.hpp>
#include <dimity/exec/cuda/runtime.hpp>
#include <dimity/expr/eval.hpp>
#include <dimity/optim/optimizer.hpp>
#include <dimity/transform/compile.hpp>

#include <utility>

namespace DIMITY_NAMESPACE {

/// The scalar type of what is in the memory of a GPU. There are no objects of it on this side.
template <class T>
struct on_cuda {
  static_assert(element<T>, "on_cuda: an element type");
  T value;
};

namespace detail {

/// Where the leaves of an operand are.
template <class X>
inline constexpr bool is_on_cuda = false;
template <class X>
inline constexpr bool is_on_host = false;
template <class X>
struct operands_on_cuda {
  static_assert(!is_on_host<X>, "[dimity.cuda.4] an expression mixes tensors of this side with tensors of a GPU: copy with to_cuda(x) or to_host(x)");
};

}  // namespace detail

namespace detail {
template <class X, class T>
struct runs_on_cuda;  // cuda/evaluate.hpp
}

/// A tensor in the memory of a GPU, row-major, aligned to 256 bytes. Its memory comes from the device's pool in the order of a stream: calls in other streams wait for what it depends on, and it for them.
/// Copies copy (in the stream, without waiting), moves do not; elements are read by to_host(x), and written by assignment or to_cuda(x). A moved-from tensor may only be assigned to or destroyed.
///
/// Some extents may be `dyn` or `dim<"name">`: `cuda_tensor<float, dim<"batch">, 784> x(n);`. Assigning an expression gives it that expression's extents; memory that is large enough is used again.
template <class T, extent_t... E>
class tensor<on_cuda<T>, E...> : public detail::extents_on_cuda<shape<E...>> {
  using base = detail::extents_on_cuda<shape<E...>>;
  static constexpr bool at_run_time = detail::has_run_time_extent<E...>;

 public:
  using value_type = on_cuda<T>;
  using shape_type = shape<E...>;
  using base::size;
  static constexpr int rank = static_cast<int>(sizeof...(E));

  /// Zeros. Extents that are chosen at run time are 0.
  tensor() : tensor(uninitialized) { clear(); }
  explicit tensor(uninitialized_t, cuda const& device = {}) : stream_(detail::stream_of(device)) { allocate(); }
  explicit tensor(detail::no_elements_t) : is_there_(false) {}
  /// The run-time extents, in the order of their axes. Zeros. Throws shape_error when one is negative.
  template <std::integral... N>
    requires(at_run_time && sizeof...(N) == detail::run_time_extent_count<E...>)
  explicit tensor(N... extents) : tensor(uninitialized, extents...) {
    clear();
  }
  template <std::integral... N>
    requires(at_run_time && sizeof...(N) == detail::run_time_extent_count<E...>)
  explicit tensor(uninitialized_t, N... extents) : stream_(detail::stream_of({})) {
    this->choose_extents(extents...);
    allocate();
  }
  /// A copy of a tensor on this side. Returns when `x` may be changed again.
  explicit tensor(tensor<T, E...> const& x, cuda const& device = {}) : stream_(detail::stream_of(device)) {
    if constexpr (!at_run_time) allocate();
    copy_from(x);
  }
  tensor(tensor const& other) : base(other), stream_(other.stream_), is_there_(other.is_there_) {
    if (other.data_ != nullptr) allocate();
    copy(other);
  }
  tensor(tensor&& other) noexcept : base(other), stream_(other.stream_), data_(std::exchange(other.data_, nullptr)), room_(std::exchange(other.room_, 0)), is_there_(std::exchange(other.is_there_, false)) { other.reset_extents(); }
  tensor& operator=(tensor const& other) {
    if (this != &other && other.owns_elements()) {
      if constexpr (at_run_time) take_extents(other.extents());
      else ensure_elements();
      copy(other);
    }
    return *this;
  }
  tensor& operator=(tensor&& other) noexcept {
    std::swap(static_cast<base&>(*this), static_cast<base&>(other));
    std::swap(stream_, other.stream_);
    std::swap(data_, other.data_);
    std::swap(room_, other.room_);
    std::swap(is_there_, other.is_there_);
    return *this;
  }
  ~tensor() { detail::release_on(stream_, data_); }

  /// The value of an expression of tensors that are on the GPU: of a new tensor in the library's own stream, of one that exists in its stream. assign(y, x, cuda{.stream = s}) takes another one.
  template <class X>
    requires detail::evaluates_to<X, tensor>
  tensor(X const& x) : tensor(uninitialized) {
    (void)sizeof(detail::operands_on_cuda<X>);
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    (void)sizeof(detail::runs_on_cuda<X, T>);
    detail::evaluator<X>::template into<cuda>(*this, x);
  }
  template <class X>
    requires detail::evaluates_to<X, tensor>
  tensor& operator=(X const& x) {
    (void)sizeof(detail::operands_on_cuda<X>);
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    (void)sizeof(detail::runs_on_cuda<X, T>);
    ensure_elements();
    detail::device_scope<cuda> const scope(cuda{detail::stream_of_call() != nullptr ? detail::stream_of_call() : stream_});
    detail::evaluator<X>::template into<cuda>(*this, x);
    return *this;
  }

  /// Addresses on the GPU.
  T* data() { return data_; }
  T const* data() const { return data_; }
  /// In which it was written last, or is about to be.
  CUstream_st* stream() const { return stream_; }
  /// From now on it is used in another stream, which waits for what the old one is doing.
  void move_to(CUstream_st* stream) {
    detail::order_streams(stream_, stream);
    stream_ = stream;
  }

  /// The elements of a tensor on this side, into the memory that this one has: for batches that go through one place, as a recorded step wants them. Returns when `x` may be changed again.
  void copy_from(tensor<T, E...> const& x) {
    if constexpr (at_run_time) take_extents(x.extents());
    ensure_elements();
    if (size() > 0) detail::check_cuda(cudaMemcpyAsync(data_, x.data(), bytes(), cudaMemcpyHostToDevice, stream_));
    detail::check_cuda(cudaStreamSynchronize(stream_));
  }
  /// Takes extents on, those that are known excepted, which must be the same; elements are undefined afterwards.
  void take_extents(extent_t const* extents)
    requires at_run_time
  {
    std::size_t const needed = sizeof(T) * static_cast<std::size_t>(detail::product(extents, rank));
    if (needed > room_) {
      // In this order: where there is no more memory, an empty tensor is left.
      this->reset_extents();
      detail::release_on(stream_, std::exchange(data_, nullptr));
      room_ = 0;
      if (stream_ == nullptr) stream_ = detail::default_stream();
      data_ = static_cast<T*>(detail::allocate_on(stream_, needed));
      room_ = needed;
    }
    this->set_extents(extents);
    is_there_ = true;
  }

  /// Not once it was moved from.
  bool owns_elements() const { return is_there_; }
  void ensure_elements() {
    if (stream_ == nullptr) stream_ = detail::default_stream();
    if (data_ == nullptr) allocate();
    is_there_ = true;
  }

 private:
  std::size_t bytes() const { return sizeof(T) * size(); }
  void allocate() {
    data_ = static_cast<T*>(detail::allocate_on(stream_, bytes()));
    room_ = bytes();
  }
  void clear() {
    if (size() > 0) detail::check_cuda(cudaMemsetAsync(data_, 0, bytes(), stream_));
  }
  void copy(tensor const& other) {
    if (other.data_ != nullptr && size() > 0) detail::check_cuda(cudaMemcpyAsync(data_, other.data_, bytes(), cudaMemcpyDeviceToDevice, stream_));
  }

  cudaStream_t stream_ = nullptr;
  T* data_ = nullptr;
  std::size_t room_ = 0;  ///< bytes
  bool is_there_ = true;  ///< an empty tensor has no memory either
};

template <class T, extent_t... E>
using cuda_tensor = tensor<on_cuda<T>, E...>;

namespace detail {

/// A named tensor of a GPU in an expression.
template <class T, class Shape>
struct cuda_view : extents_on_cuda<Shape> {
  using value_type = on_cuda<T>;
  using shape_type = Shape;
  static constexpr int rank = Shape::rank;
  T const* pointer = nullptr;
  CUstream_st* in = nullptr;
  template <extent_t... E>
  explicit cuda_view(tensor<on_cuda<T>, E...> const& x) : pointer(x.data()), in(x.stream()) {
    if (!x.owns_elements()) fail<error>("a tensor of the GPU that was moved from is used in an expression");
    this->copy_extents(x);
  }
  T const* data() const { return pointer; }
  CUstream_st* stream() const { return in; }
};

template <class T, extent_t... E>
struct operand_traits<tensor<on_cuda<T>, E...>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = shape<E...>;
};
template <class T, class Shape>
struct operand_traits<cuda_view<T, Shape>> {
  static constexpr bool is_operand = true, is_traced = false;
  using element_type = T;
  using shape_type = Shape;
};
template <class T, class Shape>
inline constexpr bool is_struct<cuda_view<T, Shape>> = false;

template <class T, extent_t... E>
struct stored<tensor<on_cuda<T>, E...>&> {
  using type = cuda_view<T, shape<E...>>;
};
template <class T, extent_t... E>
struct stored<tensor<on_cuda<T>, E...> const&> : stored<tensor<on_cuda<T>, E...>&> {};

template <class T, extent_t... E>
struct lowering<tensor<on_cuda<T>, E...>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) { return {&g, g.input(dtype_of<T>, shape_value_of<shape<E...>>::value)}; }
  static void collect(tensor<on_cuda<T>, E...> const& x, void const**& out) { *out++ = x.data(); }
  static void collect_extents(tensor<on_cuda<T>, E...> const& x, extent_t const**& out) { *out++ = extents_of(x); }
};
template <class T, class Shape>
struct lowering<cuda_view<T, Shape>> {
  static constexpr int leaves = 1;
  static constexpr ref emit(builder& g) { return {&g, g.input(dtype_of<T>, shape_value_of<Shape>::value)}; }
  static void collect(cuda_view<T, Shape> const& x, void const**& out) { *out++ = x.data(); }
  static void collect_extents(cuda_view<T, Shape> const& x, extent_t const**& out) { *out++ = extents_of(x); }
};
template <class T, extent_t... E>
inline constexpr bool is_captured<tensor<on_cuda<T>, E...>> = true;
template <class T, class Shape>
inline constexpr bool is_captured<cuda_view<T, Shape>> = true;

template <class T, extent_t... E>
inline constexpr bool is_on_cuda<tensor<on_cuda<T>, E...>> = true;
template <class T, class Shape>
inline constexpr bool is_on_cuda<cuda_view<T, Shape>> = true;
template <class Operation, class T, class Shape, class... X>
inline constexpr bool is_on_cuda<expression<Operation, T, Shape, X...>> = (is_on_cuda<X> || ...);
template <class T, extent_t... E>
inline constexpr bool is_on_host<tensor<T, E...>> = element<T>;
template <class T, class Shape, class Strides>
inline constexpr bool is_on_host<tensor_view<T, Shape, Strides>> = true;
template <class Operation, class T, class Shape, class... X>
inline constexpr bool is_on_host<expression<Operation, T, Shape, X...>> = (is_on_host<X> || ...);

// ---- trees: mlp<float> <-> mlp<on_cuda<float>>, traced as mlp<traced<float>>

template <class T>
struct to_traced<on_cuda<T>> {
  using type = traced<T>;
};
template <class T>
struct to_device_type {
  using type = on_cuda<T>;
};
template <class T>
struct to_device_type<on_cuda<T>> {
  using type = on_cuda<T>;
};
template <class T>
struct to_host_type {
  using type = T;
};
template <class T>
struct to_host_type<on_cuda<T>> {
  using type = T;
};
/// Hyperparameters and counters of an optimizer are where its model is.
template <class S, class T>
struct like_scalar<on_cuda<S>, T> {
  using type = on_cuda<T>;
};
template <class T, extent_t... E>
struct scalar_of_leaf<tensor<on_cuda<T>, E...>> {
  using type = on_cuda<T>;
};
template <class T>
struct untraced_type<on_cuda<T>> {
  using type = T;
};

template <class L>
  requires is_on_cuda<L>
struct device_of_leaf<L> {
  using type = cuda;
};
template <class T, extent_t... E>
inline constexpr bool owns_heap_block<tensor<on_cuda<T>, E...>> = true;
template <class T, extent_t... E>
struct tree_value<tensor<on_cuda<T>, E...>> {
  using type = tensor<on_cuda<T>, E...>;
};
template <class Operation, class T, class Shape, class... X>
  requires is_on_cuda<expression<Operation, T, Shape, X...>>
struct tree_value<expression<Operation, T, Shape, X...>> {
  using type = typename rebind_tree<typename tensor_of<T, Shape>::type, to_device_type>::type;
};

/// A tree with all its tensors, and plain numbers as tensors of rank 0, on the GPU.
template <class X>
struct device_tree {
  static constexpr auto pick() {
    if constexpr (operand<X>) return std::type_identity<typename rebind_tree<typename tensor_of<element_of<X>, shape_of<X>>::type, to_device_type>::type>{};
    else if constexpr (element<X>) return std::type_identity<tensor<on_cuda<X>>>{};
    else return std::type_identity<typename rebind_tree<X, to_device_type>::type>{};
  }
  using type = typename decltype(pick())::type;
};
template <class... X>
struct device_tree<std::tuple<X...>> {
  using type = std::tuple<typename device_tree<X>::type...>;
};
template <class A, class B>
struct device_tree<std::pair<A, B>> {
  using type = std::pair<typename device_tree<A>::type, typename device_tree<B>::type>;
};
template <class X>
using device_tree_t = typename device_tree<std::remove_cvref_t<X>>::type;
template <class X>
using host_tree_t = typename rebind_tree<std::remove_cvref_t<X>, to_host_type>::type;

}  // namespace detail

template <class T, template <class> class Map>
struct rebind_tree<on_cuda<T>, Map> {
  using type = typename Map<on_cuda<T>>::type;
};

namespace detail {

template <class X>
struct copies_to_cuda {
  static_assert(!is_on_cuda<X>, "to_cuda: this is on the GPU already");
};
/// Pointers to the leaves of a tree, in order.
template <class X>
struct leaf_addresses {
  void const* of[leaf_count<X> + 1];
  extent_t const* extents[leaf_count<X> + 1];
  explicit leaf_addresses(X const& x) {
    int n = 0;
    for_each_leaf(x, [&](auto const& leaf) {
      if constexpr (operand<decltype(leaf)>) {
        of[n] = leaf.data();
        extents[n++] = extents_of(leaf);
      } else {
        of[n] = &leaf;
        extents[n++] = nullptr;
      }
    });
  }
};

}  // namespace detail

/// A tensor, a number, or a struct of them (a model, the state of an optimizer) copied into the memory of the GPU: mlp<float> becomes mlp<on_cuda<float>>. Returns when the copies are made.
template <class X>
auto to_cuda(X const& x, cuda const& device = {}) {
  using namespace detail;
  (void)sizeof(copies_to_cuda<X>);
  if constexpr (operand<X> && !requires { x.data(); }) {
    return to_cuda(eval(x), device);
  } else {
    using result = device_tree_t<X>;
    leaf_addresses<X> const from(x);
    int n = 0;
    cudaStream_t const stream = stream_of(device);
    auto make = [&]<class L>() {
      if constexpr (operand<L>) {
        L to(uninitialized, device);
        if constexpr (has_own_extents<L>) to.take_extents(from.extents[n]);
        if (to.size() > 0) check_cuda(cudaMemcpyAsync(to.data(), from.of[n], to.size() * sizeof(typename L::value_type), cudaMemcpyHostToDevice, stream));
        ++n;
        return to;
      } else {
        return *static_cast<L const*>(from.of[n++]);  // a plain number of a struct that says so
      }
    };
    result r = build_tree<result>(make, presence_of(x));
    check_cuda(cudaStreamSynchronize(stream));
    return r;
  }
}

/// The way back: waits for the stream in which it was made, and copies.
template <class X>
auto to_host(X const& x) {
  using namespace detail;
  if constexpr (operand<X> && !requires { x.data(); }) {
    return to_host(eval(x));
  } else {
    using result = host_tree_t<X>;
    leaf_addresses<X> const from(x);
    int n = 0;
    // Each leaf is copied in the stream that made it, so that what was started there is done before.
    cudaStream_t streams[leaf_count<X> + 1] = {};
    for_each_leaf(x, [&](auto const& leaf) {
      if constexpr (operand<decltype(leaf)>) streams[n] = leaf.stream();
      ++n;
    });
    n = 0;
    auto make = [&]<class L>() {
      if constexpr (!operand<L>) {
        return *static_cast<L const*>(from.of[n++]);
      } else {
        L to(uninitialized);
        if constexpr (has_own_extents<L>) to.take_extents(from.extents[n]);
        if (to.size() > 0) check_cuda(cudaMemcpyAsync(to.data(), from.of[n], to.size() * sizeof(typename L::value_type), cudaMemcpyDeviceToHost, streams[n]));
        check_cuda(cudaStreamSynchronize(streams[n++]));
        return to;
      }
    };
    return build_tree<result>(make, presence_of(x));
  }
}

}  // namespace DIMITY_NAMESPACE
