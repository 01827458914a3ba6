// The command line of the example.
#pragma once

#include "../support/command_line.hpp"

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace transformer {

struct options {
  std::filesystem::path text = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs";
  int steps = 600;
  std::uint64_t seed = 42;
  std::string device = "cpu", precision = "standard";
  bool help = false;

  static constexpr char const* usage =
      "usage: transformer [options]\n"
      "Trains a small transformer on a text, a character at a time, and lets it write.\n"
      "\n"
      "  --text PATH      a file, or a folder of .md files (dimity's docs)\n"
      "  --steps N        of training, 1024 characters each (600)\n"
      "  --seed S         of the first weights and the order of the text (42)\n"
      "  --device D       cpu, or cuda where the program is compiled as CUDA (cpu)\n"
      "  --precision P    on a GPU: standard, or fast, which may use the tensor cores for floats (standard)\n"
      "  --help           this text\n";
};

/// Reads the command line. Throws std::runtime_error, in one line, for what it does not understand.
inline options parse(int argc, char const* const* argv) {
  options result;
  result.help = example::read_options(argc, argv, {"--text", "--steps", "--seed", "--device", "--precision"}, [&](std::string_view name, std::string_view value) {
    if (name == "--text") result.text = value;
    if (name == "--steps") example::read_number(name, value, result.steps, 1, 10'000'000);
    if (name == "--seed") example::read_number(name, value, result.seed, std::uint64_t{0}, UINT64_MAX);
    if (name == "--device") result.device = value;
    if (name == "--precision") result.precision = value;
  });
  if (result.precision != "standard" && result.precision != "fast") throw std::runtime_error("--precision takes standard or fast, not '" + result.precision + "'");
  return result;
}

}  // namespace transformer
