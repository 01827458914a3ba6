// A kernel of the GPU as a row of integers. nvcc can key a kernel neither on a plan (a class with arrays) nor on the type of a function that a user wrote (DESIGN section 7); integers it can, and equal kernels of
// different programs are then one kernel.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/exec/cuda/run_time.hpp>
#include <dimity/plan/kernels.hpp>

#include <utility>

namespace DIMITY_NAMESPACE::detail {

/// The bytes of the widest access there is.
inline constexpr int widest_access = 16;

/// The arguments of every kernel: a pointer for each of its slots, or a number of an expression (`x * 2.0f`) itself; behind them the extents that are chosen at run time.
template <int Count>
struct kernel_arguments {
  void* p[Count > 0 ? Count : 1];
};

/// What a kernel does with the elements of its index space.
enum class device_family : std::int64_t {
  elementwise,  ///< each thread some packets of elements
  rows,         ///< reductions over rows that stay in registers, and what is made of them
  reduction,    ///< reductions over any axes; each store is one, over the axes in `reduced`
  long_rows     ///< reductions over rows that are read again for each stage
};

/// A kernel as lowering builds it, of values, accesses and stores as a plan has them. Stores of a reduction say in `combine` which one.
struct device_kernel {
  device_family kind = device_family::elementwise;
  int axes = 0, outer = 0, stages = 1;
  int injected = -1;
  std::uint32_t reduced = 0;  ///< mask of the axes that a reduction runs over
  int splits = 1;             ///< into how many parts a reduction divides them; each part leaves its own result
  amount extent[max_axes] = {};
  list<value> values;
  list<access> accesses;
  list<store> stores;
  list<unsigned char> unaligned;  ///< per slot: whether its elements may begin anywhere, as those of the body of a loop do
  list<unsigned char> numbers;    ///< per slot: whether its one element stands in the arguments, where otherwise its address does
};

inline constexpr int code_header = 11;
/// Small numbers of a value in one word: op, type, stage, three operands.
constexpr std::int64_t pack_value(value const& v) {
  auto const arg = [&](int i) { return static_cast<std::int64_t>(v.arg[i] + 1) << (20 + 14 * i); };
  return static_cast<std::int64_t>(v.op) | static_cast<std::int64_t>(v.type) << 8 | static_cast<std::int64_t>(v.stage) << 14 | arg(0) | arg(1) | arg(2);
}
constexpr value unpack_value(std::int64_t word, std::int64_t attribute) {
  value v;
  v.op = static_cast<primitive>(word & 255);
  v.type = static_cast<dtype>(word >> 8 & 63);
  v.stage = static_cast<std::int16_t>(word >> 14 & 63);
  for (int i = 0; i < 3; ++i) v.arg[i] = static_cast<std::int16_t>((word >> (20 + 14 * i) & 16383) - 1);
  v.attribute = attribute;
  return v;
}

constexpr void encode(device_kernel const& k, cuda_precision wanted, kernel_symbols& symbols, list<std::int64_t>& out) {
  for (std::int64_t const x : {static_cast<std::int64_t>(k.kind), std::int64_t{k.axes}, std::int64_t{k.outer}, std::int64_t{k.stages}, std::int64_t{k.injected}, static_cast<std::int64_t>(k.reduced), std::int64_t{k.splits},
                               std::int64_t{k.values.size()}, std::int64_t{k.accesses.size()}, std::int64_t{k.stores.size()}, static_cast<std::int64_t>(wanted)})
    out.push(x);
  for (int i = 0; i < k.axes; ++i) out.push(symbols.word(k.extent[i]));
  for (value const& v : k.values) {
    out.push(pack_value(v));
    out.push(v.op == primitive::extent ? symbols.word(v.attribute) : v.attribute);
  }
  for (access const& a : k.accesses) {
    out.push(static_cast<std::int64_t>(a.slot) << 16 | static_cast<std::int64_t>(k.numbers[a.slot]) << 9 | static_cast<std::int64_t>(k.unaligned[a.slot]) << 8 | static_cast<std::int64_t>(a.type));
    out.push(symbols.word(a.offset));
    for (int i = 0; i < k.axes; ++i) out.push(symbols.word(a.stride[i]));
  }
  for (store const& s : k.stores)
    out.push(static_cast<std::int64_t>(s.value) | static_cast<std::int64_t>(s.access) << 16 | static_cast<std::int64_t>(s.stage) << 32 | static_cast<std::int64_t>(s.combine) << 40);
}

/// The axes that each value varies along. `Content` has values and accesses.
template <class Values, class Accesses>
constexpr void find_varying_axes(Values const& values, int count, Accesses const& accesses, int axes, int outer, int injected, std::uint32_t* varies) {
  for (int v = 0; v < count; ++v) {
    value const& x = values[v];
    std::uint32_t mask = 0;
    if (v == injected) mask = (1u << axes) - 1u;
    else if (x.op == primitive::input) {
      for (int i = 0; i < axes; ++i)
        if (!(accesses[static_cast<int>(x.attribute)].stride[i] == 0)) mask |= 1u << i;
    } else if (x.op == primitive::iota) {
      if (x.attribute >= 0) mask = 1u << x.attribute;
    } else {
      for (int i = 0; i < arity_of(x.op); ++i) mask |= varies[x.arg[i]];
      if (family_of(x.op) == family::reduction) mask &= (1u << outer) - 1u;
    }
    varies[v] = mask;
  }
}
constexpr amount as_amount(amount a) { return a; }
constexpr amount as_amount(std::int64_t a) { return amount(a); }
/// Elements of the last axis that a thread handles at once, so that every access to neighbours is one of up to 16 bytes, aligned. Of what is known at run time only, the factor that is known counts.
template <class Accesses, class Unaligned>
constexpr int width_of_accesses(Accesses const& accesses, int count, int axes, amount last_extent, Unaligned const& unaligned) {
  int w = widest_access, widest = 1;
  bool any = false;
  for (int a = 0; a < count && axes > 0; ++a) {
    auto const& x = accesses[a];
    if (!(as_amount(x.stride[axes - 1]) == 1)) continue;
    any = true;
    if (unaligned(x)) return 1;
    int const bytes = static_cast<int>(size_of(x.type));
    if (bytes > widest) widest = bytes;
    for (int i = 0; i + 1 < axes; ++i)
      while (as_amount(x.stride[i]).coefficient() % w != 0) w /= 2;
    while (as_amount(x.offset).coefficient() % w != 0) w /= 2;
  }
  if (!any) return 1;
  while (w * widest > widest_access) w /= 2;
  while (last_extent.coefficient() % w != 0) w /= 2;
  return w;
}

struct device_access {
  int slot = 0;
  bool unaligned = false, number = false;
  dtype type = dtype::float32;
  std::int64_t offset = 0;
  std::int64_t stride[max_axes] = {};
};
template <int Values, int Accesses, int Stores>
struct device_content {
  std::int64_t extent[max_axes] = {};
  value values[Values + 1] = {};
  device_access accesses[Accesses + 1] = {};
  store stores[Stores + 1] = {};
  std::uint32_t varies[Values + 1] = {};  ///< the axes that a value varies along
  int slots = 0, symbols = 0;
};

// Facts are constants of class scope: constexpr functions cannot be called from device code without a flag of nvcc that is still called experimental.
template <std::int64_t... Words>
struct device_code {
  static constexpr std::int64_t words[sizeof...(Words) + 1] = {Words..., 0};
  static constexpr device_family kind = static_cast<device_family>(words[0]);
  static constexpr int axes = static_cast<int>(words[1]), outer = static_cast<int>(words[2]), stages = static_cast<int>(words[3]), injected = static_cast<int>(words[4]), splits = static_cast<int>(words[6]);
  static constexpr std::uint32_t reduced = static_cast<std::uint32_t>(words[5]);
  static constexpr int value_count = static_cast<int>(words[7]), access_count = static_cast<int>(words[8]), store_count = static_cast<int>(words[9]);
  static constexpr cuda_precision wanted = static_cast<cuda_precision>(words[10]);

  static constexpr auto content = [] {
    device_content<value_count, access_count, store_count> c;
    int at = code_header;
    for (int i = 0; i < axes; ++i) c.extent[i] = words[at++];
    for (int v = 0; v < value_count; ++v, at += 2) c.values[v] = unpack_value(words[at], words[at + 1]);
    for (int a = 0; a < access_count; ++a) {
      c.accesses[a].slot = static_cast<int>(words[at] >> 16);
      c.accesses[a].unaligned = (words[at] >> 8 & 1) != 0;
      c.accesses[a].number = (words[at] >> 9 & 1) != 0;
      c.accesses[a].type = static_cast<dtype>(words[at++] & 255);
      c.accesses[a].offset = words[at++];
      for (int i = 0; i < axes; ++i) c.accesses[a].stride[i] = words[at++];
      if (c.accesses[a].slot >= c.slots) c.slots = c.accesses[a].slot + 1;
    }
    symbol_counter all;
    for (int i = 0; i < axes; ++i) all.add(c.extent[i]);
    for (int v = 0; v < value_count; ++v)
      if (c.values[v].op == primitive::extent) all.add(c.values[v].attribute);
    for (int a = 0; a < access_count; ++a) {
      all.add(c.accesses[a].offset);
      for (int i = 0; i < axes; ++i) all.add(c.accesses[a].stride[i]);
    }
    c.symbols = all.count;
    for (int s = 0; s < store_count; ++s, ++at) {
      c.stores[s].value = static_cast<std::int16_t>(words[at] & 0xffff);
      c.stores[s].access = static_cast<std::int16_t>(words[at] >> 16 & 0xffff);
      c.stores[s].stage = static_cast<std::int16_t>(words[at] >> 32 & 0xff);
      c.stores[s].combine = static_cast<primitive>(words[at] >> 40);
    }
    find_varying_axes(c.values, value_count, c.accesses, axes, outer, injected, c.varies);
    return c;
  }();
  static constexpr int slots = content.slots, symbols = content.symbols;
  using arguments = kernel_arguments<slots + symbols>;
  /// The value of a word.
  template <std::int64_t Word>
  DIMITY_HOST_DEVICE static long long number([[maybe_unused]] arguments const& args) {
    if constexpr (symbols == 0) return Word;
    else return number_in_kernel<Word, slots>::of(args);
  }

  template <int V>
  static constexpr value val = content.values[V];
  template <int A>
  static constexpr device_access acc = content.accesses[A];
  template <int S>
  static constexpr store st = content.stores[S];
  template <int Axis>
  static constexpr std::int64_t extent = content.extent[Axis];
  template <int V>
  static constexpr std::uint32_t varies = content.varies[V];

  /// Elements of all axes in a mask, as a word.
  static constexpr std::int64_t size_of_axes(std::uint32_t mask) {
    amount n = 1;
    for (int i = 0; i < axes; ++i)
      if (mask >> i & 1u) n *= amount_of(content.extent[i]);
    return n.code;
  }
  static constexpr std::uint32_t all_axes = (1u << axes) - 1u;
  static constexpr std::int64_t size = size_of_axes(all_axes);
  static constexpr int last = axes - 1;
  static constexpr std::int64_t last_extent = axes > 0 ? content.extent[axes > 0 ? axes - 1 : 0] : 1;

  /// Whether offsets fit 32 bits, in which addresses cost an instruction less.
  static constexpr bool is_small = [] {
    bool small = symbols == 0 && size < std::int64_t{1} << 30;
    for (int a = symbols == 0 ? 0 : access_count; a < access_count; ++a) {
      std::int64_t reach = content.accesses[a].offset;
      for (int i = 0; i < axes; ++i) {
        std::int64_t const s = content.accesses[a].stride[i];
        reach += (s < 0 ? -s : s) * content.extent[i];
      }
      small = small && reach < std::int64_t{1} << 30;
    }
    return small;
  }();
  using offset = std::conditional_t<is_small, int, long long>;
  /// Of an axis, or all of them. Where the number of elements is known at run time only, a launch sees to it that it fits: dividing 64 bits costs several times as much.
  using index = std::conditional_t<(symbols == 0 ? is_small : !is_known_word(size) || size < std::int64_t{1} << 30), int, long long>;

  static constexpr int width = width_of_accesses(content.accesses, access_count, axes, amount_of(last_extent), [](device_access const& a) { return a.unaligned; });
};

}  // namespace DIMITY_NAMESPACE::detail
