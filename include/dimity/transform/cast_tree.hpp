// cast() of all tensors of a struct at once: how a model computes in bfloat16 while its parameters stay float.
#pragma once

#include <dimity/expr/functions.hpp>
#include <dimity/transform/compile.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// A floating scalar becomes T, traced or not; everything else stays.
template <class T>
struct floats_become {
  template <class X>
  struct map {
    static constexpr auto pick() {
      if constexpr (!is_floating(dtype_of<typename untraced_type<X>::type>)) return std::type_identity<X>{};
      else if constexpr (is_traced_type<X>::value) return std::type_identity<traced<T>>{};
      else return std::type_identity<T>{};
    }
    using type = typename decltype(pick())::type;
  };
};

template <class T>
struct cast_tree_function {
  static constexpr argument_pattern optionals_like{0, 1};
  template <class Tree>
  constexpr auto operator()(Tree const& tree) const {
    if constexpr (!is_traced_tree<Tree>) {
      return compiled_call<cast_tree_function>::call(tree);
    } else {
      builder& g = *program_of_tree(tree);
      list<ref> leaves;
      push_leaves(g, tree, leaves);
      for (int i = 0; i < leaves.size(); ++i)
        if (is_floating(leaves[i].type())) leaves[i] = cast(leaves[i], dtype_of<T>, always_rounds);
      int next = 0;
      return tree_from<typename rebind_tree<Tree, floats_become<T>::template map>::type>(leaves, next, presence_of(tree));
    }
  }
};

}  // namespace detail

/// A struct of tensors with every floating tensor in it converted to T: `cast<bfloat16>(model)` is the model<bfloat16> of a model<float>. Integers and bools stay as they are. Gradients pass through, in the type of what was given.
template <element T, class Tree>
  requires(!operand<Tree> && !detail::tree_leaf<Tree> && std::is_class_v<Tree>)
constexpr auto cast(Tree const& tree) {
  return detail::cast_tree_function<T>{}(tree);
}

}  // namespace DIMITY_NAMESPACE
