// Command lines of `--name value` pairs.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace example {

/// A whole number from low to high. Throws std::runtime_error, in one line, for anything else.
template <class Number>
void read_number(std::string_view name, std::string_view value, Number& to, Number low, Number high) {
  auto const [end, failed] = std::from_chars(value.data(), value.data() + value.size(), to);
  if (failed != std::errc{} || end != value.data() + value.size() || to < low || to > high)
    throw std::runtime_error(std::string(name) + " takes a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not '" + std::string(value) + "'");
}

/// Calls take(name, value) for each pair. Returns whether --help or -h came first. Throws std::runtime_error, in one line, for a name that is not among those given, and for one without a value.
template <class Take>
bool read_options(int argc, char const* const* argv, std::initializer_list<std::string_view> names, Take const& take) {
  for (int i = 1; i < argc; ++i) {
    std::string const name = argv[i];
    if (name == "--help" || name == "-h") return true;
    if (std::find(names.begin(), names.end(), name) == names.end()) throw std::runtime_error("unknown option " + name + " (try --help)");
    if (i + 1 == argc) throw std::runtime_error(name + " needs a value (try --help)");
    take(name, std::string_view(argv[++i]));
  }
  return false;
}

}  // namespace example
