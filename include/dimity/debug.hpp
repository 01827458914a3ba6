// Looking into compiled functions while they run. Not part of dimity.hpp: include it where you debug.
#pragma once

#include <dimity/core/print.hpp>
#include <dimity/expr/eval.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>

namespace DIMITY_NAMESPACE {

/// Thrown by debug::check_finite().
struct finite_error : error {
  using error::error;
};

namespace detail {

inline std::string name_in_pool(std::int64_t const* pool) {
  std::string name;
  for (std::int64_t i = 0; i < pool[0]; ++i) name += static_cast<char>(pool[1 + i]);
  return name;
}
constexpr list<std::int64_t> pool_of_name(std::string_view name) {
  list<std::int64_t> pool;
  pool.push(static_cast<std::int64_t>(name.size()));
  for (char const c : name) pool.push(c);
  return pool;
}
template <class T>
void check_elements(T const* x, known_shape const& shape, std::string const& name) {
  extent_t nan = 0, infinite = 0, first = -1;
  for (extent_t i = 0, n = shape.size(); i < n; ++i) {
    auto const value = +x[i];
    if (std::isfinite(value)) continue;
    (value != value ? nan : infinite) += 1;
    if (first < 0) first = i;
  }
  if (first < 0) return;
  std::string where;
  for (int axis = shape.rank - 1; axis >= 0; --axis) {
    where = std::to_string(first % shape.extent[axis]) + (where.empty() ? "" : ", ") + where;
    first /= shape.extent[axis];
  }
  fail<finite_error>("check_finite: " + name + " has " + std::to_string(nan) + " nan and " + std::to_string(infinite) + " inf among " + std::to_string(shape.size()) + " elements, the first at [" + where + "]");
}

template <primitive Op>
void look_at(void const* data, dtype type, known_shape const& shape, std::int64_t const* name) {
  if constexpr (Op == primitive::debug_print) {
    printed_array p{data, type, shape.rank, {}, {}};
    for (int i = 0; i < shape.rank; ++i) p.extent[i] = shape.extent[i];
    set_row_major_strides(p.extent, p.rank, p.stride);
    std::printf("%s =%s%s\n", name_in_pool(name).c_str(), shape.rank > 1 ? "\n" : " ", array_printer(p).text().c_str());
  } else if (type == dtype::float64) {
    check_elements(static_cast<double const*>(data), shape, name_in_pool(name));
  } else if (type == dtype::float32) {
    check_elements(static_cast<float const*>(data), shape, name_in_pool(name));
  } else if (type == dtype::float16) {
    check_elements(static_cast<float16 const*>(data), shape, name_in_pool(name));
  } else if (type == dtype::bfloat16) {
    check_elements(static_cast<bfloat16 const*>(data), shape, name_in_pool(name));
  } else if (type == dtype::float8_e4m3fn) {
    check_elements(static_cast<float8_e4m3fn const*>(data), shape, name_in_pool(name));
  } else if (type == dtype::float8_e5m2) {
    check_elements(static_cast<float8_e5m2 const*>(data), shape, name_in_pool(name));
  }
}

template <primitive Op>
constexpr ref looked_at(ref x, std::string_view name) {
  list<std::int64_t> const text = pool_of_name(name);
  return append(*x.g, Op, x.type(), x.shape(), x.id, -1, -1, x.g->intern(text.begin(), text.size()));
}
template <primitive Op, class X>
constexpr auto look(X const& x, std::string_view name) {
  if constexpr (tracer<X>) {
    return typename tracer_of<element_of<X>, shape_of<X>>::type(looked_at<Op>(trace_operand(*program_of(x), x), name));
  } else {
    auto value = eval(x);
    known_shape s;
    for (int i = 0; i < shape_of<X>::rank; ++i) s.push(static_cast<extent_t>(value.extent(i)));
    look_at<Op>(value.data(), dtype_of<element_of<X>>, s, pool_of_name(name).begin());
    return value;
  }
}

}  // namespace detail

namespace debug {

/// x; when it is computed it is printed to stdout as `name = ...`, as print() would. In a compiled function the value that is returned must be used, because what no result needs is not computed: `x = debug::print(x, "x")`. Derivatives pass through and are
/// not printed; under vmap all entries are printed at once, in a loop each iteration prints. What is printed is a value in memory: it is not fused with what it is made of.
template <operand X>
[[nodiscard]] constexpr auto print(X const& x, std::string_view name) {
  return detail::look<detail::primitive::debug_print>(x, name);
}
/// x; when it is computed and has a nan or an infinity, finite_error says how many, and where the first is. Nothing of the call's results is usable then. Otherwise as print().
template <operand X>
[[nodiscard]] constexpr auto check_finite(X const& x, std::string_view name) {
  return detail::look<detail::primitive::check_finite>(x, name);
}

}  // namespace debug
}  // namespace DIMITY_NAMESPACE
