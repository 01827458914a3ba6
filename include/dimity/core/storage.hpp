// Where the elements of a tensor live: inside the object when it is small, otherwise in one 64-byte aligned block on the heap.
#pragma once

#include <dimity/core/copy.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace DIMITY_NAMESPACE {

/// Elements and blocks are aligned to this on every instruction set, so that the ABI does not depend on compiler flags.
inline constexpr std::size_t storage_alignment = 64;

/// Tensors of at most this many bytes are stored inline. Specialise for one tensor type to change it:
/// `template <> inline constexpr std::size_t dimity::inline_storage_bytes<dimity::tensor<float, 64, 64>> = 16384;`
template <class Tensor>
inline constexpr std::size_t inline_storage_bytes = 256;

/// Passed to a constructor: the elements are left uninitialised.
struct uninitialized_t {};
inline constexpr uninitialized_t uninitialized{};

namespace detail {

/// Passed to a constructor: what a large tensor is after it was moved from.
struct no_elements_t {};

constexpr std::size_t inline_alignment(std::size_t bytes, std::size_t element_alignment) {
  std::size_t a = element_alignment;
  while (a < storage_alignment && a * 2 <= bytes) a *= 2;
  return a;
}

template <class T, std::size_t N>
class inline_storage {
 public:
  constexpr inline_storage() : elements_{} {}
  // A constant initialiser of trivial elements costs little at this size, and keeps the type usable in constant expressions.
  constexpr explicit inline_storage(uninitialized_t) : elements_{} {}
  constexpr explicit inline_storage(no_elements_t) : elements_{} {}

  constexpr T* data() { return elements_; }
  constexpr T const* data() const { return elements_; }
  constexpr bool owns() const { return true; }

 private:
  alignas(inline_alignment(sizeof(T) * N, alignof(T))) T elements_[N == 0 ? 1 : N];
};

/// Allocation happens on construction and on copying, never on moving; a moved-from object owns nothing until it is assigned to.
template <class T, std::size_t N>
class heap_storage {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>, "tensor elements are plain values");
#ifdef DIMITY_NO_HEAP
  static_assert(N == 0, "[dimity.storage.1] this tensor does not fit inline and DIMITY_NO_HEAP forbids allocation; raise inline_storage_bytes for its type");
#endif

 public:
  heap_storage() : elements_(allocate()) {
    for (std::size_t i = 0; i < N; ++i) elements_[i] = T{};
  }
  explicit heap_storage(uninitialized_t) : elements_(allocate()) {}
  explicit heap_storage(no_elements_t) : elements_(nullptr) {}
  heap_storage(heap_storage const& other) : elements_(other.elements_ ? allocate() : nullptr) { copy(other); }
  heap_storage(heap_storage&& other) noexcept : elements_(std::exchange(other.elements_, nullptr)) {}
  heap_storage& operator=(heap_storage const& other) {
    if (this != &other && other.elements_) {
      if (!elements_) elements_ = allocate();
      copy(other);
    }
    return *this;
  }
  heap_storage& operator=(heap_storage&& other) noexcept {
    std::swap(elements_, other.elements_);
    return *this;
  }
  ~heap_storage() {
    if (elements_) ::operator delete(elements_, std::align_val_t{storage_alignment});
  }

  T* data() { return elements_; }
  T const* data() const { return elements_; }
  bool owns() const { return elements_ != nullptr; }

 private:
  static T* allocate() { return static_cast<T*>(::operator new(N * sizeof(T), std::align_val_t{storage_alignment})); }
  void copy(heap_storage const& other) {
    if (other.elements_ && N > 0) copy_bytes(static_cast<void*>(elements_), other.elements_, N * sizeof(T));
  }

  T* elements_;
};

template <class T, std::size_t N, std::size_t Limit>
using storage = std::conditional_t<(sizeof(T) * N <= Limit), inline_storage<T, N>, heap_storage<T, N>>;

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
