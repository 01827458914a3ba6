// The command line of the demo.
#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

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
  for (int i = 1; i < argc; ++i) {
    std::string const name = argv[i];
    if (name == "--help" || name == "-h") {
      result.help = true;
      return result;
    }
    if (name != "--data" && name != "--epochs" && name != "--seed" && name != "--picture" && name != "--device") throw std::runtime_error("unknown option " + name + " (try --help)");
    if (i + 1 == argc) throw std::runtime_error(name + " needs a value (try --help)");
    std::string_view const value = argv[++i];
    auto const number = [&](auto& to, auto low, auto high) {
      auto const [end, failed] = std::from_chars(value.data(), value.data() + value.size(), to);
      if (failed != std::errc{} || end != value.data() + value.size() || to < low || to > high)
        throw std::runtime_error(name + " takes a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not '" + std::string(value) +
                                 "'");
    };
    if (name == "--data") result.data = value;
    if (name == "--picture") result.picture = value;
    if (name == "--device") result.device = value;
    if (name == "--epochs") number(result.epochs, 1, 10'000);
    if (name == "--seed") number(result.seed, std::uint64_t{0}, UINT64_MAX);
  }
  return result;
}

}  // namespace digits
