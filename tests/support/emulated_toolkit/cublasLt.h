// The part of cuBLASLt that dimity calls, on this machine: what the library asks of its callers is checked (layouts, types, alignments, workspace, as cuBLAS's documentation has it), then products are
// computed one element after the other. Names and numbers are the library's.
#pragma once

#include "../emulated_cuda.hpp"

#include <dimity/core/dtype.hpp>

#include <cmath>
#include <utility>
#include <vector>

enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_ALLOC_FAILED = 3, CUBLAS_STATUS_INVALID_VALUE = 7, CUBLAS_STATUS_ARCH_MISMATCH = 8, CUBLAS_STATUS_EXECUTION_FAILED = 13, CUBLAS_STATUS_NOT_SUPPORTED = 15 };
enum cudaDataType_t { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_R_16F = 2, CUDA_R_8I = 3, CUDA_R_32I = 10, CUDA_R_16BF = 14, CUDA_R_8F_E4M3 = 28, CUDA_R_8F_E5M2 = 29 };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_64F = 70, CUBLAS_COMPUTE_32I = 72, CUBLAS_COMPUTE_32F_FAST_TF32 = 77 };
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };
enum cublasLtEpilogue_t { CUBLASLT_EPILOGUE_DEFAULT = 1, CUBLASLT_EPILOGUE_RELU = 2, CUBLASLT_EPILOGUE_BIAS = 4, CUBLASLT_EPILOGUE_GELU = 32, CUBLASLT_EPILOGUE_GELU_AUX = 32 | 128 };
enum cublasLtReductionScheme_t { CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE = 2 };
enum cublasLtMatrixLayoutAttribute_t { CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6 };
enum cublasLtMatmulDescAttributes_t {
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_TRANSB = 4,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
  CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER = 11,
  CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD = 12,
  CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE = 13,
  CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE = 26
};
enum cublasLtMatmulPreferenceAttributes_t {
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
};

namespace emulated_cublas {

struct handle {};
struct operation {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F, bias_type = CUDA_R_32F;
  std::int32_t transposes_a = 0, transposes_b = 0;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  void const* bias = nullptr;
  void* aux = nullptr;
  std::int64_t aux_leading = 0, aux_stride = 0;
};
struct layout {
  cudaDataType_t type = CUDA_R_32F;
  std::int64_t rows = 0, columns = 0, leading = 0, stride = 0;
  std::int32_t batch = 1;
};
struct preference {
  std::uint64_t workspace = 0;
  std::uint32_t reduction = ~0u, aligned[4] = {256, 256, 256, 256};
};

/// What tests ask and set.
inline bool supports_nothing = false;
inline cublasStatus_t next_search = CUBLAS_STATUS_SUCCESS, next_call = CUBLAS_STATUS_SUCCESS;  ///< what they say once
inline long searches = 0, calls = 0;
struct call {
  operation what;
  layout a, b, c, d;
  double alpha = 0, beta = 0;
};
inline call last;

[[noreturn]] inline void complain(char const* what) { throw std::logic_error(std::string("emulated cuBLASLt: ") + what); }
inline void require(bool holds, char const* what) {
  if (!holds) complain(what);
}

inline std::size_t bytes_of(cudaDataType_t t) { return t == CUDA_R_64F ? 8 : t == CUDA_R_32F || t == CUDA_R_32I ? 4 : t == CUDA_R_16F || t == CUDA_R_16BF ? 2 : 1; }
template <class T>
double load_as(void const* from) {
  T x;
  std::memcpy(&x, from, sizeof x);
  return static_cast<double>(x);
}
inline double load(cudaDataType_t t, void const* base, std::int64_t i) {
  char const* const from = static_cast<char const*>(base) + i * static_cast<std::int64_t>(bytes_of(t));
  switch (t) {
    case CUDA_R_64F: return load_as<double>(from);
    case CUDA_R_32F: return load_as<float>(from);
    case CUDA_R_16F: return static_cast<double>(static_cast<float>(*reinterpret_cast<dimity::float16 const*>(from)));
    case CUDA_R_16BF: return static_cast<double>(static_cast<float>(*reinterpret_cast<dimity::bfloat16 const*>(from)));
    case CUDA_R_8F_E4M3: return static_cast<double>(static_cast<float>(*reinterpret_cast<dimity::float8_e4m3fn const*>(from)));
    case CUDA_R_8F_E5M2: return static_cast<double>(static_cast<float>(*reinterpret_cast<dimity::float8_e5m2 const*>(from)));
    case CUDA_R_8I: return load_as<std::int8_t>(from);
    default: return load_as<std::int32_t>(from);
  }
}
template <class T>
void keep_as(void* to, T x) {
  std::memcpy(to, &x, sizeof x);
}
inline void keep(cudaDataType_t t, void* base, std::int64_t i, double x) {
  char* const to = static_cast<char*>(base) + i * static_cast<std::int64_t>(bytes_of(t));
  switch (t) {
    case CUDA_R_64F: return keep_as(to, x);
    case CUDA_R_32F: return keep_as(to, static_cast<float>(x));
    case CUDA_R_16F: return keep_as(to, static_cast<dimity::float16>(static_cast<float>(x)));
    case CUDA_R_16BF: return keep_as(to, static_cast<dimity::bfloat16>(static_cast<float>(x)));
    case CUDA_R_32I: return keep_as(to, static_cast<std::int32_t>(x));
    default: complain("no result of this type");
  }
}
inline bool is_aligned(void const* p, std::uint64_t bytes) { return reinterpret_cast<std::uintptr_t>(p) % bytes == 0; }

/// Whether there is a kernel for it; what can never be right is a complaint.
inline bool is_supported(operation const& o, layout const& a, layout const& b, layout const& c, layout const& d) {
  auto const rows_of = [](layout const& l, std::int32_t transposes) { return transposes != 0 ? l.columns : l.rows; };
  auto const columns_of = [](layout const& l, std::int32_t transposes) { return transposes != 0 ? l.rows : l.columns; };
  require(rows_of(a, o.transposes_a) == d.rows && columns_of(b, o.transposes_b) == d.columns && columns_of(a, o.transposes_a) == rows_of(b, o.transposes_b), "shapes of the operands");
  require(c.rows == d.rows && c.columns == d.columns && c.type == d.type, "the added matrix is not like the result");
  for (layout const* l : {&a, &b, &c, &d}) require(l->rows > 0 && l->columns > 0 && l->leading >= l->rows && l->batch == d.batch, "a layout");
  require(d.batch == 1 || d.stride >= d.leading * d.columns, "entries of a batch overlap");
  require(d.batch <= 65535 && a.stride >= 0 && b.stride >= 0 && c.stride >= 0, "a batch");
  bool const eight_bits = bytes_of(a.type) == 1;
  switch (o.compute) {
    case CUBLAS_COMPUTE_64F: require(o.scale == CUDA_R_64F && a.type == CUDA_R_64F && b.type == CUDA_R_64F && d.type == CUDA_R_64F, "types of a product of doubles"); break;
    case CUBLAS_COMPUTE_32I: require(o.scale == CUDA_R_32I && a.type == CUDA_R_8I && b.type == CUDA_R_8I && d.type == CUDA_R_32I, "types of a product of integers"); break;
    case CUBLAS_COMPUTE_32F_FAST_TF32: require(a.type == CUDA_R_32F, "TF32 of other types"); [[fallthrough]];
    case CUBLAS_COMPUTE_32F:
      require(o.scale == CUDA_R_32F && a.type != CUDA_R_64F && a.type != CUDA_R_8I, "types of a product of floats");
      if (a.type == CUDA_R_32F) require(b.type == a.type && d.type == a.type, "types of a product of floats");
      else if (!eight_bits) require(b.type == a.type && (d.type == a.type || d.type == CUDA_R_32F), "types of a product of 16-bit floats");
      else require(bytes_of(b.type) == 1 && !(a.type == CUDA_R_8F_E5M2 && b.type == CUDA_R_8F_E5M2) && (d.type == CUDA_R_32F || bytes_of(d.type) == 2), "types of a product of 8-bit floats");
      break;
  }
  // Both operands with neighbours along the terms, in multiples of 16 bytes.
  if (eight_bits && (o.transposes_a == 0 || o.transposes_b != 0 || a.leading % 16 != 0 || b.leading % 16 != 0 || d.rows % 16 != 0 || a.rows % 16 != 0)) return false;
  bool const has_epilogue = o.epilogue != CUBLASLT_EPILOGUE_DEFAULT;
  if (has_epilogue && (o.compute == CUBLAS_COMPUTE_64F || o.compute == CUBLAS_COMPUTE_32I)) return false;
  if ((o.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) require(o.bias != nullptr && o.bias_type == d.type && !(eight_bits && d.type == CUDA_R_32F), "the bias");
  if ((o.epilogue & 128) != 0) require(o.aux != nullptr && o.aux_leading % 8 == 0 && o.aux_leading >= d.rows && o.aux_stride % 8 == 0 && is_aligned(o.aux, 16) && (d.batch == 1 || o.aux_stride >= o.aux_leading * d.columns), "what is kept for a gradient");
  return !supports_nothing;
}

}  // namespace emulated_cublas

using cublasLtHandle_t = emulated_cublas::handle*;
using cublasLtMatmulDesc_t = emulated_cublas::operation*;
using cublasLtMatrixLayout_t = emulated_cublas::layout*;
using cublasLtMatmulPreference_t = emulated_cublas::preference*;
struct cublasLtMatmulAlgo_t {
  std::uint64_t data[8];
};
struct cublasLtMatmulHeuristicResult_t {
  cublasLtMatmulAlgo_t algo;
  std::size_t workspaceSize;
  cublasStatus_t state;
  float wavesCount;
  int reserved[4];
};

inline char const* cublasLtGetStatusString(cublasStatus_t s) { return s == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS" : s == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED" : "another status"; }
inline cublasStatus_t cublasLtCreate(cublasLtHandle_t* h) {
  emulated_cublas::require(emulation::captures == 0, "a handle is made while a stream is recorded");
  return *h = new emulated_cublas::handle, CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t o) { return delete o, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) { return delete l, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* o, cublasComputeType_t compute, cudaDataType_t scale) {
  *o = new emulated_cublas::operation;
  (*o)->compute = compute;
  (*o)->scale = scale;
  return CUBLAS_STATUS_SUCCESS;
}
namespace emulated_cublas {
template <class T>
cublasStatus_t take(T& to, void const* from, std::size_t bytes) {
  if (bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, from, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
}  // namespace emulated_cublas
inline cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t o, cublasLtMatmulDescAttributes_t what, void const* from, std::size_t bytes) {
  using emulated_cublas::take;
  switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return take(o->transposes_a, from, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return take(o->transposes_b, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return take(o->epilogue, from, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return take(o->bias, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER: return take(o->aux, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD: return take(o->aux_leading, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE: return take(o->aux_stride, from, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE: return take(o->bias_type, from, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}
inline cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType_t type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading) {
  *l = new emulated_cublas::layout{type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns), leading};
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l, cublasLtMatrixLayoutAttribute_t what, void const* from, std::size_t bytes) {
  return what == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT ? emulated_cublas::take(l->batch, from, bytes) : emulated_cublas::take(l->stride, from, bytes);
}
inline cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) { return *p = new emulated_cublas::preference, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) { return delete p, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t what, void const* from, std::size_t bytes) {
  if (what == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return emulated_cublas::take(p->workspace, from, bytes);
  if (what == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK) return emulated_cublas::take(p->reduction, from, bytes);
  return emulated_cublas::take(p->aligned[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], from, bytes);
}
/// The method found holds the alignments that it relies on.
inline cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t o, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t p, int, cublasLtMatmulHeuristicResult_t* found, int* count) {
  ++emulated_cublas::searches;
  *count = 0;
  emulated_cublas::require(emulation::captures == 0, "a search while a stream is recorded");
  emulated_cublas::require(p->reduction == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, "parts of sums may be rounded");
  if (emulated_cublas::next_search != CUBLAS_STATUS_SUCCESS) return std::exchange(emulated_cublas::next_search, CUBLAS_STATUS_SUCCESS);
  if (!emulated_cublas::is_supported(*o, *a, *b, *c, *d)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (emulated_cublas::bytes_of(a->type) == 1 && (p->aligned[0] < 16 || p->aligned[1] < 16)) return CUBLAS_STATUS_NOT_SUPPORTED;
  *count = 1;
  found->state = CUBLAS_STATUS_SUCCESS;
  found->workspaceSize = p->workspace;
  for (int i = 0; i < 4; ++i) found->algo.data[i] = p->aligned[i];
  found->algo.data[4] = p->workspace;
  found->algo.data[5] = reinterpret_cast<std::uintptr_t>(o->bias) % 16;
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, void const* alpha, void const* a, cublasLtMatrixLayout_t a_layout, void const* b, cublasLtMatrixLayout_t b_layout, void const* beta, void const* c, cublasLtMatrixLayout_t c_layout, void* d,
                                     cublasLtMatrixLayout_t d_layout, cublasLtMatmulAlgo_t const* algorithm, void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  using namespace emulated_cublas;
  require(is_supported(*description, *a_layout, *b_layout, *c_layout, *d_layout), "a call that the search has refused");
  require(is_aligned(a, algorithm->data[0]) && is_aligned(b, algorithm->data[1]) && is_aligned(c, algorithm->data[2]) && is_aligned(d, algorithm->data[3]), "an address that is less aligned than what was searched for");
  require(description->bias == nullptr || reinterpret_cast<std::uintptr_t>(description->bias) % 16 == algorithm->data[5] || algorithm->data[5] != 0, "a bias that is less aligned than the one that was searched for");
  require(c != d || (c_layout->leading == d_layout->leading && c_layout->stride == d_layout->stride), "the added matrix is the result's memory, and lies otherwise");
  require((description->epilogue & 128) == 0 || (description->aux != c && description->aux != d), "what is kept is the added matrix or the result");
  require(workspace_bytes == algorithm->data[4] && is_aligned(workspace, 256), "the workspace");
  emulation::check_side(workspace, true);
  emulation::check_side(static_cast<char*>(workspace) + workspace_bytes, true);
  for (void const* p : {a, b, c, static_cast<void const*>(d), description->bias, static_cast<void const*>(description->aux)}) emulation::check_side(p, true);
  if (next_call != CUBLAS_STATUS_SUCCESS) return std::exchange(next_call, CUBLAS_STATUS_SUCCESS);
  call now{*description, *a_layout, *b_layout, *c_layout, *d_layout, 0, 0};
  now.alpha = load(description->scale, alpha, 0);
  now.beta = load(description->scale, beta, 0);
  last = now;
  ++calls;
  stream->submit([=] {
    operation const& o = now.what;
    std::memset(workspace, 0xff, workspace_bytes);  // who else keeps something there?
    std::vector<double> x(static_cast<std::size_t>(now.d.rows * (o.transposes_a != 0 ? now.a.rows : now.a.columns))), y;
    for (int entry = 0; entry < now.d.batch; ++entry) {
      std::int64_t const m = now.d.rows, n = now.d.columns, k = o.transposes_a != 0 ? now.a.rows : now.a.columns;
      y.assign(static_cast<std::size_t>(k), 0);
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t t = 0; t < k; ++t) x[static_cast<std::size_t>(i * k + t)] = load(now.a.type, a, entry * now.a.stride + (o.transposes_a != 0 ? t + i * now.a.leading : i + t * now.a.leading));
      for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t t = 0; t < k; ++t) y[static_cast<std::size_t>(t)] = load(now.b.type, b, entry * now.b.stride + (o.transposes_b != 0 ? j + t * now.b.leading : t + j * now.b.leading));
        for (std::int64_t i = 0; i < m; ++i) {
          double sum = 0;
          for (std::int64_t t = 0; t < k; ++t) sum += x[static_cast<std::size_t>(i * k + t)] * y[static_cast<std::size_t>(t)];
          double r = now.alpha * sum;
          if (now.beta != 0) r += now.beta * load(now.c.type, c, entry * now.c.stride + i + j * now.c.leading);
          if ((o.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) r += load(o.bias_type, o.bias, i);
          if ((o.epilogue & 128) != 0) keep(now.d.type, o.aux, entry * o.aux_stride + i + j * o.aux_leading, r);
          if ((o.epilogue & CUBLASLT_EPILOGUE_RELU) != 0) r = r > 0 ? r : 0;
          if ((o.epilogue & CUBLASLT_EPILOGUE_GELU) != 0) r = 0.5 * r * (1 + std::tanh(0.79788456080286536 * (r + 0.044715 * r * r * r)));
          keep(now.d.type, d, entry * now.d.stride + i + j * now.d.leading, r);
        }
      }
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}
