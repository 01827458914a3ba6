// A product of a plan as one call of cuBLASLt: which operands, and what of its epilogue the library does in registers. Whatever does not fit is a kernel of ours.
#pragma once

#include <dimity/exec/cpu/contraction.hpp>
#include <dimity/exec/cuda/lower.hpp>

namespace DIMITY_NAMESPACE::detail {

#ifdef DIMITY_CUBLAS
inline constexpr bool has_cublas = true;
#else
inline constexpr bool has_cublas = false;
#endif

/// What the library may use beside its operands: NVIDIA recommends it for Hopper (cuBLAS documentation, "cublasSetWorkspace"); addresses are rounded up to 256.
inline constexpr std::int64_t cublas_workspace_bytes = std::int64_t{32} << 20, cublas_workspace_alignment = 256;

/// Below, our kernels wait for nothing and fuse everything; a product of 256 x 256 matrices is at the border. Not measured.
constexpr bool is_worth_a_library(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t entries) {
  return m >= 64 && n >= 64 && k >= 64 && m * n / 64 * k / 64 * entries >= (std::int64_t{1} << 24) / 4096;
}
constexpr bool has_library_product(dtype a, dtype b, dtype result) {
  if (result == dtype::float64 || result == dtype::int32) return a == b && (a == result || (a == dtype::int8 && result == dtype::int32)) && a != dtype::int32;
  if (result != dtype::float32) return false;
  auto const is_8_bits = [](dtype t) { return t == dtype::float8_e4m3fn || t == dtype::float8_e5m2; };
  if (is_8_bits(a) && is_8_bits(b)) return a != dtype::float8_e5m2 || b != dtype::float8_e5m2;
  return a == b && (a == dtype::float32 || a == dtype::bfloat16 || a == dtype::float16);
}
/// Whether a product may become a call, by its shapes and types; its layout and epilogue have a say too.
constexpr bool may_use_cublas(opaque_step const& s, shape_value const* shapes) {
  if (!has_cublas || s.op != primitive::dot || !has_library_product(s.operand_type[0], s.operand_type[1], s.type)) return false;
  product_sizes const p = product_of(s, shapes);
  shape_value const& result = shapes[s.shape];
  std::int64_t entries = 1, least[3] = {};
  for (int axis = 0; axis < result.rank - 2 && entries < 1 << 20; ++axis) entries *= result.extent[axis].is_known() ? result.extent[axis].number() : 1024;
  int i = 0;
  for (amount const a : {p.m, p.n, p.k}) least[i++] = a.is_known() ? a.number() : 4096;
  return is_worth_a_library(least[0], least[1], least[2], entries);
}

/// Of an operand: the library's matrices have columns whose elements are neighbours, `leading` elements apart.
struct library_operand {
  bool transposed = false;
  amount offset = 0, leading = 0, batch_stride = 0;
};
/// Of a matrix that an epilogue reads or writes, at one of its slots, or at that of the product itself (-1): rows lie `leading` elements apart.
struct library_matrix {
  bool exists = false;
  int slot = -1;
  amount offset = 0, leading = 0, batch_stride = 0;
};
enum class library_activation : std::uint8_t { none, relu, gelu };

/// result = activation(alpha * a b + beta * added + bias), rounded to its type; `before`: what the activation is given, in the same type.
struct library_product {
  bool exists = false;
  dtype type = dtype::float32;  ///< of everything but the operands
  library_activation activation = library_activation::none;
  amount m = 0, n = 0, k = 0, batch = 1;
  library_operand a, b;
  library_matrix result, added, bias, before;
  double alpha = 1, beta = 0;
};

class library_matcher {
 public:
  constexpr library_matcher(plan_on_cuda const& plan, opaque_step const& step) : p_(plan), s_(step) {}

  constexpr library_product find() {
    out_.exists = may_use_cublas(s_, p_.shapes) && read_operands() && (s_.epilogue < 0 ? read_plain() : read_epilogue());
    if (out_.exists) join_batch();
    return out_;
  }

 private:
  plan_on_cuda const& p_;
  opaque_step const& s_;
  kernel const* k_ = nullptr;
  library_product out_;
  list<unsigned char> contains_;  ///< per value of the epilogue: whether it is made of the product

  /// Axes 0 to `count - 1`, row-major over one another, are one: the stride of the last of them that has more than one entry.
  template <class Extent, class Stride>
  static constexpr bool join_axes(int count, Extent const& extent, Stride const& stride, amount& joined) {
    joined = 0;
    int inner = -1;
    for (int axis = count - 1; axis >= 0; --axis) {
      if (extent(axis) == 1) continue;
      if (inner < 0) joined = stride(axis);
      else if (!(stride(axis) == stride(inner) * extent(inner))) return false;
      inner = axis;
    }
    return true;
  }
  /// Rows of `length` elements do not overlap; what is not known is asked again when the call is made.
  static constexpr bool is_leading(amount stride, amount length) { return !stride.is_known() || (length.is_known() ? stride.number() >= length.number() : stride.number() > 0); }

  constexpr bool read_operands() {
    product_sizes const p = product_of(s_, p_.shapes);
    shape_value const& shape = p_.shapes[s_.shape];
    int const batch_axes = shape.rank - 2;
    out_.m = p.m;
    out_.n = p.n;
    out_.k = p.k;
    for (int axis = 0; axis < batch_axes; ++axis) out_.batch *= shape.extent[axis];
    auto const extent = [&](int axis) { return shape.extent[axis]; };
    for (int o = 0; o < 2; ++o) {
      library_operand& x = o == 0 ? out_.a : out_.b;
      // Neighbours are terms of a, or columns of b: as it is.
      amount const along = o == 0 ? p.a_col : p.b_col, across = o == 0 ? p.a_row : p.b_row, length = o == 0 ? p.k : p.n, other_length = o == 0 ? p.m : p.k;
      x.transposed = !(along == 1);
      if (x.transposed && !(across == 1)) return false;
      x.leading = x.transposed ? along : across;
      x.offset = s_.operand_offset[o];
      if (!is_leading(x.leading, x.transposed ? other_length : length)) return false;
      if (!join_axes(batch_axes, extent, [&](int axis) { return s_.operand_stride[o][axis]; }, x.batch_stride)) return false;
    }
    return true;
  }
  constexpr bool read_plain() {
    out_.type = s_.type;
    out_.result = {true, -1, 0, out_.n, out_.m * out_.n};
    return true;
  }

  constexpr value const& val(int v) const { return p_.values[k_->values.begin + v]; }
  constexpr access const& accessed(int i) const { return p_.accesses[k_->accesses.begin + i]; }
  constexpr bool contains_product(int v) const { return contains_[v] != 0; }
  /// Values come after those that they are made of.
  constexpr void mark_product() {
    contains_ = list<unsigned char>(k_->values.size(), 0);
    for (int v = 0; v < k_->values.size(); ++v) {
      value const& x = val(v);
      bool found = v == k_->injected;
      for (int i = 0; i < arity_of(x.op) && x.op != primitive::input; ++i) found = found || contains_[x.arg[i]] != 0;
      contains_[v] = found;
    }
  }
  constexpr bool is_constant(int v, double& number) const {
    value const& x = val(v);
    if (x.op != primitive::constant || !is_floating(x.type)) return false;
    number = std::bit_cast<double>(x.attribute);
    return true;
  }
  /// The other operand, where `v` is `op` of one and a constant; or -1.
  constexpr int beside_constant(int v, primitive op, double& number) const {
    value const& x = val(v);
    if (x.op != op) return -1;
    if (is_constant(x.arg[0], number)) return x.arg[1];
    if (is_constant(x.arg[1], number)) return x.arg[0];
    return -1;
  }
  constexpr int beside(int v, primitive op, double wanted) const {
    double number = 0;
    int const other = beside_constant(v, op, number);
    double const error = number - wanted;
    return other >= 0 && (error < 0 ? -error : error) <= 1e-6 * wanted ? other : -1;
  }
  /// What gelu_tanh is taken of (expr/elementwise.hpp), or -1: the library's GELU is that form.
  constexpr int argument_of_gelu(int v) const {
    value const& x = val(v);
    if (x.op != primitive::multiply) return -1;
    for (int side = 0; side < 2; ++side) {
      int const u = x.arg[side];
      int at = beside(x.arg[1 - side], primitive::multiply, 0.5);
      if (at >= 0) at = beside(at, primitive::add, 1.0);
      if (at >= 0) at = val(at).op == primitive::tanh ? val(at).arg[0] : -1;
      if (at >= 0) at = beside(at, primitive::multiply, 0.797884560802865355879892119868763737);
      if (at < 0 || val(at).op != primitive::add) continue;
      for (int i = 0; i < 2; ++i) {
        int cube = val(at).arg[i] == u ? beside(val(at).arg[1 - i], primitive::multiply, 0.044715) : -1;
        if (cube < 0 || val(cube).op != primitive::multiply) continue;
        for (int j = 0; j < 2; ++j) {
          int const square = val(cube).arg[1 - j];
          if (val(cube).arg[j] == u && val(square).op == primitive::square && val(square).arg[0] == u) return u;
        }
      }
    }
    return -1;
  }

  constexpr bool is_number(access const& a) const { return number_bytes(p_, k_->slots.begin + a.slot) > 0; }
  /// The whole result, row-major, at an access.
  constexpr bool read_matrix(access const& a, library_matrix& to) const {
    int const axes = k_->axes;
    if (a.type != out_.type || is_number(a) || axes < 2 || !(a.stride[axes - 1] == 1) || !is_leading(a.stride[axes - 2], out_.n)) return false;
    to = {true, a.slot, a.offset, a.stride[axes - 2], 0};
    return join_axes(axes - 2, [&](int axis) { return k_->extent[axis]; }, [&](int axis) { return a.stride[axis]; }, to.batch_stride);
  }
  constexpr bool is_row(access const& a) const {
    for (int axis = 0; axis + 1 < k_->axes; ++axis)
      if (!(a.stride[axis] == 0)) return false;
    return a.type == out_.type && !is_number(a) && a.stride[k_->axes - 1] == 1;
  }
  constexpr bool read_term(int v, double factor) {
    double number = 1;
    if (int const other = beside_constant(v, primitive::multiply, number); other >= 0) {
      factor *= number;
      v = other;
    }
    if (val(v).op == primitive::cast) v = val(v).arg[0];
    // y + 2 y is not a sum of a product and something else.
    if (val(v).op != primitive::input || contains_product(v) || factor == 0) return false;
    access const& a = accessed(static_cast<int>(val(v).attribute));
    bool const of_8_bits = size_of(s_.operand_type[0]) == 1;
    // Products of 8-bit floats have biases of 16 bits.
    if (!out_.bias.exists && factor == 1 && is_row(a) && !(of_8_bits && out_.type == dtype::float32)) {
      out_.bias = {true, a.slot, a.offset, 0, 0};
      return true;
    }
    if (out_.added.exists || !read_matrix(a, out_.added)) return false;
    out_.beta = factor;
    return true;
  }
  constexpr bool read_scaled(int v) {
    double number = 1;
    if (v == k_->injected) return true;
    if (val(v).op == primitive::negative) {
      out_.alpha = -out_.alpha;
      return read_scaled(val(v).arg[0]);
    }
    int const other = beside_constant(v, primitive::multiply, number);
    out_.alpha *= number;
    return other >= 0 && read_scaled(other);
  }
  constexpr bool read_sum(int v) {
    value const& x = val(v);
    if (v != k_->injected && (x.op == primitive::add || x.op == primitive::subtract)) {
      double const sign = x.op == primitive::add ? 1 : -1;
      if (contains_product(x.arg[0])) return read_sum(x.arg[0]) && read_term(x.arg[1], sign);
      out_.alpha *= sign;
      return (sign > 0 ? read_sum(x.arg[1]) : read_scaled(x.arg[1])) && read_term(x.arg[0], 1);
    }
    return read_scaled(v);
  }
  /// What a store leaves, before it is rounded to the type of the result.
  constexpr int stored(store const& s) const {
    value const& x = val(s.value);
    return x.op == primitive::cast && x.type == out_.type ? x.arg[0] : s.value;
  }
  constexpr bool read_result(store const& s, int& activated) {
    int v = stored(s);
    if (!contains_product(v) || !read_matrix(accessed(s.access), out_.result)) return false;
    int const gelu = argument_of_gelu(v);
    if (v != k_->injected && (gelu >= 0 || val(v).op == primitive::relu)) {
      out_.activation = gelu >= 0 ? library_activation::gelu : library_activation::relu;
      v = gelu >= 0 ? gelu : val(v).arg[0];
    }
    activated = v;
    return read_sum(v);
  }
  constexpr bool read_epilogue() {
    k_ = &p_.kernels[s_.epilogue];
    mark_product();
    int const stores = k_->stores.size();
    if (s_.type == dtype::int32 || s_.result_slot >= 0 || k_->stages != 1 || stores < 1 || stores > 2) return false;
    store const* const s = p_.stores + k_->stores.begin;
    for (int i = 0; i < stores; ++i)
      if (s[i].combine != primitive::copy) return false;
    out_.type = accessed(s[0].access).type;
    if (!accepts_type()) return false;
    int activated = -1;
    if (stores == 1) {
      if (!read_result(s[0], activated)) return false;
    } else {
      // A GELU, and what it is taken of, for its gradient.
      int const at = argument_of_gelu(stored(s[0])) >= 0 ? 0 : 1;
      if (!read_result(s[at], activated) || out_.activation != library_activation::gelu || stored(s[1 - at]) != activated || !read_matrix(accessed(s[1 - at].access), out_.before)) return false;
      for (amount const a : {out_.before.leading, out_.before.batch_stride, out_.before.offset})
        if (a.coefficient() % 8 != 0) return false;
    }
    // With operands of 64 bits there is nothing but sums.
    return s_.type != dtype::float64 || (out_.activation == library_activation::none && !out_.bias.exists);
  }
  constexpr bool accepts_type() const {
    if (out_.type == s_.type) return true;
    bool const is_16_bits = out_.type == dtype::bfloat16 || out_.type == dtype::float16;
    // Operands of 8 bits may have a result of either kind.
    return s_.type == dtype::float32 && is_16_bits && (s_.operand_type[0] == out_.type || size_of(s_.operand_type[0]) == 1);
  }
  /// One product, where batch entries share the columns and their rows follow one another everywhere.
  constexpr void join_batch() {
    if (out_.batch == 1 || !(out_.b.batch_stride == 0)) return;
    amount const row = out_.a.transposed ? amount(1) : out_.a.leading;
    if (!(out_.a.batch_stride == out_.m * row)) return;
    for (library_matrix const* x : {&out_.result, &out_.added, &out_.before})
      if (x->exists && !(x->batch_stride == out_.m * x->leading)) return;
    out_.m *= out_.batch;
    out_.batch = 1;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
