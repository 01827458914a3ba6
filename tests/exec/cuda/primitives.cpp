#include "on_cuda.hpp"

#include <dimity/debug.hpp>

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

TEST_CASE("cuda: joining and padding") {
  same_on_cuda([](auto const& a, auto const& b) { return std::tuple{concat<0>(a, b), concat<1>(transpose(a), transpose(b)), stack<1>(a, a * 2.0f)}; }, numbers<float, 3, 7>(1), numbers<float, 4, 7>(2));
  same_on_cuda([](auto const& a) { return std::tuple{pad<1, 2, 0, 3>(a), roll<1>(a, axis<1>), tile<2, 3>(a)}; }, numbers<float, 3, 7>(1));
  // The derivative of a slice puts elements among zeros.
  same_on_cuda(grad([](auto const& a) { return sum(square(slice<1, 1, 9, 3>(a))); }), numbers<float, 4, 9>(1));
}

TEST_CASE("cuda: indices, also such that count from the end and such that are outside") {
  tensor<std::int64_t, 5> const i = {3, -1, 0, 3, 99};
  same_on_cuda([](auto const& a, auto const& at) { return std::tuple{take(a, at, axis<0>), take(a, at, axis<1>), one_hot<6>(at)}; }, numbers<float, 4, 9>(1), i);
  auto const loss = [](auto const& a, auto const& at) { return sum(square(take(a, at, axis<0>))); };
  same_on_cuda(grad(loss), numbers<float, 4, 300>(1), i);
  tensor<std::int32_t, 600> many;
  for (int k = 0; k < 600; ++k) many(k) = k * k % 7;
  same_within(1e-4, grad(loss), numbers<float, 7, 5>(1), many);
  same_on_cuda([](auto const& a, auto const& at) { return scatter_add(a, at, take(a, at, axis<0>), axis<0>); }, numbers<std::int32_t, 4, 9>(1), i);
}

TEST_CASE("cuda: first places of extremes") {
  tensor<float, 3, 40> x = numbers<float, 3, 40>(1);
  x(0, 7) = x(0, 30) = 9;
  x(1, 33) = x(1, 35) = std::numeric_limits<float>::quiet_NaN();
  auto const places = [](auto const& a) { return std::tuple{argmax(a, axis<1>), argmin(a, axis<1>), argmax(a, axis<0>)}; };
  same_on_cuda(places, x);
  same_on_cuda(places, numbers<std::int8_t, 20, 3>(1));
}

TEST_CASE("cuda: running sums and products") {
  auto const running = [](auto const& a) { return std::tuple{cumulative_sum(a, axis<1>), cumulative_sum(a, axis<0>), cumulative_prod(a * 0.1f + 1.0f, axis<1>)}; };
  same_within(1e-4, running, numbers<float, 3, 700>(1));
  same_within(1e-4, grad([](auto const& a) { return sum(square(cumulative_sum(a, axis<0>))); }), numbers<float, 30, 3>(1));
}

template <class T, extent_t Rows, extent_t N>
tensor<T, Rows, N> with_equal_ones() {
  tensor<T, Rows, N> x = numbers<T, Rows, N>(1);
  for (int i = 0; i < N; i += 7) x(0, i) = T(0.25f);
  if constexpr (!std::is_integral_v<T>)
    for (int i = 3; i < N; i += 190) x(Rows - 1, i) = std::numeric_limits<T>::quiet_NaN();
  return x;
}

TEST_CASE("cuda: sorting is stable, nan last") {
  auto const sorts = [](auto const& a) { return std::tuple{argsort(a), sort(a)}; };
  same_on_cuda(sorts, with_equal_ones<float, 2, 40>());
  same_on_cuda(sorts, with_equal_ones<float, 2, 65>());
  same_on_cuda(sorts, with_equal_ones<double, 3, 300>());
  same_on_cuda(sorts, with_equal_ones<bfloat16, 2, 300>());
  same_on_cuda(sorts, with_equal_ones<std::int8_t, 2, 1024>());
  // Runs merged through memory, an odd and an even number of times, the last run shorter; lines along another axis.
  same_on_cuda(sorts, with_equal_ones<float, 2, 1025>());
  same_on_cuda(sorts, with_equal_ones<double, 2, 2900>());
  same_on_cuda(sorts, with_equal_ones<std::int32_t, 1, 4097>());
  same_on_cuda([](auto const& a) { return argsort(a, axis<0>); }, numbers<float, 1500, 2>(3));
  same_on_cuda([](auto const& a) { return sort(a); }, tensor<float, 2, 0>{});
  same_on_cuda([](auto const& k) { return random::permutation<3000>(k); }, key{5});
}
#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: a sort is one kernel up to 1024 elements, and one more for each doubling") {
  auto const launches = [](auto const& x) {
    auto const on_gpu = to_cuda(x);
    long const before = emulation::launches;
    auto const sorted = eval(argsort(on_gpu));
    return emulation::launches - before;
  };
  CHECK(launches(numbers<float, 3, 64>(1)) == 1);
  CHECK(launches(numbers<float, 3, 1024>(1)) == 1);
  CHECK(launches(numbers<float, 3, 1025>(1)) == 2);
  CHECK(launches(numbers<float, 4097>(1)) == 4);

  // Without its barriers it is wrong.
  auto const x = numbers<float, 700>(2);
  auto const wanted = eval(argsort(x));
  bool noticed = false;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const got = to_host(eval(argsort(to_cuda(x))));
    noticed = noticed || !allclose(cast<double>(got), cast<double>(wanted));
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed);
}
#endif

TEST_CASE("cuda: the random numbers of this side") {
  auto const random_numbers = [](auto const& k) { return std::tuple{random::uniform<float, 7, 33>(k), random::bits<5>(k), random::normal<float, 50>(k), random::bernoulli<40>(k, 0.3f)}; };
  same_on_cuda(random_numbers, key{42});
  same_on_cuda(vmap([](auto const& k) { return random::bits<6>(k); }), stack_trees(random::split<3>(key{7})));
  // Every entry of a batch has a start of its own.
  tensor<std::int32_t, 3> const starts = {0, -2, 9};
  same_on_cuda(vmap([](auto const& a, auto const& i) { return std::tuple{dynamic_slice<0, 2>(a, i), dynamic_update_slice<0>(a, slice<0, 0, 2>(a) * 10.0f, i)}; }), numbers<float, 3, 5, 4>(1), starts);
}

TEST_CASE("cuda: slices at places known at run time") {
  tensor<std::int32_t> const at = -3, beyond = 99;
  auto const cut = [](auto const& a, auto const& start) { return dynamic_slice<1, 3>(a, start); };
  auto const put = [](auto const& a, auto const& b, auto const& start) { return dynamic_update_slice<1>(a, b, start); };
  same_on_cuda(cut, numbers<float, 5, 8>(1), at);
  same_on_cuda(cut, numbers<float, 5, 8>(1), beyond);
  same_on_cuda(put, numbers<float, 5, 8>(1), numbers<float, 5, 3>(2), at);
  same_on_cuda(put, numbers<float, 5, 8>(1), numbers<float, 5, 3>(2), beyond);
}

TEST_CASE("cuda: bodies of loops, whose operands begin anywhere") {
  same_on_cuda([](auto const& xs, auto const& w) { return scan([](auto const& s, auto const& x, auto const& m) { return std::tuple{s + slice<0, 0, 4>(x), tanh(slice<0, 0, 4>(x)) * sum(matmul(slice<0, 0, 4>(x), m))}; }, zeros<float, 4>(), xs, w); }, numbers<float, 6, 5>(1), numbers<float, 4, 4>(2));
  same_on_cuda([](auto const& v) { return cond(sum(v) > 100.0f, [](auto const& x) { return x * 2.0f; }, [](auto const& x) { return x - softmax(x, axis<-1>); }, slice<0, 1, 9>(v)); }, numbers<float, 9>(1));
}

TEST_CASE("cuda: loops and branches") {
  auto const recurrence = [](auto const& h, auto const& xs, auto const& w) {
    return scan([](auto const& state, auto const& x, auto const& m) {
      auto const next = tanh(matmul(state, m) + x);
      return std::tuple{next, sum(next)};
    }, h, xs, w);
  };
  same_on_cuda(recurrence, numbers<float, 6>(1), numbers<float, 5, 6>(2), numbers<float, 6, 6>(3));
  auto const recurrence_loss = [](auto const& h, auto const& xs, auto const& w) {
    return sum(std::get<0>(scan([](auto const& state, auto const& x, auto const& m) { return std::tuple{tanh(matmul(state, m) + x), x}; }, h, xs, w)));
  };
  same_within(1e-4, grad<0, 2>(recurrence_loss), numbers<float, 6>(1), numbers<float, 5, 6>(2), numbers<float, 6, 6>(3));
  same_on_cuda([](auto const& x) { return while_loop([](auto const& v) { return sum(v) < 100.0f; }, [](auto const& v) { return v * 2.0f; }, abs(x) + 0.1f); }, numbers<float, 9>(1));
  auto const either = [](auto const& x) { return cond(sum(x) > 0.0f, [](auto const& v) { return v * 2.0f; }, [](auto const& v) { return v - 1.0f; }, x); };
  same_on_cuda(either, numbers<float, 9>(1));
  same_on_cuda(either, eval(numbers<float, 9>(1) * -1.0f));
}

TEST_CASE("cuda: values are shown, and checked, when they are computed") {
  auto const checked = [](auto const& x) { return sum(debug::check_finite(log(x), "log(x)")); };
  same_on_cuda(checked, tensor<float, 3>{1, 2, 3});
  std::string what;
  try {
    static_cast<void>(compile(checked, cuda{})(to_cuda(tensor<float, 3>{1, 0, -1})));
  } catch (finite_error const& e) {
    what = e.what();
  }
  CHECK(what == "check_finite: log(x) has 1 nan and 1 inf among 3 elements, the first at [1]");
  CHECK_THROWS_AS(static_cast<void>(compile(checked, cuda{.graph = true})(to_cuda(tensor<float, 3>{1, 2, 3}))), error);
}
