// Primitives that a GPU treats in ways of its own.
#pragma once

#include <dimity/program/primitive.hpp>

namespace DIMITY_NAMESPACE::detail {

/// What this side is shown.
constexpr bool is_look(primitive p) { return p == primitive::debug_print || p == primitive::check_finite; }
/// Functions of floats of which there are quick ones.
constexpr bool depends_on_precision(primitive p) {
  return p == primitive::divide || p == primitive::exp || p == primitive::log || p == primitive::tanh || p == primitive::sqrt || p == primitive::sigmoid;
}

}  // namespace DIMITY_NAMESPACE::detail
