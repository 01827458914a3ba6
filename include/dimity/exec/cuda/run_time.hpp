// Extents that are chosen at run time, in kernels of a GPU: numbers behind the pointers of a kernel's arguments. In the words of a kernel a size is the code of an amount, whose symbols are numbered by the kernel itself,
// so that equal kernels of different programs stay one.
#pragma once

#include <dimity/core/amount.hpp>
#include <dimity/core/error.hpp>
#include <dimity/core/integer_math.hpp>
#include <dimity/exec/cuda/language.hpp>
#include <dimity/program/list.hpp>

#include <cstdint>

namespace DIMITY_NAMESPACE::detail {

/// The amount behind a word; its coefficient, a number that its value is a multiple of; a word over a divisor of that.
constexpr amount amount_of(std::int64_t word) { return amount(word); }
constexpr std::int64_t factor_of(std::int64_t word) { return amount(word).coefficient(); }
constexpr std::int64_t divided_word(std::int64_t word, std::int64_t by) { return amount(word).with_coefficient(factor_of(word) / by).code; }
constexpr std::int64_t product_word(std::int64_t a, std::int64_t b) { return (amount(a) * amount(b)).code; }
constexpr bool is_known_word(std::int64_t word) { return amount(word).is_known(); }
// As constants, for device code, which may not call such functions even where a constant is wanted.
template <std::int64_t Word, std::int64_t By>
inline constexpr std::int64_t word_over = divided_word(Word, By);
template <std::int64_t Word>
inline constexpr bool is_known_constant = is_known_word(Word);

/// How many symbols a word needs that there are.
constexpr int symbols_of_word(std::int64_t word) {
  amount const a(word);
  int n = 0;
  for (int i = 0; i < amount::max_factors; ++i)
    if (a.factor(i) + 1 > n) n = a.factor(i) + 1;
  return n;
}

/// Of several words, or of their symbols, as they come.
struct symbol_counter {
  int count = 0;
  constexpr void add(std::int64_t word) {
    if (symbols_of_word(word) > count) count = symbols_of_word(word);
  }
};

/// Which symbols of a plan a kernel needs, in the order in which it numbers them.
struct kernel_symbols {
  list<int> of_plan;
  constexpr std::int64_t word(amount a) {
    if (a.is_known()) return a.code;
    amount r = a.coefficient();
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) {
      int own = 0;
      while (own < of_plan.size() && of_plan[own] != a.factor(i)) ++own;
      if (own == of_plan.size()) of_plan.push(a.factor(i));
      r *= amount::symbol(own);
    }
    return r.code;
  }
};

/// The same as a constant.
struct symbols_of_kernel {
  int of_plan[amount::max_symbols] = {};
  int count = 0;
  constexpr symbols_of_kernel() = default;
  constexpr explicit symbols_of_kernel(kernel_symbols const& s) {
    for (int const of : s.of_plan) of_plan[count++] = of;
  }
};

/// The value of a word in a kernel whose symbols are its arguments from number First on.
template <std::int64_t Word, int First>
struct number_in_kernel {
  static constexpr bool is_known = is_known_word(Word);
  static constexpr long long coefficient = factor_of(Word);
  static constexpr int a = amount(Word).factor(0), b = amount(Word).factor(1), c = amount(Word).factor(2), d = amount(Word).factor(3);
  template <class Arguments>
  DIMITY_HOST_DEVICE static long long of([[maybe_unused]] Arguments const& args) {
    if constexpr (is_known) {
      return coefficient;
    } else {
      long long v = coefficient;
      if constexpr (a >= 0) v *= reinterpret_cast<long long>(args.p[First + a]);
      if constexpr (b >= 0) v *= reinterpret_cast<long long>(args.p[First + b]);
      if constexpr (c >= 0) v *= reinterpret_cast<long long>(args.p[First + c]);
      if constexpr (d >= 0) v *= reinterpret_cast<long long>(args.p[First + d]);
      return v;
    }
  }
};

/// Blocks of a kernel whose size is known at run time only: as many as there is work for. Indices of the kernels that this is for have 32 bits.
inline long long blocks_at_run_time(long long work, long long per_block) {
  if (work > 0x7ff00000) fail<error>("an operation on a GPU with extents chosen at run time has more than 2,146,435,072 packets (elements, rows, terms) to go through");
  return (work + per_block - 1) / per_block;
}

}  // namespace DIMITY_NAMESPACE::detail
