// Tensors and views as text, laid out as NumPy's str() lays arrays out with its default options.
#pragma once

#include <dimity/core/decimal.hpp>
#include <dimity/core/dual.hpp>
#include <dimity/core/view.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iosfwd>

namespace DIMITY_NAMESPACE {
namespace detail {

/// NumPy's defaults: np.printoptions(precision=8, threshold=1000, edgeitems=3, linewidth=75).
inline constexpr int print_precision = 8, print_edge = 3;
inline constexpr extent_t print_threshold = 1000;
inline constexpr std::size_t print_width = 75;

/// What is printed, whatever its type. Nothing below is a template: a program that prints twenty shapes compiles this once.
struct printed_array {
  void const* data = nullptr;
  dtype type = dtype::float32;
  int rank = 0;
  extent_t extent[max_rank] = {};
  extent_t stride[max_rank] = {};

  constexpr extent_t size() const { return product(extent, rank); }
};

class array_printer {
 public:
  explicit array_printer(printed_array const& array) : a_(array), summary_(array.size() > print_threshold) {}

  std::string text() {
    if (a_.rank == 0) return one(element(0));
    if (a_.size() == 0) return "[]";
    choose_format();
    return nested(0, 0, " ", print_width);
  }

 private:
  bool is_real() const { return is_floating(a_.type) && !is_dual_number(a_.type); }
  void const* element(extent_t offset) const { return static_cast<char const*>(a_.data) + offset * static_cast<extent_t>(size_of(a_.type)); }
  template <class T>
  static T read(void const* p) {
    T v;
    std::memcpy(&v, p, sizeof(T));
    return v;
  }
  template <class T>
  static std::string number(void const* p) {
    return std::to_string(read<T>(p));
  }
  template <class T>
  static std::string pair(void const* p) {
    auto const d = read<dual<T>>(p);
    return "(" + scalar_text(static_cast<double>(d.value), dtype_of<T>) + ", " + scalar_text(static_cast<double>(d.tangent), dtype_of<T>) + ")";
  }
  double real(void const* p) const {
    switch (a_.type) {
      case dtype::float16: return static_cast<double>(read<float16>(p));
      case dtype::bfloat16: return static_cast<double>(read<bfloat16>(p));
      case dtype::float8_e4m3fn: return static_cast<double>(read<float8_e4m3fn>(p));
      case dtype::float8_e5m2: return static_cast<double>(read<float8_e5m2>(p));
      case dtype::float32: return static_cast<double>(read<float>(p));
      default: return read<double>(p);
    }
  }

  /// An element without its neighbours.
  std::string one(void const* p) const {
    switch (a_.type) {
      case dtype::boolean: return read<bool>(p) ? "True" : "False";
      case dtype::int8: return number<std::int8_t>(p);
      case dtype::int16: return number<std::int16_t>(p);
      case dtype::int32: return number<std::int32_t>(p);
      case dtype::int64: return number<std::int64_t>(p);
      case dtype::uint8: return number<std::uint8_t>(p);
      case dtype::uint16: return number<std::uint16_t>(p);
      case dtype::uint32: return number<std::uint32_t>(p);
      case dtype::uint64: return number<std::uint64_t>(p);
      case dtype::dual32: return pair<float>(p);
      case dtype::dual64: return pair<double>(p);
      default: return scalar_text(real(p), a_.type);
    }
  }

  /// Calls f with every element that is shown.
  template <class F>
  void for_each_shown(int axis, extent_t offset, F& f) {
    if (axis == a_.rank) return f(element(offset));
    extent_t const n = a_.extent[axis];
    for (extent_t i = 0; i < n; ++i) {
      if (is_cut(n) && i == print_edge) i = n - print_edge;
      for_each_shown(axis + 1, offset + i * a_.stride[axis], f);
    }
  }
  bool is_cut(extent_t n) const { return summary_ && n > 2 * print_edge; }

  /// numpy/_core/arrayprint.py, FloatingFormat.fillFormat: one notation and one precision for all that is shown.
  void choose_format() {
    if (!is_real()) {
      auto widest = [&](void const* p) { width_ = std::max(width_, one(p).size()); };
      for_each_shown(0, 0, widest);
      if (a_.type == dtype::boolean) width_ = 5;
      return;
    }
    double largest = 0, smallest = 0;
    bool finite = false, other = false, negative_infinity = false;
    auto range = [&](void const* p) {
      double const x = real(p), m = std::abs(x);
      if (!std::isfinite(x)) {
        other = true;
        negative_infinity = negative_infinity || x < 0;
        return;
      }
      finite = true;
      if (m == 0) return;
      largest = std::max(largest, m);
      smallest = smallest == 0 ? m : std::min(smallest, m);
    };
    for_each_shown(0, 0, range);
    if (largest != 0) {
      auto const wide = [](auto most, auto least, double limit) { return most >= limit || least < static_cast<decltype(least)>(0.0001) || most / least > 1000; };
      scientific_ = a_.type == dtype::float64 ? wide(largest, smallest, 1e8) : wide(static_cast<float>(largest), static_cast<float>(smallest), scientific_from(a_.type));
    }
    std::size_t left = 0, right = 0;
    auto measure = [&](void const* p) {
      double const x = real(p);
      if (!std::isfinite(x)) return;
      number_parts const n = scientific_ ? scientific_parts(x, a_.type, print_precision) : positional_parts(x, a_.type, print_precision);
      left = std::max(left, n.whole.size());
      right = std::max(right, n.fraction.size());
      if (scientific_) exponent_ = std::max(exponent_, n.exponent.size());
    };
    if (finite) for_each_shown(0, 0, measure);
    fraction_ = right;
    if (scientific_) right += 1 + exponent_;
    width_ = left + 1 + right;
    if (other) width_ = std::max<std::size_t>(width_, negative_infinity ? 4 : 3);
  }
  std::string padded(std::string s) const { return s.size() < width_ ? std::string(width_ - s.size(), ' ') + s : s; }
  std::string item(void const* p) const {
    if (!is_real() || !std::isfinite(real(p))) return padded(one(p));
    number_parts n = scientific_ ? scientific_parts(real(p), a_.type, static_cast<int>(fraction_), true) : positional_parts(real(p), a_.type, print_precision);
    if (!scientific_) return padded(n.whole + "." + n.fraction + std::string(fraction_ - n.fraction.size(), ' '));
    if (n.exponent.size() < exponent_) n.exponent.insert(1, exponent_ - n.exponent.size(), '0');
    return padded(n.whole + "." + n.fraction + "e" + n.exponent);
  }

  /// numpy/_core/arrayprint.py, _formatArray: elements of a row are wrapped, rows begin on lines of their own.
  std::string nested(int axis, extent_t offset, std::string const& indent, std::size_t room) {
    extent_t const n = a_.extent[axis];
    bool const last = axis + 1 == a_.rank;
    std::string done, line = indent;
    auto const add = [&](std::string const& word) {
      if (line.size() + word.size() > room - 1 && line.size() > indent.size()) {
        while (line.back() == ' ') line.pop_back();
        done += line + "\n";
        line = indent;
      }
      line += word;
    };
    std::string const between(static_cast<std::size_t>(a_.rank - axis - 1), '\n');
    for (extent_t i = 0; i < n; ++i) {
      if (is_cut(n) && i == print_edge) {
        i = n - print_edge;
        if (last) {
          add("...");
          line += ' ';
        } else {
          done += indent + "..." + between;
        }
      }
      extent_t const at = offset + i * a_.stride[axis];
      if (last) {
        add(item(element(at)));
        if (i + 1 < n) line += ' ';
      } else {
        done += indent + nested(axis + 1, at, indent + " ", room - 1) + (i + 1 < n ? between : "");
      }
    }
    if (last) done += line;
    return "[" + done.substr(indent.size()) + "]";
  }

  printed_array const& a_;
  bool summary_, scientific_ = false;
  std::size_t width_ = 0, fraction_ = 0, exponent_ = 0;
};

template <class X>
printed_array printed(X const& x) {
  using S = shape_of<X>;
  printed_array p{x.data(), dtype_of<element_of<X>>, S::rank, {}, {}};
  for (int i = 0; i < S::rank; ++i) p.extent[i] = static_cast<extent_t>(x.extent(i));
  set_row_major_strides(p.extent, p.rank, p.stride);
  if constexpr (requires { X::strides_type::at(0); })
    for (int i = 0; i < S::rank; ++i) p.stride[i] = X::strides_type::at(i);
  return p;
}

}  // namespace detail

/// The elements in nested brackets, as NumPy's str(): aligned columns, one precision of at most 8 digits for all (or scientific notation), lines of
/// at most 75 characters, `...` in place of all but 3 items at each end where there are more than 1000 elements. A rank-0 tensor is its scalar with all its
/// digits; a dual is (value, tangent).
template <detail::stored_tensor X>
std::string to_string(X const& x) {
  auto const a = detail::printed(x);
  return detail::array_printer(a).text();
}
/// to_string(x), into a stream.
template <class Traits, detail::stored_tensor X>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, X const& x) {
  std::string const text = to_string(x);
  return out.write(text.data(), static_cast<std::streamsize>(text.size()));
}
/// to_string(x) and a new line, to stdout.
template <detail::stored_tensor X>
void print(X const& x) {
  std::puts(to_string(x).c_str());
}

}  // namespace DIMITY_NAMESPACE
