// Attention, softmax(q k^T) v, in blocks with a running softmax: no more than one block of the scores exists at a time, forwards and backwards. FlashAttention (Dao et al., 2022) with the equations of FlashAttention-2 (Dao, 2023);
// the running softmax is that of Milakov and Gimelshein (2018), the memory that of Rabe and Staats (2021).
#pragma once

#include <dimity/program/emit_loops.hpp>
#include <dimity/program/rules.hpp>

#include <bit>
#include <limits>

namespace DIMITY_NAMESPACE {

/// For `scaled_dot_product_attention<attention_options{.causal = true}>(q, k, v)`. Blocks are chosen where they are 0 (docs/attention.md).
struct attention_options {
  bool causal = false;        ///< query i takes keys 0 to i only, also where there are more or fewer keys than queries: PyTorch's is_causal
  double scale = 0;           ///< what products of queries and keys are multiplied by; 0: 1 / sqrt(their length)
  extent_t block_queries = 0, block_keys = 0;
};

namespace detail {

/// Instead of -inf where a maximum begins, so that no difference of infinities arises: a row that is masked out whole then has the sum 0, and gives 0. No finite score is lower, so that rows of the lowest numbers are as any others.
constexpr double lowest_score(dtype type) { return type == dtype::float64 ? std::numeric_limits<double>::lowest() : static_cast<double>(std::numeric_limits<float>::lowest()); }
/// Instead of the logarithm of that sum: probabilities become exp(-inf - 1e30) = 0 again.
inline constexpr double logarithm_of_nothing = 1e30;

/// Scores that are few enough are written as a whole (measured, docs/attention.md): the whole backward pass reads them instead of computing them again.
inline constexpr extent_t whole_scores_bytes = 512 * 1024;
/// A block of scores and what it is made of stay in L2, and a block of queries is tall enough for products to be fast.
inline constexpr extent_t most_block_queries = 64, most_block_keys = 256, most_causal_block_keys = 128;

/// q: [n, t, d], k: [n, s, d], v: [n, s, e]; mask: [n or 1, t or 1, s or 1], if there is one.
struct attention_operands {
  ref q, k, v, mask;
  dtype stored = dtype::float32;  ///< the 16-bit type that all of q, k and v have where they are in memory, or float32
};

/// As few blocks as `most` allows, of equal size up to whole vectors; of an extent that is chosen at run time blocks of `most`.
constexpr extent_t block_extent(amount extent, extent_t most, extent_t chosen, extent_t vector) {
  if (chosen > 0) return extent.is_known() && extent.number() < chosen ? (extent.number() > 0 ? extent.number() : 1) : chosen;
  if (!extent.is_known()) return most;
  extent_t const e = extent.number(), blocks = (e + most - 1) / most;
  if (blocks <= 1) return e > 0 ? e : 1;
  return ((e + blocks - 1) / blocks + vector - 1) / vector * vector;
}

struct attention_tiles {
  amount n, t, s;
  extent_t rows, columns;
  amount row_blocks, column_blocks;
  bool causal, pads_keys;
  double scale;

  constexpr attention_tiles(attention_options const& o, attention_operands const& x)
      : n(x.q.extent(0)), t(x.q.extent(1)), s(x.k.extent(1)),
        rows(block_extent(t, most_block_queries, o.block_queries, 8)),
        columns(block_extent(s, o.causal ? most_causal_block_keys : most_block_keys, o.block_keys, 16)),
        row_blocks(x.q.g->extents->quotient(t, rows)), column_blocks(x.q.g->extents->quotient(s, columns)),
        causal(o.causal), pads_keys(!(column_blocks * columns == s)), scale(o.scale) {}

  /// Blocks of axis `axis` of x, [.., blocks, elements, ..]; what is not there is 0.
  static constexpr ref split(ref x, int axis, amount blocks, extent_t elements) {
    amount const whole = blocks * elements;
    if (!(x.extent(axis) == whole)) {
      std::int64_t start[max_rank] = {}, step[max_rank] = {};
      for (int i = 0; i < x.rank(); ++i) step[i] = 1;
      shape_value s = x.shape();
      s.extent[axis] = whole;
      x = pad(x, s, start, step);
    }
    shape_value s;
    for (int i = 0; i < x.rank(); ++i) {
      s.push(i == axis ? blocks : x.extent(i));
      if (i == axis) s.push(elements);
    }
    return reshape(x, s);
  }
  constexpr ref split_rows(ref x) const { return split(x, 1, row_blocks, rows); }
  constexpr ref split_columns(ref x) const { return split(x, 1, column_blocks, columns); }
  /// [n, blocks, elements, ..] -> [n, extent, ..]
  static constexpr ref join(ref x, amount extent) {
    shape_value s;
    s.push(x.extent(0));
    s.push(x.extent(1) * x.extent(2));
    for (int i = 3; i < x.rank(); ++i) s.push(x.extent(i));
    x = reshape(x, s);
    return x.extent(1) == extent ? x : slice_axis(x, 1, 0, extent);
  }
  /// [n or 1, row blocks or 1, column blocks or 1, rows or 1, columns or 1]
  constexpr ref split_mask(ref mask) const {
    if (!mask.valid()) return mask;
    ref const by_rows = mask.extent(1) == 1 && !(t == 1) ? split(mask, 1, 1, 1) : split_rows(mask);
    ref const by_both = by_rows.extent(3) == 1 && !(s == 1) ? split(by_rows, 3, 1, 1) : split(by_rows, 3, column_blocks, columns);
    axis_map p = axis_map::identity(5);
    p.set(2, 3);
    p.set(3, 2);
    return transpose(by_both, p);
  }
  constexpr ref first_positions(builder& g, amount blocks, extent_t elements) const {
    shape_value s;
    s.push(blocks);
    return iota(g, dtype::int32, s, 0) * full(g, dtype::int32, s, static_cast<double>(elements));
  }
  constexpr ref row_positions(builder& g) const { return first_positions(g, row_blocks, rows); }
  constexpr ref column_positions(builder& g) const { return first_positions(g, column_blocks, columns); }
};

/// 1 / sqrt(n), by Newton's method: std::sqrt is no constant expression.
constexpr double inverse_root(double n) {
  // From above the steps go down, until rounding stops them.
  double root = n > 1 ? n : 1;
  for (double next = 0.5 * (root + n / root); next < root; next = 0.5 * (root + n / root)) root = next;
  return 1 / root;
}
/// What is asked for, or 1 / sqrt(length).
constexpr double scale_of_attention(double wanted, amount length) { return wanted != 0 ? wanted : length == 0 ? 1.0 : inverse_root(static_cast<double>(length.number())); }
constexpr ref attention_scale(builder& g, double scale, ref q) {
  amount const length = q.extent(q.rank() - 1);
  if (scale != 0 || length.is_known()) return constant(g, q.type(), scale_of_attention(scale, length));
  return constant(g, q.type(), 1) / unary(primitive::sqrt, count_of(g, q.type(), length));
}

/// The scores [.., rows, columns] of queries and keys, -inf where they do not meet. `i` and `j` are the positions of the first query and the first key; keys from `s` on are none.
constexpr ref attention_scores(attention_tiles const& tiles, ref q, ref k, ref mask, ref i, ref j) {
  builder& g = *q.g;
  ref x = dot(q, swap_last_two(k)) * attention_scale(g, tiles.scale, q);
  shape_value const shape = x.shape();
  int const row = x.rank() - 2, column = x.rank() - 1;
  ref const nothing = full_like(x, -std::numeric_limits<double>::infinity());
  if (mask.valid()) x = mask.type() == dtype::boolean ? select(mask, x, nothing) : x + mask;
  if (tiles.causal) x = select(binary(primitive::less_equal, iota(g, dtype::int32, shape, column) - iota(g, dtype::int32, shape, row), i - j), x, nothing);
  if (tiles.pads_keys) x = select(less(iota(g, dtype::int32, shape, column), count_of(g, dtype::int32, tiles.s) - j), x, nothing);
  return x;
}
constexpr ref stopped_copy(ref x) { return append(*x.g, primitive::copy, x.type(), x.shape(), x.id, -1, -1, stops_derivative); }
/// The rows' largest scores, as something to subtract: finite, and without a derivative, which cancels.
constexpr ref largest_scores(ref x, ref before) { return stopped_copy(binary(primitive::maximum, reduce_kept(primitive::max, x, 1u << (x.rank() - 1)), before)); }
/// What scores lack of the largest. Never above 0: products that are added up otherwise than in the forward pass must not become huge probabilities where rounding units are. The derivative is there also where that is so:
/// the largest score of a row has most of its probability.
constexpr ref below_largest(ref x, ref largest) {
  ref const rest = x - largest, zero = full_like(rest, 0);
  return rest - stopped_copy(select(less(zero, rest), rest, zero));
}
constexpr ref row_sums(ref x) { return reduce_kept(primitive::sum, x, 1u << (x.rank() - 1)); }
/// A row's sum, 1 where nothing is in it.
constexpr ref positive_sums(ref sums) { return select(equal(sums, full_like(sums, 0)), full_like(sums, 1), sums); }

/// All scores at once: for few of them.
constexpr ref whole_attention(attention_options const& o, attention_operands const& x) {
  builder& g = *x.q.g;
  attention_tiles tiles(o, x);
  tiles.pads_keys = false;
  ref const zero = integer_constant(g, dtype::int32, 0);
  ref const scores = attention_scores(tiles, x.q, x.k, x.mask, zero, zero);
  shape_value one = scores.shape();
  one.extent[one.rank - 1] = 1;
  ref const e = unary(primitive::exp, scores - largest_scores(scores, full(g, scores.type(), one, lowest_score(scores.type()))));
  return dot(e / positive_sums(row_sums(e)), x.v);
}

/// The entry of `mask` in a loop over its axis 0, of which there may be one for all.
constexpr bool has_entries(ref mask, amount trips) { return mask.valid() && mask.extent(0) == trips; }
constexpr ref mask_entry(ref mask, bool own, list<ref> const& entries) { return !mask.valid() ? mask : own ? entries[entries.size() - 1] : entry_of_one(mask); }

/// What kernels of attention on a GPU are told: one number.
inline constexpr int bits_of_attention_numbers = 48;
struct attention_numbers {
  bool causal;
  int length;   ///< of queries and keys, less than 2^15
  float scale;

  constexpr std::int64_t code() const { return static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(scale)) << 16 | static_cast<std::int64_t>(length) << 1 | (causal ? 1 : 0); }
  static constexpr attention_numbers of(std::int64_t code) { return {(code & 1) != 0, static_cast<int>(code >> 1 & 0x7fff), std::bit_cast<float>(static_cast<std::uint32_t>(code >> 16))}; }
};
/// Lengths of keys and values for which there are kernels on a GPU: a block of lines of each stays in shared memory.
inline constexpr extent_t most_length_on_gpu = 128;

/// On a GPU a kernel each for results, for what gradients need of whole rows, for queries' gradients, and for those of keys and values stands for the loops: a node has one result. For floats only, which may be stored in 16 bits:
/// operands and cotangents are read as they are stored then, and the result is written so; gradients are float32. Gradients of masks are those of the loops.
struct attention_on_gpu {
  bool is_there = false;
  attention_numbers numbers{};
  dtype stored = dtype::float32;

  constexpr attention_on_gpu(attention_options const& o, attention_operands const& x) : stored(x.stored) {
    amount const length = x.q.extent(2), values = x.v.extent(2);
    // Keys of another length than queries are found out when the program runs.
    is_there = x.q.type() == dtype::float32 && length.is_known() && values.is_known() && x.k.extent(2) == length && length.number() > 0 && values.number() > 0 && length.number() <= most_length_on_gpu && values.number() <= most_length_on_gpu;
    if (is_there) numbers = {o.causal, static_cast<int>(length.number()), static_cast<float>(scale_of_attention(o.scale, length))};
  }
  constexpr ref as_stored(ref x) const { return cast(x, stored); }
  constexpr ref kernel(primitive op, dtype type, shape_value const& s, ref a, ref b, ref c = {}) const { return append(*a.g, op, type, s, a.id, b.id, c.valid() ? c.id : -1, numbers.code()); }
  /// The three numbers of a query beside stored ones, as what adds up to them: parts of 8 bits, three of each but two of the logarithm, so that lines stay multiples of 16 bytes. The largest score may be too large for a part: 1/256 of it.
  constexpr ref in_parts(ref x) const {
    if (stored == dtype::float32) return x;
    ref const y = concat(slice_axis(x, 2, 0, 2), slice_axis(x, 2, 2, 1) * constant(*x.g, x.type(), 1.0 / 256), 2);
    ref const first = cast(y, stored, always_rounds), rest = y - cast(first, y.type()), second = cast(rest, stored, always_rounds), third = cast(rest - cast(second, y.type()), stored, always_rounds);
    return concat(concat(first, second, 2), slice_axis(third, 2, 1, 2), 2);
  }
  static constexpr ref stand_in(ref loops, ref fused) { return append(*loops.g, primitive::after, loops.type(), loops.shape(), loops.id, cast(fused, loops.type()).id, -1, stands_for_first_on_gpu); }
};

/// Whether something is added to scores. What masks rows out may be finite, and so large that a sum with the logarithm of the number of keys is rounded to itself: the largest score is kept apart from the logarithm then.
constexpr bool adds_mask(ref mask) { return mask.valid() && mask.type() != dtype::boolean; }

/// The result [n, t, e], and the logarithms [n, t, 1] of the rows' sums of exponentials, from which the backward pass finds the probabilities again; where a mask is added, of the exponentials of differences from the largest score of the row,
/// and these [n, t, 1].
struct attention_result {
  ref result, logarithms, largest;
};
constexpr attention_result tiled_attention(attention_options const& o, attention_operands const& x) {
  builder& g = *x.q.g;
  attention_tiles const tiles(o, x);
  dtype const type = x.q.type();
  amount const e = x.v.extent(2);
  ref const masks = tiles.split_mask(x.mask), is = tiles.row_positions(g), js = tiles.column_positions(g);
  list<ref> all;
  all.push(tiles.split_rows(x.q));
  all.push(tiles.split_columns(x.k));
  all.push(tiles.split_columns(x.v));
  bool const own_mask = has_entries(masks, tiles.n);
  if (own_mask) all.push(masks);

  list<ref> const none;
  list<ref> const results = loop_over(g, none, all, tiles.n, [&](list<ref> const&, list<ref> const& one, list<ref>&, list<ref>& of_one) {
    ref const row_masks = mask_entry(masks, own_mask, one);
    list<ref> rows;
    rows.push(one[0]);
    rows.push(is);
    bool const own_row_mask = has_entries(row_masks, tiles.row_blocks);
    if (own_row_mask) rows.push(row_masks);
    list<ref> const of_rows = loop_over(g, none, rows, tiles.row_blocks, [&](list<ref> const&, list<ref> const& row, list<ref>&, list<ref>& outputs) {
      ref const q = row[0], i = row[1], block_masks = mask_entry(row_masks, own_row_mask, row);
      shape_value wide, narrow;
      wide.push(tiles.rows);
      narrow.push(tiles.rows);
      wide.push(e);
      narrow.push(1);
      list<ref> states, columns;
      states.push(full(g, type, narrow, lowest_score(type)));
      states.push(full(g, type, narrow, 0));
      states.push(full(g, type, wide, 0));
      columns.push(one[1]);
      columns.push(one[2]);
      columns.push(js);
      bool const own_mask_block = has_entries(block_masks, tiles.column_blocks);
      if (own_mask_block) columns.push(block_masks);
      list<ref> const last = loop_over(g, states, columns, tiles.column_blocks, [&](list<ref> const& state, list<ref> const& column, list<ref>& next, list<ref>&) {
        ref const mask = mask_entry(block_masks, own_mask_block, column), j = column[2];
        auto const step = [&](list<ref> const& given, list<ref>& out) {
          ref const largest = given[0], sums = given[1], weighted = given[2];
          ref const scores = attention_scores(tiles, given[5], given[3], mask, given[6], given[7]);
          ref const m = largest_scores(scores, largest);
          ref const p = unary(primitive::exp, scores - m);
          ref const shrink = unary(primitive::exp, largest - m);
          out.push(m);
          out.push(sums * shrink + row_sums(p));
          out.push(weighted * shrink + dot(p, given[4]));
        };
        list<ref> operands;
        for (ref const& s : state) operands.push(s);
        operands.push(column[0]);
        operands.push(column[1]);
        operands.push(q);
        operands.push(i);
        operands.push(j);
        if (!tiles.causal || tiles.column_blocks == 1) {
          step(operands, next);
        } else {
          // No query of the block takes a key of this one.
          ref const meet = less(j, i + integer_constant(g, dtype::int32, tiles.rows));
          list<ref> const chosen = branch_on(g, meet, operands, step, [](list<ref> const& given, list<ref>& out) {
            for (int k = 0; k < 3; ++k) out.push(given[k]);
          });
          for (ref const& c : chosen) next.push(c);
        }
      });
      ref const sums = positive_sums(last[1]);
      outputs.push(last[2] / sums);
      ref const logarithm = unary(primitive::log, sums);
      outputs.push(select(equal(last[1], full_like(sums, 0)), full_like(sums, logarithm_of_nothing), adds_mask(x.mask) ? logarithm : last[0] + logarithm));
      if (adds_mask(x.mask)) outputs.push(last[0]);
    });
    for (ref const& r : of_rows) of_one.push(r);
  });
  attention_result y{tiles.join(results[0], tiles.t), tiles.join(results[1], tiles.t), ref{&g}};
  if (adds_mask(x.mask)) y.largest = tiles.join(results[2], tiles.t);
  if (attention_on_gpu const gpu(o, x); gpu.is_there) {
    ref const q = gpu.as_stored(x.q), k = gpu.as_stored(x.k), v = gpu.as_stored(x.v);
    if (x.mask.valid()) y.result = gpu.stand_in(y.result, gpu.kernel(primitive::masked_attention, gpu.stored, y.result.shape(), q, concat(k, v, 2), x.mask));  // side by side, as the gradients have them
    else y.result = gpu.stand_in(y.result, gpu.kernel(primitive::attention, gpu.stored, y.result.shape(), q, k, v));
  }
  return y;
}

/// Cotangents of q, k, v and the mask (invalid where there is none, or where it is bool) from those of the result and of the logarithms.
struct attention_cotangents {
  ref q, k, v, mask;
};
/// s: p = exp(s - largest - logarithm), dp = dO v^T, ds = p (dp - delta), where delta = sum of dO O in each row; dq += ds k, dk += ds^T q, dv += p^T dO.
constexpr attention_cotangents tiled_attention_gradient(attention_options const& o, attention_operands const& x, attention_result const& y, attention_result const& u) {
  builder& g = *x.q.g;
  attention_tiles const tiles(o, x);
  dtype const type = x.q.type();
  bool const has_mask = x.mask.valid(), floating_mask = adds_mask(x.mask);
  ref const masks = tiles.split_mask(x.mask), is = tiles.row_positions(g), js = tiles.column_positions(g);
  ref cotangent = u.result, logarithms = y.logarithms, largest = y.largest, delta = row_sums(u.result * y.result) - u.logarithms;
  attention_on_gpu gpu(o, x);
  // The numbers of a query in 16 bits, behind which there is no room for a mask, have the range of bfloat16 in these parts, not that of float16.
  if (has_mask && gpu.stored == dtype::float16) gpu.stored = dtype::float32;
  ref of_queries, of_keys, numbers;
  if (gpu.is_there) {
    // Logarithms and deltas come from the operands that the gradients' kernels multiply: with the forward pass's result, or a cotangent, rounded otherwise, delta would not be the mean of what it is subtracted from, and all digits of a
    // small difference of them would be lost.
    of_queries = concat(gpu.as_stored(x.q), gpu.as_stored(u.result), 2);
    of_keys = concat(gpu.as_stored(x.k), gpu.as_stored(x.v), 2);
    shape_value wide = x.q.shape();
    wide.extent[2] = has_mask ? 3 : 2;
    numbers = gpu.kernel(has_mask ? primitive::masked_attention_sums : primitive::attention_sums, type, wide, of_queries, of_keys, x.mask);
    if (!is_constant_of(u.logarithms, 0)) {
      ref const zero = full_like(u.logarithms, 0), of_delta = concat(zero, u.logarithms, 2);
      numbers = numbers - (has_mask ? concat(of_delta, zero, 2) : of_delta);
    }
    ref const logarithm = slice_axis(numbers, 2, 0, 1);
    logarithms = gpu.stand_in(logarithms, has_mask && !floating_mask ? logarithm + slice_axis(numbers, 2, 2, 1) : logarithm);
    if (floating_mask) largest = gpu.stand_in(largest, slice_axis(numbers, 2, 2, 1));
    delta = gpu.stand_in(delta, slice_axis(numbers, 2, 1, 1));
    if (gpu.stored != type) cotangent = gpu.stand_in(cotangent, cast(u.result, gpu.stored, always_rounds));
  }
  list<ref> all;
  all.push(tiles.split_columns(x.k));
  all.push(tiles.split_columns(x.v));
  for (ref const& r : {x.q, cotangent, delta, logarithms}) all.push(tiles.split_rows(r));
  if (floating_mask) all.push(tiles.split_rows(largest));
  bool const own_mask = has_entries(masks, tiles.n);
  if (own_mask) all.push(masks);

  list<ref> const none;
  list<ref> const results = loop_over(g, none, all, tiles.n, [&](list<ref> const&, list<ref> const& one, list<ref>&, list<ref>& of_one) {
    ref const row_masks = mask_entry(masks, own_mask, one);
    list<ref> gradients, rows;
    gradients.push(full_like(one[0], 0));
    gradients.push(full_like(one[1], 0));
    for (int k = 2; k < 6; ++k) rows.push(one[k]);
    rows.push(is);
    if (floating_mask) rows.push(one[6]);
    bool const own_row_mask = has_entries(row_masks, tiles.row_blocks);
    if (own_row_mask) rows.push(row_masks);
    list<ref> const of_rows = loop_over(g, gradients, rows, tiles.row_blocks, [&](list<ref> const& gradient, list<ref> const& row, list<ref>& next_gradient, list<ref>& outputs) {
      ref const i = row[4], block_masks = mask_entry(row_masks, own_row_mask, row);
      list<ref> states, columns;
      states.push(full(g, type, row[0].shape(), 0));
      columns.push(one[0]);
      columns.push(one[1]);
      for (ref const& r : gradient) columns.push(r);
      columns.push(js);
      bool const own_mask_block = has_entries(block_masks, tiles.column_blocks);
      if (own_mask_block) columns.push(block_masks);
      list<ref> const last = loop_over(g, states, columns, tiles.column_blocks, [&](list<ref> const& state, list<ref> const& column, list<ref>& next, list<ref>& ys) {
        ref const mask = mask_entry(block_masks, own_mask_block, column), j = column[4];
        auto const step = [&](list<ref> const& given, list<ref>& out) {
          ref const k = given[1], v = given[2], q = given[5], du = given[6];
          ref const scores = attention_scores(tiles, q, k, mask, given[9], given[10]);
          ref const p = unary(primitive::exp, (floating_mask ? below_largest(scores, given[11]) : scores) - given[8]);
          ref const ds = p * (dot(du, swap_last_two(v)) - given[7]);
          ref const scaled = ds * attention_scale(g, tiles.scale, q);
          out.push(given[0] + dot(scaled, k));
          out.push(given[3] + dot(swap_last_two(scaled), q));
          out.push(given[4] + dot(swap_last_two(p), du));
          if (!floating_mask) return;
          // The mask's gradient is as large as the mask, or as the scores where leading axes share one: nobody computes it who does not ask for it.
          std::uint32_t shared = 0;
          for (int axis = 0; axis < 2; ++axis) shared |= mask.extent(axis) == 1 ? 1u << axis : 0;
          out.push(shared == 0 ? ds : reduce_kept(primitive::sum, ds, shared));
        };
        list<ref> operands;
        operands.push(state[0]);
        for (int k = 0; k < 4; ++k) operands.push(column[k]);
        for (int k = 0; k < 4; ++k) operands.push(row[k]);
        operands.push(i);
        operands.push(j);
        if (floating_mask) operands.push(row[5]);
        list<ref> found;
        if (!tiles.causal || tiles.column_blocks == 1) {
          step(operands, found);
        } else {
          ref const meet = less(j, i + integer_constant(g, dtype::int32, tiles.rows));
          found = branch_on(g, meet, operands, step, [&](list<ref> const& given, list<ref>& out) {
            out.push(given[0]);
            out.push(given[3]);
            out.push(given[4]);
            if (floating_mask) out.push(full(g, type, mask.shape(), 0));
          });
        }
        next.push(found[0]);
        for (int k = 1; k < found.size(); ++k) ys.push(found[k]);
      });
      next_gradient.push(last[1]);
      next_gradient.push(last[2]);
      outputs.push(last[0]);
      if (floating_mask) outputs.push(last[3]);
    });
    for (ref const& r : of_rows) of_one.push(r);
  });
  attention_cotangents d;
  d.k = tiles.join(results[0], tiles.s);
  d.v = tiles.join(results[1], tiles.s);
  d.q = tiles.join(results[2], tiles.t);
  if (gpu.is_there) {
    // A node has no more than three operands and one result: what there is of each query, of each key, and the two numbers of each query or the mask; gradients of a key and of its value side by side.
    ref const third = has_mask ? x.mask : numbers;
    if (has_mask) of_queries = concat(of_queries, gpu.in_parts(numbers), 2);
    extent_t const length = x.k.extent(2).number(), values = x.v.extent(2).number();
    shape_value both = x.k.shape();
    both.extent[2] = length + values;
    d.q = gpu.stand_in(d.q, gpu.kernel(has_mask ? primitive::masked_attention_query_gradient : primitive::attention_query_gradient, type, d.q.shape(), of_queries, of_keys, third));
    ref const of_key = gpu.kernel(has_mask ? primitive::masked_attention_key_gradient : primitive::attention_key_gradient, type, both, of_queries, of_keys, third);
    d.k = gpu.stand_in(d.k, slice_axis(of_key, 2, 0, length));
    d.v = gpu.stand_in(d.v, slice_axis(of_key, 2, length, values));
  }
  if (floating_mask) {
    // [n, row blocks, column blocks, rows or 1, columns or 1] -> that of the mask
    ref blocks = results[3];
    axis_map p = axis_map::identity(5);
    p.set(2, 3);
    p.set(3, 2);
    std::uint32_t shared = 0;
    for (int axis = 0; axis < 3; ++axis) shared |= masks.extent(axis) == 1 && !(blocks.extent(axis) == 1) ? 1u << axis : 0;
    if (shared != 0) blocks = reduce_kept(primitive::sum, blocks, shared);
    blocks = transpose(blocks, p);
    shape_value s;
    s.push(blocks.extent(0));
    s.push(blocks.extent(1) * blocks.extent(2));
    s.push(blocks.extent(3) * blocks.extent(4));
    blocks = reshape(blocks, s);
    for (int axis = 1; axis < 3; ++axis) blocks = slice_axis(blocks, axis, 0, x.mask.extent(axis));
    d.mask = blocks;
  }
  return d;
}

/// The rule by which reverse mode goes through attention: its inputs are q, k, v, perhaps the mask, and what the forward pass found.
template <attention_options Options, bool HasMask, dtype Stored>
struct attention_rule {
  static constexpr void pull(builder& g, ref const* inputs, ref const* cotangents, ref* results) {
    constexpr int found = HasMask ? 4 : 3;
    attention_operands const x{inputs[0], inputs[1], inputs[2], HasMask ? inputs[3] : ref{&g}, Stored};
    // The largest scores, if they are there, have no derivative.
    attention_result y{inputs[found], inputs[found + 1], ref{&g}};
    if (adds_mask(x.mask)) y.largest = inputs[found + 2];
    attention_cotangents const d = tiled_attention_gradient(Options, x, y, {cotangents[0], cotangents[1], ref{&g}});
    results[0] = d.q;
    results[1] = d.k;
    results[2] = d.v;
    if (HasMask) results[3] = d.mask;
  }
};

template <attention_options Options, bool HasMask>
constexpr auto pull_of_attention(dtype stored) {
  return stored == dtype::bfloat16 ? &attention_rule<Options, HasMask, dtype::bfloat16>::pull
       : stored == dtype::float16 ? &attention_rule<Options, HasMask, dtype::float16>::pull
                                  : &attention_rule<Options, HasMask, dtype::float32>::pull;
}

constexpr bool scores_fit(attention_options const& o, attention_operands const& x) {
  if (o.block_queries != 0 || o.block_keys != 0) return false;
  amount const scores = x.q.extent(0) * x.q.extent(1) * x.k.extent(1);
  return scores.is_known() && scores.number() * static_cast<extent_t>(size_of(x.q.type())) <= whole_scores_bytes;
}

template <attention_options Options>
constexpr ref attention(attention_operands const& x) {
  builder& g = *x.q.g;
  if (scores_fit(Options, x)) return whole_attention(Options, x);
  attention_result const y = tiled_attention(Options, x);
  list<std::int32_t> inputs;
  for (ref const& r : {x.q, x.k, x.v, x.mask, y.result, y.logarithms, y.largest})
    if (r.valid()) inputs.push(r.id);
  custom_rule rule;
  rule.pull = x.mask.valid() ? pull_of_attention<Options, true>(x.stored) : pull_of_attention<Options, false>(x.stored);
  int const index = add_rule(g, rule, inputs, y.largest.valid() ? 3 : 2);
  ref const result = with_rule(g, y.result, index, 0);
  with_rule(g, y.logarithms, index, 1);
  if (y.largest.valid()) with_rule(g, y.largest, index, 2);
  return result;
}

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
