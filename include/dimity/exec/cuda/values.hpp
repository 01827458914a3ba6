// One thread's values of a kernel: loads, arithmetic and stores of a packet of neighbouring elements.
#pragma once

#include <dimity/exec/cuda/code.hpp>
#include <dimity/exec/cuda/math.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Where a packet is: an index for each axis but the last, and which packet of the last axis.
template <class Index>
struct packet_position {
  Index at[max_axes] = {};
  Index packet = 0;
};

constexpr std::uint32_t bit_of(int axis) { return axis < 0 ? 0u : 1u << axis; }

/// `LaneAxes`: values that vary along one of them are packets, the others are single.
template <class Code, std::uint32_t LaneAxes, int W = Code::width>
struct thread_values {
  using index = typename Code::index;
  using offset = typename Code::offset;
  using position = packet_position<index>;
  using arguments = typename Code::arguments;
  static constexpr int last = Code::last;

  template <int V>
  using element = type_of<Code::template val<V>.type>;
  template <int V>
  static constexpr bool is_lane = (Code::template varies<V> & LaneAxes) != 0;
  template <int V>
  using lane_cell = cell<V, std::conditional_t<is_lane<V>, pack<element<V>, W>, element<V>>>;
  template <int V>
  using row_cell = cell<V, element<V>>;

  template <class Indices>
  struct all_cells;
  template <int... V>
  struct all_cells<std::integer_sequence<int, V...>> {
    using lanes = cells<lane_cell<V>...>;
    using rows = cells<row_cell<V>...>;
  };
  using every = std::make_integer_sequence<int, Code::value_count>;
  /// Of a packet: what varies along lanes; what does not takes no register unless it is computed there.
  using lanes = typename all_cells<every>::lanes;
  using rows = typename all_cells<every>::rows;

  template <int A>
  using access_type = type_of<Code::template acc<A>.type>;
  template <int A, int Axis>
  static constexpr std::int64_t stride = Code::template acc<A>.stride[Axis];

  /// A stride, or a part of one, by which it can be divided.
  template <int A, int Axis, int By>
  DIMITY_DEVICE static offset step(arguments const& args) {
    return static_cast<offset>(Code::template number<word_over<stride<A, Axis>, By>>(args));
  }
  /// Elements before the packet, of all axes but the last; in units of `By` elements.
  template <int A, int By, int... Axis>
  DIMITY_DEVICE static offset row_offset(std::integer_sequence<int, Axis...>, arguments const& args, [[maybe_unused]] position const& p) {
    offset sum = static_cast<offset>(Code::template number<word_over<Code::template acc<A>.offset, By>>(args));
    ((sum += stride<A, Axis> == 0 ? offset(0) : static_cast<offset>(p.at[Axis]) * step<A, Axis, By>(args)), ...);
    return sum;
  }
  template <int A, int By = 1>
  DIMITY_DEVICE static offset row_offset(arguments const& args, position const& p) {
    return row_offset<A, By>(std::make_integer_sequence<int, (Code::axes > 0 ? Code::axes - 1 : 0)>{}, args, p);
  }
  template <int A>
  static constexpr std::int64_t lane_stride = stride<A, (last < 0 ? 0 : last)> * (last < 0 ? 0 : 1);
  /// From an element of the last axis to its neighbour; 0 where there is no axis.
  template <int A>
  DIMITY_DEVICE static offset last_step([[maybe_unused]] arguments const& args) {
    if constexpr (lane_stride<A> == 0) return offset(0);
    else return step<A, last, 1>(args);
  }
  /// Elements from the row's first to the packet's.
  template <int A>
  DIMITY_DEVICE static offset lane_offset([[maybe_unused]] arguments const& args, [[maybe_unused]] position const& p) {
    return static_cast<offset>(p.packet) * (W * last_step<A>(args));
  }
  template <int A>
  DIMITY_DEVICE static access_type<A>* base(arguments const& args) {
    return static_cast<access_type<A>*>(args.p[Code::template acc<A>.slot]);
  }

  template <int A>
  DIMITY_DEVICE static access_type<A> load_single(arguments const& args, position const& p) {
    if constexpr (Code::template acc<A>.number) {
      access_type<A> x;
      std::memcpy(&x, &args.p[Code::template acc<A>.slot], sizeof(x));
      return x;
    } else return base<A>(args)[row_offset<A>(args, p) + lane_offset<A>(args, p)];
  }
  // The whole packet into a variable before any element is touched: nvcc makes 32-bit loads of anything else.
  template <int A>
  DIMITY_DEVICE static pack<access_type<A>, W> load(arguments const& args, position const& p) {
    using T = access_type<A>;
    if constexpr (lane_stride<A> == 1) {
      return reinterpret_cast<pack<T, W> const*>(base<A>(args))[row_offset<A, W>(args, p) + static_cast<offset>(p.packet)];
    } else {
      pack<T, W> x;
      offset const first = row_offset<A>(args, p) + lane_offset<A>(args, p);
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) x.v[w] = base<A>(args)[first + static_cast<offset>(w) * last_step<A>(args)];
      return x;
    }
  }
  template <int A, class X>
  DIMITY_DEVICE static void put(arguments const& args, position const& p, X const& x) {
    using T = access_type<A>;
    if constexpr (lane_stride<A> == 1) {
      reinterpret_cast<pack<T, W>*>(base<A>(args))[row_offset<A, W>(args, p) + static_cast<offset>(p.packet)] = x;
    } else {
      offset const first = row_offset<A>(args, p) + lane_offset<A>(args, p);
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) base<A>(args)[first + static_cast<offset>(w) * last_step<A>(args)] = x.v[w];
    }
  }

  /// A value that is the same for all elements of a packet, in each of them.
  template <class T>
  DIMITY_DEVICE static pack<T, W> repeated(T value) {
    pack<T, W> x;
    DIMITY_UNROLL
    for (int w = 0; w < W; ++w) x.v[w] = value;
    return x;
  }
  /// Store S of a packet, whose values are in `r`.
  template <int S>
  DIMITY_DEVICE static void store_packet(lanes const& r, arguments const& args, position const& p) {
    constexpr store st = Code::template st<S>;
    if constexpr (is_lane<st.value>) put<st.access>(args, p, cell_of<st.value>(r));
    else put<st.access>(args, p, repeated(cell_of<st.value>(r)));
  }
  /// Value V of a packet, in which single values are too.
  template <int V>
  DIMITY_DEVICE static void compute(lanes& r, arguments const& args, position const& p) {
    if constexpr (is_lane<V>) compute_lane<V>(r, r, args, p);
    else compute_single<V>(r, args, p);
  }

  // ---- one value

  template <int V>
  static constexpr element<V> constant = [] {
    constexpr value v = Code::template val<V>;
    using T = element<V>;
    if constexpr (v.op != primitive::constant && (v.op != primitive::extent || !is_known_constant<v.attribute>)) return T{};
    else if constexpr (v.op == primitive::constant && (std::is_floating_point_v<T> || storage_float<T>)) return static_cast<T>(std::bit_cast<double>(v.attribute));
    else return static_cast<T>(v.attribute);
  }();

  /// From operands that are single elements.
  template <int V, class A, class B, class C>
  DIMITY_DEVICE static element<V> value_of([[maybe_unused]] A a, [[maybe_unused]] B b, [[maybe_unused]] C c) {
    constexpr value v = Code::template val<V>;
    constexpr primitive op = v.op;
    using T = element<V>;
    constexpr bool of_bools = std::is_same_v<A, bool>;
    if constexpr (op == primitive::cast) return device_cast<T>(a);
    else if constexpr (op == primitive::select) return a ? b : c;
    else if constexpr (op == primitive::copy) return a;
    else if constexpr (op == primitive::logical_not) return !a;
    else if constexpr (op >= primitive::isnan && op <= primitive::isfinite) return device_predicate<op>(a);
    else if constexpr (op >= primitive::less && op <= primitive::not_equal && !of_bools) return device_comparison<op>(a, b);
    else if constexpr (std::is_same_v<T, bool> && std::is_same_v<B, bool>) return device_logical<op>(a, b);
    else if constexpr (std::is_same_v<T, bool>) return a;
    else if constexpr (std::is_same_v<B, std::nullptr_t>) return device_unary<op, Code::wanted>(a);
    else return device_binary<op, Code::wanted>(a, b);
  }
  /// Operand `K` of V at element w of a packet.
  template <int V, int K, class Lanes, class Rows>
  DIMITY_DEVICE static auto operand([[maybe_unused]] Lanes const& lane, [[maybe_unused]] Rows const& row, [[maybe_unused]] int w) {
    constexpr int arg = Code::template val<V>.arg[K];
    if constexpr (arg < 0) return nullptr;
    else if constexpr (is_lane<arg>) return cell_of<arg>(lane).v[w];
    else return cell_of<arg>(row);
  }

  /// A value of a packet. Single values are read from `row`, which may be where `lane` is.
  template <int V, class Lanes, class Rows>
  DIMITY_DEVICE static void compute_lane(Lanes& lane, Rows const& row, arguments const& args, position const& p) {
    constexpr value v = Code::template val<V>;
    using T = element<V>;
    pack<T, W>& to = cell_of<V>(lane);
    if constexpr (V == Code::injected) {
      // Supplied by the product.
    } else if constexpr (v.op == primitive::input) {
      constexpr int A = static_cast<int>(v.attribute);
      if constexpr (lane_stride<A> == 0) {
        to = repeated(load_single<A>(args, p));
      } else {
        to = load<A>(args, p);
      }
    } else if constexpr (v.op == primitive::iota) {
      constexpr int axis = static_cast<int>(v.attribute);
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) to.v[w] = device_cast<T>(axis == last ? static_cast<offset>(p.packet) * W + w : static_cast<offset>(p.at[axis]));
    } else {
      DIMITY_UNROLL
      for (int w = 0; w < W; ++w) to.v[w] = value_of<V>(operand<V, 0>(lane, row, w), operand<V, 1>(lane, row, w), operand<V, 2>(lane, row, w));
    }
  }
  /// A value that is the same for all lanes.
  template <int V, class Rows>
  DIMITY_DEVICE static void compute_single(Rows& row, arguments const& args, position const& p) {
    constexpr value v = Code::template val<V>;
    using T = element<V>;
    if constexpr (v.op == primitive::input) {
      cell_of<V>(row) = load_single<static_cast<int>(v.attribute)>(args, p);
    } else if constexpr (v.op == primitive::extent && !is_known_constant<v.attribute>) {
      cell_of<V>(row) = device_cast<T>(Code::template number<v.attribute>(args));
    } else if constexpr (v.op == primitive::constant || v.op == primitive::extent) {
      constexpr T x = constant<V>;
      cell_of<V>(row) = x;
    } else if constexpr (v.op == primitive::iota) {
      constexpr int axis = static_cast<int>(v.attribute);
      cell_of<V>(row) = device_cast<T>(axis < 0 ? index(0) : p.at[axis < 0 ? 0 : axis]);
    } else {
      cell_of<V>(row) = value_of<V>(operand<V, 0>(row, row, 0), operand<V, 1>(row, row, 0), operand<V, 2>(row, row, 0));
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
