// A growing array for constant evaluation: a raw array is several times cheaper there than std::vector (DESIGN section 5).
#pragma once

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class T>
class list {
 public:
  constexpr list() = default;
  /// Zeros come with the memory: a loop over the elements would be interpreted, one by one.
  constexpr explicit list(int n, T const& value = T{}) : data_(new T[n > 0 ? n : 1]()), size_(n), capacity_(n > 0 ? n : 1) {
    if constexpr (requires { value == T{}; })
      if (value == T{}) return;
    for (int i = 0; i < n; ++i) data_[i] = value;
  }
  list(list const&) = delete;
  list& operator=(list const&) = delete;
  constexpr list(list&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  constexpr list& operator=(list&& other) noexcept {
    swap(data_, other.data_);
    swap(size_, other.size_);
    swap(capacity_, other.capacity_);
    return *this;
  }
  constexpr ~list() { delete[] data_; }

  constexpr int size() const { return size_; }
  constexpr T& operator[](int i) { return data_[i]; }
  constexpr T const& operator[](int i) const { return data_[i]; }
  constexpr T& back() { return data_[size_ - 1]; }
  constexpr void push(T const& value) {
    if (size_ == capacity_) grow(capacity_ == 0 ? (sizeof(T) > 32 ? 4 : 16) : capacity_ * 2);
    data_[size_++] = value;
  }
  constexpr void pop() { --size_; }
  constexpr void clear() { size_ = 0; }
  constexpr T const* begin() const { return data_; }
  constexpr T const* end() const { return data_ + size_; }

 private:
  template <class U>
  static constexpr void swap(U& a, U& b) {
    U t = a;
    a = b;
    b = t;
  }
  constexpr void grow(int capacity) {
    T* larger = new T[capacity];
    for (int i = 0; i < size_; ++i) larger[i] = data_[i];
    delete[] data_;
    data_ = larger;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  int size_ = 0, capacity_ = 0;
};

/// Where these values stand one behind the other in `pool`; appended if they do not yet.
template <class T>
constexpr int intern_in(list<T>& pool, T const* values, int n) {
  for (int i = 0; i + n <= pool.size(); ++i) {
    int j = 0;
    while (j < n && pool[i + j] == values[j]) ++j;
    if (j == n) return i;
  }
  int const at = pool.size();
  for (int j = 0; j < n; ++j) pool.push(values[j]);
  return at;
}

}  // namespace DIMITY_NAMESPACE::detail
