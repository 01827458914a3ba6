// Shapes are packs of integers in types, so that every compiler prints them as they are written: shape<2, 3>.
#pragma once

#include <dimity/core/amount.hpp>
#include <dimity/core/fixed_string.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace DIMITY_NAMESPACE {

/// An extent of a tensor: a number, or what stands for one that is chosen at run time: `dyn`, `dim<"name">`, which are far below 0.
using extent_t = std::int64_t;

/// An extent chosen at run time, of which nothing is known: `tensor<float, dyn, 16> x(n);`. What it must agree with is checked when an expression or a
/// compiled function runs, before anything is written. It is an extent like others, so 1 does not broadcast.
inline constexpr extent_t dyn = -(extent_t{1} << 61);

namespace detail {

/// The type-level form of a name: up to ten characters are kept as they are; of longer ones the first six, and a hash.
constexpr extent_t tag_code(std::string_view name) {
  std::uint64_t code = 0, hash = 1469598103934665603u;
  auto const index = [](char c) -> std::uint64_t {
    return c >= 'a' && c <= 'z' ? static_cast<std::uint64_t>(c - 'a') + 1 : c >= 'A' && c <= 'Z' ? static_cast<std::uint64_t>(c - 'A') + 27 : c >= '0' && c <= '9' ? static_cast<std::uint64_t>(c - '0') + 53 : 63;
  };
  for (char const c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::size_t const kept = name.size() <= 10 ? name.size() : 6;
  for (std::size_t i = 0; i < kept; ++i) code |= index(name[i]) << (6 * i);
  if (name.size() > 10) code |= (hash >> 40) << 36 | std::uint64_t{1} << 60;
  return dyn - 1 - static_cast<extent_t>(code);
}
constexpr bool is_name(std::string_view name) {
  for (char const c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return name.size() > 0;
}
/// The name again, for messages; at most eleven characters and a terminator.
struct tag_name {
  char text[12] = {};
};
constexpr tag_name name_of_tag(extent_t tag) {
  tag_name n;
  if (tag == dyn) return {{'d', 'y', 'n'}};
  auto const code = static_cast<std::uint64_t>(dyn - 1 - tag);
  bool const cut = (code >> 60 & 1u) != 0;
  int i = 0;
  for (; i < (cut ? 6 : 10) && (code >> (6 * i) & 63u) != 0; ++i) {
    auto const c = static_cast<int>(code >> (6 * i) & 63u);
    n.text[i] = static_cast<char>(c <= 26 ? 'a' + c - 1 : c <= 52 ? 'A' + c - 27 : c <= 62 ? '0' + c - 53 : '_');
  }
  if (cut) n.text[i] = '~';
  return n;
}

}  // namespace detail

/// An extent chosen at run time that has a name: `constexpr auto batch = dim<"batch">; tensor<float, batch, 16> x(n);`. Equal names are equal extents, different ones do
/// not go together: that is a compile-time error. That two tensors with one name have one extent is checked at the call.
template <fixed_string Name>
inline constexpr extent_t dim = [] {
  static_assert(detail::is_name(Name.view()), "[dimity.shape.16] dim: a name has letters, digits and _, at least one");
  return detail::tag_code(Name.view());
}();

/// The most axes that a tensor can have.
inline constexpr int max_rank = 8;

/// The extents of a tensor, outermost first.
template <extent_t... Extents>
struct shape {
  static_assert(sizeof...(Extents) <= static_cast<std::size_t>(max_rank), "[dimity.shape.1] a tensor has at most 8 axes");

  static_assert(((Extents >= 0 || Extents <= dyn) && ...), "[dimity.shape.2] an extent cannot be negative");

  static constexpr int rank = static_cast<int>(sizeof...(Extents));
  static constexpr int run_time_extents = (0 + ... + (Extents <= dyn ? 1 : 0));
  static_assert(run_time_extents <= detail::amount::max_factors, "[dimity.shape.15] at most four extents of a tensor can be chosen at run time");
  /// The number of elements; -1 when it is known at run time only.
  static constexpr extent_t size = run_time_extents > 0 ? -1 : (extent_t{1} * ... * Extents);

  /// The extent of one axis; negative axes count from the end; 1 beyond the last axis, as broadcasting has it.
  static constexpr extent_t at(int axis) {
    extent_t const extents[] = {Extents..., 1};
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? extents[axis] : 1;
  }
};

/// A set of axes, as a value to pass: `sum(x, axis<0, -1>)`. Negative axes count from the end.
template <int... Axes>
struct axis_set {};
template <int... Axes>
inline constexpr axis_set<Axes...> axis{};

/// Passed to a reduction: the reduced axes stay, with extent 1.
struct keep_dims_t {};
inline constexpr keep_dims_t keep_dims{};

namespace detail {

/// Whether two extents in types are equal, or may be: that is seen at the call.
constexpr bool may_be_equal(extent_t a, extent_t b) { return a == b || a == dyn || b == dyn; }

/// An extent or a size as a number. Of one that is chosen at run time there is none: in a constant expression that is an error of the compiler, otherwise the program ends.
constexpr extent_t known(extent_t e) {
  if (e < 0) throw "[dimity.shape.18] this extent is chosen at run time: extent<Axis>(x) is its value";
  return e;
}

/// Of extents, or of other numbers.
constexpr extent_t product(extent_t const* numbers, int count) {
  extent_t n = 1;
  for (int i = 0; i < count; ++i) n *= numbers[i];
  return n;
}
constexpr void set_row_major_strides(extent_t const* extents, int rank, extent_t* strides) {
  extent_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = step;
    step *= extents[i];
  }
}

/// A shape as a value, for constexpr passes.
struct shape_value {
  int rank = 0;
  amount extent[max_rank] = {};

  constexpr amount size() const {
    amount n = 1;
    for (int i = 0; i < rank; ++i) n *= extent[i];
    return n;
  }
  constexpr bool is_known() const {
    for (int i = 0; i < rank; ++i)
      if (!extent[i].is_known()) return false;
    return true;
  }
  constexpr bool operator==(shape_value const& other) const {
    if (rank != other.rank) return false;
    for (int i = 0; i < rank; ++i)
      if (extent[i] != other.extent[i]) return false;
    return true;
  }
  constexpr void push(amount e) { extent[rank++] = e; }
};

template <class Shape>
struct shape_value_of;
template <extent_t... E>
struct shape_value_of<shape<E...>> {
  static constexpr shape_value make() {
    shape_value s;
    s.rank = static_cast<int>(sizeof...(E));
    [[maybe_unused]] int i = 0;
    ((s.extent[i++] = E), ...);
    return s;
  }
  static constexpr shape_value value = make();
};

constexpr int normalize_axis(int axis, int rank) { return axis < 0 ? axis + rank : axis; }

/// Row-major strides, in elements.
template <class Shape>
struct row_major;
template <extent_t... E>
struct row_major<shape<E...>> {
  static constexpr extent_t stride(int axis) {
    extent_t const extents[] = {E..., 1};
    extent_t s = 1;
    for (int i = static_cast<int>(sizeof...(E)) - 1; i > axis; --i) s *= extents[i];
    return s;
  }
};

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
