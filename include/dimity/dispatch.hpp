// One program with code for several instruction sets: functions that are compiled once for each, and chosen by the machine at the first call
// (docs/dispatch.md).
//
//   DIMITY_DISPATCH(act, (std::span<float const, 48> observation, std::span<float, 12> action) -> void) { ... }
//
// defines `act`, a function like any other, in the current namespace. CMake's `dimity_dispatch(app SOURCES policy.cpp)` compiles the file for each instruction
// set; compiled alone, it has the one version that its flags make.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <dimity/core/config.hpp>
#include <dimity/core/error.hpp>

#define DIMITY_JOIN_NOW(a, b, c) a##b##c
#define DIMITY_JOIN(a, b, c) DIMITY_JOIN_NOW(a, b, c)
#define DIMITY_STRING_NOW(x) #x
#define DIMITY_STRING(x) DIMITY_STRING_NOW(x)

namespace DIMITY_NAMESPACE {

/// The instruction set that this code was compiled for by dimity_dispatch, "baseline" elsewhere. In a dispatched function it tells which version runs.
#ifdef DIMITY_ARCHITECTURE
inline constexpr std::string_view compiled_architecture = DIMITY_STRING(DIMITY_ARCHITECTURE);
#else
inline constexpr std::string_view compiled_architecture = "baseline";
#endif

namespace detail {

/// What functions may be compiled for, the better the later. A machine that has one of them need not have all before it: AVX-512 came without VNNI for AVX2.
inline constexpr std::array<std::string_view, 6> architectures{"baseline", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16"};

inline bool machine_runs([[maybe_unused]] int architecture) {
#if defined(__x86_64__) && defined(__GNUC__)
  // The compiler's own question, which asks the operating system too.
  __builtin_cpu_init();
  if (architecture == 1) return __builtin_cpu_supports("x86-64-v3");
  if (architecture == 2) return __builtin_cpu_supports("x86-64-v3") && __builtin_cpu_supports("avxvnni");
  if (architecture == 3) return __builtin_cpu_supports("x86-64-v4");
  if (architecture == 4) return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni");
  if (architecture == 5) return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
#endif
  return architecture == 0;
}

/// Asks the machine and the environment each time.
inline int best_architecture() {
  int best = static_cast<int>(architectures.size()) - 1;
  if (char const* const most = std::getenv("DIMITY_MAX_ARCHITECTURE"); most != nullptr && *most != '\0') {
    while (best >= 0 && architectures[static_cast<std::size_t>(best)] != most) --best;
    if (best < 0)
      fail<error>("[dimity.dispatch.2] DIMITY_MAX_ARCHITECTURE is '" + std::string(most) + "', which is none of baseline, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16");
  }
  while (!machine_runs(best)) --best;
  return best;
}

template <class Type>
constexpr bool has_dimity_in_it() {
  return requires(std::add_pointer_t<std::remove_reference_t<Type>> x) { is_associated_with_dimity(x); };
}

/// What a dispatched function takes or returns.
template <class Type>
struct dispatched_value {
  static_assert(!has_dimity_in_it<Type>(),
                "[dimity.dispatch.1] dimity's types differ between instruction sets: pass std::span, pointers or numbers to a dispatched function");
  static constexpr bool may_cross = true;
};

template <class Function>
inline constexpr bool may_be_dispatched = false;
template <class R, class... P, bool NoThrow>
inline constexpr bool may_be_dispatched<R(P...) noexcept(NoThrow)> = dispatched_value<R>::may_cross && (... && dispatched_value<P>::may_cross);

}  // namespace detail

// Declared behind its use: only argument-dependent lookup finds it there, for types that have something of dimity in their names.
template <class Type>
void is_associated_with_dimity(Type*);
namespace data {
using dimity::is_associated_with_dimity;
}
namespace detail {
using dimity::is_associated_with_dimity;
}
namespace linalg {
using dimity::is_associated_with_dimity;
}
namespace nn {
using dimity::is_associated_with_dimity;
}
namespace optim {
using dimity::is_associated_with_dimity;
}

/// The best of the instruction sets that dimity knows, "baseline", "avx2", "avx2_vnni", "avx512", "avx512_vnni" or "avx512_bf16", that this machine has and DIMITY_MAX_ARCHITECTURE allows:
/// dispatched functions run the best version up to it.
inline std::string_view machine_architecture() { return detail::architectures[static_cast<std::size_t>(detail::best_architecture())]; }

}  // namespace DIMITY_NAMESPACE

#if defined(DIMITY_ARCHITECTURE)
#define DIMITY_DISPATCH_AS(version, ...) \
  auto version __VA_ARGS__;              \
  auto version __VA_ARGS__
// dispatch.cmake knows the functions by these names.
#define DIMITY_DISPATCH_FUNCTION(name, ...) DIMITY_DISPATCH_AS(DIMITY_JOIN(dimity_, DIMITY_ARCHITECTURE, _version_of_##name), __VA_ARGS__)

#elif defined(DIMITY_DISPATCH_AVX2) || defined(DIMITY_DISPATCH_AVX2_VNNI) || defined(DIMITY_DISPATCH_AVX512) || defined(DIMITY_DISPATCH_AVX512_VNNI) || defined(DIMITY_DISPATCH_AVX512_BF16)

namespace DIMITY_NAMESPACE::detail {

using initializer = void (*)();

// Where the linker puts what dispatch.cmake took from the start of the program; null where there is nothing.
#define DIMITY_INITIALIZERS(architecture)                                                                                                        \
  extern "C" initializer first_##architecture[] __asm__("__start_dimity_initialize_" #architecture) __attribute__((weak, visibility("hidden"))); \
  extern "C" initializer last_##architecture[] __asm__("__stop_dimity_initialize_" #architecture) __attribute__((weak, visibility("hidden")));
DIMITY_INITIALIZERS(avx2)
DIMITY_INITIALIZERS(avx2_vnni)
DIMITY_INITIALIZERS(avx512)
DIMITY_INITIALIZERS(avx512_vnni)
DIMITY_INITIALIZERS(avx512_bf16)
#undef DIMITY_INITIALIZERS

/// Initialises the namespace-scope objects of the versions for one instruction set, once in each program or shared library: hence hidden.
template <int Architecture>
[[gnu::visibility("hidden")]] inline void initialize(initializer* first, initializer* last) {
  [[maybe_unused]] static bool const done = [=] {
    for (initializer* i = first; i != last; ++i) (*i)();
    return true;
  }();
}

template <class Function>
struct dispatched;
template <class R, class... P, bool NoThrow>
struct dispatched<R(P...) noexcept(NoThrow)> {
  using function = R(P...) noexcept(NoThrow);

  /// A function's versions, in the order of `architectures`, null where there is none.
  template <function*... Versions>
  struct versions {
    static function* choose() {
      constexpr std::array<function*, sizeof...(Versions)> all{Versions...};
      int best = best_architecture();
      while (all[static_cast<std::size_t>(best)] == nullptr || !machine_runs(best)) --best;
      if (best == 1) initialize<1>(first_avx2, last_avx2);
      if (best == 2) initialize<2>(first_avx2_vnni, last_avx2_vnni);
      if (best == 3) initialize<3>(first_avx512, last_avx512);
      if (best == 4) initialize<4>(first_avx512_vnni, last_avx512_vnni);
      if (best == 5) initialize<5>(first_avx512_bf16, last_avx512_bf16);
      return all[static_cast<std::size_t>(best)];
    }

    /// Several threads that call before the choice is known make the same one.
    static R first_call(P... arguments) noexcept(NoThrow) {
      function* const version = choose();
      chosen.store(version, std::memory_order_release);
      return version(std::forward<P>(arguments)...);
    }

    /// Later calls cost one load, from the first-level cache, and one indirect call: no flag is asked whether the choice was made.
    static inline constinit std::atomic<function*> chosen{&first_call};
  };
};

}  // namespace DIMITY_NAMESPACE::detail

#ifdef DIMITY_DISPATCH_AVX2
#define DIMITY_DECLARE_AVX2(name, ...) auto dimity_avx2_version_of_##name __VA_ARGS__;
#define DIMITY_NAME_AVX2(name) &dimity_avx2_version_of_##name
#else
#define DIMITY_DECLARE_AVX2(name, ...)
#define DIMITY_NAME_AVX2(name) nullptr
#endif
#ifdef DIMITY_DISPATCH_AVX2_VNNI
#define DIMITY_DECLARE_AVX2_VNNI(name, ...) auto dimity_avx2_vnni_version_of_##name __VA_ARGS__;
#define DIMITY_NAME_AVX2_VNNI(name) &dimity_avx2_vnni_version_of_##name
#else
#define DIMITY_DECLARE_AVX2_VNNI(name, ...)
#define DIMITY_NAME_AVX2_VNNI(name) nullptr
#endif
#ifdef DIMITY_DISPATCH_AVX512
#define DIMITY_DECLARE_AVX512(name, ...) auto dimity_avx512_version_of_##name __VA_ARGS__;
#define DIMITY_NAME_AVX512(name) &dimity_avx512_version_of_##name
#else
#define DIMITY_DECLARE_AVX512(name, ...)
#define DIMITY_NAME_AVX512(name) nullptr
#endif
#ifdef DIMITY_DISPATCH_AVX512_VNNI
#define DIMITY_DECLARE_AVX512_VNNI(name, ...) auto dimity_avx512_vnni_version_of_##name __VA_ARGS__;
#define DIMITY_NAME_AVX512_VNNI(name) &dimity_avx512_vnni_version_of_##name
#else
#define DIMITY_DECLARE_AVX512_VNNI(name, ...)
#define DIMITY_NAME_AVX512_VNNI(name) nullptr
#endif
#ifdef DIMITY_DISPATCH_AVX512_BF16
#define DIMITY_DECLARE_AVX512_BF16(name, ...) auto dimity_avx512_bf16_version_of_##name __VA_ARGS__;
#define DIMITY_NAME_AVX512_BF16(name) &dimity_avx512_bf16_version_of_##name
#else
#define DIMITY_DECLARE_AVX512_BF16(name, ...)
#define DIMITY_NAME_AVX512_BF16(name) nullptr
#endif

// A macro cannot know the names of the parameters, which it would need to pass them on. A function that is a friend of a class template can be defined without:
// its parameters are a pack. The pointer makes the compiler emit it.
#define DIMITY_DISPATCH_AS(dispatch, name, ...)                                                                                                       \
  auto name __VA_ARGS__;                                                                                                                              \
  static auto dimity_baseline_version_of_##name __VA_ARGS__;                                                                                          \
  DIMITY_DECLARE_AVX2(name, __VA_ARGS__)                                                                                                              \
  DIMITY_DECLARE_AVX2_VNNI(name, __VA_ARGS__)                                                                                                         \
  DIMITY_DECLARE_AVX512(name, __VA_ARGS__)                                                                                                            \
  DIMITY_DECLARE_AVX512_VNNI(name, __VA_ARGS__)                                                                                                       \
  DIMITY_DECLARE_AVX512_BF16(name, __VA_ARGS__)                                                                                                       \
  template <class>                                                                                                                                    \
  struct dispatch;                                                                                                                                    \
  template <class R, class... P, bool NoThrow>                                                                                                        \
  struct dispatch<R(P...) noexcept(NoThrow)> {                                                                                                        \
    friend auto name(P... arguments) noexcept(NoThrow) -> R {                                                                                         \
      using of_this_type = ::dimity::detail::dispatched<R(P...) noexcept(NoThrow)>;                                                                   \
      using versions = typename of_this_type::template versions<&dimity_baseline_version_of_##name, DIMITY_NAME_AVX2(name), DIMITY_NAME_AVX2_VNNI(name),\
                                                                DIMITY_NAME_AVX512(name), DIMITY_NAME_AVX512_VNNI(name), DIMITY_NAME_AVX512_BF16(name)>;\
      return versions::chosen.load(std::memory_order_acquire)(std::forward<P>(arguments)...);                                                         \
    }                                                                                                                                                 \
  };                                                                                                                                                  \
  template struct dispatch<auto __VA_ARGS__>;                                                                                                         \
  [[gnu::used]] static constexpr std::add_pointer_t<auto __VA_ARGS__> DIMITY_JOIN(dispatch, _, pointer) = &name;                                      \
  static auto dimity_baseline_version_of_##name __VA_ARGS__

#define DIMITY_DISPATCH_FUNCTION(name, ...) DIMITY_DISPATCH_AS(DIMITY_JOIN(dimity_dispatch_of_, name, __LINE__), name, __VA_ARGS__)

#else
#define DIMITY_DISPATCH_FUNCTION(name, ...) auto name __VA_ARGS__
#endif

/// Opens the definition of a function that dimity_dispatch compiles for several instruction sets: its name, unqualified, then its parameters and the type that
/// it returns. Overloads, noexcept, references and types that can only be moved work as in other functions; templates and members cannot be dispatched, and
/// dimity's own types cannot be passed.
#define DIMITY_DISPATCH(name, ...)                                                                                       \
  static_assert(::dimity::detail::may_be_dispatched<auto __VA_ARGS__>, "a dispatched function: (parameters) -> result"); \
  DIMITY_DISPATCH_FUNCTION(name, __VA_ARGS__)
