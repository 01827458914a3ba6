// The primitives that are neither loop nests nor products: everything that moves elements to other indices, running sums, random bits; sorting is in sort.hpp.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/exec/cuda/code.hpp>
#include <dimity/exec/cuda/math.hpp>
#include <dimity/exec/cuda/rows.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A primitive on operands as integers (words, where extents are chosen at run time): op, result type, attribute; for each operand and the result type, offset, shape and strides; then what it keeps in the plan's pool.
template <std::int64_t... Words>
struct primitive_code {
  static constexpr std::int64_t words[sizeof...(Words) + 1] = {Words..., 0};
  static constexpr primitive op = static_cast<primitive>(words[0]);
  using result = type_of<static_cast<dtype>(words[1])>;
  static constexpr std::int64_t attribute = words[2];
  struct array {
    dtype type = dtype::float32;
    std::int64_t offset = 0;
    int rank = 0;
    std::int64_t extent[max_rank] = {}, stride[max_rank] = {};
  };
  static constexpr int operands = arity_of(op);
  struct contents {
    array of[4];  ///< the operands, then the result
    int pool = 0, symbols = 0;
  };
  static constexpr contents content = [] {
    contents c;
    int at = 3;
    for (int i = 0; i <= operands; ++i) {
      array& a = c.of[i];
      a.type = static_cast<dtype>(words[at++]);
      a.offset = words[at++];
      a.rank = static_cast<int>(words[at++]);
      for (int k = 0; k < a.rank; ++k) {
        a.extent[k] = words[at++];
        a.stride[k] = words[at++];
      }
    }
    c.pool = at;
    symbol_counter all;
    for (array const& a : c.of) {
      all.add(a.offset);
      for (int k = 0; k < a.rank; ++k) {
        all.add(a.extent[k]);
        all.add(a.stride[k]);
      }
    }
    if (op == primitive::pad)
      for (int i = 0; i < 2 * c.of[operands].rank; ++i) all.add(words[at + i]);
    c.symbols = all.count;
    return c;
  }();
  template <int K>
  using element = type_of<content.of[K].type>;
  template <int K>
  static constexpr int rank = content.of[K].rank;
  template <int K, int Axis>
  static constexpr std::int64_t extent = content.of[K].extent[Axis];
  template <int K, int Axis>
  static constexpr std::int64_t stride = content.of[K].stride[Axis];
  template <int K>
  static constexpr std::int64_t offset = content.of[K].offset;
  template <int I>
  static constexpr std::int64_t pool = words[content.pool + I];
  template <int K>
  static constexpr std::int64_t size = [] {
    amount n = 1;
    for (int i = 0; i < content.of[K].rank; ++i) n *= amount_of(content.of[K].extent[i]);
    return n.code;
  }();
  static constexpr int symbols = content.symbols;
  using arguments = kernel_arguments<operands + 1 + symbols>;
  /// The value of a word.
  template <std::int64_t Word, class Arguments>
  DIMITY_HOST_DEVICE static long long number([[maybe_unused]] Arguments const& args) {
    if constexpr (symbols == 0) return Word;
    else return number_in_kernel<Word, operands + 1>::of(args);
  }
};
/// In place of the arguments of a kernel that takes no extents.
struct no_run_time_extents {};

/// An element of an array, by axis.
struct element_index {
  long long at[max_rank] = {};
};
/// Where the size of the result is known at run time only, a launch sees to it that it fits 32 bits, in which divisions cost less.
template <class Code>
using element_number = std::conditional_t<is_known_word(Code::template size<Code::operands>), long long, int>;
template <class Code, int K, int Axis = Code::template rank<K> - 1, class Arguments = no_run_time_extents>
DIMITY_DEVICE void index_of(element_index& i, element_number<Code> n, Arguments const& args = {}) {
  if constexpr (Axis == 0) {
    i.at[Axis] = n;
  } else if constexpr (Axis > 0) {
    constexpr std::int64_t word = Code::template extent<K, Axis>;
    auto const extent = static_cast<element_number<Code>>(Code::template number<word == 0 ? 1 : word>(args));
    i.at[Axis] = n % extent;
    index_of<Code, K, Axis - 1>(i, n / extent, args);
  }
}
template <class Code, int K, int Axis = 0, class Arguments = no_run_time_extents>
DIMITY_DEVICE long long offset_of_element(element_index const& i, Arguments const& args = {}) {
  if constexpr (Axis == Code::template rank<K>) return Code::template number<Code::template offset<K>>(args);
  else return i.at[Axis] * Code::template number<Code::template stride<K, Axis>>(args) + offset_of_element<Code, K, Axis + 1>(i, args);
}
DIMITY_DEVICE long long clamped_index(long long i, long long n) {
  if (i < 0) i += n;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

template <class Code>
struct primitive_base {
  using arguments = typename Code::arguments;
  using T = typename Code::result;
  static constexpr int result_of = Code::operands;
  template <int K>
  DIMITY_DEVICE static auto const* operand(arguments const& args) {
    return static_cast<typename Code::template element<K> const*>(args.p[K]);
  }
  DIMITY_DEVICE static T* result(arguments const& args) { return static_cast<T*>(args.p[result_of]); }
  template <int K>
  DIMITY_DEVICE static auto at(arguments const& args, element_index const& i) {
    return operand<K>(args)[offset_of_element<Code, K>(i, args)];
  }
};

/// One thread an element of the result; `Element` says what it is.
template <class Code, class Element>
struct each_element : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::arguments;
  static constexpr int threads = 256;
  static constexpr std::int64_t size = Code::template size<base::result_of>;
  static constexpr std::int64_t blocks = is_known_word(size) ? (size + threads - 1) / threads : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<size>(args), threads); }
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (n >= Code::template number<size>(args)) return;
    element_index i;
    index_of<Code, base::result_of>(i, static_cast<element_number<Code>>(n), args);
    base::result(args)[n] = Element::template value<Code>(args, i);
  }
};

/// The first operand, row-major.
struct copy_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    return primitive_base<Code>::template at<0>(args, i);
  }
};
struct pad_element {
  template <class Code, int Axis = 0>
  DIMITY_DEVICE static bool find(typename Code::arguments const& args, element_index const& i, element_index& from) {
    if constexpr (Axis == Code::template rank<0>) {
      return true;
    } else {
      long long const start = Code::template number<Code::template pool<Axis>>(args), step = Code::template number<Code::template pool<Code::template rank<0> + Axis>>(args), extent = Code::template number<Code::template extent<0, Axis>>(args);
      long long const t = i.at[Axis] - start;
      from.at[Axis] = t / step;
      return t >= 0 && t % step == 0 && t / step < extent && find<Code, Axis + 1>(args, i, from);
    }
  }
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using T = typename Code::result;
    element_index from;
    if (find<Code>(args, i, from)) return primitive_base<Code>::template at<0>(args, from);
    return T{};
  }
};
struct concat_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index i) {
    constexpr int axis = static_cast<int>(Code::attribute);
    long long const split = Code::template number<Code::template extent<0, axis>>(args);
    if (i.at[axis] < split) return primitive_base<Code>::template at<0>(args, i);
    i.at[axis] -= split;
    return primitive_base<Code>::template at<1>(args, i);
  }
};
/// [p, n, m] and indices [k] -> [p, k, m].
struct gather_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index i) {
    using base = primitive_base<Code>;
    i.at[1] = clamped_index(static_cast<long long>(base::template operand<1>(args)[Code::template number<Code::template offset<1>>(args) + i.at[1] * Code::template number<Code::template stride<1, 0>>(args)]), Code::template number<Code::template extent<0, 1>>(args));
    return base::template at<0>(args, i);
  }
};

/// Where the block of a dynamic slice begins along an axis, moved so that it fits. Leading axes that all have in common are a batch with starts of their own.
template <class Code, int Whole, int Block>
struct dynamic_start {
  static constexpr int batch_axes = Code::template rank<1> - 1;
  template <int Axis>
  DIMITY_DEVICE static long long along(typename Code::arguments const& args, element_index const& i) {
    element_index at;
    DIMITY_UNROLL
    for (int k = 0; k < batch_axes; ++k) at.at[k] = i.at[k];
    at.at[batch_axes] = Axis - batch_axes;
    long long start = static_cast<long long>(primitive_base<Code>::template at<1>(args, at));
    long long const whole = Code::template number<Code::template extent<Whole, Axis>>(args), most = whole - Code::template number<Code::template extent<Block, Axis>>(args);
    if (start < 0) start += whole;
    return start < 0 ? 0 : start > most ? most : start;
  }
};
struct dynamic_slice_element {
  template <class Code, int Axis = Code::template rank<1> - 1>
  DIMITY_DEVICE static void move(typename Code::arguments const& args, element_index const& i, element_index& from) {
    if constexpr (Axis < Code::template rank<0>) {
      from.at[Axis] = i.at[Axis] + dynamic_start<Code, 0, Code::operands>::template along<Axis>(args, i);
      move<Code, Axis + 1>(args, i, from);
    }
  }
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    element_index from = i;
    move<Code>(args, i, from);
    return primitive_base<Code>::template at<0>(args, from);
  }
};
struct dynamic_update_element {
  template <class Code, int Axis = Code::template rank<1> - 1>
  DIMITY_DEVICE static bool find(typename Code::arguments const& args, element_index const& i, element_index& from) {
    if constexpr (Axis == Code::template rank<0>) {
      return true;
    } else {
      from.at[Axis] = i.at[Axis] - dynamic_start<Code, 0, 2>::template along<Axis>(args, i);
      return from.at[Axis] >= 0 && from.at[Axis] < Code::template number<Code::template extent<2, Axis>>(args) && find<Code, Axis + 1>(args, i, from);
    }
  }
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    element_index from = i;
    if (find<Code>(args, i, from)) return primitive_base<Code>::template at<2>(args, from);
    return primitive_base<Code>::template at<0>(args, i);
  }
};

/// Elements of some axes, from one to before another, as a word.
template <class Code, int K>
constexpr std::int64_t product_of_axes(int begin, int end) {
  amount n = 1;
  for (int i = begin; i < end; ++i) n *= amount_of(Code::content.of[K].extent[i]);
  return n.code;
}

/// Four random words a thread: Philox4x32-10 (core/philox.hpp), whose rounds are written out here because a constexpr function cannot be called from device code.
template <class Code>
struct random_kernel : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::arguments;
  static constexpr int threads = 256, last = Code::template rank<0> - 1;
  /// Words; the words of random bits that a key gives are the axes behind those of the keys.
  static constexpr std::int64_t keys = product_of_axes<Code, 0>(0, last), words = product_of_axes<Code, base::result_of>(last, Code::template rank<base::result_of>);
  static constexpr bool is_known = is_known_word(keys) && is_known_word(words);
  static constexpr std::int64_t blocks = is_known ? (keys * ((words + 3) / 4) + threads - 1) / threads : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<keys>(args) * groups_of(args), threads); }
  DIMITY_HOST_DEVICE static long long groups_of(arguments const& args) { return (Code::template number<words>(args) + 3) / 4; }
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const n = static_cast<long long>(blockIdx.x) * threads + threadIdx.x, groups = groups_of(args);
    if (n >= Code::template number<keys>(args) * groups) return;
    element_index i;
    index_of<Code, 0>(i, static_cast<element_number<Code>>(n / groups * 2), args);
    std::uint32_t const first = static_cast<std::uint32_t>(base::template at<0>(args, i));
    i.at[last] = 1;
    std::uint32_t const second = static_cast<std::uint32_t>(base::template at<0>(args, i));
    long long const counter = n % groups;
    std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32), c2 = 0, c3 = 0, key0 = first, key1 = second;
    DIMITY_UNROLL
    for (int round = 0; round < 10; ++round) {
      std::uint64_t const p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ key0;
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ key1;
      c1 = static_cast<std::uint32_t>(p1);
      c3 = static_cast<std::uint32_t>(p0);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    using T = typename base::T;
    long long const of_key = Code::template number<words>(args), left = of_key - counter * 4;
    T* const to = base::result(args) + n / groups * of_key + counter * 4;
    to[0] = static_cast<T>(c0);
    if (left > 1) to[1] = static_cast<T>(c1);
    if (left > 2) to[2] = static_cast<T>(c2);
    if (left > 3) to[3] = static_cast<T>(c3);
  }
};

/// Lines along one axis of the first operand: argmax, argmin, running sums, sorting.
template <class Code, int Axis>
struct lines : primitive_base<Code> {
  /// Words.
  static constexpr std::int64_t length = Code::template extent<0, Axis>, step = Code::template stride<0, Axis>;
  static constexpr std::int64_t count = length == 0 ? 0 : (amount_of(product_of_axes<Code, 0>(0, Axis)) * amount_of(product_of_axes<Code, 0>(Axis + 1, Code::template rank<0>))).code;
  template <int A = Code::template rank<0> - 1, class Arguments = no_run_time_extents>
  DIMITY_DEVICE static void find(element_index& i, element_number<Code> n, Arguments const& args = {}) {
    if constexpr (A == Axis) {
      find<A - 1>(i, n, args);
    } else if constexpr (A >= 0) {
      constexpr std::int64_t word = Code::template extent<0, A>;
      auto const extent = static_cast<element_number<Code>>(Code::template number<word == 0 ? 1 : word>(args));
      i.at[A] = n % extent;
      find<A - 1>(i, n / extent, args);
    }
  }
};

/// A warp a line: the first of equal elements, and the first nan if there is one.
template <class Code>
struct arg_reduce_kernel : lines<Code, static_cast<int>(Code::attribute)> {
  using base = lines<Code, static_cast<int>(Code::attribute)>;
  using typename base::arguments;
  using E = typename Code::template element<0>;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = is_known_word(base::count) ? (base::count + threads / 32 - 1) / (threads / 32) : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<base::count>(args), threads / 32); }
  struct candidate {
    E value;
    long long at;
  };
  /// Whether a comes before b.
  DIMITY_DEVICE static bool wins(candidate const& a, candidate const& b) {
    if (a.at < 0 || b.at < 0) return b.at < 0 && a.at >= 0;
    bool const nan_a = a.value != a.value, nan_b = b.value != b.value;
    if (nan_a || nan_b) return nan_a && (!nan_b || a.at < b.at);
    if (a.value == b.value) return a.at < b.at;
    return Code::op == primitive::argmax ? b.value < a.value : a.value < b.value;
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    int const lane = static_cast<int>(threadIdx.x) % 32;
    long long const line = static_cast<long long>(blockIdx.x) * (threads / 32) + threadIdx.x / 32;
    bool const in_range = line < Code::template number<base::count>(args);
    element_index i;
    base::find(i, static_cast<element_number<Code>>(in_range ? line : 0), args);
    E const* const x = base::template operand<0>(args) + offset_of_element<Code, 0>(i, args);
    candidate best{E(0), -1};
    for (long long k = lane; k < Code::template number<base::length>(args); k += 32) {
      candidate const c{x[k * Code::template number<base::step>(args)], k};
      if (wins(c, best)) best = c;
    }
    DIMITY_UNROLL
    for (int distance = 16; distance > 0; distance /= 2) {
      candidate other;
      if constexpr (sizeof(E) < 4) other.value = static_cast<E>(__shfl_xor_sync(0xffffffffu, static_cast<int>(best.value), distance));
      else other.value = __shfl_xor_sync(0xffffffffu, best.value, distance);
      other.at = __shfl_xor_sync(0xffffffffu, best.at, distance);
      if (wins(other, best)) best = other;
    }
    if (in_range && lane == 0) base::result(args)[line] = static_cast<typename base::T>(best.at);
  }
};

/// A block a line, 256 elements at a time. The result has the operand's shape, row-major.
template <class Code>
struct cumulative_kernel : lines<Code, static_cast<int>(Code::attribute & 15)> {
  static constexpr int axis = static_cast<int>(Code::attribute & 15);
  static constexpr bool from_end = (Code::attribute & 16) != 0;
  using base = lines<Code, axis>;
  using typename base::arguments;
  using T = typename base::T;
  using join = device_reduction<Code::op == primitive::cumulative_sum ? primitive::sum : primitive::prod, T>;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = is_known_word(base::count) ? base::count : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<base::count>(args), 1); }
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ T part[2][threads];
    element_index i;
    base::find(i, static_cast<element_number<Code>>(blockIdx.x), args);
    T const* const x = base::template operand<0>(args) + offset_of_element<Code, 0>(i, args);
    T* const to = base::result(args) + offset_of_element<Code, Code::operands>(i, args);
    long long const out_step = Code::template number<Code::template stride<Code::operands, axis>>(args), step = Code::template number<base::step>(args), length = Code::template number<base::length>(args);
    constexpr T identity = join::identity;
    T before = identity;
    int const thread = static_cast<int>(threadIdx.x);
    for (long long begin = 0; begin < length; begin += threads) {
      long long const k = begin + thread;
      long long const place = from_end ? length - 1 - k : k;
      int now = 0;
      __syncthreads();
      part[0][thread] = k < length ? x[place * step] : identity;
      for (int distance = 1; distance < threads; distance *= 2) {
        __syncthreads();
        T const own = part[now][thread];
        part[1 - now][thread] = thread >= distance ? join::join(part[now][thread - distance], own) : own;
        now = 1 - now;
      }
      __syncthreads();
      if (k < length) to[place * out_step] = join::join(before, part[now][thread]);
      before = join::join(before, part[now][threads - 1]);
    }
  }
};

/// [p, n, m] += updates [p, k, m] at rows `indices` [k], after the copy of the first operand. The block of the first of equal indices adds for all of them, in their order, so the result is the same every time.
template <class Code>
struct scatter_kernel : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::arguments;
  using T = typename base::T;
  static constexpr int threads = 256;
  /// Words.
  static constexpr std::int64_t p = Code::template extent<0, 0>, rows_there = Code::template extent<0, 1>, columns = Code::template extent<0, 2>, updates = Code::template extent<1, 0>;
  static constexpr std::int64_t size = Code::template size<0>, all_updates = product_word(p, updates);
  static constexpr std::int64_t blocks = is_known_word(size) && is_known_word(all_updates) ? (size == 0 ? 0 : all_updates) : -1;
  static long long block_count(arguments const& args) { return Code::template number<size>(args) == 0 ? 0 : blocks_at_run_time(Code::template number<all_updates>(args), 1); }
  DIMITY_DEVICE static long long row_of(arguments const& args, long long j) {
    return clamped_index(static_cast<long long>(base::template operand<1>(args)[Code::template number<Code::template offset<1>>(args) + j * Code::template number<Code::template stride<1, 0>>(args)]), Code::template number<rows_there>(args));
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    __shared__ int rows[threads];
    __shared__ int earlier;
    long long const n = Code::template number<rows_there>(args), m = Code::template number<columns>(args), k = Code::template number<updates>(args);
    long long const entry = static_cast<long long>(blockIdx.x) / k, first = static_cast<long long>(blockIdx.x) % k, row = row_of(args, first);
    int const thread = static_cast<int>(threadIdx.x);
    if (thread == 0) earlier = 0;
    __syncthreads();
    for (long long j = thread; j < first; j += threads)
      if (row_of(args, j) == row) earlier = 1;
    __syncthreads();
    if (earlier != 0) return;
    T* const to = base::result(args) + (entry * n + row) * m;
    for (long long begin = first; begin < k; begin += threads) {
      __syncthreads();
      rows[thread] = begin + thread < k && row_of(args, begin + thread) == row;
      __syncthreads();
      for (int j = 0; j < threads; ++j) {
        if (rows[j] == 0) continue;
        for (long long l = thread; l < m; l += threads) {
          element_index i;
          i.at[0] = entry;
          i.at[1] = begin + j;
          i.at[2] = l;
          to[l] = device_binary<primitive::add>(to[l], base::template at<2>(args, i));
        }
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
