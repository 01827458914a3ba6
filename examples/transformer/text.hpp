// Texts as numbers: the printable characters of ASCII and the end of a line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace transformer {

inline constexpr int characters = 96;

inline char character(std::int32_t i) { return i == characters - 1 ? '\n' : static_cast<char>(' ' + i); }
inline std::string characters_of(auto const& numbers) {
  std::string s;
  for (std::int32_t const i : numbers) s += character(i);
  return s;
}

/// The characters of a file, or of all .md files of a folder in the order of their names, without tables. What is not printable ASCII is left out.
inline std::vector<std::int32_t> read(std::filesystem::path const& path) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path)) {
    for (auto const& entry : std::filesystem::directory_iterator(path))
      if (entry.path().extension() == ".md") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  std::vector<std::int32_t> text;
  for (auto const& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    for (std::string line; std::getline(in, line);) {
      if (file.extension() == ".md" && line.starts_with('|')) continue;
      for (char const c : line)
        if (c >= ' ' && c <= '~') text.push_back(c - ' ');
      text.push_back(characters - 1);
    }
  }
  return text;
}

}  // namespace transformer
