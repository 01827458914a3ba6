// Programs that nobody would write: what passes promise about any program, for some hundred of them.
#include "transform_table.hpp"

#include <doctest/doctest.h>

namespace test {
namespace {

constexpr int max_elements = 36;

/// Puts one random operation after the other, on values that were made before.
class random_program {
 public:
  explicit random_program(std::uint64_t seed) : f_{std::make_unique<builder>()}, random_{seed} { f_.random.state = ~seed; }

  function make() && {
    for (int i = 1 + random_.below(3); i > 0; --i) {
      shape_value s;
      indices extents;
      for (int axes = random_.below(4); axes > 0; --axes) extents.push_back(1 + random_.below(3));
      for (extent_t const e : extents) s.push(e);
      f_.arguments.push_back(f_.add(s, real(extents, -1.5, 1.5)));
      values_.push_back(f_.arguments.back().x);
    }
    for (int i = 5 + random_.below(26); i > 0; --i) {
      ref const y = operation();
      if (y.valid() && y.shape().size().number() <= max_elements && y.rank() <= 5) values_.push_back(y);
    }
    // The last ones, which depend on most of the others.
    for (std::size_t i = 0; i < 2 && i < values_.size(); ++i) f_.results.push_back(values_[values_.size() - 1 - i]);
    return std::move(f_);
  }

 private:
  ref any() {
    // Later values more often, so that programs become deep.
    auto const n = static_cast<int>(values_.size()), a = random_.below(n), b = random_.below(n);
    return values_[static_cast<std::size_t>(std::max(a, b))];
  }
  ref bounded(ref x) { return unary(random_.below(2) == 0 ? primitive::sin : primitive::tanh, x); }

  ref operation() {
    ref const x = any();
    switch (random_.below(13)) {
      case 0: return one_operand(x);
      case 1:
      case 2:
      case 3: return two_operands(x, any());
      case 4: return repeated(x);
      case 5: return transpose(x, order(x.rank()));
      case 6: return regrouped(x);
      case 7: return part(x);
      case 8: return inside_zeros(x);
      case 9: return beside(x);
      case 10: return reduced_once(x);
      case 11: return product(x);
      default: return chosen(x, any());
    }
  }
  ref one_operand(ref x) {
    constexpr primitive all[] = {primitive::negative, primitive::abs, primitive::square, primitive::sin, primitive::tanh, primitive::sigmoid, primitive::relu, primitive::erf, primitive::atan, primitive::copy, primitive::asinh};
    primitive const op = all[random_.below(static_cast<int>(std::size(all)))];
    return op == primitive::square ? bounded(unary(op, x)) : unary(op, x);
  }
  bool broadcasts(ref a, ref b) const {
    for (int i = 1; i <= a.rank() && i <= b.rank(); ++i)
      if (amount const m = a.extent(a.rank() - i), n = b.extent(b.rank() - i); m != n && m != 1 && n != 1) return false;
    return true;
  }
  ref two_operands(ref a, ref b) {
    constexpr primitive all[] = {primitive::add, primitive::subtract, primitive::multiply, primitive::divide, primitive::maximum, primitive::minimum, primitive::hypot};
    if (!broadcasts(a, b)) b = constant(*a.g, dtype::float64, random_.below(4) - 1);
    primitive const op = all[random_.below(static_cast<int>(std::size(all)))];
    if (op == primitive::divide || op == primitive::hypot) b = unary(primitive::square, b) + 1.0;
    ref const y = binary(op, a, b);
    return op == primitive::multiply || op == primitive::add ? bounded(y) : y;
  }
  ref repeated(ref x) {
    shape_value s;
    axis_map map;
    int const at = random_.below(x.rank() + 1);
    for (int i = 0; i <= x.rank(); ++i) {
      if (i != at) map.set(i, i < at ? i : i - 1);
      s.push(i == at ? amount(1 + random_.below(3)) : x.extent(i < at ? i : i - 1));
    }
    return broadcast(x, s, map);
  }
  axis_map order(int rank) {
    axis_map p = axis_map::identity(rank);
    for (int i = rank - 1; i > 0; --i) {
      int const j = random_.below(i + 1), t = p[i];
      p.set(i, p[j]);
      p.set(j, t);
    }
    return p;
  }
  ref regrouped(ref x) {
    shape_value s;
    std::int64_t left = x.shape().size().number();
    for (std::int64_t const factor : {2, 3, 2})
      if (left % factor == 0 && random_.below(2) == 0) {
        s.push(factor);
        left /= factor;
      }
    s.push(left);
    return reshape(x, s);
  }
  ref part(ref x) {
    std::int64_t start[max_rank] = {}, steps[max_rank] = {};
    amount count[max_rank] = {};
    for (int i = 0; i < x.rank(); ++i) {
      auto const n = static_cast<int>(x.extent(i).number());
      int const first = random_.below(n), stride = 1 + random_.below(2);
      bool const down = random_.below(2) == 0;
      start[i] = first;
      steps[i] = down ? -stride : stride;
      count[i] = 1 + (down ? first : n - 1 - first) / stride;
    }
    return slice(x, start, steps, count);
  }
  ref inside_zeros(ref x) {
    std::int64_t start[max_rank] = {}, steps[max_rank] = {};
    shape_value s;
    for (int i = 0; i < x.rank(); ++i) {
      std::int64_t const n = x.extent(i).number(), stride = 1 + random_.below(2), front = random_.below(2), span = (n - 1) * stride;
      bool const down = random_.below(2) == 0;
      start[i] = front + (down ? span : 0);
      steps[i] = down ? -stride : stride;
      s.push(front + span + 1 + random_.below(2));
    }
    return pad(x, s, start, steps);
  }
  ref beside(ref x) {
    if (x.rank() == 0) return {};
    int const axis = random_.below(x.rank());
    for (int attempt = 0; attempt < 4; ++attempt) {
      ref const y = any();
      shape_value s = y.shape();
      if (s.rank == x.rank()) s.extent[axis] = x.extent(axis);
      if (s == x.shape()) return concat(x, y, axis);
    }
    return concat(x, bounded(x), axis);
  }
  ref reduced_once(ref x) {
    constexpr primitive all[] = {primitive::sum, primitive::prod, primitive::max, primitive::min};
    if (x.rank() == 0) return {};
    primitive const op = all[random_.below(4)];
    auto const mask = static_cast<std::uint32_t>(1 + random_.below((1 << x.rank()) - 1));
    ref const y = random_.below(2) == 0 ? reduce(op, x, mask) : reduce_kept(op, x, mask);
    return op == primitive::sum || op == primitive::prod ? bounded(y) : y;
  }
  ref product(ref x) {
    if (x.rank() < 2) return {};
    for (int attempt = 0; attempt < 4; ++attempt) {
      ref const y = any();
      bool fits = y.rank() == x.rank() && y.extent(y.rank() - 2) == x.extent(x.rank() - 1);
      for (int i = 0; fits && i + 2 < x.rank(); ++i) fits = x.extent(i) == y.extent(i);
      if (fits) return bounded(dot(x, y));
    }
    return bounded(dot(x, swap_last_two(x)));
  }
  ref chosen(ref a, ref b) {
    if (!broadcasts(a, b)) b = unary(primitive::sin, a);
    return select(less(a, constant(*a.g, dtype::float64, 0.123)), a, b);
  }

  function f_;
  generator random_;
  std::vector<ref> values_;
};

constexpr int programs = 300;

}  // namespace

TEST_CASE("random programs: forward and reverse mode are transposes, and the last pass changes no value") {
  for (int seed = 1; seed <= programs; ++seed) {
    report r;
    function f = random_program(static_cast<std::uint64_t>(seed)).make();
    auto const tangents = add_like(f, references(f.arguments));
    checked_values(f, f.results, r, "values");
    values const pushed = checked_values(f, forward_of(f, f.arguments, tangents), r, "tangents");
    expect_transposed(f, f.arguments, tangents, pushed, r);
    CHECK_MESSAGE(r.problem.empty(), "program ", seed, ": ", r.problem);
  }
}
TEST_CASE("random programs: a batch is a loop") {
  for (int seed = 1; seed <= programs; ++seed) {
    maker const make = [seed] { return random_program(static_cast<std::uint64_t>(seed)).make(); };
    generator random{static_cast<std::uint64_t>(seed)};
    unsigned const mask = 1u + static_cast<unsigned>(random.below((1 << static_cast<int>(make().arguments.size())) - 1));
    report const values_of = check_vmap(make, {2}, {mask}), gradients = check_vmap([&] { return grad_of(make()); }, {2}, {mask}), tangents = check_vmap([&] { return jvp_of(make()); }, {2}, {mask});
    CHECK_MESSAGE(values_of.problem.empty(), "program ", seed, ": ", values_of.problem);
    CHECK_MESSAGE(gradients.problem.empty(), "gradient of program ", seed, ": ", gradients.problem);
    CHECK_MESSAGE(tangents.problem.empty(), "tangent of program ", seed, ": ", tangents.problem);
  }
}
TEST_CASE("random programs: second derivatives are symmetric") {
  for (int seed = 1; seed <= programs; ++seed) {
    report r;
    function f = grad_of(random_program(static_cast<std::uint64_t>(seed)).make());
    auto const tangents = add_like(f, references(f.arguments));
    values const pushed = checked_values(f, forward_of(f, f.arguments, tangents), r, "tangents of the gradient");
    expect_transposed(f, f.arguments, tangents, pushed, r);
    CHECK_MESSAGE(r.problem.empty(), "program ", seed, ": ", r.problem);
  }
}

}  // namespace test
