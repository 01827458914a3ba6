// A small transformer learns to write like this library's documentation, a character at a time. Compiled as CUDA it also does so on a GPU (--device cuda).
#include "../support/place.hpp"
#include "model.hpp"
#include "options.hpp"
#include "text.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace dimity;

constexpr extent_t context = 64, batch = 16, width = 128, heads = 4, depth = 3;

/// A character to follow a text of `context` characters, drawn from what the model finds likely.
constexpr auto draw = [](auto const& model, auto const& x, auto const& k) { return random::categorical(k, row(row(model(x), 0), context - 1) * 1.4f); };

// ---------------------------------------------------------------------------------------------------------------- training

/// Windows of the text, and the same one character further on.
struct windows {
  tensor<std::int32_t, batch, context> x, next;

  void take(std::vector<std::int32_t> const& text, std::mt19937_64& generator) {
    for (std::size_t b = 0; b < batch; ++b) {
      std::size_t const begin = generator() % (text.size() - context);
      for (std::size_t t = 0; t < context; ++t) {
        x(b, t) = text[begin + t];
        next(b, t) = text[begin + t + 1];
      }
    }
  }
};

template <class Place>
void run(transformer::options const& options, Place const& place) {
  std::vector<std::int32_t> const text = transformer::read(options.text);
  if (text.size() < 10 * 20 * context) throw std::runtime_error("the text is too short: " + std::to_string(text.size()) + " characters");
  // Every tenth piece is held out.
  std::vector<std::int32_t> training, held_out;
  constexpr std::size_t piece = 20 * context;
  for (std::size_t i = 0; i < text.size(); ++i) (i / piece % 10 == 9 ? held_out : training).push_back(text[i]);

  auto const first = transformer::first_model<transformer::characters, context, width, heads, depth>(options.seed);
  auto model = place.to_device(first);
  auto opt = place.to_device(optim::adamw(first, {.learning_rate = 2e-3}));
  auto const step = compile(transformer::train, place.device);
  auto const judge = compile(transformer::loss, place.device);
  auto const next_character = compile(draw, place.device);
  std::printf("%zu characters to learn from, %zu held out; %d blocks of width %d, %zu parameters\n\n", training.size(), held_out.size(), static_cast<int>(depth), static_cast<int>(width), parameter_count(first));

  windows now;
  auto x = place.to_device(now.x);
  auto next = place.to_device(now.next);
  auto const bits_of_held_out = [&] {
    std::mt19937_64 same_every_time(7);
    double sum = 0;
    for (int i = 0; i < 8; ++i) {
      now.take(held_out, same_every_time);
      place.copy(now.x, x);
      place.copy(now.next, next);
      sum += static_cast<double>(float(place.to_host(judge(model, x, next))));
    }
    return sum / 8 / std::log(2.0);
  };

  std::mt19937_64 generator(options.seed);
  auto const begin = std::chrono::steady_clock::now();
  double training_loss = 0;
  int const rounds = 10, report = std::max(1, options.steps / rounds);
  for (int i = 1; i <= options.steps; ++i) {
    now.take(training, generator);
    place.copy(now.x, x);
    place.copy(now.next, next);
    auto [next_model, next_opt, l] = step(std::move(model), std::move(opt), x, next);
    model = std::move(next_model);
    opt = std::move(next_opt);
    training_loss += static_cast<double>(float(place.to_host(l)));
    if (i % report != 0 && i != options.steps) continue;
    int const count = i % report == 0 ? report : i % report;
    double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("step %5d  %.3f bits a character  held out %.3f  %7.0f characters/s\n", i, training_loss / count / std::log(2.0), bits_of_held_out(), static_cast<double>(i) * batch * context / seconds);
    std::fflush(stdout);
    training_loss = 0;
  }

  // It goes on where a held-out text stops; the window moves with it.
  tensor<std::int32_t, 1, context> window;
  for (std::size_t t = 0; t < context; ++t) window(0, t) = held_out[t];
  auto there = place.to_device(window);
  std::string written = transformer::characters_of(window);
  auto keys = random::split<400>(key{options.seed + 2});
  for (auto const& k : keys) {
    place.copy(window, there);
    auto const c = static_cast<std::int32_t>(place.to_host(next_character(model, there, place.to_device(k))));
    written += transformer::character(c);
    std::copy(window.begin() + 1, window.end(), window.begin());
    window(0, context - 1) = c;
  }
  std::printf("\n%s\n", written.c_str());
}

int main(int argc, char** argv) try {
  transformer::options const options = transformer::parse(argc, argv);
  if (options.help) std::fputs(transformer::options::usage, stdout);
  else if (options.device == "cpu") run(options, example::on_this_machine{});
#ifdef __CUDACC__
  else if (options.device == "cuda" && options.precision == "fast") run(options, example::on_a_gpu<fast_cuda>{});
  else if (options.device == "cuda") run(options, example::on_a_gpu<cuda>{});
#endif
  else throw std::runtime_error("no device '" + options.device + "' in this program: cpu, or cuda where it is compiled as CUDA (-DDIMITY_CUDA=ON)");
  return 0;
} catch (std::exception const& e) {
  std::fflush(stdout);
  std::fprintf(stderr, "transformer: %s\n", e.what());
  return 1;
}
