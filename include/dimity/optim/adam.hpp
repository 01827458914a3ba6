// Adam and AdamW: Kingma & Ba, arXiv 1412.6980; Loshchilov & Hutter, arXiv 1711.05101.
#pragma once

#include <dimity/optim/optimizer.hpp>

namespace DIMITY_NAMESPACE {
namespace optim {

struct adam_options {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};
struct adamw_options {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
};

/// State of Adam. `Decoupled` weight decay shrinks the parameters (AdamW); otherwise it is added to the gradient (L2).
template <class Model, bool Decoupled>
struct adam_fields {
  using scalar = detail::hyperparameter_of<Model>;

  static constexpr auto update(auto const& state, Model const& model, auto const& gradients) {
    using namespace detail;
    builder& g = *program_of_tree(state.step);
    if (!have_one_presence(g, model, gradients) || !have_one_presence(g, model, state.first_moment) || !have_one_presence(g, model, state.second_moment)) return std::tuple{model, state};
    list<ref> const p = leaves_as_refs(g, model), d = leaves_as_refs(g, gradients), m = leaves_as_refs(g, state.first_moment), v = leaves_as_refs(g, state.second_moment);
    list<ref> new_p, new_m, new_v;
    ref const count = state.step.ref() + integer_constant(g, state.step.ref().type(), 1);
    for (int i = 0; i < p.size(); ++i) {
      if (!is_floating(p[i].type())) {
        new_p.push(p[i]);
        new_m.push(m[i]);
        new_v.push(v[i]);
        continue;
      }
      auto const hyper = [&](auto const& x) { return as_type_of(x.ref(), p[i]); };
      ref const rate = hyper(state.learning_rate), beta1 = hyper(state.beta1), beta2 = hyper(state.beta2), epsilon = hyper(state.epsilon), decay = hyper(state.weight_decay);
      ref const t = cast(count, p[i].type());
      ref const gradient = Decoupled ? d[i] : d[i] + decay * p[i];
      ref const next_m = beta1 * m[i] + (1.0 - beta1) * gradient;
      ref const next_v = beta2 * v[i] + (1.0 - beta2) * unary(primitive::square, gradient);
      ref const scaled_rate = rate / (1.0 - binary(primitive::power, beta1, t));
      ref const correction = 1.0 / (1.0 - binary(primitive::power, beta2, t));
      ref const step = scaled_rate * (next_m / (unary(primitive::sqrt, next_v * correction) + epsilon));
      ref const kept = Decoupled ? p[i] * (1.0 - rate * decay) : p[i];
      new_p.push(kept - step);
      new_m.push(next_m);
      new_v.push(next_v);
    }
    auto next = state;
    next.step = std::remove_cvref_t<decltype(state.step)>(count);
    next.first_moment = tree_of_refs(new_m, model);
    next.second_moment = tree_of_refs(new_v, model);
    return std::tuple{tree_of_refs(new_p, model), next};
  }
};

/// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p -= learning_rate m' / (sqrt(v') + epsilon), where m' and v' are corrected for their start at 0.
template <class Model>
struct adam_state {
  using scalar = detail::hyperparameter_of<Model>;
  tensor<scalar> learning_rate, beta1, beta2, epsilon, weight_decay;
  tensor<detail::like_t<scalar, std::int32_t>> step;
  Model first_moment, second_moment;

  constexpr auto update(Model const& model, auto const& gradients) const { return adam_fields<Model, false>::update(*this, model, gradients); }
};
/// Adam with decoupled weight decay: p *= 1 - learning_rate weight_decay before the step.
template <class Model>
struct adamw_state {
  using scalar = detail::hyperparameter_of<Model>;
  tensor<scalar> learning_rate, beta1, beta2, epsilon, weight_decay;
  tensor<detail::like_t<scalar, std::int32_t>> step;
  Model first_moment, second_moment;

  constexpr auto update(Model const& model, auto const& gradients) const { return adam_fields<Model, true>::update(*this, model, gradients); }
};

}  // namespace optim
template <class Model>
struct detail::state_of_tree<optim::adam_state<Model>> {
  using type = Model;
};
template <class Model>
struct detail::state_of_tree<optim::adamw_state<Model>> {
  using type = Model;
};
namespace optim {

template <class Model>
adam_state<Model> adam(Model const& model, adam_options o = {}) {
  using T = detail::hyperparameter_of<Model>;
  return {tensor<T>(static_cast<T>(o.learning_rate)), tensor<T>(static_cast<T>(o.beta1)), tensor<T>(static_cast<T>(o.beta2)), tensor<T>(static_cast<T>(o.epsilon)),
          tensor<T>(static_cast<T>(o.weight_decay)), tensor<std::int32_t>(0), detail::zeros_of_tree(model), detail::zeros_of_tree(model)};
}
template <class Model>
adamw_state<Model> adamw(Model const& model, adamw_options o = {}) {
  using T = detail::hyperparameter_of<Model>;
  return {tensor<T>(static_cast<T>(o.learning_rate)), tensor<T>(static_cast<T>(o.beta1)), tensor<T>(static_cast<T>(o.beta2)), tensor<T>(static_cast<T>(o.epsilon)),
          tensor<T>(static_cast<T>(o.weight_decay)), tensor<std::int32_t>(0), detail::zeros_of_tree(model), detail::zeros_of_tree(model)};
}

}  // namespace optim
}  // namespace DIMITY_NAMESPACE
