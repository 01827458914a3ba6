// Handwritten digits, from the file to more than 97 %: read the data, train a network, look at what it gets wrong. Compiled as CUDA it also does so on a GPU (--device cuda).
#include <dimity/data/idx.hpp>
#include <dimity/dimity.hpp>

#include "../support/place.hpp"
#include "options.hpp"
#include "picture.hpp"
#include "progress.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace dimity;

constexpr std::size_t pixels = 8 * 8, width = 256, classes = 10, batch = 32, training_images = 1437, test_images = 360;

// The model: a plain aggregate, whose fields are its parameters.
template <class T>
struct network {
  nn::linear<T, pixels, width> hidden;
  nn::linear<T, width, classes> output;

  constexpr auto operator()(auto const& x) const { return output(relu(hidden(x))); }
};

constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
constexpr auto answer = [](auto const& model, auto const& x) { return cast<std::int32_t>(argmax(model(x), axis<-1>)); };

// One step of training is one program: the forward and the backward pass, the optimizer, and what the network says of the batch.
constexpr auto train = [](auto const& model, auto const& opt, auto const& x, auto const& labels) {
  auto [l, grads] = value_and_grad(loss)(model, x, labels);
  auto [next_model, next_opt] = optim::update(opt, model, grads);
  return std::tuple{next_model, next_opt, l, answer(model, x)};
};

constexpr auto judge = [](auto const& model, auto const& x, auto const& labels) { return std::tuple{loss(model, x, labels), answer(model, x)}; };

// ---------------------------------------------------------------------------------------------------------------- data

struct dataset {
  std::vector<std::array<unsigned char, pixels>> images;
  std::vector<unsigned char> labels;
};

dataset load_digits(std::filesystem::path const& folder) {
  std::filesystem::path const image_path = folder / "digits-images.idx3-ubyte", label_path = folder / "digits-labels.idx1-ubyte";
  data::idx_file const images = data::read_idx(image_path), labels = data::read_idx(label_path);

  constexpr std::size_t count = training_images + test_images;
  if (images.dtype != data::idx_dtype::uint8 || images.shape != std::vector<std::size_t>{count, 8, 8})
    throw data_error(image_path.string() + ": not " + std::to_string(count) + " images of 8x8 bytes");
  if (labels.dtype != data::idx_dtype::uint8 || labels.shape != std::vector<std::size_t>{count})
    throw data_error(label_path.string() + ": not " + std::to_string(count) + " labels of one byte");
  if (*std::ranges::max_element(images.bytes) > 16) throw data_error(image_path.string() + ": a pixel is above 16");
  if (*std::ranges::max_element(labels.bytes) >= classes) throw data_error(label_path.string() + ": a label is above 9");

  dataset result{.images = std::vector<std::array<unsigned char, pixels>>(count), .labels = labels.bytes};
  for (std::size_t i = 0; i < count; ++i) std::copy_n(images.bytes.begin() + static_cast<std::ptrdiff_t>(i * pixels), pixels, result.images[i].begin());
  return result;
}

// Images and labels as the network takes them.
template <extent_t N>
struct examples {
  tensor<float, N, pixels> x;
  tensor<std::int32_t, N> labels;

  void take(dataset const& data, std::span<std::size_t const> which) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      for (std::size_t j = 0; j < pixels; ++j) x(i, j) = static_cast<float>(data.images[which[i]][j]) / 16.0f;
      labels(i) = data.labels[which[i]];
    }
  }
};

std::size_t count_right(auto const& answers, auto const& labels) {
  return std::inner_product(answers.begin(), answers.end(), labels.begin(), std::size_t{0}, std::plus{}, std::equal_to{});
}

// std::shuffle gives another order with another standard library; this one gives the same everywhere.
void shuffle(std::span<std::size_t> order, std::mt19937_64& generator) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[generator() % i]);
}

// ------------------------------------------------------------------------------------------------------------- summary

void print_summary(auto const& model) {
  std::size_t total = 0;
  std::printf("  %-16s %12s %12s\n", "parameter", "shape", "values");
  for_each_parameter(model, [&](std::string_view name, auto const& value) {
    std::string shape;
    for (int i = 0; i < value.rank; ++i) shape += (i ? " x " : "") + std::to_string(value.extent(i));
    std::printf("  %-16s %12s %12zu\n", std::string(name).c_str(), shape.c_str(), value.size());
    total += value.size();
  });
  std::printf("  %-16s %12s %12zu\n\n", "total", "", total);
}

// ---------------------------------------------------------------------------------------------------------------- main

template <class Place>
void run(digits::options const& options, Place const& place) {
  dataset const data = load_digits(options.data);

  // The split is the same in every run, so that accuracies of different seeds can be compared.
  std::vector<std::size_t> order(data.images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 split(1998);
  shuffle(order, split);
  std::span<std::size_t> const training = std::span(order).first(training_images), held_out = std::span(order).last(test_images);

  auto const first = nn::init<network<float>>(key{options.seed});
  auto model = place.to_device(first);
  auto opt = place.to_device(optim::adamw(first, {.learning_rate = 3e-3f}));
  auto const step = compile(train, place.device);
  auto const evaluate = compile(judge, place.device);
  examples<batch> now;
  examples<test_images> held;
  held.take(data, held_out);

  std::printf("%zu images to learn from, %zu held out; a network of\n\n", training_images, test_images);
  print_summary(first);

  std::mt19937_64 generator(options.seed);
  std::vector<digits::epoch_record> history;
  tensor<float> test_loss;
  tensor<std::int32_t, test_images> answers;
  auto x = place.to_device(now.x);
  auto labels = place.to_device(now.labels);
  auto const held_x = place.to_device(held.x);
  auto const held_labels = place.to_device(held.labels);
  digits::progress progress(options.epochs);

  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    digits::progress_line line{.epoch = epoch};
    double loss_sum = 0;
    std::size_t right = 0, seen = 0;

    shuffle(training, generator);
    for (; seen + batch <= training.size(); progress.show(line)) {  // what is left over is another part in each epoch
      now.take(data, training.subspan(seen, batch));
      place.copy(now.x, x);
      place.copy(now.labels, labels);
      auto [next_model, next_opt, l, said] = step(std::move(model), std::move(opt), x, labels);
      model = std::move(next_model);
      opt = std::move(next_opt);
      loss_sum += batch * static_cast<double>(place.to_host(l));
      right += count_right(place.to_host(said), now.labels);
      seen += batch;
      line.part = static_cast<double>(seen) / static_cast<double>(training.size());
      line.train_loss = loss_sum / static_cast<double>(seen);
      line.train_accuracy = static_cast<double>(right) / static_cast<double>(seen);
    }

    auto const [its_loss, its_answers] = evaluate(model, held_x, held_labels);
    test_loss = place.to_host(its_loss);
    answers = place.to_host(its_answers);
    line.test_accuracy = static_cast<double>(count_right(answers, held.labels)) / test_images;
    progress.finish(line);
    history.push_back({epoch, line.train_loss, line.train_accuracy, test_loss, line.test_accuracy});
  }

  std::vector<digits::mistake> mistakes;
  for (std::size_t i = 0; i < test_images; ++i)
    if (answers(i) != held.labels(i)) mistakes.push_back({data.images[held_out[i]], held.labels(i), answers(i)});
  digits::write_picture(options.picture, history, mistakes);

  std::printf("\n%.2f %% of the %zu held-out images are read correctly. The learning curves and the %zu others are in %s\n", 100 * history.back().test_accuracy,
              test_images, mistakes.size(), options.picture.string().c_str());
}

int main(int argc, char** argv) try {
  digits::options const options = digits::parse(argc, argv);
  if (options.help)
    std::fputs(digits::options::usage, stdout);
  else if (options.device == "cpu")
    run(options, example::on_this_machine{});
#ifdef __CUDACC__
  else if (options.device == "cuda")
    run(options, example::on_a_gpu<>{});
#endif
  else
    throw std::runtime_error("no device '" + options.device + "' in this program: cpu, or cuda where it is compiled as CUDA (-DDIMITY_CUDA=ON)");
  return 0;
} catch (std::exception const& e) {
  std::fflush(stdout);
  std::fprintf(stderr, "digits: %s\n", e.what());
  return 1;
}
