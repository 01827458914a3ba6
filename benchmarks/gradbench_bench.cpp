// GradBench's problems at its smallest data: dimity's gradients (examples/gradbench) beside gradients written by hand (gradbench/), in one run. report.py turns the result into a table.
#include "gradbench/ba.hpp"
#include "gradbench/det.hpp"
#include "gradbench/gmm.hpp"
#include "gradbench/ht.hpp"
#include "gradbench/kmeans.hpp"
#include "gradbench/llsq.hpp"
#include "gradbench/lstm.hpp"
#include "gradbench/ode.hpp"

#include "../examples/gradbench/ba.hpp"
#include "../examples/gradbench/det.hpp"
#include "../examples/gradbench/gmm.hpp"
#include "../examples/gradbench/ht.hpp"
#include "../examples/gradbench/kmeans.hpp"
#include "../examples/gradbench/llsq.hpp"
#include "../examples/gradbench/lstm.hpp"
#include "../examples/gradbench/ode.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace dimity;

namespace {

/// Both must have found the same, or the comparison is worth nothing.
template <class Tensor>
void require_same(char const* what, Tensor const& a, Tensor const& b) {
  double size = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    size = std::max(size, std::abs(b.data()[i]));
    apart = std::max(apart, std::abs(a.data()[i] - b.data()[i]));
    if (std::isnan(a.data()[i]) || std::isnan(b.data()[i])) apart = std::nan("");
  }
  if (apart <= 1e-11 * size) return;
  std::fprintf(stderr, "%s: dimity and the gradient by hand are %g apart, of %g\n", what, apart, size);
  std::exit(1);
}

template <class Tensor, std::size_t n>
void require_same(char const* what, std::array<Tensor, n> const& a, std::array<Tensor, n> const& b) {
  for (std::size_t i = 0; i < n; ++i) require_same(what, a[i], b[i]);
}

/// One pair: `run` is a compiled program whose last arguments are its old results, whose memory the new ones take; `hand` writes into results of the same types.
template <class Results, class Run, class Hand>
void pair(char const* name, Run run, Hand hand) {
  static Results ours{}, theirs{};
  run(ours);
  hand(theirs);
  std::apply([&](auto const&... a) { std::apply([&](auto const&... b) { (require_same(name, a, b), ...); }, theirs); }, ours);
  auto const measure = [](auto f, Results& results) {
    return [f, &results](benchmark::State& state) {
      for (auto _ : state) {
        f(results);
        benchmark::ClobberMemory();
      }
    };
  };
  benchmark::RegisterBenchmark((std::string(name) + "/dimity").c_str(), measure(run, ours));
  benchmark::RegisterBenchmark((std::string(name) + "/hand").c_str(), measure(hand, theirs));
}

template <extent_t points>
constexpr auto llsq_step = compile([](auto const& x, auto&&) { return gradbench::llsq::gradient<points>(x); });
template <extent_t points>
void llsq(char const* name) {
  static auto const x = random::uniform<double, 128>(key{1});
  using gradient = tensor<double, 128>;
  pair<std::tuple<gradient>>(
      name, [](auto& r) { std::get<0>(r) = llsq_step<points>(x, std::move(std::get<0>(r))); }, [](auto& r) { hand::llsq_gradient<points, 128>(x.data(), std::get<0>(r).data()); });
}

template <int steps>
constexpr auto ode_step = compile([](auto const& x, auto&&) { return gradbench::ode::gradient<steps>(x); });
template <int steps>
void ode(char const* name) {
  static tensor<double, 1000> const x = 0.5 + random::uniform<double, 1000>(key{1});
  pair<std::tuple<tensor<double, 1000>>>(
      name, [](auto& r) { std::get<0>(r) = ode_step<steps>(x, std::move(std::get<0>(r))); }, [](auto& r) { hand::ode_gradient<1000, steps>(x.data(), std::get<0>(r).data()); });
}

template <std::size_t layers>
constexpr auto lstm_step = compile([](auto const& main, auto const& extra, auto const& state, auto const& sequence, auto&&) {
  return value_and_grad<0, 1>(gradbench::lstm::objective<layers>)(main, extra, state, sequence);
});
void lstm() {
  using main_type = tensor<double, 2, 2, 4, 14>;
  using extra_type = tensor<double, 3, 14>;
  static auto const main = random::uniform<double, 2, 2, 4, 14>(key{1});
  static auto const extra = random::uniform<double, 3, 14>(key{2});
  static auto const state = random::uniform<double, 2, 2, 14>(key{3});
  static tensor<double, 1024, 14> const sequence = cast<double>(random::integers<std::int32_t, 1024, 14>(key{4}, 0, 2));
  pair<std::tuple<tensor<double>, main_type, extra_type>>(
      "lstm, 2 layers, 1024 characters",
      [](auto& r) {
        auto& [value, g, h] = r;
        auto next = lstm_step<2>(main, extra, state, sequence, std::pair{std::move(g), std::move(h)});
        value = std::get<0>(next);
        std::tie(g, h) = std::move(std::get<1>(next));
      },
      [](auto& r) {
        auto& [value, g, h] = r;
        value = hand::lstm_gradient<2, 1024, 14>(main.data(), extra.data(), state.data(), sequence.data(), g.data(), h.data());
      });
}

template <extent_t n, extent_t k, extent_t d>
constexpr auto gmm_step = compile([](auto const& alpha, auto const& mu, auto const& q, auto const& l, auto const& x, auto const& prior, auto&&) {
  return value_and_grad<0, 1, 2, 3>(gradbench::gmm::objective<n, k, d>)(alpha, mu, q, l, x, prior);
});
template <extent_t n, extent_t k, extent_t d>
void gmm(char const* name) {
  constexpr extent_t below = d * (d - 1) / 2;
  static auto const alpha = random::normal<double, k>(key{1});
  static auto const mu = random::uniform<double, k, d>(key{2});
  static auto const q = random::normal<double, k, d>(key{3});
  static auto const l = random::normal<double, k, below>(key{4});
  static auto const x = random::normal<double, n, d>(key{5});
  [[maybe_unused]] static auto const prior = gradbench::gmm::make_wishart(d, 0, 1);
  pair<std::tuple<tensor<double>, tensor<double, k>, tensor<double, k, d>, tensor<double, k, d>, tensor<double, k, below>>>(
      name,
      [](auto& r) {
        auto& [value, ga, gm, gq, gl] = r;
        auto next = gmm_step<n, k, d>(alpha, mu, q, l, x, prior, std::tuple{std::move(ga), std::move(gm), std::move(gq), std::move(gl)});
        value = std::get<0>(next);
        std::tie(ga, gm, gq, gl) = std::move(std::get<1>(next));
      },
      [](auto& r) {
        auto& [value, ga, gm, gq, gl] = r;
        value = hand::gmm_gradient<n, k, d>(alpha.data(), mu.data(), q.data(), l.data(), x.data(), prior.m(), prior.gamma(), prior.log_normalizer(), ga.data(), gm.data(), gq.data(), gl.data());
      });
}

constexpr auto kmeans_step = compile([](auto const& centroids, auto const& points, auto&&) { return gradbench::kmeans::direction(centroids, points); });
void kmeans() {
  static auto const points = random::uniform<double, 1000, 8>(key{1});
  static tensor<double, 10, 8> const centroids = slice<0, 990, 1000>(points);
  pair<std::tuple<tensor<double, 10, 8>>>(
      "kmeans, 10 centroids, 1000 points of 8", [](auto& r) { std::get<0>(r) = kmeans_step(centroids, points, std::move(std::get<0>(r))); },
      [](auto& r) { hand::kmeans_direction<10, 1000, 8>(centroids.data(), points.data(), std::get<0>(r).data()); });
}

constexpr auto ba_step = compile([](auto const& cameras, auto const& points, auto const& weights, auto const& seen_by, auto const& seen, auto const& features, auto&&) {
  return gradbench::ba::sparse_jacobian(cameras, points, weights, seen_by, seen, features);
});
void ba() {
  constexpr extent_t n = 49, m = 7776, p = 31843;
  static tensor<double, n, 11> const cameras = 0.1 + random::uniform<double, n, 11>(key{1});
  static tensor<double, m, 3> const points = 3.0 + random::uniform<double, m, 3>(key{2});
  static auto const weights = random::uniform<double, p>(key{3});
  static auto const features = random::uniform<double, p, 2>(key{4});
  static tensor<std::int32_t, p> const seen_by = arange<std::int32_t, p>() % std::int32_t{n}, seen = arange<std::int32_t, p>() % std::int32_t{m};
  using columns = std::array<tensor<double, p>, 15>;
  pair<std::tuple<columns, columns, tensor<double, p>>>(
      "ba, 49 cameras, 7776 points, 31843 observations", [](auto& r) { r = ba_step(cameras, points, weights, seen_by, seen, features, std::move(r)); },
      [](auto& r) {
        std::array<double*, 30> all;
        for (std::size_t i = 0; i < 15; ++i) all[i] = std::get<0>(r)[i].data(), all[15 + i] = std::get<1>(r)[i].data();
        hand::ba_jacobian(cameras.data(), points.data(), weights.data(), seen_by.data(), seen.data(), features.data(), p, all, std::get<2>(r).data());
      });
}

template <int size>
constexpr auto det_step = compile([](auto const& a, auto&&) { return value_and_grad(gradbench::det::objective<size>)(a); });
void det() {
  static auto const a = random::uniform<double, 5, 5>(key{1});
  pair<std::tuple<tensor<double>, tensor<double, 5, 5>>>(
      "det, 5 x 5",
      [](auto& r) {
        auto next = det_step<5>(a, std::move(std::get<1>(r)));
        std::get<0>(r) = std::get<0>(next);
        std::get<1>(r) = std::move(std::get<1>(next));
      },
      [](auto& r) { std::get<0>(r) = hand::det_gradient<5>(a.data(), std::get<1>(r).data()); });
}

constexpr auto ht_step = compile([](auto const& theta, auto const& model, auto const& vertices, auto&&) {
  return gradbench::ht::simple_jacobian<100>(theta, model, vertices);
});
void ht() {
  constexpr extent_t all = 544, count = 100;
  static auto const theta = random::uniform<double, 26>(key{1});
  static gradbench::ht::hand<double, all> model;
  model.base_positions = random::uniform<double, all, 4>(key{2});
  model.weights = random::uniform<double, all, 22>(key{3});
  model.base_relatives = random::uniform<double, 22, 4, 4>(key{4});
  model.inverse_base_absolutes = random::uniform<double, 22, 4, 4>(key{5});
  for (auto* m : {&model.base_relatives, &model.inverse_base_absolutes})
    for (int b = 0; b < 22; ++b)
      for (int j = 0; j < 4; ++j) (*m)(b, 3, j) = j == 3;
  static auto const vertices = random::integers<std::int32_t, count>(key{7}, 0, all);
  pair<std::tuple<tensor<double, 26, 3, count>>>(
      "ht, simple, 544 vertices, 100 points", [](auto& r) { std::get<0>(r) = ht_step(theta, model, vertices, std::move(std::get<0>(r))); },
      [](auto& r) {
        hand::ht_jacobian<count>(theta.data(), model.base_relatives.data(), model.inverse_base_absolutes.data(), model.base_positions.data(), model.weights.data(), vertices.data(),
                                 std::get<0>(r).data());
      });
}

}  // namespace

int main(int argc, char** argv) {
  llsq<16>("llsq, 16 points, 128 terms");
  llsq<1024>("llsq, 1024 points, 128 terms");
  ode<10>("ode, 1000 equations, 10 steps");
  ode<100>("ode, 1000 equations, 100 steps");
  lstm();
  gmm<1000, 5, 2>("gmm, 1000 points of 2, 5 means");
  gmm<1000, 10, 10>("gmm, 1000 points of 10, 10 means");
  kmeans();
  ba();
  det();
  ht();
  // Repetitions in random order, so that what else the machine does meets both of a pair; arguments given come later and win.
  std::vector<char*> arguments{argv[0]};
  std::array<std::string, 3> defaults{"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15", "--benchmark_min_time=0.05"};
  for (auto& d : defaults) arguments.push_back(d.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  argc = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&argc, arguments.data());
  benchmark::RunSpecifiedBenchmarks();
}
