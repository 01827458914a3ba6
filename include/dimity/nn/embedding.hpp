// A table of vectors, looked up by integers.
#pragma once

#include <dimity/expr/indexing.hpp>

namespace DIMITY_NAMESPACE::nn {

/// Rows of `weight` [Count, Width] at integer indices of any shape: [..] to [.., Width]. As take(): negative indices count from the end, and what is still outside gives the nearest row. The gradient adds into the rows that were
/// taken, into one that was taken twice twice; it is dense. Rows start standard normal, as in PyTorch.
template <class T, extent_t Count, extent_t Width>
struct embedding {
  tensor<T, Count, Width> weight;

  template <detail::index_operand I>
  constexpr auto operator()(I&& indices) const { return take(weight, static_cast<I&&>(indices), axis<0>); }
  constexpr void initialize(auto& init) { init.fill_normal(weight.data(), weight.size(), 1.0); }
};

}  // namespace DIMITY_NAMESPACE::nn
