// Reads the files that make_golden.py wrote, and compares with them.
#pragma once

#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace golden {

struct array {
  dimity::dtype type = dimity::dtype::none;
  std::vector<std::int64_t> extents;
  std::vector<char> bytes;
};

class file {
 public:
  explicit file(std::string const& name) {
    std::ifstream in(std::string(DIMITY_TEST_DATA) + "/" + name + ".bin", std::ios::binary);
    std::vector<char> const content{std::istreambuf_iterator<char>(in), {}};
    if (content.size() < 8 || std::memcmp(content.data(), "DIMITYG1", 8) != 0) throw std::runtime_error("no golden file: " + name);
    for (std::size_t at = 8; at < content.size();) {
      auto const byte = [&] { return static_cast<std::size_t>(static_cast<unsigned char>(content.at(at++))); };
      std::size_t const length = byte();
      std::string const key(content.data() + at, length);
      at += length;
      array a;
      a.type = static_cast<dimity::dtype>(byte());
      a.extents.resize(byte());
      std::size_t bytes = dimity::size_of(a.type);
      for (auto& e : a.extents) {
        std::uint32_t extent = 0;
        for (int shift = 0; shift < 32; shift += 8) extent |= static_cast<std::uint32_t>(byte()) << shift;
        e = extent;
        bytes *= extent;
      }
      a.bytes.assign(content.begin() + static_cast<std::ptrdiff_t>(at), content.begin() + static_cast<std::ptrdiff_t>(at + bytes));
      at += bytes;
      arrays_[key] = std::move(a);
    }
  }

  array const& at(std::string const& key) const {
    auto const found = arrays_.find(key);
    if (found == arrays_.end()) throw std::runtime_error("no golden array: " + key);
    return found->second;
  }
  /// The elements of an array of element type T.
  template <class T>
  std::span<T const> values(std::string const& key) const {
    array const& a = at(key);
    if (a.type != dimity::dtype_of<T>) throw std::runtime_error(key + " is of " + dimity::name_of(a.type) + ", not " + dimity::name_of(dimity::dtype_of<T>));
    return {reinterpret_cast<T const*>(a.bytes.data()), a.bytes.size() / sizeof(T)};
  }
  /// As a tensor of any element type; the shape must be the array's.
  template <class T, dimity::extent_t... E>
  dimity::tensor<T, E...> get(std::string const& key) const {
    array const& a = at(key);
    if (a.extents != std::vector<std::int64_t>{E...}) throw std::runtime_error(key + " has another shape");
    dimity::tensor<T, E...> result(dimity::uninitialized);
    fill(a, result.data(), result.size());
    return result;
  }
  /// All elements, converted.
  template <class T>
  std::vector<T> as(std::string const& key) const {
    array const& a = at(key);
    std::vector<T> result(a.bytes.size() / dimity::size_of(a.type));
    if constexpr (std::is_same_v<T, bool>) {
      for (std::size_t i = 0; i < result.size(); ++i) result[i] = a.bytes[i] != 0;
    } else {
      fill(a, result.data(), result.size());
    }
    return result;
  }

 private:
  template <class T>
  static void fill(array const& a, T* to, std::size_t n) {
    auto const from = [&]<class U>(U) {
      for (std::size_t i = 0; i < n; ++i) {
        U x;
        std::memcpy(&x, a.bytes.data() + i * sizeof(U), sizeof(U));
        to[i] = static_cast<T>(x);
      }
    };
    switch (a.type) {
      case dimity::dtype::boolean: return from(false);
      case dimity::dtype::int8: return from(std::int8_t{});
      case dimity::dtype::int16: return from(std::int16_t{});
      case dimity::dtype::int32: return from(std::int32_t{});
      case dimity::dtype::int64: return from(std::int64_t{});
      case dimity::dtype::uint8: return from(std::uint8_t{});
      case dimity::dtype::uint16: return from(std::uint16_t{});
      case dimity::dtype::uint32: return from(std::uint32_t{});
      case dimity::dtype::uint64: return from(std::uint64_t{});
      case dimity::dtype::float32: return from(float{});
      default: return from(double{});
    }
  }
  std::map<std::string, array> arrays_;
};

/// Distance in units of the last place of `want`; infinite where one is nan, infinite or a zero of the other sign and the other is not.
template <class T>
double ulps(T got, T want) {
  constexpr double never = std::numeric_limits<double>::infinity();
  if (want != want || got != got) return (want != want) == (got != got) ? 0 : never;
  if (got == want) return got == 0 && std::signbit(got) != std::signbit(want) ? never : 0;
  if (std::isinf(got) || std::isinf(want)) return never;
  T const size = std::fabs(want), step = std::nextafter(size, T(0)) == size ? std::numeric_limits<T>::denorm_min() : size - std::nextafter(size, T(0));
  return static_cast<double>(std::fabs(got - want) / (step == T(0) ? std::numeric_limits<T>::denorm_min() : step));
}

/// The element that is furthest off.
struct difference {
  double ulps = 0;
  std::size_t at = 0;
};
template <class T>
difference worst(std::span<T const> got, std::span<T const> want) {
  difference d;
  for (std::size_t i = 0; i < want.size(); ++i)
    if (double const u = ulps(got[i], want[i]); u > d.ulps) d = {u, i};
  return d;
}

/// Every element equal; nan equals nan, and 0 equals -0.
template <class T, class U>
void check_same(std::string const& what, std::span<T const> got, std::span<U const> want) {
  INFO(what);
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    bool const same = got[i] == static_cast<T>(want[i]) || (got[i] != got[i] && want[i] != want[i]);
    if (!same) {
      INFO("element " << i << ": " << +got[i] << ", NumPy has " << +want[i]);
      FAIL_CHECK("another value");
      return;
    }
  }
  CHECK(true);
}

/// Every element within `bound` ulp; `scale` is the least magnitude whose ulp counts, for results of cancellation.
template <class T>
void check_ulps(std::string const& what, std::span<T const> got, std::span<T const> want, double bound, T const* scale = nullptr) {
  INFO(what);
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    double u = ulps(got[i], want[i]);
    if (u > bound && scale && std::isfinite(got[i]) && std::isfinite(want[i])) {
      T const size = std::fabs(scale[i]);
      u = static_cast<double>(std::fabs(got[i] - want[i]) / std::fmax(size - std::nextafter(size, T(0)), std::numeric_limits<T>::denorm_min()));
    }
    if (!(u <= bound)) {
      INFO("element " << i << ": " << std::hexfloat << got[i] << std::defaultfloat << " = " << got[i] << ", the true value is " << want[i] << ", " << u << " ulp off");
      FAIL_CHECK("not within " << bound << " ulp");
      return;
    }
  }
  CHECK(true);
}

/// |got - want| <= absolute + relative |want|; nan and infinities must match.
template <class T>
void check_close(std::string const& what, std::span<T const> got, std::vector<double> const& want, double relative, double absolute) {
  INFO(what);
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    double const g = static_cast<double>(got[i]), w = want[i];
    bool const same = (g != g && w != w) || g == w || std::fabs(g - w) <= absolute + relative * std::fabs(w);
    if (!same) {
      INFO("element " << i << ": " << g << ", NumPy has " << w);
      FAIL_CHECK("not close");
      return;
    }
  }
  CHECK(true);
}

template <class X>
auto span_of(X const& x) {
  return std::span<typename X::value_type const>(x.data(), x.size());
}

}  // namespace golden
