// The command line of the demo.
#pragma once

#include "../support/command_line.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace digits {

struct options {
  std::filesystem::path data = std::filesystem::path(__FILE__).parent_path().parent_path() / "data";
  int epochs = 30;
  std::uint64_t seed = 42;
  std::filesystem::path picture = "digits.svg";
  std::string device = "cpu";
  bool help = false;

  static constexpr char const* usage =
      "usage: digits [options]\n"
      "Trains a small network on handwritten digits and draws what it learned.\n"
      "\n"
      "  --data DIR       where digits-images.idx3-ubyte and digits-labels.idx1-ubyte are\n"
      "  --epochs N       passes over the training images (30)\n"
      "  --seed S         of the first weights and the order of the images (42)\n"
      "  --picture FILE   where the learning curves go (digits.svg)\n"
      "  --device D       cpu, or cuda where the program is compiled as CUDA (cpu)\n"
      "  --help           this text\n";
};

/// Reads the command line. Throws std::runtime_error, in one line, for what it does not understand.
inline options parse(int argc, char const* const* argv) {
  options result;
  result.help = example::read_options(argc, argv, {"--data", "--epochs", "--seed", "--picture", "--device"}, [&](std::string_view name, std::string_view value) {
    if (name == "--data") result.data = value;
    if (name == "--picture") result.picture = value;
    if (name == "--device") result.device = value;
    if (name == "--epochs") example::read_number(name, value, result.epochs, 1, 10'000);
    if (name == "--seed") example::read_number(name, value, result.seed, std::uint64_t{0}, UINT64_MAX);
  });
  return result;
}

}  // namespace digits
