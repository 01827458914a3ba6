// The IDX format, in which MNIST and its relatives are published: a big-endian header of two zero bytes, one byte for the
// element type, one for the rank and four for each extent, then the elements in row-major order and nothing after them.
// http://yann.lecun.com/exdb/mnist describes it at its end.
#pragma once

#include <dimity/core/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

namespace DIMITY_NAMESPACE::data {

/// The element types of IDX; the values are the bytes that name them in a file.
enum class idx_dtype : unsigned char { uint8 = 0x08, int8 = 0x09, int16 = 0x0b, int32 = 0x0c, float32 = 0x0d, float64 = 0x0e };

/// The size of one element in bytes, or 0 where `dtype` is none of the types above.
[[nodiscard]] constexpr std::size_t size_of(idx_dtype dtype) noexcept {
  switch (dtype) {
    case idx_dtype::uint8:
    case idx_dtype::int8:
      return 1;
    case idx_dtype::int16:
      return 2;
    case idx_dtype::int32:
    case idx_dtype::float32:
      return 4;
    case idx_dtype::float64:
      return 8;
  }
  return 0;
}

/// An array as an IDX file holds it.
struct idx_file {
  /// The extents, outermost first. None is a single value; an extent of 0 is an array without elements.
  std::vector<std::size_t> shape;
  /// The elements in row-major order, each in the byte order of this machine.
  std::vector<unsigned char> bytes;
  /// What the elements are.
  idx_dtype dtype = idx_dtype::uint8;

  friend bool operator==(idx_file const&, idx_file const&) = default;
};

}  // namespace DIMITY_NAMESPACE::data

namespace DIMITY_NAMESPACE::detail {

[[noreturn]] inline void idx_fail(std::filesystem::path const& path, std::string const& what) { fail<data_error>(path.string() + ": " + what); }

/// The last error of the system in words; streams report none of their own.
inline std::string idx_reason() { return errno == 0 ? "unknown reason" : std::generic_category().message(errno); }

inline std::string idx_hex(std::uint64_t value, int digits) {
  std::string text = "0x";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
  return text;
}

inline std::string idx_shape(std::vector<std::size_t> const& shape) {
  std::string text = "[";
  for (std::size_t const extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

/// The bytes that an array of this shape takes. An extent of 0 makes it 0, whatever the others are.
/// \throws data_error where the number does not fit in a `std::size_t`.
inline std::size_t idx_size(std::filesystem::path const& path, std::vector<std::size_t> const& shape, std::size_t element) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) return 0;
  std::size_t size = element;
  for (std::size_t const extent : shape) {
    if (size > std::numeric_limits<std::size_t>::max() / extent) idx_fail(path, "shape " + idx_shape(shape) + " has more bytes than memory has addresses");
    size *= extent;
  }
  return size;
}

inline void idx_swap_order(std::vector<unsigned char>& bytes, std::size_t element) {
  if (std::endian::native == std::endian::big || element == 1) return;
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(element)) std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
}

}  // namespace DIMITY_NAMESPACE::detail

namespace DIMITY_NAMESPACE::data {

/// Reads a whole IDX file.
/// \return the array, complete; its `bytes.size()` is the product of its shape times the size of an element.
/// \throws data_error with the path and what is wrong, where the file cannot be opened or read, is no IDX file, has an
///         unknown element type, promises more bytes than fit in memory, or has fewer or more bytes than it promises.
[[nodiscard]] inline idx_file read_idx(std::filesystem::path const& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) detail::idx_fail(path, "cannot be opened: " + detail::idx_reason());

  auto const read = [&](unsigned char* to, std::size_t count) {
    in.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count));
    if (in.bad()) detail::idx_fail(path, "cannot be read: " + detail::idx_reason());
    return static_cast<std::size_t>(in.gcount());
  };
  auto const word = [](unsigned char const* b) { return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3]; };

  std::array<unsigned char, 4> magic{};
  std::size_t const magic_bytes = read(magic.data(), magic.size());
  if (magic[0] == 0x1f && magic[1] == 0x8b) detail::idx_fail(path, "not an IDX file, but one compressed with gzip: uncompress it first");
  if (magic[0] != 0 || magic[1] != 0) detail::idx_fail(path, "not an IDX file (magic " + detail::idx_hex(word(magic.data()), 8) + ")");
  if (magic_bytes < magic.size()) detail::idx_fail(path, "truncated: the header has at least 4 bytes, the file " + std::to_string(magic_bytes));

  idx_file file{.shape = std::vector<std::size_t>(magic[3]), .bytes = {}, .dtype = idx_dtype{magic[2]}};
  std::size_t const element = size_of(file.dtype);
  if (element == 0) detail::idx_fail(path, "unknown element type " + detail::idx_hex(magic[2], 2));

  std::vector<unsigned char> extents(4 * file.shape.size());
  std::size_t const extent_bytes = read(extents.data(), extents.size());
  if (extent_bytes < extents.size())
    detail::idx_fail(path, "truncated: the header has " + std::to_string(4 + extents.size()) + " bytes, the file " + std::to_string(4 + extent_bytes));
  for (std::size_t i = 0; i < file.shape.size(); ++i) file.shape[i] = word(extents.data() + 4 * i);

  // Memory grows with what the file has, not with what its header promises: a few bytes must not ask for terabytes.
  std::size_t const promised = detail::idx_size(path, file.shape, element);
  std::size_t have = 0;
  while (have < promised) {
    std::size_t const chunk = std::min(promised - have, std::max(have, std::size_t{1} << 20));
    file.bytes.resize(have + chunk);
    std::size_t const got = read(file.bytes.data() + have, chunk);
    have += got;
    if (got < chunk) detail::idx_fail(path, "truncated: header promises " + std::to_string(promised) + " bytes, the file has " + std::to_string(have));
  }
  if (unsigned char more = 0; read(&more, 1) != 0)
    detail::idx_fail(path, "trailing bytes: header promises " + std::to_string(promised) + " bytes, the file goes on after them");

  detail::idx_swap_order(file.bytes, element);
  return file;
}

/// Writes `file` as an IDX file, replacing what was at `path`.
/// \throws data_error where an extent needs more than 32 bits, the rank is above 255, the element type is unknown or
///         `bytes` has not the size of the shape (nothing is written then), or where the file cannot be written.
inline void write_idx(std::filesystem::path const& path, idx_file const& file) {
  std::size_t const element = size_of(file.dtype);
  if (element == 0) detail::idx_fail(path, "unknown element type " + detail::idx_hex(static_cast<unsigned char>(file.dtype), 2));
  if (file.shape.size() > 255) detail::idx_fail(path, "rank " + std::to_string(file.shape.size()) + " is above the 255 of IDX");
  for (std::size_t const extent : file.shape)
    if (extent > std::numeric_limits<std::uint32_t>::max()) detail::idx_fail(path, "extent " + std::to_string(extent) + " is above the 32 bits of IDX");
  if (std::size_t const size = detail::idx_size(path, file.shape, element); size != file.bytes.size())
    detail::idx_fail(path,
                     "shape " + detail::idx_shape(file.shape) + " has " + std::to_string(size) + " bytes, the array " + std::to_string(file.bytes.size()));

  std::string out{'\0', '\0', static_cast<char>(file.dtype), static_cast<char>(file.shape.size())};
  for (std::size_t const extent : file.shape)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(extent >> shift & 0xff);
  std::vector<unsigned char> bytes = file.bytes;
  detail::idx_swap_order(bytes, element);
  out.append(bytes.begin(), bytes.end());

  errno = 0;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  if (!stream) detail::idx_fail(path, "cannot be opened: " + detail::idx_reason());
  if (!stream.write(out.data(), static_cast<std::streamsize>(out.size())).flush()) detail::idx_fail(path, "cannot be written: " + detail::idx_reason());
}

}  // namespace DIMITY_NAMESPACE::data
