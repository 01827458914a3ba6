// Attention with several heads.
#pragma once

#include <dimity/expr/attention.hpp>
#include <dimity/nn/linear.hpp>

namespace DIMITY_NAMESPACE::nn {
namespace detail {

using namespace dimity::detail;

template <extent_t Embed, extent_t Heads>
struct heads_of_embedding {
  static_assert(Heads >= 1 && Embed % Heads == 0, "[dimity.nn.5] multi_head_attention: the number of heads must divide the length of the embedding (embedding, heads)");
};
/// [.., T, heads * D] -> [.., heads, T, D]
template <extent_t Heads>
struct split_heads_operation {
  static constexpr ref emit(builder&, ref x) {
    shape_value s = x.shape();
    amount const embedding = s.extent[s.rank - 1];
    s.extent[s.rank - 1] = Heads;
    s.push(embedding.number() / Heads);
    axis_map p = axis_map::identity(s.rank);
    p.set(s.rank - 3, s.rank - 2);
    p.set(s.rank - 2, s.rank - 3);
    return transpose(reshape(x, s), p);
  }
};
/// [.., heads, T, D] -> [.., T, heads * D]
struct join_heads_operation {
  static constexpr ref emit(builder&, ref x) {
    int const r = x.rank();
    axis_map p = axis_map::identity(r);
    p.set(r - 3, r - 2);
    p.set(r - 2, r - 3);
    ref const y = transpose(x, p);
    shape_value s = y.shape();
    s.extent[r - 2] = s.extent[r - 2] * s.extent[r - 1];
    --s.rank;
    return reshape(y, s);
  }
};

}  // namespace detail

/// Attention in Heads parts of the embedding at once (Vaswani et al., 2017): output(concat of the heads' attention(query(q), key(k), value(v))). q: [.., T, Embed], k and v: [.., S, Embed] -> [.., T, Embed];
/// `layer(x)` is self attention. A mask broadcasts to [.., Heads, T, S], as in scaled_dot_product_attention, whose memory and options this has; `multi_head_attention<T, 64, 8, attention_options{.causal = true}>`.
/// All projections start as nn::linear does.
template <class T, extent_t Embed, extent_t Heads, attention_options Options = attention_options{}>
struct multi_head_attention {
  linear<T, Embed, Embed> query, key, value, output;

  /// `(x)`, `(q, k, v)` or `(q, k, v, mask)`.
  template <class Q, class... More>
    requires(sizeof...(More) == 0 || sizeof...(More) == 2 || sizeof...(More) == 3)
  constexpr auto operator()(Q&& q, More&&... more) const {
    (void)sizeof(detail::heads_of_embedding<Embed, Heads>);
    if constexpr (!is_valid) return dimity::detail::failed<dimity::detail::element_of<Q>, dimity::detail::shape_of<Q>>{};
    else if constexpr (sizeof...(More) == 0) {
      decltype(auto) k = detail::once_more<Q>(q);
      decltype(auto) v = detail::once_more<Q>(q);
      return attended(static_cast<Q&&>(q), static_cast<decltype(k)&&>(k), static_cast<decltype(v)&&>(v));
    } else return attended(static_cast<Q&&>(q), static_cast<More&&>(more)...);
  }

 private:
  static constexpr bool is_valid = Heads >= 1 && Embed % (Heads >= 1 ? Heads : 1) == 0;

  template <class Q, class K, class V, class... Mask>
  constexpr auto attended(Q&& q, K&& k, V&& v, Mask&&... mask) const {
    return joined(scaled_dot_product_attention<Options>(heads(query(static_cast<Q&&>(q))), heads(key(static_cast<K&&>(k))), heads(value(static_cast<V&&>(v))), static_cast<Mask&&>(mask)...));
  }
  template <class X>
  static constexpr auto heads(X&& x) {
    return dimity::detail::apply<detail::split_heads_operation<Heads>>(static_cast<X&&>(x));
  }
  template <class X>
  constexpr auto joined(X&& x) const {
    if constexpr (dimity::detail::is_failed<std::remove_cvref_t<X>>) return x;
    else return output(dimity::detail::apply<detail::join_heads_operation>(static_cast<X&&>(x)));
  }
};

}  // namespace DIMITY_NAMESPACE::nn
