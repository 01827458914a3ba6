// The kernels of convolutions and of their derivatives against the formula in long double, for many geometries and layouts.
#include <dimity/core/dual.hpp>
#include <dimity/exec/cpu/convolution.hpp>

#include "../support/allocations.hpp"
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace dimity;
using namespace dimity::detail;

namespace {

struct problem {
  convolution_geometry g;
  extent_t batch = 2;

  extent_t in_channels() const { return g.groups * g.in_channels; }
  extent_t out_channels() const { return g.groups * g.out_channels; }
};
std::string name_of(problem const& p) {
  auto const pair = [](char const* name, extent_t const (&x)[2]) { return std::string(" ") + name + " " + std::to_string(x[0]) + "x" + std::to_string(x[1]); };
  return "batch " + std::to_string(p.batch) + " groups " + std::to_string(p.g.groups) + " channels " + std::to_string(p.g.in_channels) + " -> " + std::to_string(p.g.out_channels) +
         pair("in", p.g.in) + pair("kernel", p.g.kernel) + pair("out", p.g.out) + pair("stride", p.g.stride) + pair("dilation", p.g.dilation) + pair("before", p.g.before);
}

struct axis {
  extent_t in = 1, kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;
  extent_t out() const {
    extent_t const room = in + before + after - (kernel - 1) * dilation - 1;
    return room < 0 || kernel == 0 ? 0 : room / stride + 1;
  }
};
problem make(extent_t batch, extent_t groups, extent_t in_channels, extent_t out_channels, axis h, axis w) {
  return {{groups, in_channels, out_channels, {h.in, w.in}, {h.kernel, w.kernel}, {h.out(), w.out()}, {h.stride, w.stride}, {h.dilation, w.dilation}, {h.before, w.before}}, batch};
}
problem square(extent_t batch, extent_t groups, extent_t in_channels, extent_t out_channels, axis a) { return make(batch, groups, in_channels, out_channels, a, a); }

/// Layers of networks in small, and what is at the edge of each choice the kernels make.
std::vector<problem> chosen_problems() {
  return {
      square(3, 1, 1, 8, {28, 3, 1, 1, 1, 1}),
      square(1, 1, 3, 5, {17, 3, 1, 1, 1, 1}),
      square(2, 1, 16, 24, {14, 3, 1, 1, 1, 1}),
      square(2, 1, 16, 19, {14, 3, 2, 1, 1, 1}),
      square(5, 1, 33, 16, {7, 3, 1, 1, 1, 1}),
      square(9, 1, 20, 17, {4, 3, 1, 1, 1, 1}),
      square(13, 2, 3, 6, {14, 3, 1, 1, 1, 1}),
      square(2, 1, 40, 33, {9, 1}),
      square(2, 1, 12, 9, {11, 1, 2}),
      square(2, 1, 3, 16, {31, 7, 2, 1, 3, 3}),
      square(2, 6, 1, 1, {19, 3, 1, 1, 1, 1}),
      square(2, 6, 1, 1, {19, 3, 2, 1, 1, 1}),
      square(2, 5, 1, 3, {10, 5, 1, 1, 2, 2}),
      square(2, 3, 4, 2, {12, 3, 1, 2, 2, 2}),
      make(2, 1, 8, 6, {}, {300, 9, 1, 4, 16, 16}),
      make(2, 1, 2, 30, {}, {1000, 5, 3, 1, 0, 0}),
      make(2, 1, 2, 3, {300, 5, 1, 1, 2, 2}, {}),
      make(1, 1, 1, 1, {}, {5000, 1}),
      make(1, 1, 1, 1, {}, {5000, 64}),
      square(1, 1, 1, 1, {1, 1}),
      square(1, 1, 1, 1, {5, 5}),
      square(1, 1, 2, 3, {2, 3, 1, 1, 5, 5}),
      square(2, 1, 2, 3, {6, 2, 3, 1, 0, 0}),
      square(2, 1, 2, 3, {7, 2, 5, 1, 0, 0}),
      square(2, 1, 2, 3, {9, 1, 4, 1, 2, 0}),
      square(2, 1, 3, 4, {9, 3, 2, 2, 3, 1}),
      square(2, 1, 3, 4, {11, 3, 4, 2, 0, 0}),
      square(2, 1, 3, 4, {11, 4, 6, 3, 2, 7}),
      square(2, 1, 3, 4, {10, 3, 1, 1, -2, -1}),
      square(2, 1, 3, 4, {10, 2, 2, 3, -3, 4}),
      square(2, 1, 2, 2, {4, 3, 1, 1, -9, 20}),
      make(2, 1, 2, 2, {3, 5}, {8, 3}),
      make(2, 1, 2, 2, {6, 3, 1, 1, 1, 1}, {3, 7}),
      make(2, 1, 2, 2, {2, 2, 3, 1, 9, 9}, {3, 1, 1, 1, 4, 0}),
      square(0, 1, 2, 3, {5, 3}),
      square(2, 1, 0, 3, {5, 3}),
      square(2, 1, 2, 0, {5, 3}),
      square(2, 0, 2, 3, {5, 3}),
      square(2, 1, 2, 3, {0, 3, 1, 1, 2, 2}),
      make(2, 1, 2, 3, {0, 1, 1, 1, 1, 1}, {4, 2}),
      make(2, 1, 2, 3, {4, 2}, {0, 1, 1, 1, 1, 1}),
      square(1, 1, 300, 2, {5, 3, 1, 1, 1, 1}),
      square(1, 1, 1, 70, {43, 3, 1, 1, 1, 1}),
      square(3, 1, 20, 1, {10, 3, 1, 1, 1, 1}),
      square(3, 1, 1, 20, {10, 3, 1, 1, 1, 1}),
      make(2, 4, 1, 1, {6, 3, 1, 1, 1, 1}, {33, 3, 1, 2, 0, 0}),
      square(1, 1, 70, 1, {43, 3, 1, 1, 1, 1}),
      square(1, 1, 70, 2, {43, 3, 2, 1, 1, 1}),
      make(1, 1, 2, 3, {3, 2}, {40, 3, 1, 1, 1, 1}),
      square(40, 1, 2, 16, {6, 3, 1, 1, 1, 1}),
  };
}
problem random_problem(std::mt19937& random) {
  auto const pick = [&](extent_t first, extent_t last) { return std::uniform_int_distribution<extent_t>(first, last)(random); };
  auto const axis_of = [&](extent_t longest) {
    return axis{pick(1, longest), pick(1, 5), pick(1, 3), pick(1, 3), pick(-2, 4), pick(-2, 4)};
  };
  bool const is_line = pick(0, 4) == 0;
  bool const is_depthwise = pick(0, 4) == 0;
  return make(pick(1, 4), is_depthwise ? pick(1, 5) : pick(1, 2), is_depthwise ? 1 : pick(1, 9), is_depthwise ? pick(1, 2) : pick(1, 20), is_line ? axis{} : axis_of(12),
              axis_of(is_line ? 60 : 20));
}

/// Memory of the very size of a tensor of four axes, and how it lies there.
enum class layout { row_major, channels_last, spaced, reversed, same_for_all, count };
template <class T>
struct operand {
  extent_t extent[4];
  extent_t stride[4] = {};
  std::vector<T> memory;
  T const* data = nullptr;

  operand(extent_t a, extent_t b, extent_t c, extent_t d, layout how, std::mt19937& random) : extent{a, b, c, d} {
    int const orders[][4] = {{3, 2, 1, 0}, {1, 3, 2, 0}, {3, 2, 1, 0}, {0, 1, 2, 3}, {3, 2, 1, 0}};
    extent_t step = how == layout::spaced ? 3 : 1, last = 0;
    for (int const i : orders[static_cast<int>(how)]) {
      if (how == layout::same_for_all && i < 2) continue;
      stride[i] = step;
      last += std::max<extent_t>(0, extent[i] - 1) * step;
      step *= extent[i];
      if (how == layout::spaced) step += 2;
    }
    if (a * b * c * d == 0) return;
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (extent_t i = 0; i <= last; ++i) {
      if constexpr (is_dual<T>::value) memory.push_back(T(static_cast<float>(uniform(random)), static_cast<float>(uniform(random))));
      else if constexpr (std::is_integral_v<T>) memory.push_back(static_cast<T>(std::uniform_int_distribution<int>(-50, 50)(random)));
      else memory.push_back(static_cast<T>(uniform(random)));
    }
    memory.shrink_to_fit();
    data = memory.data();
  }
  T const& at(extent_t a, extent_t b, extent_t c, extent_t d) const { return data[a * stride[0] + b * stride[1] + c * stride[2] + d * stride[3]]; }
};

/// What a sink receives.
template <class T>
struct received {
  extent_t columns;
  std::vector<T> values;
  std::vector<int> times;
  received(extent_t rows, extent_t n) : columns(n), values(static_cast<std::size_t>(rows * n)), times(values.size()) {}

  void put(extent_t row, extent_t column, T const& x) {
    auto const at = static_cast<std::size_t>(row * columns + column);
    if (row < 0 || column < 0 || column >= columns || at >= values.size()) FAIL("a sink was called with row " << row << ", column " << column);
    values[at] = x;
    ++times[at];
  }
};
template <class T>
struct recorder {
  received<T>* to;
  extent_t row = 0;  ///< of the first channel of the image
  template <class X>
  void operator()(extent_t r, extent_t column, X const& x) const {
    if constexpr (std::is_same_v<X, T>) to->put(row + r, column, x);
    else (*this)(r, column, x, native_lanes<T>());
  }
  template <class X>
  void operator()(extent_t r, extent_t column, X const& x, int count) const {
    alignas(64) T lanes[X::size];
    x.store_aligned(lanes);
    for (int i = 0; i < count; ++i) to->put(row + r, column + i, lanes[i]);
  }
};
template <class T>
struct image_recorders {
  received<T>* to;
  extent_t channels;
  recorder<T> operator()(extent_t n) const { return {to, n * channels}; }
};

/// Scratch of the stated size between sentinels, full of numbers that must not be taken for results.
template <class T>
class guarded_scratch {
 public:
  explicit guarded_scratch(extent_t n) : n_(n), memory_(static_cast<T*>(std::aligned_alloc(64, (static_cast<std::size_t>(n) * sizeof(T) + 63) / 64 * 64 + 128))) {
    for (extent_t i = 0; i < n + line; ++i) memory_.get()[i] = std::numeric_limits<T>::quiet_NaN();
    for (extent_t i = 0; i < line; ++i) memory_.get()[i] = memory_.get()[line + n + i] = T(12345);
  }
  T* data() { return memory_.get() + line; }
  bool is_intact() const {
    for (extent_t i = 0; i < line; ++i)
      if (memory_.get()[i] != T(12345) || memory_.get()[line + n_ + i] != T(12345)) return false;
    return true;
  }

 private:
  struct release {
    void operator()(T* p) const { std::free(p); }
  };
  static constexpr extent_t line = static_cast<extent_t>(64 / sizeof(T));
  extent_t n_;
  std::unique_ptr<T[], release> memory_;
};

/// Sums, and sums of absolute values, by which errors are measured.
struct exact {
  std::vector<long double> sum, size;
  explicit exact(extent_t n) : sum(static_cast<std::size_t>(n)), size(sum) {}
  void add(extent_t at, long double x) {
    sum[static_cast<std::size_t>(at)] += x;
    size[static_cast<std::size_t>(at)] += std::abs(x);
  }
};

template <class T>
struct operands {
  operand<T> x, w, gradient;
  operands(problem const& p, layout lx, layout lw, layout lg, std::mt19937& random)
      : x(p.batch, p.in_channels(), p.g.in[0], p.g.in[1], lx, random),
        w(p.out_channels(), p.g.in_channels, p.g.kernel[0], p.g.kernel[1], lw, random),
        gradient(p.batch, p.out_channels(), p.g.out[0], p.g.out[1], lg, random) {}
};
struct all_exact {
  exact y, dx, dw;
};
/// f(output of y, element of x, weight): indices of all products in the formula.
template <class F>
void for_each_product(problem const& p, F const& f) {
  convolution_geometry const& g = p.g;
  for (extent_t n = 0; n < p.batch; ++n)
    for (extent_t o = 0; o < p.out_channels(); ++o)
      for (extent_t a = 0; a < g.out[0]; ++a)
        for (extent_t b = 0; b < g.out[1]; ++b)
          for (extent_t i = 0; i < g.in_channels; ++i)
            for (extent_t c = 0; c < g.kernel[0]; ++c)
              for (extent_t d = 0; d < g.kernel[1]; ++d) {
                extent_t const h = a * g.stride[0] + c * g.dilation[0] - g.before[0], v = b * g.stride[1] + d * g.dilation[1] - g.before[1];
                if (h >= 0 && h < g.in[0] && v >= 0 && v < g.in[1]) f(n, o, a, b, i, c, d, o / g.out_channels * g.in_channels + i, h, v);
              }
}
template <class T>
all_exact formula(problem const& p, operands<T> const& of) {
  convolution_geometry const& g = p.g;
  all_exact e{exact(p.batch * p.out_channels() * g.out_size()), exact(p.batch * p.in_channels() * g.in_size()), exact(p.out_channels() * g.in_channels * g.kernel_size())};
  for_each_product(p, [&](extent_t n, extent_t o, extent_t a, extent_t b, extent_t i, extent_t c, extent_t d, extent_t channel, extent_t h, extent_t v) {
    auto const x = static_cast<long double>(of.x.at(n, channel, h, v)), w = static_cast<long double>(of.w.at(o, i, c, d)), r = static_cast<long double>(of.gradient.at(n, o, a, b));
    e.y.add(((n * p.out_channels() + o) * g.out[0] + a) * g.out[1] + b, x * w);
    e.dx.add(((n * p.in_channels() + channel) * g.in[0] + h) * g.in[1] + v, r * w);
    e.dw.add(((o * g.in_channels + i) * g.kernel[0] + c) * g.kernel[1] + d, x * r);
  });
  return e;
}

/// The largest error in units of rounding, of the sum of absolute values.
template <class T>
double check(received<T> const& r, exact const& e) {
  REQUIRE(r.values.size() == e.sum.size());
  double worst = 0;
  for (std::size_t i = 0; i < e.sum.size(); ++i) {
    if (r.times[i] != 1) FAIL("element " << i << " was handed over " << r.times[i] << " times");
    long double const error = std::abs(static_cast<long double>(r.values[i]) - e.sum[i]);
    if (error == 0) continue;
    if (!std::isfinite(static_cast<double>(r.values[i]))) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, static_cast<double>(error / (e.size[i] * std::numeric_limits<T>::epsilon())));
  }
  return worst;
}

template <class T>
struct results {
  received<T> y, dx, dw;
  explicit results(problem const& p)
      : y(p.batch * p.out_channels(), p.g.out_size()), dx(p.batch * p.in_channels(), p.g.in_size()), dw(p.out_channels(), p.g.in_channels * p.g.kernel_size()) {}
};
template <class T>
results<T> by_plain_loops(problem const& p, operands<T> const& of) {
  results<T> r(p);
  convolution_forward_scalar(p.g, p.batch, of.x.data, of.x.stride, of.w.data, of.w.stride, image_recorders<T>{&r.y, p.out_channels()});
  convolution_input_gradient_scalar(p.g, p.batch, of.gradient.data, of.gradient.stride, of.w.data, of.w.stride, image_recorders<T>{&r.dx, p.in_channels()});
  convolution_weight_gradient_scalar(p.g, p.batch, of.x.data, of.x.stride, of.gradient.data, of.gradient.stride, recorder<T>{&r.dw});
  return r;
}
template <class T>
results<T> by_vectors(problem const& p, operands<T> const& of) {
  results<T> r(p);
  guarded_scratch<T> forward(convolution_forward_scratch(p.g, sizeof(T))), input(convolution_input_gradient_scratch(p.g, sizeof(T))),
      weights(convolution_weight_gradient_scratch(p.g, sizeof(T)));
  convolution_forward(p.g, p.batch, of.x.data, of.x.stride, of.w.data, of.w.stride, forward.data(), image_recorders<T>{&r.y, p.out_channels()});
  convolution_input_gradient(p.g, p.batch, of.gradient.data, of.gradient.stride, of.w.data, of.w.stride, input.data(), image_recorders<T>{&r.dx, p.in_channels()});
  convolution_weight_gradient(p.g, p.batch, of.x.data, of.x.stride, of.gradient.data, of.gradient.stride, weights.data(), recorder<T>{&r.dw});
  CHECK(forward.is_intact());
  CHECK(input.is_intact());
  CHECK(weights.is_intact());
  return r;
}

template <class T>
long double inner_product(received<T> const& a, operand<T> const& b) {
  long double sum = 0;
  std::size_t at = 0;
  for (extent_t i = 0; i < b.extent[0]; ++i)
    for (extent_t j = 0; j < b.extent[1]; ++j)
      for (extent_t k = 0; k < b.extent[2]; ++k)
        for (extent_t l = 0; l < b.extent[3]; ++l) sum += static_cast<long double>(a.values[at++]) * static_cast<long double>(b.at(i, j, k, l));
  return sum;
}

template <class T>
void check_problem(problem const& p, layout lx, layout lw, layout lg, std::mt19937& random) {
  CAPTURE(name_of(p));
  CAPTURE(static_cast<int>(lx));
  CAPTURE(static_cast<int>(lw));
  CAPTURE(static_cast<int>(lg));
  operands<T> const of(p, lx, lw, lg, random);
  all_exact const e = formula(p, of);
  results<T> const r = by_vectors<T>(p, of);
  // Sums of n numbers in chains of some hundreds.
  CHECK(check(r.y, e.y) < 16);
  CHECK(check(r.dx, e.dx) < 16);
  CHECK(check(r.dw, e.dw) < 16);
  // <y, x * w> = <x, its gradient> = <w, its gradient>
  long double const y = inner_product(r.y, of.gradient), x = inner_product(r.dx, of.x), w = inner_product(r.dw, of.w);
  auto const products = static_cast<double>(p.batch * p.out_channels() * p.g.out_size() * p.g.in_channels * p.g.kernel_size());
  CHECK(static_cast<double>(std::abs(y - x)) <= 8 * products * std::numeric_limits<T>::epsilon());
  CHECK(static_cast<double>(std::abs(y - w)) <= 8 * products * std::numeric_limits<T>::epsilon());
}

/// Every layout of every operand, in turn.
struct layouts {
  int next = 0;
  layout operator()() { return static_cast<layout>(next++ % static_cast<int>(layout::count)); }
};

TEST_CASE_TEMPLATE("convolutions of chosen geometries", T, float, double) {
  std::mt19937 random(1);
  for (problem const& p : chosen_problems()) {
    check_problem<T>(p, layout::row_major, layout::row_major, layout::row_major, random);
    if (p.g.in_size() * p.g.in_channels * p.g.out_channels > 100000) continue;
    check_problem<T>(p, layout::channels_last, layout::spaced, layout::same_for_all, random);
  }
}

TEST_CASE_TEMPLATE("convolutions of random geometries and layouts", T, float, double) {
  std::mt19937 random(2);
  layouts x, w{1}, gradient{2};
  for (int i = 0; i < 250; ++i) {
    problem const p = random_problem(random);
    check_problem<T>(p, x(), w(), gradient(), random);
    if (i % 3 == 0) w();
    if (i % 5 == 0) gradient();
  }
}

TEST_CASE("the parts of the images in which gradients of kernels are added up") {
  problem const few = square(3, 1, 1, 8, {28, 3, 1, 1, 1, 1}), many = square(64, 1, 8, 16, {14, 3, 1, 1, 1, 1}), small = square(9, 1, 20, 17, {4, 3, 1, 1, 1, 1}), wide = square(64, 1, 512, 512, {14, 3, 1, 1, 1, 1});
  auto const parts = [](problem const& p) { return conv::count_parts(p.g, conv::plan_weight_gradient(p.g, sizeof(float)), p.batch); };
  CHECK(parts(few) == 3);
  CHECK(parts(many) == 8);
  CHECK(parts(small) == 1);
  CHECK(parts(wide) == 1);  // 9 MiB of totals
}

TEST_CASE("convolutions by plain loops") {
  std::mt19937 random(3);
  layouts layout_of;
  for (int i = 0; i < 60; ++i) {
    problem const p = random_problem(random);
    CAPTURE(name_of(p));
    operands<double> const of(p, layout_of(), layout_of(), layout_of(), random);
    all_exact const e = formula(p, of);
    results<double> const r = by_plain_loops(p, of);
    double const allowed = 4 + static_cast<double>(p.g.in_channels * p.g.kernel_size() + p.batch * p.g.out_size() + p.g.out_channels * p.g.kernel_size());
    CHECK(check(r.y, e.y) < allowed);
    CHECK(check(r.dx, e.dx) < allowed);
    CHECK(check(r.dw, e.dw) < allowed);
  }
}

TEST_CASE("convolutions of integers are exact, of narrow ones modulo a power of two") {
  std::mt19937 random(4);
  for (int i = 0; i < 30; ++i) {
    problem const p = random_problem(random);
    CAPTURE(name_of(p));
    operands<int> const of(p, layout::row_major, layout::spaced, layout::channels_last, random);
    all_exact const e = formula(p, of);
    results<int> const r = by_plain_loops(p, of);
    auto const equal = [](received<int> const& a, exact const& b) {
      for (std::size_t k = 0; k < b.sum.size(); ++k)
        if (a.times[k] != 1 || static_cast<long double>(a.values[k]) != b.sum[k]) return false;
      return a.values.size() == b.sum.size();
    };
    CHECK(equal(r.y, e.y));
    CHECK(equal(r.dx, e.dx));
    CHECK(equal(r.dw, e.dw));
  }
}

TEST_CASE("convolutions of dual numbers carry the product rule") {
  using number = dual<float>;
  std::mt19937 random(5);
  for (int i = 0; i < 20; ++i) {
    problem const p = random_problem(random);
    CAPTURE(name_of(p));
    operands<number> const of(p, layout::row_major, layout::channels_last, layout::spaced, random);
    results<number> const r = by_plain_loops(p, of);
    convolution_geometry const& g = p.g;
    std::vector<double> y(r.y.values.size()), dx(r.dx.values.size()), dw(r.dw.values.size());
    for_each_product(p, [&](extent_t n, extent_t o, extent_t a, extent_t b, extent_t c, extent_t d, extent_t f, extent_t channel, extent_t h, extent_t v) {
      auto const tangent = [](number s, number t) { return static_cast<double>((s * t).tangent); };
      number const x = of.x.at(n, channel, h, v), w = of.w.at(o, c, d, f), s = of.gradient.at(n, o, a, b);
      y[static_cast<std::size_t>(((n * p.out_channels() + o) * g.out[0] + a) * g.out[1] + b)] += tangent(x, w);
      dx[static_cast<std::size_t>(((n * p.in_channels() + channel) * g.in[0] + h) * g.in[1] + v)] += tangent(s, w);
      dw[static_cast<std::size_t>(((o * g.in_channels + c) * g.kernel[0] + d) * g.kernel[1] + f)] += tangent(x, s);
    });
    auto const close = [](received<number> const& a, std::vector<double> const& b) {
      for (std::size_t k = 0; k < b.size(); ++k)
        if (a.times[k] != 1 || std::abs(static_cast<double>(a.values[k].tangent) - b[k]) > 1e-3) return false;
      return a.values.size() == b.size();
    };
    CHECK(close(r.y, y));
    CHECK(close(r.dx, dx));
    CHECK(close(r.dw, dw));
  }
}

/// Elements at the edges are read together with what lies behind them, which must not leave a trace.
TEST_CASE_TEMPLATE("an infinite element reaches only the results that its products reach", T, float, double) {
  for (problem const& p : {square(2, 1, 2, 1, {11, 3, 1, 1, 1, 1}), square(2, 3, 1, 1, {19, 3, 1, 1, 0, 0}), square(1, 1, 2, 20, {9, 3, 2, 1, 1, 1}), square(3, 1, 3, 2, {5, 3, 1, 1, 0, 0})}) {
    CAPTURE(name_of(p));
    std::mt19937 random(6);
    operands<T> of(p, layout::row_major, layout::row_major, layout::row_major, random);
    of.x.memory[3] = std::numeric_limits<T>::infinity();
    std::vector<bool> reached(static_cast<std::size_t>(p.out_channels() * p.g.in_channels * p.g.kernel_size()));
    std::vector<bool> reached_y(static_cast<std::size_t>(p.batch * p.out_channels() * p.g.out_size()));
    convolution_geometry const& g = p.g;
    for_each_product(p, [&](extent_t n, extent_t o, extent_t a, extent_t b, extent_t i, extent_t c, extent_t d, extent_t channel, extent_t h, extent_t v) {
      if (n != 0 || channel != 0 || h != 0 || v != 3) return;
      reached[static_cast<std::size_t>(((o * g.in_channels + i) * g.kernel[0] + c) * g.kernel[1] + d)] = true;
      reached_y[static_cast<std::size_t>(((n * p.out_channels() + o) * g.out[0] + a) * g.out[1] + b)] = true;
    });
    results<T> const r = by_vectors<T>(p, of);
    for (std::size_t i = 0; i < reached.size(); ++i) CHECK(std::isfinite(r.dw.values[i]) != reached[i]);
    for (std::size_t i = 0; i < reached_y.size(); ++i) CHECK(std::isfinite(r.y.values[i]) != reached_y[i]);
  }
}

TEST_CASE("long sums are as exact as sums of pairs") {
  problem const p = square(16, 1, 1, 16, {30, 3, 1, 1, 1, 1});
  std::mt19937 random(7);
  operands<float> of(p, layout::row_major, layout::row_major, layout::row_major, random);
  // Of one sign, where rounding errors of long chains grow.
  for (float& x : of.x.memory) x = std::abs(x);
  for (float& x : of.gradient.memory) x = std::abs(x);
  all_exact const e = formula(p, of);
  CHECK(check(by_vectors<float>(p, of).dw, e.dw) < 8);
}

template <class T>
struct ignored {
  template <class X>
  void operator()(extent_t, extent_t, X const&) const {}
  template <class X>
  void operator()(extent_t, extent_t, X const&, int) const {}
  ignored operator()(extent_t) const { return {}; }
};
TEST_CASE("convolutions allocate nothing, and their scratch does not depend on the batch") {
  problem const p = square(5, 2, 3, 9, {13, 3, 2, 1, 1, 1});
  static_assert(convolution_forward_scratch(convolution_geometry{}, 4) > 0);
  std::mt19937 random(8);
  operands<float> const of(p, layout::row_major, layout::row_major, layout::row_major, random);
  guarded_scratch<float> a(convolution_forward_scratch(p.g, 4)), b(convolution_input_gradient_scratch(p.g, 4)), c(convolution_weight_gradient_scratch(p.g, 4));
  std::size_t const before = test::allocation_count();
  convolution_forward(p.g, p.batch, of.x.data, of.x.stride, of.w.data, of.w.stride, a.data(), ignored<float>{});
  convolution_input_gradient(p.g, p.batch, of.gradient.data, of.gradient.stride, of.w.data, of.w.stride, b.data(), ignored<float>{});
  convolution_weight_gradient(p.g, p.batch, of.x.data, of.x.stride, of.gradient.data, of.gradient.stride, c.data(), ignored<float>{});
  CHECK(test::allocation_count() == before);
}

}  // namespace
