// Attention.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/program/emit_attention.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

constexpr shape_value leading_axes(ref x) {
  shape_value s = x.shape();
  s.rank -= 2;
  return s;
}
/// x with these axes in front of its last two, as one axis.
constexpr ref with_one_leading_axis(ref x, shape_value s) {
  amount const n = s.size();
  for (int i = 2; i > 0; --i) s.push(x.extent(x.rank() - i));
  x = broadcast_to(x, s);
  shape_value flat;
  flat.push(n);
  for (int i = 2; i > 0; --i) flat.push(x.extent(x.rank() - i));
  return reshape(x, flat);
}
/// A mask as [n or 1, t or 1, s or 1].
constexpr ref as_attention_mask(ref mask, shape_value const& leading) {
  shape_value s = mask.shape();
  while (s.rank < 2) {
    for (int i = s.rank; i > 0; --i) s.extent[i] = s.extent[i - 1];
    s.extent[0] = 1;
    ++s.rank;
  }
  mask = reshape(mask, s);
  bool shared = true;
  for (int i = 0; i + 2 < s.rank; ++i) shared = shared && s.extent[i] == 1;
  return shared ? with_one_leading_axis(reshape(mask, without_axes(s, (1u << (s.rank - 2)) - 1)), {}) : with_one_leading_axis(mask, leading);
}

template <attention_options Options>
struct attention_operation {
  static constexpr ref emit(builder& g, ref q, ref k, ref v) { return emit(g, q, k, v, ref{&g}); }
  static constexpr ref emit(builder& g, ref q, ref k, ref v, ref mask) {
    dtype const result = floating_result(promote(q.type(), promote(k.type(), v.type()))), type = is_storage_float(result) ? dtype::float32 : result;
    bool const is_stored = is_storage_float(result) && size_of(result) == 2 && q.type() == result && k.type() == result && v.type() == result;
    q = cast(q, type);
    k = cast(k, type);
    v = cast(v, type);
    g.unify(q.extent(q.rank() - 1), k.extent(k.rank() - 1));
    g.unify(k.extent(k.rank() - 2), v.extent(v.rank() - 2));
    if (mask.valid())
      for (int i = 1; i <= 2 && i <= mask.rank(); ++i)
        if (!(mask.extent(mask.rank() - i) == 1)) g.unify(mask.extent(mask.rank() - i), i == 1 ? k.extent(k.rank() - 2) : q.extent(q.rank() - 2));
    shape_value leading = broadcast_shape(g, leading_axes(q), broadcast_shape(g, leading_axes(k), leading_axes(v)));
    attention_operands x{with_one_leading_axis(q, leading), with_one_leading_axis(k, leading), with_one_leading_axis(v, leading), mask, is_stored ? result : dtype::float32};
    if (mask.valid()) x.mask = as_attention_mask(mask.type() == dtype::boolean ? mask : cast(mask, type), leading);
    ref const y = attention<Options>(x);
    leading.push(y.extent(1));
    leading.push(y.extent(2));
    return cast(reshape(y, leading), result);
  }
};

template <class Query, class Key, class Value>
struct attention_axes {
  static_assert(Query::rank >= 2 && Key::rank >= 2 && Value::rank >= 2, "[dimity.attention.1] attention: queries [.., T, D], keys [.., S, D] and values [.., S, E] need two axes (query, key, value)");
};
template <extent_t Queries, extent_t Keys>
struct attention_lengths {
  static_assert(Queries == Keys, "[dimity.attention.2] attention: the last axes of queries and keys must be equal (queries, keys)");
};
template <extent_t Keys, extent_t Values>
struct attention_counts {
  static_assert(Keys == Values, "[dimity.attention.3] attention: each key [.., S, D] needs a value [.., S, E] (keys, values)");
};
template <bool Valid>
struct attention_blocks {
  static_assert(Valid, "[dimity.attention.4] attention: sizes of blocks cannot be negative; 0 leaves the choice to the library");
};
template <attention_options Options, class Query, class Key, class Value>
struct attention_check {
  using query = typename batch_shape<Query>::type;
  using key = typename batch_shape<Key>::type;
  using value_axes = typename batch_shape<Value>::type;
  using leading = broadcast_three<query, key, value_axes>;
  static constexpr bool has_axes = Query::rank >= 2 && Key::rank >= 2 && Value::rank >= 2;
  static constexpr bool has_lengths = may_be_equal(Query::at(-1), Key::at(-1)), has_counts = may_be_equal(Key::at(-2), Value::at(-2));
  static constexpr bool valid = Options.block_queries >= 0 && Options.block_keys >= 0;
  static constexpr bool value = has_axes && has_lengths && has_counts && valid && leading::value;
  using rule = std::conditional_t<!has_axes, attention_axes<Query, Key, Value>,
               std::conditional_t<!has_lengths, attention_lengths<Query::at(-1), Key::at(-1)>,
               std::conditional_t<!has_counts, attention_counts<Key::at(-2), Value::at(-2)>,
               std::conditional_t<!valid, attention_blocks<valid>, typename leading::rule>>>>;
};

template <class Mask>
struct attention_mask_type {
  static_assert(!sizeof(Mask), "[dimity.attention.5] attention: a mask is bool (true: takes part) or floating (added to the scores)");
};
template <class Mask, class Scores>
struct attention_mask_shape {
  static_assert(!sizeof(Mask), "[dimity.attention.6] attention: the mask must broadcast to the scores [.., T, S] (mask, scores)");
};
/// The scores [.., T, S] as a type.
template <class Query, class Key, class Value>
struct attention_scores_shape {
  static constexpr int rank = Query::rank > Key::rank ? (Query::rank > Value::rank ? Query::rank : Value::rank) : (Key::rank > Value::rank ? Key::rank : Value::rank);
  static constexpr extent_t joined(extent_t a, extent_t b) { return a == 1 || (a == dyn && b != 1) ? b : a; }
  static constexpr extent_t from_end(int i) {
    if (i == 1) return Key::at(-2);
    if (i == 2) return Query::at(-2);
    return joined(Query::at(-i), joined(Key::at(-i), Value::at(-i)));
  }
  template <int... I>
  static constexpr auto make(std::integer_sequence<int, I...>) {
    return shape<from_end(rank - I)...>{};
  }
  using type = decltype(make(std::make_integer_sequence<int, rank>{}));
};
template <class T, class Mask, class Scores>
struct attention_mask_check {
  static constexpr bool has_type = dtype_of<T> == dtype::boolean || is_floating(dtype_of<T>), has_shape = broadcast_into<Mask, Scores>::value;
  static constexpr bool value = has_type && has_shape;
  using rule = std::conditional_t<value, Scores, std::conditional_t<!has_type, attention_mask_type<T>, attention_mask_shape<Mask, Scores>>>;
};

template <class Q, class K, class V>
using failed_attention = failed<element_of<Q>, shape<shape_of<Q>::at(-2), shape_of<V>::at(-1)>>;

}  // namespace detail

/// softmax(scale query key^T) value, each row of the softmax by itself: query [.., T, D], key [.., S, D], value [.., S, E] -> [.., T, E]. Leading axes, of which heads are one, broadcast, and all extents may
/// be chosen at run time. With attention_options{.causal = true} query i takes keys 0 to i.
/// Where all the scores are more than half a megabyte they never exist at once: blocks of them, with a running softmax, are used up at once, and computed again in reverse mode (Dao et al., FlashAttention, 2022),
/// so that memory grows with T + S and not with T * S. Blocks that .causal leaves empty are not computed. Every transform works; reverse mode of reverse mode saves the blocks of the first.
template <attention_options Options = attention_options{}, operand Q, operand K, operand V>
constexpr auto scaled_dot_product_attention(Q&& query, K&& key, V&& value) {
  using check = detail::attention_check<Options, detail::shape_of<Q>, detail::shape_of<K>, detail::shape_of<V>>;
  (void)sizeof(typename check::rule);
  if constexpr (check::value) return detail::apply<detail::attention_operation<Options>>(static_cast<Q&&>(query), static_cast<K&&>(key), static_cast<V&&>(value));
  else return detail::failed_attention<Q, K, V>{};
}
/// The same with a mask that broadcasts to [.., T, S]: bool, true where a query takes a key, or floating, which is added to the scores (and has a gradient). A row that takes no key gives 0.
template <attention_options Options = attention_options{}, operand Q, operand K, operand V, operand M>
constexpr auto scaled_dot_product_attention(Q&& query, K&& key, V&& value, M&& mask) {
  using check = detail::attention_check<Options, detail::shape_of<Q>, detail::shape_of<K>, detail::shape_of<V>>;
  (void)sizeof(typename check::rule);
  if constexpr (!check::value) {
    return detail::failed_attention<Q, K, V>{};
  } else {
    using scores = typename detail::attention_scores_shape<detail::shape_of<Q>, detail::shape_of<K>, detail::shape_of<V>>::type;
    using mask_check = detail::attention_mask_check<detail::element_of<M>, detail::shape_of<M>, scores>;
    (void)sizeof(typename mask_check::rule);
    if constexpr (mask_check::value) return detail::apply<detail::attention_operation<Options>>(static_cast<Q&&>(query), static_cast<K&&>(key), static_cast<V&&>(value), static_cast<M&&>(mask));
    else return detail::failed_attention<Q, K, V>{};
  }
}

}  // namespace DIMITY_NAMESPACE
