// check_gradients(f, args...): are the derivatives of f the ones that its values have? For the tests of users and of dimity alike.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/transform/jvp.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace DIMITY_NAMESPACE {

struct check_gradients_options {
  double step = 0;       ///< of the finite differences; 0: the cube root of the arguments' precision, 6e-6 for double, 5e-3 for float
  double tolerance = 0;  ///< the relative error that passes; 0: 1e-6 for double, 2e-2 for float
  std::uint64_t seed = 0;
  int directions = 2;    ///< random directions for each parameter
};

/// What check_gradients found. `worst_path` names the parameter that is furthest off ("0.hidden.weight": argument 0, its field hidden, its field weight), or
/// "forward against reverse"; `text` has a line for every comparison.
struct gradient_report {
  bool ok = true;
  double worst_error = 0;
  std::string worst_path;
  std::string text;

  explicit operator bool() const { return ok; }

  /// Compares two derivatives; `noise` is the error that rounding alone may have made in the second.
  void add(std::string const& path, char const* what, double derivative, double reference, double noise, double tolerance) {
    double const scale = std::max(std::abs(derivative), std::abs(reference));
    double error = std::max(0.0, std::abs(derivative - reference) - noise) / std::max(scale, std::numeric_limits<double>::min());
    if (!std::isfinite(derivative) || !std::isfinite(reference)) error = std::numeric_limits<double>::infinity();
    if (worst_path.empty() || error > worst_error) {
      worst_error = error;
      worst_path = path;
    }
    bool const passes = error <= tolerance;
    ok = ok && passes;
    char line[160];
    std::snprintf(line, sizeof(line), ": %s %.9g, expected %.9g, error %.3g%s\n", what, derivative, reference, error, passes ? "" : "  WRONG");
    text += path + line;
  }
};

namespace detail {

/// Leaves that have derivatives.
template <class L>
inline constexpr bool is_differentiable_leaf = std::is_floating_point_v<L>;
template <operand L>
inline constexpr bool is_differentiable_leaf<L> = std::is_floating_point_v<element_of<L>>;

/// Calls f(pointer to the elements, their number) for every leaf that has derivatives.
template <class Tree, class F>
void for_each_floating(Tree& tree, F&& f) {
  for_each_leaf(tree, [&](auto& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (is_differentiable_leaf<L>) {
      if constexpr (operand<L>) f(leaf.data(), leaf.size());
      else f(&leaf, std::size_t{1});
    }
  });
}
template <class Tree>
std::vector<std::string> floating_paths(Tree const& tree) {
  std::vector<std::string> paths;
  for_each_parameter(tree, [&](std::string_view path, auto const& leaf) {
    if constexpr (is_differentiable_leaf<std::remove_cvref_t<decltype(leaf)>>) paths.emplace_back(path);
  });
  return paths;
}
template <class Tree>
double tree_dot(Tree const& a, Tree const& b) {
  std::vector<double> left;
  for_each_floating(a, [&](auto* x, std::size_t n) { left.insert(left.end(), x, x + n); });
  double total = 0;
  std::size_t at = 0;
  for_each_floating(b, [&](auto* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) total += left[at++] * static_cast<double>(x[i]);
  });
  return total;
}

struct direction_source {
  std::uint64_t seed;
  std::uint32_t drawn = 0;
  /// Between 1/2 and 1 or between -1 and -1/2: no element is left out, none outweighs the others.
  double operator()() {
    philox_block const b = philox4x32({{drawn++, 0, 0, 0}}, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    double const magnitude = 0.5 + 0.5 * static_cast<double>(b.word[0]) * 0x1p-32;
    return (b.word[1] & 1u) != 0 ? magnitude : -magnitude;
  }
};
/// Random in floating leaf `only` (in all of them: -1), zero elsewhere; integers are zero.
template <class Tree>
void fill_direction(Tree& tree, int only, direction_source& random) {
  int leaf = 0;
  for_each_leaf(tree, [&](auto& x) {
    using L = std::remove_cvref_t<decltype(x)>;
    bool mine = false;
    if constexpr (is_differentiable_leaf<L>) mine = only < 0 || only == leaf++;
    if constexpr (operand<L>) {
      for (auto& e : x) e = static_cast<std::remove_cvref_t<decltype(e)>>(mine ? random() : 0.0);
    } else {
      x = static_cast<L>(mine ? random() : 0.0);
    }
  });
}
/// x + h d
template <class Tree>
Tree moved_along(Tree x, Tree const& d, double h) {
  std::vector<double> direction;
  for_each_floating(d, [&](auto* v, std::size_t n) { direction.insert(direction.end(), v, v + n); });
  std::size_t at = 0;
  for_each_floating(x, [&](auto* v, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<std::remove_cvref_t<decltype(*v)>>(static_cast<double>(v[i]) + h * direction[at++]);
  });
  return x;
}
template <class Tree>
double largest_magnitude(Tree const& tree) {
  double most = 0;
  for_each_floating(tree, [&](auto* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) most = std::max(most, std::abs(static_cast<double>(x[i])));
  });
  return most;
}
template <class Tree>
bool is_single(Tree const& tree) {
  bool single = false;
  for_each_floating(tree, [&](auto* x, std::size_t) { single = single || sizeof(*x) == 4; });
  return single;
}

template <class Leaf>
constexpr bool is_coarse_leaf() {
  if constexpr (operand<Leaf>) return storage_float<element_of<Leaf>>;
  else return storage_float<Leaf>;
}
template <class... Leaf>
constexpr bool has_coarse_leaf(leaf_list<Leaf...>) {
  return (is_coarse_leaf<std::remove_cvref_t<Leaf>>() || ...);
}
/// One step of a float of 16 or 8 bits is larger than what a difference is to show.
template <bool Coarse>
struct difference_elements {
  static_assert(!Coarse, "[dimity.grad.7] check_gradients: floats of 16 and 8 bits are too coarse for differences: check in float, cast<float>(arguments)");
};

template <class F, class... Args>
struct gradient_check {
  using arguments = std::tuple<Args...>;
  using result = std::remove_cvref_t<decltype(std::apply(compile(F{}), std::declval<arguments const&>()))>;

  static result value(arguments const& x) { return std::apply(compile(F{}), x); }

  /// <u, J d> by central differences.
  static double difference(arguments const& x, arguments const& d, result const& u, double h) {
    return (tree_dot(u, value(moved_along(x, d, h))) - tree_dot(u, value(moved_along(x, d, -h)))) / (2 * h);
  }

  /// J^T u, through grad for a scalar function, through vjp for another.
  static arguments pulled_back(arguments const& x, result const& u) {
    if constexpr (has_scalar_shape<result>) {
      auto const gradients = [&]<int... I>(std::integer_sequence<int, I...>) { return std::apply(grad<I...>(F{}), x); }(std::make_integer_sequence<int, sizeof...(Args)>{});
      if constexpr (sizeof...(Args) == 1) return arguments{as_given<Args...>(gradients)};
      else return [&]<std::size_t... I>(std::index_sequence<I...>) { return arguments{as_given<Args>(std::get<I>(gradients))...}; }(std::index_sequence_for<Args...>{});
    } else {
      auto const pulled = std::get<1>(vjp(F{}, x, u));
      return [&]<std::size_t... I>(std::index_sequence<I...>) { return arguments{as_given<Args>(std::get<I>(pulled))...}; }(std::index_sequence_for<Args...>{});
    }
  }
  /// A gradient has tensors where the argument has plain scalars.
  template <class X, class G>
  static X as_given(G const& gradient) {
    if constexpr (std::is_same_v<X, G>) return gradient;
    else return static_cast<X>(gradient);
  }

  static gradient_report run(check_gradients_options o, Args const&... args) {
    arguments const x{args...};
    bool const single = is_single(x);
    if (o.step == 0) o.step = single ? 5e-3 : 6e-6;
    if (o.tolerance == 0) o.tolerance = single ? 2e-2 : 1e-6;
    double const precision = single ? 0x1p-23 : 0x1p-52;
    direction_source random{o.seed};
    gradient_report report;

    result const y = value(x);
    result u = y;
    fill_direction(u, -1, random);
    if constexpr (has_scalar_shape<result>) for_each_floating(u, [](auto* v, std::size_t) { *v = 1; });
    arguments const gradient = pulled_back(x, u);
    double const noise = 16 * precision * std::max(1e-300, largest_magnitude(y) * std::sqrt(static_cast<double>(parameter_count(y)))) / o.step;

    arguments d = x;
    std::vector<std::string> const paths = floating_paths(x);
    for (std::size_t p = 0; p < paths.size(); ++p)
      for (int i = 0; i < o.directions; ++i) {
        fill_direction(d, static_cast<int>(p), random);
        report.add(paths[p], "derivative", tree_dot(gradient, d), difference(x, d, u, o.step), noise, o.tolerance);
      }
    fill_direction(d, -1, random);
    double const forward = tree_dot(u, std::get<1>(jvp(F{}, x, d)));
    double const rounding = 64 * precision * std::sqrt(tree_dot(gradient, gradient) * tree_dot(d, d));
    report.add("forward against reverse", "derivative", forward, tree_dot(gradient, d), rounding, o.tolerance);
    return report;
  }
};

}  // namespace detail

/// Checks the derivatives of a captureless function at the arguments (tensors, scalars, models, tuples of them): reverse mode against central differences of the
/// compiled function along random directions of every parameter, then forward mode against reverse mode, <u, Jv> = <J^T u, v>. A function whose result is not a
/// scalar is weighted with a random u first. The arguments should lie where f is smooth: differences see both sides of a kink. 16-bit floats are refused, in the arguments and in the result ([dimity.grad.7]); a function that rounds to them inside has no
/// derivative that differences could show. Costs two evaluations for
/// each direction, and as much compile time as f, grad(f) and jvp(f).
template <class F, class... Args>
gradient_report check_gradients(check_gradients_options options, F const&, Args const&... args) {
  using check = detail::gradient_check<F, detail::tree_value_t<Args>...>;
  (void)sizeof(detail::transformable_function<F>);
  constexpr bool coarse = detail::has_coarse_leaf(detail::leaves_t<typename check::arguments>{}) || detail::has_coarse_leaf(detail::leaves_t<typename check::result>{});
  (void)sizeof(detail::difference_elements<coarse>);
  if constexpr (coarse) return {};
  else return check::run(options, args...);
}
template <class F, class... Args>
  requires(!std::is_same_v<F, check_gradients_options>)
gradient_report check_gradients(F const& f, Args const&... args) {
  return check_gradients(check_gradients_options{}, f, args...);
}

}  // namespace DIMITY_NAMESPACE
