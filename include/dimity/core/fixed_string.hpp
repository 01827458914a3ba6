// A string literal as a template argument: einsum<"ij,jk->ik">.
#pragma once

#include <cstddef>
#include <string_view>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE {

template <std::size_t N>
struct fixed_string {
  char text[N] = {};
  constexpr fixed_string(char const (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace DIMITY_NAMESPACE
