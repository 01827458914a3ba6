// What the tests of layout, slicing and joining share: NumPy's results on small integers, so everything is exact.
#pragma once

#include "golden.hpp"

namespace layout_golden {

inline golden::file const& data() {
  static golden::file const f("layout");
  return f;
}

/// Shape and elements as NumPy's.
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = dimity::eval(x);
  using R = std::remove_cvref_t<decltype(y)>;
  std::vector<std::int64_t> extents;
  for (int i = 0; i < R::rank; ++i) extents.push_back(R::shape_type::at(i));
  CAPTURE(name);
  CHECK(extents == data().at(name).extents);
  golden::check_same(name, golden::span_of(y), data().values<typename R::value_type>(name));
}

inline dimity::tensor<std::int32_t, 4, 5, 6> x456() { return data().get<std::int32_t, 4, 5, 6>("x"); }
inline dimity::tensor<std::int32_t, 5, 7> m57() { return data().get<std::int32_t, 5, 7>("m"); }

template <dimity::extent_t... E>
auto counted(std::int32_t start, std::int32_t step) {
  dimity::tensor<std::int32_t, E...> x;
  for (auto& v : x) {
    v = start;
    start += step;
  }
  return x;
}

}  // namespace layout_golden
