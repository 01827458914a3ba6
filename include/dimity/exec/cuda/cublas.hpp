// Products through cuBLASLt, where a program is compiled for it (the CMake target dimity::cublas). How a product is computed is asked of the library once for each problem, and kept.
#pragma once

#include <dimity/exec/cuda/library_product.hpp>
#include <dimity/exec/cuda/runtime.hpp>

#ifdef DIMITY_CUBLAS
#include <cublasLt.h>
#endif

#include <compare>
#include <map>
#include <memory>
#include <mutex>

namespace DIMITY_NAMESPACE {

/// A call of cuBLASLt that failed, with the place in the source that made it; `code` is its cublasStatus_t.
struct cublas_error : error {
  int code;
  cublas_error(int c, std::string const& text) : error(text), code(c) {}
};

namespace detail {

/// Set where a recording met a product that the library has not been asked about: the search, and the first load of a kernel, are not for recordings. Nothing was recorded for it.
inline bool& is_unprepared() {
  thread_local bool b = false;
  return b;
}

#ifdef DIMITY_CUBLAS
inline void check_cublas(cublasStatus_t code, std::source_location const where = std::source_location::current()) {
  if (code == CUBLAS_STATUS_SUCCESS) return;
  std::string const text = std::string("cuBLASLt: ") + cublasLtGetStatusString(code) + " at " + where.file_name() + ":" + std::to_string(where.line());
#if defined(__cpp_exceptions)
  throw cublas_error(static_cast<int>(code), text);
#else
  fail<error>(text);
#endif
}

/// All that the library's choice depends on. Addresses count with the powers of two that they are multiples of, up to 256.
struct cublas_problem {
  std::int64_t m, n, k, batch, a_leading, b_leading, added_leading, result_leading, before_leading, a_batch, b_batch, added_batch, result_batch, before_batch;
  int a_type, b_type, type, compute, scale, a_transposed, b_transposed, epilogue, device, a_aligned, b_aligned, added_aligned, result_aligned, bias_aligned, before_aligned;
  friend auto operator<=>(cublas_problem const&, cublas_problem const&) = default;
};
struct cublas_addresses {
  void const *a, *b, *added, *bias;
  void *result, *before, *workspace;
};
inline int aligned_to(void const* p) {
  auto const bits = reinterpret_cast<std::uintptr_t>(p) | 256;
  return static_cast<int>(bits & (~bits + 1));
}
class cublas_library {
 public:
  static cublas_library& get() {
    static cublas_library& l = *new cublas_library;  // never destroyed, as what the runtime keeps
    return l;
  }
  /// Starts the product, or says that the library has no way to do it.
  template <class Scale>
  bool run(cublas_problem const& problem, cublas_addresses const& at, double alpha, double beta, cudaStream_t stream) {
    std::lock_guard const lock(guard_);
    auto found = methods_.find(problem);
    if (found == methods_.end()) {
      cudaStreamCaptureStatus recording = cudaStreamCaptureStatusNone;
      check_cuda(cudaStreamIsCapturing(stream, &recording));
      if (recording != cudaStreamCaptureStatusNone) return is_unprepared() = true;
      // Extents that never come again must not pile up.
      if (methods_.size() >= 1024) methods_.clear();
      found = methods_.emplace(problem, search(problem, at)).first;
    }
    method& way = found->second;
    if (!way.exists) return false;
    if ((problem.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) set(way.operation.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, at.bias);
    if (problem.before_leading != 0) set(way.operation.get(), CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, at.before);
    Scale const a = static_cast<Scale>(alpha), b = static_cast<Scale>(beta);
    // The library multiplies matrices of columns: ours, transposed, in the other order.
    cublasStatus_t const code = cublasLtMatmul(handle(problem.device), way.operation.get(), &a, at.b, way.b.get(), at.a, way.a.get(), &b, at.added != nullptr ? at.added : at.result, way.added.get(), at.result, way.result.get(), &way.algorithm, at.workspace,
                                               static_cast<std::size_t>(cublas_workspace_bytes), stream);
    // Found out late; nothing was started.
    if (code == CUBLAS_STATUS_NOT_SUPPORTED || code == CUBLAS_STATUS_ARCH_MISMATCH) return way.exists = false;
    check_cublas(code);
    ++started_;
    return true;
  }
  /// Products that were started.
  long started() {
    std::lock_guard const lock(guard_);
    return started_;
  }

 private:
  template <auto Destroy>
  struct destroyer {
    template <class T>
    void operator()(T* p) const {
      static_cast<void>(Destroy(p));
    }
  };
  using operation_handle = std::unique_ptr<std::remove_pointer_t<cublasLtMatmulDesc_t>, destroyer<cublasLtMatmulDescDestroy>>;
  using layout_handle = std::unique_ptr<std::remove_pointer_t<cublasLtMatrixLayout_t>, destroyer<cublasLtMatrixLayoutDestroy>>;
  using preference_handle = std::unique_ptr<std::remove_pointer_t<cublasLtMatmulPreference_t>, destroyer<cublasLtMatmulPreferenceDestroy>>;
  struct method {
    bool exists = false;
    operation_handle operation;
    layout_handle a, b, added, result;
    cublasLtMatmulAlgo_t algorithm = {};
  };
  std::mutex guard_;
  long started_ = 0;
  std::map<cublas_problem, method> methods_;
  std::array<cublasLtHandle_t, most_devices> handles_{};

  cublasLtHandle_t handle(int device) {
    cublasLtHandle_t& h = handles_[static_cast<std::size_t>(device)];
    if (h == nullptr) check_cublas(cublasLtCreate(&h));
    return h;
  }
  template <class T>
  static void set(cublasLtMatmulDesc_t to, cublasLtMatmulDescAttributes_t what, T const& value) {
    check_cublas(cublasLtMatmulDescSetAttribute(to, what, &value, sizeof(T)));
  }
  template <class T>
  static void set(cublasLtMatmulPreference_t to, cublasLtMatmulPreferenceAttributes_t what, T const& value) {
    check_cublas(cublasLtMatmulPreferenceSetAttribute(to, what, &value, sizeof(T)));
  }
  static layout_handle layout(int type, std::int64_t rows, std::int64_t columns, std::int64_t leading, std::int64_t batch, std::int64_t stride) {
    cublasLtMatrixLayout_t made = nullptr;
    check_cublas(cublasLtMatrixLayoutCreate(&made, static_cast<cudaDataType_t>(type), static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), leading));
    layout_handle l(made);
    if (batch > 1) {
      std::int32_t const count = static_cast<std::int32_t>(batch);
      check_cublas(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count));
      check_cublas(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride));
    }
    return l;
  }
  method search(cublas_problem const& p, cublas_addresses const& at) {
    method way;
    cublasLtMatmulDesc_t operation = nullptr;
    check_cublas(cublasLtMatmulDescCreate(&operation, static_cast<cublasComputeType_t>(p.compute), static_cast<cudaDataType_t>(p.scale)));
    way.operation.reset(operation);
    set(operation, CUBLASLT_MATMUL_DESC_TRANSA, static_cast<std::int32_t>(p.b_transposed != 0 ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(operation, CUBLASLT_MATMUL_DESC_TRANSB, static_cast<std::int32_t>(p.a_transposed != 0 ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<std::uint32_t>(p.epilogue));
    if ((p.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) {
      set(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, at.bias);
      set(operation, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<std::int32_t>(p.type));
    }
    if (p.before_leading != 0) {
      set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, at.before);
      set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, p.before_leading);
      set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, p.before_batch);
    }
    // As they lie: a transposed operand has the other extent as its rows.
    way.b = layout(p.b_type, p.b_transposed != 0 ? p.k : p.n, p.b_transposed != 0 ? p.n : p.k, p.b_leading, p.batch, p.b_batch);
    way.a = layout(p.a_type, p.a_transposed != 0 ? p.m : p.k, p.a_transposed != 0 ? p.k : p.m, p.a_leading, p.batch, p.a_batch);
    way.added = layout(p.type, p.n, p.m, p.added_leading, p.batch, p.added_batch);
    way.result = layout(p.type, p.n, p.m, p.result_leading, p.batch, p.result_batch);

    cublasLtMatmulPreference_t made = nullptr;
    check_cublas(cublasLtMatmulPreferenceCreate(&made));
    preference_handle const wishes(made);
    set(made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(cublas_workspace_bytes));
    // Parts of sums are added up as they were computed, not rounded to the type of the result, and in a fixed order.
    set(made, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(p.b_aligned));
    set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(p.a_aligned));
    set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(p.added_aligned));
    set(made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(p.result_aligned));
    cublasLtMatmulHeuristicResult_t found = {};
    int count = 0;
    cublasStatus_t const code = cublasLtMatmulAlgoGetHeuristic(handle(p.device), operation, way.b.get(), way.a.get(), way.added.get(), way.result.get(), made, 1, &found, &count);
    // The library also calls invalid what it has no kernel for.
    if (code != CUBLAS_STATUS_NOT_SUPPORTED && code != CUBLAS_STATUS_INVALID_VALUE && code != CUBLAS_STATUS_ARCH_MISMATCH) check_cublas(code);
    way.exists = code == CUBLAS_STATUS_SUCCESS && count > 0 && found.state == CUBLAS_STATUS_SUCCESS;
    way.algorithm = found.algo;
    return way;
  }
};

constexpr int cublas_type(dtype t) {
  switch (t) {
    case dtype::float64: return CUDA_R_64F;
    case dtype::float16: return CUDA_R_16F;
    case dtype::bfloat16: return CUDA_R_16BF;
    case dtype::float8_e4m3fn: return CUDA_R_8F_E4M3;
    case dtype::float8_e5m2: return CUDA_R_8F_E5M2;
    case dtype::int8: return CUDA_R_8I;
    case dtype::int32: return CUDA_R_32I;
    default: return CUDA_R_32F;
  }
}

template <class Plan, int Index>
struct product_by_cublas {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  static constexpr cuda_precision precision = precision_of<Plan>;
  static constexpr library_product call = [] {
    // Whoever asks for strict results has our kernels on every GPU.
    if (precision == cuda_precision::strict) return library_product{};
    plan_on_cuda const p{view_plan(Plan::value), numbers_of<Plan>, precision};
    return library_matcher(p, s).find();
  }();
  static constexpr bool exists = call.exists;
  using scale = std::conditional_t<s.type == dtype::float64, double, std::conditional_t<s.type == dtype::int32, std::int32_t, float>>;

  static bool run(void* const* slots, void* const* epilogue_slots, extent_t const* symbols, cudaStream_t stream) {
    auto const number = [&](amount a) { return value_of(a, symbols); };
    cublas_problem p = {};
    p.m = number(call.m), p.n = number(call.n), p.k = number(call.k), p.batch = number(call.batch);
    if (!is_worth_a_library(p.m, p.n, p.k, p.batch)) return false;
    p.a_transposed = call.a.transposed, p.b_transposed = call.b.transposed;
    p.a_leading = number(call.a.leading), p.b_leading = number(call.b.leading), p.result_leading = number(call.result.leading);
    p.a_batch = number(call.a.batch_stride), p.b_batch = number(call.b.batch_stride), p.result_batch = number(call.result.batch_stride);
    library_matrix const& added = call.added.exists ? call.added : call.result;
    p.added_leading = number(added.leading), p.added_batch = number(added.batch_stride);
    p.before_leading = call.before.exists ? number(call.before.leading) : 0, p.before_batch = number(call.before.batch_stride);
    // What was not known before: whether rows lie apart from one another. Batches beyond 65535 are not documented to work, nor are entries that lie backwards.
    if (p.a_batch < 0 || p.b_batch < 0 || p.added_batch < 0 || p.batch > 65535) return false;
    if (p.a_leading < (p.a_transposed != 0 ? p.m : p.k) || p.b_leading < (p.b_transposed != 0 ? p.k : p.n) || p.result_leading < p.n || p.added_leading < p.n || (call.before.exists && p.before_leading < p.n)) return false;
    p.a_type = cublas_type(s.operand_type[0]), p.b_type = cublas_type(s.operand_type[1]), p.type = cublas_type(call.type);
    p.scale = s.type == dtype::float64 ? CUDA_R_64F : s.type == dtype::int32 ? CUDA_R_32I : CUDA_R_32F;
    bool const rounds = s.operand_type[0] == dtype::float32 && precision == cuda_precision::fast;
    p.compute = s.type == dtype::float64 ? CUBLAS_COMPUTE_64F : s.type == dtype::int32 ? CUBLAS_COMPUTE_32I : rounds ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    // The library's numbers for these are bits.
    p.epilogue = (call.activation == library_activation::relu ? CUBLASLT_EPILOGUE_RELU : call.activation == library_activation::gelu ? CUBLASLT_EPILOGUE_GELU : 0) | (call.bias.exists ? CUBLASLT_EPILOGUE_BIAS : 0) | (call.before.exists ? CUBLASLT_EPILOGUE_GELU_AUX : 0);
    if (p.epilogue == 0) p.epilogue = CUBLASLT_EPILOGUE_DEFAULT;

    auto const operand = [&](int o, amount offset) { return static_cast<char const*>(slots[s.operand_slot[o]]) + number(offset) * static_cast<extent_t>(size_of(s.operand_type[o])); };
    auto const matrix = [&](library_matrix const& x) { return x.exists ? static_cast<char*>(x.slot < 0 ? slots[s.result_slot] : epilogue_slots[x.slot]) + number(x.offset) * static_cast<extent_t>(size_of(call.type)) : nullptr; };
    auto const workspace = (reinterpret_cast<std::uintptr_t>(slots[s.scratch_slot]) + (cublas_workspace_alignment - 1)) / cublas_workspace_alignment * cublas_workspace_alignment;
    cublas_addresses const at{operand(0, call.a.offset), operand(1, call.b.offset), matrix(call.added), matrix(call.bias), matrix(call.result), matrix(call.before), reinterpret_cast<void*>(workspace)};
    // The added matrix may be the result's memory, but not what is kept beside it.
    if (at.before != nullptr && at.before == at.added) return false;
    p.device = current_device();
    p.a_aligned = aligned_to(at.a), p.b_aligned = aligned_to(at.b), p.added_aligned = aligned_to(call.added.exists ? at.added : at.result), p.result_aligned = aligned_to(at.result), p.bias_aligned = aligned_to(at.bias), p.before_aligned = aligned_to(at.before);
    return cublas_library::get().template run<scale>(p, at, call.alpha, call.beta, stream);
  }
};

#endif
}  // namespace detail

}  // namespace DIMITY_NAMESPACE
