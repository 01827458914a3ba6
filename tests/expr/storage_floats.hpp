// What the tests of 16- and 8-bit floats share: inputs, the same as float, comparison with the same computation on floats and with golden bits.
#pragma once

#include "../golden/golden.hpp"

#include <dimity/dimity.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace dimity_tests {

template <class X>
using type_in = typename std::remove_cvref_t<X>::value_type;

template <class T, dimity::extent_t... E>
dimity::tensor<T, E...> numbers(std::uint64_t seed) {
  return dimity::cast<T>(dimity::random::normal<float, E...>(dimity::key{seed}));
}
template <class T, dimity::extent_t... E>
dimity::tensor<float, E...> wide(dimity::tensor<T, E...> const& x) {
  return dimity::cast<float>(x);
}
/// Bit for bit what the same computation on floats gives, rounded once.
template <class T, class X, class Y>
bool is_rounded(X const& x, Y const& y) {
  auto const got = dimity::eval(x);
  auto const expected = dimity::eval(y);
  static_assert(std::is_same_v<type_in<decltype(got)>, T> && std::is_same_v<type_in<decltype(expected)>, float>);
  bool same = got.size() == expected.size();
  for (std::size_t i = 0; i < got.size(); ++i) same = same && got.data()[i].bits == T(expected.data()[i]).bits;
  return same;
}

template <class T>
std::string name_of_type() {
  if constexpr (std::is_same_v<T, dimity::float16>) return "float16";
  else if constexpr (std::is_same_v<T, dimity::bfloat16>) return "bfloat16";
  else if constexpr (std::is_same_v<T, dimity::float8_e4m3fn>) return "float8_e4m3fn";
  else return "float8_e5m2";
}

/// Golden tensors of 200 elements of T, stored as their bits.
template <class T>
class golden_bits {
 public:
  explicit golden_bits(std::string const& name) : file_(name) {}
  dimity::tensor<T, 200> load(std::string const& key) const {
    auto const bits = file_.as<decltype(T::bits)>(name_of_type<T>() + "/" + key);
    dimity::tensor<T, 200> x;
    for (std::size_t i = 0; i < 200; ++i) x.data()[i] = T::from_bits(bits.at(i));
    return x;
  }
  /// Checks that x is the tensor under the key, bit for bit but for which nan.
  template <class X>
  void check_exact(X const& x, std::string const& key) const {
    dimity::tensor<T, 200> const got = x, expected = load(key);
    int wrong = 0;
    for (std::size_t i = 0; i < 200; ++i) {
      float const g = got.data()[i], e = expected.data()[i];
      wrong += e != e ? g == g : got.data()[i].bits != expected.data()[i].bits;
    }
    CAPTURE(key);
    CHECK(wrong == 0);
  }

  /// What both files of golden values have: results of one operation, of float and rounded once.
  void check_operations() const {
    auto const a = load("a"), b = load("b");
    check_exact(a + b, "add");
    check_exact(a * b, "multiply");
    check_exact(a / b, "divide");
    check_exact(maximum(a, b), "maximum");
    // Functions of float may differ in the last bit, which decides a tie of 16 bits once in thousands.
    check_exact(exp(a), "exp");
  }

 private:
  golden::file file_;
};

}  // namespace dimity_tests
