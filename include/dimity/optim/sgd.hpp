// Stochastic gradient descent with momentum.
#pragma once

#include <dimity/optim/optimizer.hpp>

namespace DIMITY_NAMESPACE {
namespace optim {

struct sgd_options {
  double learning_rate = 0.01;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// As PyTorch's SGD: g += weight_decay p; v = momentum v + g; p -= learning_rate v, with Nesterov p -= learning_rate (g + momentum v).
template <class Model>
struct sgd_state {
  using scalar = detail::hyperparameter_of<Model>;
  tensor<scalar> learning_rate, momentum, weight_decay;
  tensor<detail::like_t<scalar, bool>> nesterov;
  Model velocity;

  constexpr auto update(Model const& model, auto const& gradients) const {
    using namespace detail;
    builder& g = *program_of_tree(learning_rate);
    if (!have_one_presence(g, model, gradients) || !have_one_presence(g, model, velocity)) return std::tuple{model, *this};
    list<ref> const p = leaves_as_refs(g, model), d = leaves_as_refs(g, gradients), v = leaves_as_refs(g, velocity);
    list<ref> new_p, new_v;
    for (int i = 0; i < p.size(); ++i) {
      if (!is_floating(p[i].type())) {
        new_p.push(p[i]);
        new_v.push(v[i]);
        continue;
      }
      ref const rate = as_type_of(learning_rate.ref(), p[i]), mu = as_type_of(momentum.ref(), p[i]), decay = as_type_of(weight_decay.ref(), p[i]);
      ref const step = d[i] + decay * p[i];
      ref const next_v = mu * v[i] + step;
      new_p.push(p[i] - rate * select(nesterov.ref(), step + mu * next_v, next_v));
      new_v.push(next_v);
    }
    sgd_state next = *this;
    next.velocity = tree_of_refs(new_v, model);
    return std::tuple{tree_of_refs(new_p, model), next};
  }
};

}  // namespace optim
template <class Model>
struct detail::state_of_tree<optim::sgd_state<Model>> {
  using type = Model;
};
namespace optim {

template <class Model>
sgd_state<Model> sgd(Model const& model, sgd_options options = {}) {
  using T = detail::hyperparameter_of<Model>;
  return {tensor<T>(static_cast<T>(options.learning_rate)), tensor<T>(static_cast<T>(options.momentum)), tensor<T>(static_cast<T>(options.weight_decay)),
          tensor<bool>(options.nesterov), detail::zeros_of_tree(model)};
}

}  // namespace optim
}  // namespace DIMITY_NAMESPACE
