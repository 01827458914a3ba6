// Plans whose steps may be divided among threads: what the evaluator has to know of them when <dimity/threads.hpp> is not there.
#pragma once

#include <dimity/core/device.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The same constant under another type, which kernels look at.
template <class Plan>
struct threaded_plan {
  static constexpr bool is_threaded = true;
  static constexpr auto const& value = Plan::value;
  static constexpr auto const& size = Plan::size;
};
template <class Plan>
inline constexpr bool is_threaded = requires { Plan::is_threaded; };

template <class Plan, int Kernel>
struct threaded_loop;
template <class Contraction>
struct threaded_contraction;
template <class Convolution>
struct threaded_convolution;
template <class Plan, int Control>
struct threaded_scan;

}  // namespace DIMITY_NAMESPACE::detail
