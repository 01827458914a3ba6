// The tensor with extents that are chosen at run time: as the other one, but with its extents beside its elements.
#pragma once

#include <dimity/core/tensor.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <extent_t... E>
inline constexpr bool has_run_time_extent = ((E <= dyn) || ...);

template <extent_t... E>
inline constexpr std::size_t run_time_extent_count = (std::size_t{0} + ... + (E <= dyn ? 1 : 0));

/// Elements in one 64-byte aligned block that is kept as long as it is large enough.
template <class T>
class run_time_storage {
 public:
  run_time_storage() = default;
  run_time_storage(run_time_storage&& other) noexcept : elements_(std::exchange(other.elements_, nullptr)), room_(std::exchange(other.room_, 0)) {}
  run_time_storage& operator=(run_time_storage&& other) noexcept {
    std::swap(elements_, other.elements_);
    std::swap(room_, other.room_);
    return *this;
  }
  ~run_time_storage() { release(); }

  /// Room for n elements; their values are lost when there was less.
  void reserve(std::size_t n) {
#ifdef DIMITY_NO_HEAP
    static_assert(sizeof(T) == 0, "[dimity.storage.1] a tensor with extents chosen at run time lives on the heap, and DIMITY_NO_HEAP forbids allocation; view memory of your own instead");
#endif
    if (n <= room_) return;
    release();
    elements_ = static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{storage_alignment}));
    room_ = n;
  }
  T* data() const { return elements_; }
  std::size_t room() const { return room_; }

 private:
  void release() {
    if (elements_) ::operator delete(elements_, std::align_val_t{storage_alignment});
    elements_ = nullptr;
    room_ = 0;
  }

  T* elements_ = nullptr;
  std::size_t room_ = 0;
};

}  // namespace detail

/// A tensor some of whose extents are `dyn` or `dim<"name">`: `tensor<float, dim<"batch">, 16> x(n);`. Row-major, zero-initialised, on the heap.
///
/// Assigning an expression gives it that expression's extents; a block that is large enough is used again. Moves do not allocate; a moved-from tensor may only be assigned to or destroyed. Without arguments
/// the run-time extents are 0.
template <class T, extent_t... E>
  requires(element<T> && detail::has_run_time_extent<E...>)
class tensor<T, E...> {
 public:
  using value_type = T;
  using shape_type = shape<E...>;
  static constexpr int rank = static_cast<int>(sizeof...(E));

  tensor() { set_to_types(); }
  explicit tensor(uninitialized_t) : tensor() {}
  /// The run-time extents, in the order of their axes. Throws shape_error when one is negative.
  template <std::integral... N>
    requires(sizeof...(N) == detail::run_time_extent_count<E...>)
  explicit tensor(N... extents) : tensor(uninitialized, extents...) {
    fill(T{});
  }
  /// The same, with elements left uninitialised.
  template <std::integral... N>
    requires(sizeof...(N) == detail::run_time_extent_count<E...>)
  explicit tensor(uninitialized_t, N... extents) {
    set_to_types();
    extent_t const given[] = {static_cast<extent_t>(extents)...};
    int next = 0;
    for (int i = 0; i < rank; ++i)
      if (shape_type::at(i) < 0) extents_[i] = given[next++];
    for (extent_t const n : given)
      if (n < 0) {
        set_to_types();
        detail::fail<shape_error>("tensor: an extent cannot be negative, it is " + std::to_string(n));
      }
    elements_.reserve(size());
  }
  /// From nested lists, which also give the run-time extents. Throws shape_error when lists of one axis differ in length, or from a known extent.
  tensor(typename detail::nested_list<T, rank>::type const& values) {
    set_to_types();
    measure<0>(values);
    elements_.reserve(size());
    T* out = data();
    fill_from<0>(out, values);
  }
  tensor(tensor const& other) : tensor() { *this = other; }
  tensor(tensor&& other) noexcept : elements_(static_cast<detail::run_time_storage<T>&&>(other.elements_)) {
    for (int i = 0; i < rank; ++i) extents_[i] = other.extents_[i];
    other.set_to_types();
  }
  tensor& operator=(tensor const& other) {
    if (this == &other) return *this;
    take_extents(other.extents_);
    for (std::size_t i = 0, n = size(); i < n; ++i) data()[i] = other.data()[i];
    return *this;
  }
  tensor& operator=(tensor&& other) noexcept {
    elements_ = static_cast<detail::run_time_storage<T>&&>(other.elements_);
    for (int i = 0; i < rank; ++i) std::swap(extents_[i], other.extents_[i]);
    return *this;
  }
  template <class X>
    requires detail::evaluates_to<X, tensor>
  tensor(X const& x) : tensor() {
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into_new(*this, x);
  }
  template <class X>
    requires detail::evaluates_to<X, tensor>
  tensor& operator=(X const& x) {
    (void)sizeof(detail::elements_of_assignment<X, T>);
    (void)sizeof(detail::shapes_of_assignment<X, shape_type>);
    detail::evaluator<X>::into(*this, x);
    return *this;
  }
  /// Sets every element.
  tensor& operator=(T value) {
    fill(value);
    return *this;
  }

  std::size_t size() const { return static_cast<std::size_t>(detail::product(extents_, rank)); }
  /// The extent of one axis; negative axes count from the end; 1 beyond the last axis, as broadcasting has it.
  std::size_t extent(int axis) const {
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? static_cast<std::size_t>(extents_[axis]) : 1;
  }
  /// All extents.
  extent_t const* extents() const { return extents_; }
  /// Takes extents on, those that are known excepted, which must be the same; elements are undefined afterwards.
  void take_extents(extent_t const* extents) {
    elements_.reserve(static_cast<std::size_t>(detail::product(extents, rank)));  // first: it may throw
    for (int i = 0; i < rank; ++i) extents_[i] = extents[i];
  }
  /// Elements that there is room for without another block.
  std::size_t capacity() const { return elements_.room(); }

  T* data() { return elements_.data(); }
  T const* data() const { return elements_.data(); }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  T const* begin() const { return data(); }
  T const* end() const { return data() + size(); }
  std::span<T> span() { return {data(), size()}; }
  std::span<T const> span() const { return {data(), size()}; }

  /// One element; the number of indices is the rank, each in [0, extent), checked in debug builds.
  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  T& operator()(I... index) {
    return data()[offset(index...)];
  }
  template <std::integral... I>
    requires(static_cast<int>(sizeof...(I)) == rank)
  T const& operator()(I... index) const {
    return data()[offset(index...)];
  }

 private:
  void set_to_types() {
    for (int i = 0; i < rank; ++i) extents_[i] = shape_type::at(i) < 0 ? 0 : shape_type::at(i);
  }
  void fill(T value) {
    for (std::size_t i = 0, n = size(); i < n; ++i) data()[i] = value;
  }
  template <class... I>
  std::size_t offset(I... index) const {
    extent_t result = 0;
    int axis = 0;
    ((assert(index >= 0 && static_cast<extent_t>(index) < extents_[axis] && "tensor: index out of range"), result = result * extents_[axis++] + static_cast<extent_t>(index)), ...);
    return static_cast<std::size_t>(result);
  }
  template <int Axis, class List>
  void measure(List const& values) {
    extents_[Axis] = static_cast<extent_t>(values.size());
    if constexpr (Axis + 1 < rank)
      if (values.size() > 0) measure<Axis + 1>(*values.begin());
  }
  template <int Axis, class List>
  void fill_from(T*& out, List const& values) {
    if constexpr (Axis == rank) {
      *out++ = values;
    } else {
      extent_t const wanted = shape_type::at(Axis) < 0 ? extents_[Axis] : shape_type::at(Axis);
      if (static_cast<extent_t>(values.size()) != wanted)
        detail::fail<shape_error>("tensor from nested lists: axis " + std::to_string(Axis) + " has extent " + std::to_string(wanted) + ", the list has " + std::to_string(values.size()) + " items");
      for (auto const& v : values) fill_from<Axis + 1>(out, v);
    }
  }

  detail::run_time_storage<T> elements_;
  extent_t extents_[rank];
};

}  // namespace DIMITY_NAMESPACE
