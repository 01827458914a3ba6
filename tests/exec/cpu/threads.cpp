// Dividing a step among threads must not change one bit of its result, and must happen.
#include <doctest/doctest.h>

#include <dimity/debug.hpp>
#include <dimity/dimity.hpp>
#include <dimity/threads.hpp>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace {

#if defined(__linux__)
#include <sched.h>
#endif

using namespace dimity;

/// Everything is divided, however small it is.
struct divide_all {
  double const before = detail::least_share;
  divide_all() { detail::least_share = 1e-3; }
  ~divide_all() { detail::least_share = before; }
};

template <class X>
X numbers(float scale = 1.0f) {
  X x;
  std::uint32_t state = 12345;
  for (std::size_t i = 0; i < x.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    if constexpr (std::is_floating_point_v<typename X::value_type>) x.data()[i] = static_cast<typename X::value_type>((static_cast<float>(state >> 8) * 0x1p-24f - 0.5f) * scale);
    else x.data()[i] = static_cast<typename X::value_type>(state >> 24);
  }
  return x;
}
template <class A, class B>
bool same_bits(A const& a, B const& b) {
  static_assert(std::is_same_v<A, B>);
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0;
}
std::uint64_t divided() { return detail::thread_pool::shared().divided(); }

/// Several numbers of threads against the plain call.
template <class X>
void check_expression(X const& x) {
  auto const one = eval(x);
  for (int const n : {1, 2, 3, 5, 8}) {
    std::uint64_t const before = divided();
    CHECK(same_bits(eval(x, cpu{.threads = n}), one));
    CHECK((divided() > before) == (n > 1));
  }
}
template <class F, class... Args>
void check_function(F const& f, Args const&... args) {
  auto const one = compile(f)(args...);
  for (int const n : {2, 3, 7}) {
    std::uint64_t const before = divided();
    auto const several = compile(f, cpu{.threads = n})(args...);
    CHECK(divided() > before);
    int leaf = 0;
    std::vector<std::vector<std::byte>> wanted;
    auto const bytes = [](auto const& x) {
      auto const* p = reinterpret_cast<std::byte const*>(x.data());
      return std::vector<std::byte>(p, p + x.size() * sizeof(*x.data()));
    };
    detail::for_each_leaf(one, [&](auto const& x) { wanted.push_back(bytes(x)); });
    detail::for_each_leaf(several, [&](auto const& x) { CHECK(bytes(x) == wanted[static_cast<std::size_t>(leaf++)]); });
  }
}

}  // namespace

TEST_CASE("elementwise work") {
  divide_all const all;
  auto const x = numbers<tensor<float, 4099>>(), y = numbers<tensor<float, 4099>>();
  check_expression(tanh(x) * y + 1.0f);
  auto const m = numbers<tensor<double, 37, 131>>();
  auto const row = numbers<tensor<double, 131>>();
  check_expression(m * row - exp(m));
  check_expression(transpose(m) + 1.0);
  check_expression(m < row);
  auto const cube = numbers<tensor<float, 3, 50, 17>>();
  check_expression(permute<2, 0, 1>(cube) * 2.0f);
  check_expression(cast<std::int32_t>(cube * 100.0f) % 7);
}

TEST_CASE("rows, with and without buffers") {
  divide_all const all;
  check_expression(softmax(numbers<tensor<float, 29, 1003>>(), axis<-1>));
  check_expression(log_softmax(numbers<tensor<double, 5, 4, 200>>(), axis<-1>));
  auto const x = numbers<tensor<float, 64, 48>>();
  auto const centred = x - mean(x, axis<-1>, keep_dims);
  check_expression(centred * rsqrt(mean(square(centred), axis<-1>, keep_dims) + 1e-5f));
  check_expression(sum(x, axis<-1>));
  check_expression(max(x, axis<-1>));
}

TEST_CASE("long sums") {
  divide_all const all;
  check_expression(sum(numbers<tensor<float, 100003>>()));
  check_expression(mean(square(numbers<tensor<double, 300, 777>>())));
  check_expression(max(numbers<tensor<float, 70001>>()));
  check_expression(sum(numbers<tensor<std::int64_t, 40000>>()));
  auto const x = numbers<tensor<float, 99999>>();
  check_expression(softmax(x, axis<0>));
  check_expression(var(x));
}

TEST_CASE("columns") {
  divide_all const all;
  check_expression(sum(numbers<tensor<float, 301, 1025>>(), axis<0>));
  check_expression(max(numbers<tensor<double, 33, 400>>(), axis<0>));
  check_expression(mean(exp(numbers<tensor<float, 7, 9, 513>>()), axis<0, 1>));
}

namespace {

template <class T, extent_t M, extent_t K, extent_t N>
void check_product() {
  auto const a = numbers<tensor<T, M, K>>();
  auto const b = numbers<tensor<T, K, N>>();
  auto const bias = numbers<tensor<T, N>>();
  check_expression(matmul(a, b));
  check_function([](auto const& x, auto const& y, auto const& z) { return relu(matmul(x, y) + z); }, a, b, bias);
}

}  // namespace

TEST_CASE("products of every method") {
  divide_all const all;
  check_product<float, 129, 64, 70>();
  check_product<float, 61, 700, 523>();
  check_product<double, 256, 33, 8>();
  check_product<double, 400, 128, 3>();
  check_product<float, 1, 500, 700>();
  check_product<float, 700, 500, 1>();
}
TEST_CASE("transposed and batched products") {
  divide_all const all;
  auto const a = numbers<tensor<float, 90, 700>>();
  auto const b = numbers<tensor<float, 520, 700>>();
  auto const c = numbers<tensor<float, 90, 130>>();
  check_expression(matmul(a, transpose(b)));
  check_expression(matmul(transpose(a), c));
  check_expression(matmul(numbers<tensor<float, 11, 17, 19>>(), numbers<tensor<float, 11, 19, 23>>()));
  check_expression(matmul(numbers<tensor<double, 2, 170, 19>>(), numbers<tensor<double, 19, 230>>()));
  check_expression(matmul(numbers<tensor<std::int32_t, 20, 30>>(), numbers<tensor<std::int32_t, 30, 40>>()));
}

TEST_CASE("convolutions") {
  divide_all const all;
  auto const images = numbers<tensor<float, 9, 3, 14, 13>>();
  auto const kernels = numbers<tensor<float, 8, 3, 3, 3>>();
  check_function([](auto const& x, auto const& w) { return relu(conv2d<convolution_options{.padding = 1}>(x, w)); }, images, kernels);
  check_function([](auto const& x, auto const& w) { return grad<0, 1>([](auto const& v, auto const& u) { return sum(square(conv2d<convolution_options{.stride = 2}>(v, u))); })(x, w); }, images, kernels);
  // Gradients of kernels alone, in three parts of the images, and of each of two groups.
  check_function([](auto const& x, auto const& w) { return grad<1>([](auto const& v, auto const& u) { return sum(square(conv2d<convolution_options{.padding = 1}>(v, u))); })(x, w); }, images, kernels);
  check_function([](auto const& x, auto const& w) { return grad<1>([](auto const& v, auto const& u) { return sum(square(conv2d<convolution_options{.padding = 1, .groups = 2}>(v, u))); })(x, w); },
                 numbers<tensor<double, 7, 4, 16, 15>>(), numbers<tensor<double, 6, 2, 3, 3>>());
}

namespace {

template <class T>
struct mlp {
  nn::linear<T, 40, 96> first;
  nn::linear<T, 96, 10> second;
  constexpr auto operator()(auto const& x) const { return second(tanh(first(x))); }
};
constexpr auto step = [](auto const& model, auto const& x, auto const& labels) {
  return value_and_grad([](auto const& m, auto const& v, auto const& l) { return mean(nn::cross_entropy(m(v), l)); })(model, x, labels);
};

}  // namespace

TEST_CASE("a training step, whole") {
  divide_all const all;
  auto const model = nn::init<mlp<float>>(key{3});
  tensor<std::int32_t, 200> labels;
  for (int i = 0; i < 200; ++i) labels(i) = i % 10;
  check_function(step, model, numbers<tensor<float, 200, 40>>(), labels);
}

TEST_CASE("extents chosen at run time") {
  divide_all const all;
  tensor<float, dim<"batch">, 40> x(173);
  auto const values = numbers<tensor<float, 173, 40>>();
  std::memcpy(x.data(), values.data(), values.size() * sizeof(float));
  tensor<std::int32_t, dim<"batch">> labels(173);
  for (int i = 0; i < 173; ++i) labels(i) = i % 10;
  check_function(step, nn::init<mlp<float>>(key{3}), x, labels);
  check_expression(softmax(x, axis<-1>));
  check_expression(sum(matmul(x, numbers<tensor<float, 40, 300>>()), axis<0>));
  tensor<double, dyn> line(50001);
  for (int i = 0; i < 50001; ++i) line(i) = 1.0 / (1.0 + i);
  check_expression(sum(line * line));
  check_expression(exp(line));
}

#if defined(__linux__)
TEST_CASE("a worker leaves the processor of the caller") {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  {
    detail::device_scope<cpu> const scope(cpu{.threads = 2});  // before: a thread may run where the one that made it may
    auto const run_on = [](std::size_t processor) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(processor, &one);
      return sched_setaffinity(0, sizeof(one), &one) == 0;
    };
    // Where a worker may run while the caller is at work, as the system tells the worker. When it does run is no business of this test: on a busy machine that takes long.
    auto const places_of_worker = [] {
      cpu_set_t places;
      CPU_ZERO(&places);
      std::atomic<bool> known{false};
      auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      detail::run_shares(2, [&](int share) {
        if (share == 0) {
          while (!known && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        } else if (!known.exchange(true)) {
          sched_getaffinity(0, sizeof(places), &places);
        }
      });
      return places;
    };
    int tried = 0;
    for (std::size_t here = 0; here < CPU_SETSIZE && tried < 3; ++here) {
      if (!CPU_ISSET(here, &allowed)) continue;
      ++tried;
      CAPTURE(here);
      REQUIRE(run_on(here));
      cpu_set_t places = places_of_worker();
      // One that was awake, and elsewhere, need not leave: it does when it has slept.
      for (int again = 0; again < 100 && CPU_ISSET(here, &places); ++again) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        places = places_of_worker();
      }
      CHECK_FALSE(CPU_ISSET(here, &places));
      CHECK(CPU_COUNT(&places) == CPU_COUNT(&allowed) - 1);
    }
    CHECK(tried >= 2);
    REQUIRE(sched_setaffinity(0, sizeof(allowed), &allowed) == 0);
  }
}
#endif

TEST_CASE("a caller takes over what no worker has begun") {
  detail::device_scope<cpu> const scope(cpu{.threads = 4});
  int const shares = detail::thread_pool::shared().threads();
  REQUIRE(shares > 1);
  std::vector<int> done(static_cast<std::size_t>(shares));
  int wrong = 0, taken_over = 0;
  for (int round = 0; round < 3000; ++round) {
    // Workers sleep, are about to, or are awake.
    if (round % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::vector<std::thread::id> by(static_cast<std::size_t>(shares));
    std::vector<int*> memory(static_cast<std::size_t>(shares));
    detail::run_shares(shares, [&](int share) {
      auto const i = static_cast<std::size_t>(share);
      ++done[i];
      by[i] = std::this_thread::get_id();
      if (share > 0) {
        // Scratch memory of a share is its own until all are done, whoever does them.
        memory[i] = reinterpret_cast<int*>(detail::workspace_of_share(share, static_cast<std::size_t>(64 + round % 7 * 64)));
        *memory[i] = round * shares + share;
      }
      for (int volatile spin = 0; spin < round % 50 * share;) spin = spin + 1;
    });
    for (int share = 0; share < shares; ++share) {
      auto const i = static_cast<std::size_t>(share);
      wrong += done[i] != round + 1 || (share > 0 && *memory[i] != round * shares + share);
      taken_over += share > 0 && by[i] == std::this_thread::get_id();
    }
  }
  CHECK(wrong == 0);
  CHECK(taken_over > 0);
}

TEST_CASE("more shares than there are rows, and nothing at all") {
  divide_all const all;
  check_expression(sum(numbers<tensor<float, 2, 900>>(), axis<-1>));
  auto const nothing = numbers<tensor<float, 0, 7>>();
  CHECK(eval(nothing + 1.0f, cpu{.threads = 4}).size() == 0);
  CHECK(eval(sum(nothing), cpu{.threads = 4})() == 0.0f);
}

TEST_CASE("loops divide the steps of their bodies") {
  divide_all const all;
  check_function([](auto const& h, auto const& w) { return fori_loop(0, 3, [](auto const&, auto const& state, auto const& weight) { return tanh(matmul(state, weight)); }, h, w); }, numbers<tensor<float, 64, 64>>(),
                 numbers<tensor<float, 64, 64>>());
}

namespace {

constexpr auto layer = [](auto const& h, auto const& w) { return softmax(tanh(matmul(h, w)), axis<-1>); };
constexpr auto layers = [](auto const& xs, auto const& w) { return map(layer, xs, w); };

}  // namespace

TEST_CASE("iterations that carry nothing are divided once for all steps of the body") {
  divide_all const all;
  auto const xs = numbers<tensor<float, 7, 20, 33>>();
  auto const w = numbers<tensor<float, 33, 33>>();
  auto const one = compile(layers)(xs, w);
  for (int const n : {2, 3, 7}) {
    std::uint64_t const before = divided();
    CHECK(same_bits(compile(layers, cpu{.threads = n})(xs, w), one));
    CHECK(divided() == before + 1);
  }
  // Fewer iterations than threads: each of the two steps of each.
  std::uint64_t const before = divided();
  CHECK(same_bits(compile(layers, cpu{.threads = 8})(xs, w), one));
  CHECK(divided() == before + 14);

  check_function([](auto const& x, auto const& v) { return map([](auto const& y, auto const& u) { return map(layer, y, u); }, x, v); }, numbers<tensor<float, 3, 4, 5, 33>>(), w);
  // Gradients carry the sums of what all iterations give w.
  check_function([](auto const& x, auto const& v) { return grad<0, 1>([](auto const& y, auto const& u) { return sum(square(layers(y, u))); })(x, v); }, xs, w);
  tensor<float, dim<"n">, 20, 33> some(5);
  std::memcpy(some.data(), xs.data(), some.size() * sizeof(float));
  check_function(layers, some, w);
  tensor<float, dim<"n">, 20, 33> none(0);
  CHECK(compile(layers, cpu{.threads = 3})(none, w).size() == 0);
  // A thread of the pool has nobody to throw to.
  constexpr auto checked = [](auto const& x) { return map([](auto const& y) { return debug::check_finite(log(y), "y"); }, x); };
  CHECK_THROWS_AS(compile(checked, cpu{.threads = 2})(numbers<tensor<float, 8, 40>>(-1.0f)), dimity::error);
}

TEST_CASE("assign") {
  divide_all const all;
  auto const x = numbers<tensor<float, 50, 60>>();
  tensor<float, 50, 60> y;
  assign(y, x + 1.0f, cpu{.threads = 3});
  CHECK(same_bits(y, eval(x + 1.0f)));
  assign(y, y * y, cpu{.threads = 3});  // in place
  CHECK(same_bits(y, eval((x + 1.0f) * (x + 1.0f))));
  tensor<float, 60, 60> square;
  square = 2.0f;
  assign(square, transpose(square) + square, cpu{.threads = 3});  // through a temporary
  CHECK(square(59, 3) == 4.0f);
  tensor<float, 60> first;
  assign(first, row(x, 4), cpu{.threads = 2});
  CHECK(first(7) == x(4, 7));
}

TEST_CASE("what is small, or for one thread, stays on the calling thread") {
  auto const x = numbers<tensor<float, 100>>();
  std::uint64_t const before = divided();
  CHECK(same_bits(eval(x * x, cpu{.threads = 4}), eval(x * x)));
  divide_all const all;
  CHECK(same_bits(eval(x * x, cpu{}), eval(x * x)));
  CHECK(same_bits(eval(x * x, cpu{.threads = -3}), eval(x * x)));
  CHECK(divided() == before);
}

TEST_CASE("calls that overlap in time") {
  divide_all const all;
  auto const x = numbers<tensor<float, 60, 300>>();
  auto const wanted = eval(softmax(x, axis<-1>));
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 3; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        if (!same_bits(eval(softmax(x, axis<-1>), cpu{.threads = 2 + i % 3}), wanted)) ++wrong;
    });
  for (auto& c : callers) c.join();
  CHECK(wrong == 0);
}
