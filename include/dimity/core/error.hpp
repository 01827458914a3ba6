// Run-time errors. Whatever can be known at compile time is a static_assert instead (docs/errors.md).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE {

/// Base of everything that dimity throws.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Extents that do not fit, found at run time (nested lists, spans, extents chosen at run time).
struct shape_error : error {
  using error::error;
};

/// A file or a stream that is not what it claims to be; nothing of it was loaded.
struct data_error : error {
  using error::error;
};

namespace detail {

/// One place decides what a failed check does, so that builds without exceptions can be served here.
template <class Error>
[[noreturn]] void fail(std::string const& text) {
#if defined(__cpp_exceptions)
  throw Error(text);
#else
  std::fputs((text + "\n").c_str(), stderr);
  std::abort();
#endif
}

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
