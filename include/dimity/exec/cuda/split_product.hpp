// Products with many terms and few results (the gradient of a small weight on a large batch): divided along the terms into a batch of products, so that more multiprocessors have work, whose results a second kernel adds up, in order.
#pragma once

#include <dimity/exec/cuda/tensor_product.hpp>
#include <dimity/plan/facts.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Into how many parts the terms are divided: as many as fill the multiprocessors with blocks of whole tiles, of 256 terms at least; all equal, and multiples of a packet, so that a part is as aligned as the whole. 1: none.
constexpr std::int64_t parts_of_product(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t entries) {
  if (m == 0 || n == 0 || entries == 0) return 1;
  product_tile const t = largest_tile(m, n);
  std::int64_t const blocks = (m + t.rows - 1) / t.rows * ((n + t.columns - 1) / t.columns) * entries;
  std::int64_t most = (132 + blocks - 1) / blocks;
  if (blocks >= 100) return 1;
  if (most > k / 256) most = k / 256;
  if (most > 32) most = 32;
  for (std::int64_t parts = most; parts > 1; --parts)
    if (k % parts == 0 && k / parts % 8 == 0) return parts;
  return 1;
}
template <class Code>
inline constexpr std::int64_t parts_of_terms = Code::symbols > 0 ? 1 : parts_of_product(Code::m, Code::n, Code::k, Code::entries);

/// One more axis of the batch, the outermost: the parts.
template <class Code>
struct product_in_parts;
template <template <std::int64_t...> class Code, std::int64_t... W>
struct product_in_parts<Code<W...>> {
  using whole = Code<W...>;
  struct content {
    std::int64_t words[sizeof...(W) + 3];
  };
  static constexpr content value = [] {
    constexpr std::int64_t parts = parts_of_terms<whole>, terms = whole::k / parts;
    constexpr int first = whole::first_batch;
    content c{};
    for (int i = 0; i < static_cast<int>(sizeof...(W)); ++i) c.words[i < first ? i : i + 3] = whole::words[i];
    c.words[4] = terms;
    c.words[11] = 1;                      // its results are stored
    c.words[12] = whole::unaligned & 3;   // in memory of our own
    c.words[first] = parts;
    c.words[first + 1] = terms * whole::a_column;
    c.words[first + 2] = terms * whole::b_row;
    return c;
  }();
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> Code<value.words[I]...>;
  using type = decltype(make(std::make_index_sequence<sizeof...(W) + 3>{}));
};

/// Adds the parts of every result, and does with it what the product's kernel would have done.
template <class Code, class Epilogue>
struct join_parts_kernel : product_results<Code, Epilogue, 1, 1, 4> {
  using base = product_results<Code, Epilogue, 1, 1, 4>;
  using typename base::arguments;
  using T = typename Code::result;
  static constexpr int threads = 256, W = base::W;
  static constexpr std::int64_t packets = Code::entries * Code::m * Code::n / W, parts = parts_of_terms<Code>;
  static constexpr std::int64_t blocks = (packets + threads - 1) / threads;
  DIMITY_DEVICE static void run(arguments const& args) {
    constexpr long long columns = Code::n / W > 0 ? Code::n / W : 1, rows = Code::m > 0 ? Code::m : 1;
    long long const q = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (q >= packets) return;
    pack<T, W> const* const from = static_cast<pack<T, W> const*>(args.p[0]);
    pack<T, W> sum = from[q];
    DIMITY_UNROLL
    for (int part = 1; part < static_cast<int>(parts); ++part) {
      pack<T, W> const x = from[part * packets + q];
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) sum.v[w] = device_binary<primitive::add>(sum.v[w], x.v[w]);
    }
    base::finish(args, sum, static_cast<int>(q / columns / rows), static_cast<int>(q / columns % rows), static_cast<int>(q % columns * W));
  }
};

}  // namespace DIMITY_NAMESPACE::detail
