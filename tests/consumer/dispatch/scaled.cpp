#include "scaled.hpp"

#include <dimity/dispatch.hpp>

namespace {

std::string const name{dimity::compiled_architecture};

}  // namespace

DIMITY_DISPATCH(FUNCTION, (std::span<float> values, float factor) -> std::string) {
  for (float& value : values) value = scaled(value, factor);
  return name;
}
