// What the optimizers share: hyperparameters are rank-0 tensors of the state, so that they can change without compiling again; a step is a pure function
// (state, model, gradients) -> (model, state) that fuses into the program around it.
#pragma once

#include <dimity/expr/compare.hpp>
#include <dimity/transform/compile.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// The scalar that a leaf is made of: traced, or on another device, if the leaf is.
template <class L>
struct scalar_of_leaf {
  using type = std::conditional_t<tracer<L>, traced<element_of<L>>, element_of<L>>;
};
template <class List>
struct first_scalar {
  using type = float;
};
template <class L, class... Rest>
struct first_scalar<leaf_list<L, Rest...>> {
  static constexpr auto pick() {
    if constexpr (is_floating(dtype_of<element_of<L>>)) return scalar_of_leaf<L>{};
    else return first_scalar<leaf_list<Rest...>>{};
  }
  using type = typename decltype(pick())::type;
};
/// The floating-point scalar of a model, traced if the model is.
template <class Model>
using scalar_of = typename first_scalar<leaves_t<Model>>::type;

template <class Scalar, class T>
struct like_scalar {
  using type = T;
};
template <class S, class T>
struct like_scalar<traced<S>, T> {
  using type = traced<T>;
};
/// T, traced if Scalar is.
template <class Scalar, class T>
using like_t = typename like_scalar<Scalar, T>::type;
/// What hyperparameters are kept in: 0.999 is 1 in bfloat16.
template <class Model>
using hyperparameter_of = std::conditional_t<storage_float<typename untraced_type<scalar_of<Model>>::type>, like_t<scalar_of<Model>, float>, scalar_of<Model>>;

template <class Model>
Model zeros_of_tree(Model const& model) {
  auto make = [&]<class L>() { return L{}; };  // &: nvcc warns of the conversion to a function that lambdas without have
  return build_tree<Model>(make, presence_of(model));
}

/// The leaves of several trees of the same structure, as nodes.
template <class Tree>
constexpr list<ref> leaves_as_refs(builder& g, Tree const& tree) {
  list<ref> out;
  push_leaves(g, tree, out);
  return out;
}
template <class Tree>
constexpr Tree tree_of_refs(list<ref> const& refs, Tree const& like) {
  int next = 0;
  return tree_from<Tree>(refs, next, presence_of(like));
}
constexpr ref as_type_of(ref scalar, ref x) { return cast(scalar, x.type()); }

}  // namespace detail

namespace optim {

/// One step of an optimizer, on tracers or on tensors: `auto [model, state] = optim::update(state, model, gradients)`.
struct update_function {
  static constexpr detail::argument_pattern optionals_like{1, 3};
  template <class State, class Model, class Gradients>
  constexpr auto operator()(State&& state, Model&& model, Gradients&& gradients) const {
    if constexpr (detail::is_traced_tree<Model>) return state.update(model, gradients);
    else return detail::compiled_call<update_function>::call(static_cast<State&&>(state), static_cast<Model&&>(model), static_cast<Gradients&&>(gradients));
  }
};
inline constexpr update_function update{};

}  // namespace optim
}  // namespace DIMITY_NAMESPACE
