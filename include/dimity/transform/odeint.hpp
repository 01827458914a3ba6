// Ordinary differential equations: fixed and adaptive Runge-Kutta methods, with derivatives.
#pragma once

#include <dimity/expr/joining.hpp>
#include <dimity/expr/slicing.hpp>
#include <dimity/transform/implicit.hpp>

#include <limits>
#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {

/// dormand_prince: order 5 with an estimate of the error that chooses the steps. rk4: the classical method of order 4 with steps of equal size.
enum class ode_method { dormand_prince, rk4 };
/// For `odeint<ode_options{.rtol = 1e-6}>(...)`.
struct ode_options {
  ode_method method = ode_method::dormand_prince;
  double rtol = 1e-8, atol = 1e-8;  ///< dormand_prince: the error of a step is at most atol + rtol |y|, root mean square; at least 8 roundings each
  int max_steps = 10000;            ///< dormand_prince: after so many between two times the result is nan
  int steps = 16;                   ///< rk4: steps between two times
};

namespace detail {

template <class Y, class D>
struct ode_derivative {
  static_assert(have_one_form<Y, D>, "[dimity.ode.1] odeint: f(y, t, parameters...) must return the shape and element type of y (y, result)");
};
template <class Y, class T>
struct ode_times {
  static constexpr bool value = [] {
    if constexpr (operand<T>) return shape_of<T>::rank == 1 && shape_of<T>::size > 0 && is_floating(dtype_of<element_of<T>>);
    else return false;
  }();
  static_assert(value, "[dimity.ode.2] odeint: the times must be a vector of float or double, with at least one element");
};

/// Coefficients: Dormand and Prince, A family of embedded Runge-Kutta formulae, 1980.
template <class F>
struct dormand_prince_step {
  /// y after h, the error of that, and the slope there.
  template <class Y, class T, class H, class... P>
  constexpr auto operator()(Y const& y, Y const& k1, T const& t, H const& h, P const&... p) const {
    F const f{};
    auto const k2 = f(y + h * (0.2 * k1), t + 0.2 * h, p...);
    auto const k3 = f(y + h * (3.0 / 40 * k1 + 9.0 / 40 * k2), t + 0.3 * h, p...);
    auto const k4 = f(y + h * (44.0 / 45 * k1 - 56.0 / 15 * k2 + 32.0 / 9 * k3), t + 0.8 * h, p...);
    auto const k5 = f(y + h * (19372.0 / 6561 * k1 - 25360.0 / 2187 * k2 + 64448.0 / 6561 * k3 - 212.0 / 729 * k4), t + 8.0 / 9 * h, p...);
    auto const k6 = f(y + h * (9017.0 / 3168 * k1 - 355.0 / 33 * k2 + 46732.0 / 5247 * k3 + 49.0 / 176 * k4 - 5103.0 / 18656 * k5), t + h, p...);
    auto const next = y + h * (35.0 / 384 * k1 + 500.0 / 1113 * k3 + 125.0 / 192 * k4 - 2187.0 / 6784 * k5 + 11.0 / 84 * k6);
    auto const k7 = f(next, t + h, p...);
    auto const error = h * (71.0 / 57600 * k1 - 71.0 / 16695 * k3 + 71.0 / 1920 * k4 - 17253.0 / 339200 * k5 + 22.0 / 525 * k6 - 1.0 / 40 * k7);
    return std::tuple{next, error, k7};
  }
};
template <ode_options O>
struct not_there_yet {
  template <class State, class T, class... P>
  constexpr auto operator()(State const& s, T const& end, P const&...) const {
    auto const& [t, y, slope, h, count] = s;
    return logical_and(abs(end - t) > 0.0, count < std::int32_t{O.max_steps});
  }
};
template <class F, ode_options O>
struct adaptive_step {
  template <class State, class T, class... P>
  constexpr auto operator()(State const& s, T const& end, P const&... p) const {
    auto const& [t, y, slope, h, count] = s;
    // The last step ends exactly at the end, and does not make the next ones smaller.
    auto const is_last = abs(h) >= abs(end - t);
    auto const size = where(is_last, end - t, h);
    auto const [next, error, next_slope] = dormand_prince_step<F>{}(y, slope, t, size, p...);
    constexpr double rounding = 8.0 * std::numeric_limits<element_of<decltype(y)>>::epsilon(), rtol = std::max(O.rtol, rounding), atol = std::max(O.atol, rounding);
    auto const scale = atol + rtol * maximum(abs(y), abs(next));
    auto const ratio = sqrt(mean(square(error / scale)));
    auto const accepted = ratio <= 1.0;
    auto const factor = clip(0.9 * pow(maximum(ratio, 1e-10), -0.2), 0.2, 10.0);
    auto const wanted = where(isnan(ratio), size * 0.1, where(logical_and(is_last, accepted), where(abs(size * factor) > abs(h), size * factor, h), size * factor));
    return std::tuple{where(accepted, where(is_last, end, t + size), t), where(accepted, next, y), where(accepted, next_slope, slope), wanted, count + std::int32_t{1}};
  }
};
/// From one time to the next: (y, step size or 0), (begin, end) -> the same after it.
template <class F, ode_options O>
struct adaptive_interval {
  template <class State, class Times, class... P>
  constexpr auto operator()(State const& s, Times const& times, P const&... p) const {
    auto const& [y, h] = s;
    auto const& [begin, end] = times;
    auto const slope = F{}(y, begin, p...);
    // A first guess: y changes by about 1% (Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section II.4).
    auto const guess = minimum(0.01 * (max(abs(y)) + 1e-3) / (max(abs(slope)) + 1e-10), abs(end - begin)) * sign(end - begin);
    auto const size = where(h == 0.0, guess, where(sign(h) == sign(end - begin), h, -h));
    auto const state = std::tuple{begin, y, slope, size, std::int32_t{0}};
    auto const last = while_function<not_there_yet<O>, adaptive_step<F, O>>{}(state, end, p...);
    auto const& [t, after, last_slope, next_size, count] = last;
    auto const reached = where(t == end, after, after * std::numeric_limits<double>::quiet_NaN());
    return std::tuple{std::pair{reached, next_size}, reached};
  }
};
template <class F>
struct rk4_step {
  template <class I, class Y, class T, class H, class... P>
  constexpr auto operator()(I const& i, Y const& y, T const& begin, H const& h, P const&... p) const {
    F const f{};
    auto const t = begin + h * cast<element_of<H>>(i);
    auto const k1 = f(y, t, p...);
    auto const k2 = f(y + 0.5 * h * k1, t + 0.5 * h, p...);
    auto const k3 = f(y + 0.5 * h * k2, t + 0.5 * h, p...);
    auto const k4 = f(y + h * k3, t + h, p...);
    return y + h * (1.0 / 6 * (k1 + k4) + 1.0 / 3 * (k2 + k3));
  }
};
template <class F, ode_options O>
struct rk4_interval {
  template <class Y, class Times, class... P>
  constexpr auto operator()(Y const& y, Times const& times, P const&... p) const {
    auto const& [begin, end] = times;
    auto const next = fori_function<rk4_step<F>, -1>{}(0, O.steps, y, begin, (end - begin) / static_cast<double>(O.steps), p...);
    return std::tuple{next, next};
  }
};
template <class Y, class Ys>
constexpr auto with_first(Y const& y, Ys const& ys) {
  return concat<0>(expand_dims<0>(y), ys);
}
template <class Ts>
constexpr auto intervals(Ts const& ts) {
  constexpr extent_t n = shape_of<Ts>::size;
  return std::pair{slice<0, 0, n - 1>(ts), slice<0, 1, n>(ts)};
}
/// All of it, by the method itself: forward mode goes through it.
template <class F, ode_options O>
struct ode_solver {
  template <class Y, class Ts, class... P>
  constexpr auto operator()(Y const& y, Ts const& ts, P const&... p) const {
    if constexpr (O.method == ode_method::rk4) {
      auto const [last, ys] = scan_function<rk4_interval<F, O>, scan_options{}>{}(y, intervals(ts), p...);
      return with_first(y, ys);
    } else {
      auto const none = pick<0>(ts, std::int32_t{0}) * 0.0;
      auto const [last, ys] = scan_function<adaptive_interval<F, O>, scan_options{}>{}(std::pair{y, none}, intervals(ts), p...);
      return with_first(y, ys);
    }
  }
};

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
