// What the tests of recurrent cells and layers share: NumPy's parameters.
#pragma once

#include <dimity/dimity.hpp>

#include <string>

#include "../golden/golden.hpp"

namespace recurrent_test {

inline golden::file const& data() {
  static golden::file const f("layers");
  return f;
}
/// A cell or layer of width 5 on 3 inputs.
template <class Layer, class T, int Gates>
Layer parameters(std::string const& name) {
  return {data().get<T, 5 * Gates, 3>(name + "/weight_ih"), data().get<T, 5 * Gates, 5>(name + "/weight_hh"), data().get<T, 5 * Gates>(name + "/bias_ih"), data().get<T, 5 * Gates>(name + "/bias_hh")};
}

}  // namespace recurrent_test
