// Random numbers as functions of a key, as in JAX: the same key gives the same numbers, everywhere and in any order of evaluation, and nothing
// has a hidden state. Draw once from a key, then split() it or fold_in() a counter for more.
//
// The generator is Philox4x32-10 (core/philox.hpp) with the key's two words as its key and block numbers as its counter. Keys are derived
// through Philox too: child i of `split` is words 2i and 2i + 1 of what key ^ split_tag generates; `fold_in` takes two words m of what
// key ^ fold_tag generates, and its child is the first two words that m ^ data generates. The tags are digits of e. So a child equals another key
// only by accident, with probability 2^-64 for a pair, and draws from different keys are different functions of the same counters.
#pragma once

#include <dimity/expr/random_operations.hpp>

#include <array>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class T>
struct key_words {
  tensor<T, 2> words;

  constexpr key_words() = default;
  constexpr key_words(tensor<T, 2> const& w) : words(w) {}
  /// The low and the high word of a 64-bit seed.
  template <std::integral Seed>
    requires(std::is_same_v<T, std::uint32_t>)
  constexpr key_words(Seed seed) {
    auto const s = static_cast<std::uint64_t>(seed);
    words.data()[0] = static_cast<std::uint32_t>(s);
    words.data()[1] = static_cast<std::uint32_t>(s >> 32);
  }
};

}  // namespace detail

/// Two 32-bit words that decide everything that is drawn. `basic_key<traced<std::uint32_t>>` is a key inside a traced function.
// An aggregate whose base is made from a seed or from words: `key{42}` works, and so does all that works for a struct with the one field `words`.
template <class T>
struct basic_key : detail::key_words<T> {};

/// `key{42}`: a key from a seed.
using key = basic_key<std::uint32_t>;

namespace detail {

template <class X>
concept random_parameter = operand<X> || scalar<X>;

/// A plain number as a rank-0 operand of type T; everything else as it is.
template <class T, random_parameter P>
constexpr decltype(auto) as_parameter(P&& p) {
  if constexpr (operand<P>) return static_cast<P&&>(p);
  else return scalar_leaf<T>{static_cast<decltype(scalar_leaf<T>::value)>(p)};
}
template <class Drawn, class Parameter>
struct parameter_fit {
  static constexpr bool broadcasts() {
    bool ok = Parameter::rank <= Drawn::rank;
    for (int i = 1; i <= Parameter::rank && ok; ++i) ok = may_be_equal(Parameter::at(-i), Drawn::at(-i)) || Parameter::at(-i) == 1;
    return ok;
  }
  static constexpr bool value = broadcasts();
};
template <class Drawn, class Parameter>
struct parameter_shapes {
  static_assert(parameter_fit<Drawn, Parameter>::value, "[dimity.random.1] a parameter of a distribution must broadcast to the shape that is drawn");
};
template <class T>
struct floating_draw {
  static constexpr bool value = is_floating(dtype_of<T>);
};
template <class T>
struct floating_type {
  static_assert(floating_draw<T>::value, "[dimity.random.2] this distribution has floating-point values: draw float or double");
};
template <class T>
struct integer_draw {
  static constexpr bool value = is_integer(dtype_of<T>);
};
template <class T>
struct integer_type {
  static_assert(integer_draw<T>::value, "[dimity.random.3] random::integers draws integers");
};

/// Draws at once from a key, appends to the program from a traced one.
template <class Operation, class T, class... P>
constexpr auto draw(basic_key<T> const& k, P&&... parameters) {
  return eval(apply<Operation>(k.words, static_cast<P&&>(parameters)...));
}
template <class Operation, class T, class Shape, class K, class... P>
constexpr auto draw_floating(basic_key<K> const& k, P&&... parameters) {
  (void)sizeof(floating_type<T>);
  ((void)sizeof(parameter_shapes<Shape, shape_of<P>>), ...);
  if constexpr (floating_draw<T>::value && (parameter_fit<Shape, shape_of<P>>::value && ...)) return draw<Operation>(k, static_cast<P&&>(parameters)...);
  else return failed<T, Shape>{};
}
template <class Operation, class T, class Shape, class K, class... P>
constexpr auto draw_integers(basic_key<K> const& k, P&&... parameters) {
  (void)sizeof(integer_type<T>);
  ((void)sizeof(parameter_shapes<Shape, shape_of<P>>), ...);
  if constexpr (integer_draw<T>::value && (parameter_fit<Shape, shape_of<P>>::value && ...)) return draw<Operation>(k, static_cast<P&&>(parameters)...);
  else return failed<T, Shape>{};
}

/// Keys that are known are derived here, without a program; the operations of the same names compute the same words.
constexpr key derived_key(std::uint32_t low, std::uint32_t high, std::uint64_t child) {
  philox_block const block = philox4x32({{static_cast<std::uint32_t>(child / 2), static_cast<std::uint32_t>(child / 2 >> 32), 0, 0}}, low, high);
  int const first = static_cast<int>(child % 2) * 2;
  return {block.word[first] | static_cast<std::uint64_t>(block.word[first + 1]) << 32};
}

}  // namespace detail

namespace random {

/// N keys from one. They do not depend on N: split<2>(k) begins split<5>(k). Use the parent for nothing else.
template <int N = 2, class T>
constexpr std::array<basic_key<T>, N> split(basic_key<T> const& k) {
  static_assert(N > 0, "[dimity.random.4] split: at least one key");
  return [&]<int... I>(std::integer_sequence<int, I...>) {
    if constexpr (std::is_same_v<T, std::uint32_t>)
      return std::array<key, N>{detail::derived_key(k.words.data()[0] ^ detail::split_tag.low, k.words.data()[1] ^ detail::split_tag.high, I)...};
    else
      return std::array<basic_key<T>, N>{basic_key<T>{detail::apply<detail::split_operation<N, I>>(k.words)}...};
  }(std::make_integer_sequence<int, N>{});
}
/// A key from a key and an integer (a step or a layer number, a rank-0 integer tensor or tracer): different integers, different keys.
template <class T, detail::index_operand I>
constexpr auto fold_in(basic_key<T> const& k, I const& data) {
  if constexpr (!std::is_same_v<T, std::uint32_t> || detail::tracer<I>) {
    return basic_key<traced<std::uint32_t>>{detail::apply<detail::fold_in_operation>(k.words, detail::as_indices(data))};
  } else {
    std::uint64_t d = 0;
    if constexpr (operand<I>) d = static_cast<std::uint64_t>(static_cast<detail::element_of<I>>(data));
    else d = static_cast<std::uint64_t>(data);
    key const mixed = detail::derived_key(k.words.data()[0] ^ detail::fold_tag.low, k.words.data()[1] ^ detail::fold_tag.high, 0);
    return detail::derived_key(mixed.words.data()[0] ^ static_cast<std::uint32_t>(d), mixed.words.data()[1] ^ static_cast<std::uint32_t>(d >> 32), 0);
  }
}

/// 32 random bits an element (uint32).
template <extent_t... E, class K>
constexpr auto bits(basic_key<K> const& k) {
  return detail::draw<detail::bits_operation<std::uint32_t, E...>>(k);
}
/// Uniform in [0, 1): multiples of 2^-24 in float, of 2^-53 in double.
template <class T, extent_t... E, class K>
constexpr auto uniform(basic_key<K> const& k) {
  return detail::draw_floating<detail::uniform_operation<T, E...>, T, shape<E...>>(k);
}
/// Uniform in [low, high); the bounds are numbers or tensors that broadcast to the shape.
template <class T, extent_t... E, class K, detail::random_parameter L, detail::random_parameter H>
constexpr auto uniform(basic_key<K> const& k, L&& low, H&& high) {
  return detail::draw_floating<detail::uniform_operation<T, E...>, T, shape<E...>>(k, detail::as_parameter<T>(static_cast<L&&>(low)), detail::as_parameter<T>(static_cast<H&&>(high)));
}
/// Standard normal numbers: the normal quantile of a uniform number. Largest magnitudes 5.4 (float) and 8.3 (double).
template <class T, extent_t... E, class K>
constexpr auto normal(basic_key<K> const& k) {
  return detail::draw_floating<detail::normal_operation<T, E...>, T, shape<E...>>(k);
}
/// Standard normal numbers on condition that they are in [lower, upper].
template <class T, extent_t... E, class K, detail::random_parameter L, detail::random_parameter H>
constexpr auto truncated_normal(basic_key<K> const& k, L&& lower, H&& upper) {
  return detail::draw_floating<detail::truncated_normal_operation<T, E...>, T, shape<E...>>(k, detail::as_parameter<T>(static_cast<L&&>(lower)), detail::as_parameter<T>(static_cast<H&&>(upper)));
}
/// Exponential numbers with mean 1, greater than 0.
template <class T, extent_t... E, class K>
constexpr auto exponential(basic_key<K> const& k) {
  return detail::draw_floating<detail::exponential_operation<T, E...>, T, shape<E...>>(k);
}
/// Standard Gumbel numbers: -log of exponential ones.
template <class T, extent_t... E, class K>
constexpr auto gumbel(basic_key<K> const& k) {
  return detail::draw_floating<detail::gumbel_operation<T, E...>, T, shape<E...>>(k);
}
/// True with probability p, a number or a tensor that broadcasts to the shape; without a shape, the shape of p.
template <extent_t... E, class K, detail::random_parameter P>
constexpr auto bernoulli(basic_key<K> const& k, P&& p) {
  using parameter = decltype(detail::as_parameter<float>(static_cast<P&&>(p)));
  using drawn = std::conditional_t<sizeof...(E) == 0, detail::shape_of<parameter>, shape<E...>>;
  (void)sizeof(detail::parameter_shapes<drawn, detail::shape_of<parameter>>);
  if constexpr (detail::parameter_fit<drawn, detail::shape_of<parameter>>::value) return detail::draw<detail::bernoulli_operation<E...>>(k, detail::as_parameter<float>(static_cast<P&&>(p)));
  else return detail::failed<bool, drawn>{};
}
/// Integers in [low, high); low where the interval is empty. An integer's probability is off by less than 2^-32, by less than 2^-64 for 64-bit T:
/// a relative bias below (high - low) / 2^32 or 2^64. None when high - low is a power of two.
template <class T, extent_t... E, class K, detail::index_operand L, detail::index_operand H>
constexpr auto integers(basic_key<K> const& k, L&& low, H&& high) {
  // The excluded bound of a narrow type need not be one of its values.
  using wide = std::conditional_t<dtype_of<T> == dtype::uint64, std::uint64_t, std::int64_t>;
  return detail::draw_integers<detail::integers_operation<T, E...>, T, shape<E...>>(k, detail::as_parameter<wide>(static_cast<L&&>(low)), detail::as_parameter<wide>(static_cast<H&&>(high)));
}
/// 0, 1, ..., N - 1 in random order (int32): what sorts N random 64-bit numbers, so that every order is equally likely but for ties (probability below N^2 / 2^65).
template <extent_t N, class K>
  requires(N <= INT32_MAX)
constexpr auto permutation(basic_key<K> const& k) {
  return detail::draw<detail::permutation_operation<N>>(k);
}
/// The rows of x (along its first axis) in random order.
template <class K, operand X>
  requires(detail::shape_of<X>::rank > 0)
constexpr auto permutation(basic_key<K> const& k, X&& x) {
  return detail::draw<detail::permute_rows_operation>(k, static_cast<X&&>(x));
}
/// Indices (int64) along an axis of unnormalised log-probabilities, chosen with those probabilities: the largest of logits + Gumbel noise. The axis disappears.
template <class K, operand X, int A>
constexpr auto categorical(basic_key<K> const& k, X&& logits, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  if constexpr (detail::has_axis<detail::shape_of<X>, A>) return detail::draw<detail::categorical_operation<A>>(k, static_cast<X&&>(logits));
  else return detail::failed<std::int64_t, shape<>>{};
}
template <class K, operand X>
constexpr auto categorical(basic_key<K> const& k, X&& logits) {
  return categorical(k, static_cast<X&&>(logits), axis<-1>);
}

}  // namespace random

using random::fold_in;
using random::split;

}  // namespace DIMITY_NAMESPACE
