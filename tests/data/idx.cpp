#include <dimity/data/idx.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using dimity::data_error;
using dimity::data::idx_dtype;
using dimity::data::idx_file;
using dimity::data::read_idx;
using dimity::data::write_idx;
namespace fs = std::filesystem;

namespace {

using bytes = std::vector<unsigned char>;

// A path of its own for each test: ctest runs several at once.
struct temporary_file {
  fs::path path = fs::temp_directory_path() / ("dimity_idx_" + std::to_string(std::random_device{}()) + "_" + std::to_string(std::random_device{}()));

  temporary_file() = default;
  explicit temporary_file(bytes const& content) { put(content); }
  temporary_file(temporary_file const&) = delete;
  temporary_file& operator=(temporary_file const&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }

  void put(bytes const& content) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(reinterpret_cast<char const*>(content.data()), static_cast<std::streamsize>(content.size()));
  }
  bytes get() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

// What read_idx says of a file, less the path that every message starts with; "" where it reads it.
std::string complaint(fs::path const& path) {
  try {
    (void)read_idx(path);
    return "";
  } catch (data_error const& e) {
    std::string const text = e.what(), start = path.string() + ": ";
    REQUIRE(text.starts_with(start));
    CHECK(text.find('\n') == std::string::npos);
    return text.substr(start.size());
  }
}
std::string complaint(bytes const& content) { return complaint(temporary_file(content).path); }

bytes header(unsigned char dtype, std::vector<unsigned> const& extents) {
  bytes out{0, 0, dtype, static_cast<unsigned char>(extents.size())};
  for (unsigned const e : extents)
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<unsigned char>(e >> shift));
  return out;
}
bytes operator+(bytes a, bytes const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("read_idx reads shape, type and elements") {
  temporary_file const f(header(0x08, {2, 3}) + bytes{1, 2, 3, 4, 5, 255});
  CHECK(read_idx(f.path) == idx_file{{2, 3}, {1, 2, 3, 4, 5, 255}, idx_dtype::uint8});
}

TEST_CASE("read_idx gives elements of several bytes in the machine's order") {
  SUBCASE("int16") {
    temporary_file const f(header(0x0b, {2}) + bytes{0x01, 0x02, 0xff, 0xfe});
    auto const file = read_idx(f.path);
    short values[2];
    REQUIRE(file.bytes.size() == sizeof values);
    std::memcpy(values, file.bytes.data(), sizeof values);
    CHECK(values[0] == 0x0102);
    CHECK(values[1] == -2);
  }
  SUBCASE("float32") {
    temporary_file const f(header(0x0d, {1}) + bytes{0x3f, 0xc0, 0x00, 0x00});
    auto const file = read_idx(f.path);
    float value = 0;
    REQUIRE(file.bytes.size() == sizeof value);
    std::memcpy(&value, file.bytes.data(), sizeof value);
    CHECK(value == 1.5f);
  }
  SUBCASE("float64") {
    temporary_file const f(header(0x0e, {1}) + bytes{0xc0, 0x04, 0, 0, 0, 0, 0, 0});
    auto const file = read_idx(f.path);
    double value = 0;
    REQUIRE(file.bytes.size() == sizeof value);
    std::memcpy(&value, file.bytes.data(), sizeof value);
    CHECK(value == -2.5);
  }
}

TEST_CASE("read_idx reads arrays without elements and single values") {
  CHECK(read_idx(temporary_file(header(0x08, {0})).path) == idx_file{{0}, {}, idx_dtype::uint8});
  CHECK(read_idx(temporary_file(header(0x0d, {3, 0, 4})).path) == idx_file{{3, 0, 4}, {}, idx_dtype::float32});
  CHECK(read_idx(temporary_file(header(0x08, {0xffffffff, 0xffffffff, 0xffffffff, 0})).path).bytes.empty());
  CHECK(read_idx(temporary_file(header(0x08, {}) + bytes{7}).path) == idx_file{{}, {7}, idx_dtype::uint8});
  CHECK(complaint(header(0x08, {})) == "truncated: header promises 1 bytes, the file has 0");
  CHECK(complaint(header(0x08, {0}) + bytes{7}) == "trailing bytes: header promises 0 bytes, the file goes on after them");
}

TEST_CASE("read_idx refuses what is no IDX file") {
  CHECK(complaint({'P', 'K', 3, 4, 5, 6}) == "not an IDX file (magic 0x504b0304)");
  CHECK(complaint({0, 1, 8, 1, 0, 0, 0, 0}) == "not an IDX file (magic 0x00010801)");
  CHECK(complaint({1, 0, 8, 1, 0, 0, 0, 0}) == "not an IDX file (magic 0x01000801)");
  CHECK(complaint({'x'}) == "not an IDX file (magic 0x78000000)");
  CHECK(complaint({0x1f, 0x8b, 8, 0}) == "not an IDX file, but one compressed with gzip: uncompress it first");
}

TEST_CASE("read_idx knows the element types of IDX and no other") {
  for (int dtype = 0; dtype < 256; ++dtype) {
    CAPTURE(dtype);
    bool const known = dtype == 0x08 || dtype == 0x09 || (dtype >= 0x0b && dtype <= 0x0e);
    std::string const said = complaint(header(static_cast<unsigned char>(dtype), {0}));
    CHECK(said.empty() == known);
    if (!known) CHECK(said.starts_with("unknown element type 0x"));
  }
  CHECK(complaint(header(0x0a, {0})) == "unknown element type 0x0a");
}

TEST_CASE("read_idx refuses a file cut at any length") {
  bytes const whole = header(0x0c, {2, 3}) + bytes(24, 42);
  REQUIRE(complaint(whole).empty());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    std::string const said = complaint(bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    if (length < 4)
      CHECK(said == "truncated: the header has at least 4 bytes, the file " + std::to_string(length));
    else if (length < 12)
      CHECK(said == "truncated: the header has 12 bytes, the file " + std::to_string(length));
    else
      CHECK(said == "truncated: header promises 24 bytes, the file has " + std::to_string(length - 12));
  }
}

TEST_CASE("read_idx refuses a long file cut behind its first chunk of memory") {
  bytes content = header(0x08, {3, 1u << 20}) + bytes((3u << 20) - 1, 1);
  CHECK(complaint(content) == "truncated: header promises 3145728 bytes, the file has 3145727");
  content.push_back(9);
  auto const file = read_idx(temporary_file(content).path);
  CHECK(file.bytes.size() == 3u << 20);
  CHECK(file.bytes.back() == 9);
}

TEST_CASE("read_idx refuses trailing bytes") {
  CHECK(complaint(header(0x08, {3}) + bytes(4, 1)) == "trailing bytes: header promises 3 bytes, the file goes on after them");
}

TEST_CASE("read_idx refuses shapes that no memory holds, without trying") {
  CHECK(complaint(header(0x08, {0xffffffff, 0xffffffff, 0xffffffff}) + bytes(9, 1)) ==
        "shape [4294967295, 4294967295, 4294967295] has more bytes than memory has addresses");
  CHECK(complaint(header(0x0e, {0x80000000, 0x40000000}) + bytes(8, 1)).ends_with("has more bytes than memory has addresses"));
  CHECK(complaint(header(0x08, std::vector<unsigned>(255, 2))).ends_with("has more bytes than memory has addresses"));
  if constexpr (sizeof(std::size_t) == 8)  // fits in an address, in no memory
    CHECK(complaint(header(0x08, {0xffffffff, 0xffff}) + bytes(9, 1)) == "truncated: header promises 281470681677825 bytes, the file has 9");
}

TEST_CASE("read_idx names the reason where a file cannot be read") {
  temporary_file const none;
  CHECK(complaint(none.path) == "cannot be opened: No such file or directory");
  CHECK(complaint(fs::temp_directory_path()) == "cannot be read: Is a directory");
}

TEST_CASE("write_idx writes what read_idx reads") {
  temporary_file const f;
  for (idx_file const& file :
       {idx_file{{2, 2}, {1, 2, 3, 4}, idx_dtype::uint8}, idx_file{{3}, {1, 2, 3}, idx_dtype::int8}, idx_file{{1, 2}, {1, 2, 3, 4}, idx_dtype::int16},
        idx_file{{2}, {1, 2, 3, 4, 5, 6, 7, 8}, idx_dtype::int32}, idx_file{{1}, {1, 2, 3, 4}, idx_dtype::float32},
        idx_file{{}, {1, 2, 3, 4, 5, 6, 7, 8}, idx_dtype::float64}, idx_file{{5, 0}, {}, idx_dtype::float32}}) {
    write_idx(f.path, file);
    CHECK(read_idx(f.path) == file);
  }
  write_idx(f.path, {{2, 258}, bytes(516, 3), idx_dtype::uint8});
  CHECK(f.get() == header(0x08, {2, 258}) + bytes(516, 3));
}

TEST_CASE("write_idx refuses what IDX cannot say and leaves the file alone") {
  temporary_file const f(bytes{1, 2, 3});
  CHECK_THROWS_WITH_AS(write_idx(f.path, {{2, 3}, {1, 2}, idx_dtype::uint8}), (f.path.string() + ": shape [2, 3] has 6 bytes, the array 2").c_str(),
                       data_error);
  CHECK_THROWS_AS(write_idx(f.path, {std::vector<std::size_t>(256, 1), {1}, idx_dtype::uint8}), data_error);
  CHECK_THROWS_AS(write_idx(f.path, {{0}, {}, idx_dtype{0x0a}}), data_error);
  if constexpr (sizeof(std::size_t) == 8) CHECK_THROWS_AS(write_idx(f.path, {{std::size_t{1} << 32, 0}, {}, idx_dtype::uint8}), data_error);
  CHECK(f.get() == bytes{1, 2, 3});
}

TEST_CASE("write_idx names the reason where a file cannot be written") {
  fs::path const path = fs::temp_directory_path() / "dimity_no_such_folder" / "file";
  CHECK_THROWS_WITH_AS(write_idx(path, {{1}, {1}, idx_dtype::uint8}), (path.string() + ": cannot be opened: No such file or directory").c_str(), data_error);
}
