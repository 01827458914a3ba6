// Runs a plan on a GPU: the steps of the plan, one after the other, into a stream.
#pragma once

#include <dimity/exec/cuda/convolution.hpp>
#include <dimity/exec/cuda/cublas.hpp>
#include <dimity/exec/cuda/fourier.hpp>
#include <dimity/exec/cuda/launch.hpp>
#include <dimity/exec/cuda/matrix_exponential.hpp>
#include <dimity/exec/cuda/primitives.hpp>
#include <dimity/exec/cuda/rules.hpp>
#include <dimity/exec/cuda/singular_values.hpp>
#include <dimity/exec/cuda/sort.hpp>
#include <dimity/exec/cuda/split_product.hpp>
#include <dimity/exec/cuda/tensor_attention.hpp>
#include <dimity/exec/planned.hpp>

#include <vector>

namespace DIMITY_NAMESPACE::detail {

template <cuda_precision P>
constexpr std::int64_t product_scratch_bytes(opaque_step const& s, shape_value const* shapes) {
  std::int64_t const of_library = P != cuda_precision::strict && may_use_cublas(s, shapes) ? cublas_workspace_bytes + cublas_workspace_alignment : 0;
  product_sizes const p = product_of(s, shapes);
  for (amount const a : {shapes[s.shape].size(), p.m, p.n, p.k, p.a_row, p.a_col, p.b_row, p.b_col, s.operand_offset[0], s.operand_offset[1]})
    if (!a.is_known()) return of_library;
  std::int64_t const results = shapes[s.shape].size().number(), m = p.m.number(), n = p.n.number(), entries = m * n == 0 ? 0 : results / (m * n);
  std::int64_t const parts = parts_of_product(m, n, p.k.number(), entries), of_parts = parts == 1 ? 0 : parts * results * static_cast<std::int64_t>(size_of(s.type));
  return of_parts > of_library ? of_parts : of_library;
}
template <cuda_precision P>
constexpr amount cuda_scratch_bytes(opaque_step const& s, shape_value const* shapes, std::int64_t const*) {
  if (s.op == primitive::argsort) return sort_scratch_bytes(s, shapes);
  if (s.op == primitive::dot) return product_scratch_bytes<P>(s, shapes);
  for (int k = 0; k < arity_of(s.op); ++k)
    if (!shapes[s.operand_shape[k]].size().is_known()) return 0;
  if (is_fourier(s.op)) {
    shape_value const &given = shapes[s.operand_shape[0]], &result = shapes[s.shape], &real = s.op == primitive::irfft ? result : given;
    std::int64_t const n = real.extent[real.rank - 1].number();
    // Real and complex ones have 1 and 2 numbers for each entry.
    return n == 0 ? 0 : fourier_scratch_bytes(n, real.size().number() / (s.op == primitive::fft ? 2 * n : n), static_cast<std::int64_t>(size_of(s.type)));
  }
  if (s.op == primitive::svd) {
    shape_value const& a = shapes[s.operand_shape[0]];
    std::int64_t const m = a.extent[a.rank - 2].number(), n = a.extent[a.rank - 1].number();
    return m * n == 0 ? 0 : svd_scratch_bytes(m, n, a.size().number() / (m * n), static_cast<std::int64_t>(size_of(s.type)));
  }
  if (s.op == primitive::solve || s.op == primitive::slogdet || s.op == primitive::eigh || s.op == primitive::expm) {
    shape_value const& a = shapes[s.operand_shape[0]];
    std::int64_t const n = a.extent[a.rank - 1].number(), bytes = static_cast<std::int64_t>(size_of(s.type)), matrices = n == 0 ? 0 : a.size().number() / (n * n);
    return s.op == primitive::eigh ? eigh_scratch_bytes(n, matrices, bytes) : s.op == primitive::expm ? expm_scratch_bytes(n, matrices, bytes) : elimination_scratch_bytes(n, matrices, bytes);
  }
  return 0;
}
template <cuda_precision P>
inline constexpr plan_rules cuda_rules{.scratch = cuda_scratch_bytes<P>, .divides_rows = false, .chains_rows = false, .fuses_into_convolutions = false, .on_gpu = true};

/// A program for the GPU: the same program under another type, planned by other rules.
template <class Source, cuda_precision P = cuda_precision::standard, std::uint64_t Numbers = 0>
struct source_on_cuda : Source {};
template <class Source, cuda_precision P, std::uint64_t Numbers>
inline constexpr plan_rules rules_of_source<source_on_cuda<Source, P, Numbers>> = cuda_rules<P>;
template <class Source, cuda_precision P, std::uint64_t Numbers>
inline constexpr cuda_precision precision_of<planned<source_on_cuda<Source, P, Numbers>>> = P;
// Primitives, loops and branches read numbers in memory.
template <class Source, cuda_precision P, std::uint64_t Numbers>
inline constexpr std::uint64_t numbers_of<planned<source_on_cuda<Source, P, Numbers>>> = planned<source_on_cuda<Source, P, Numbers>>::size.opaques == 0 && planned<source_on_cuda<Source, P, Numbers>>::size.controls == 0 ? Numbers : 0;

/// A product of a plan as the key of its kernel.
template <class Plan, int Index>
struct product_on_cuda {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  static constexpr shape_value shape = Plan::value.shapes[s.shape];
  static constexpr int batch_axes = shape.rank - 2, word_count = 14 + 3 * batch_axes;
  /// The precision, where it makes another kernel.
  static constexpr cuda_precision matters = s.operand_type[0] == dtype::float32 && s.operand_type[1] == dtype::float32 ? precision_of<Plan> : cuda_precision::standard;
  struct key {
    std::int64_t words[word_count] = {};
    symbols_of_kernel symbols;
  };
  static constexpr key value = [] {
    product_sizes const sizes = product_of(s, Plan::value.shapes);
    plan_view const p = view_plan(Plan::value);
    auto const bit = [&](int slot, int at) { return slot >= 0 && is_unaligned(p, s.slots.begin + slot) ? 1 << at : 0; };
    key k;
    kernel_symbols symbols;
    int n = 0;
    auto const add = [&](std::int64_t word) { k.words[n++] = word; };
    add(static_cast<std::int64_t>(s.operand_type[0]) | static_cast<std::int64_t>(s.operand_type[1]) << 8);
    add(static_cast<std::int64_t>(s.type));
    for (amount const a : {sizes.m, sizes.n, sizes.k, sizes.a_row, sizes.a_col, sizes.b_row, sizes.b_col, s.operand_offset[0], s.operand_offset[1]}) add(symbols.word(a));
    add(s.result_slot >= 0);
    add(bit(s.operand_slot[0], 0) | bit(s.operand_slot[1], 1) | bit(s.result_slot, 2));
    add(static_cast<std::int64_t>(matters));
    for (int axis = 0; axis < batch_axes; ++axis)
      for (amount const a : {shape.extent[axis], s.operand_stride[0][axis], s.operand_stride[1][axis]}) add(symbols.word(a));
    k.symbols = symbols_of_kernel(symbols);
    return k;
  }();
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> product_code<value.words[I]...>;
  using code = decltype(make(std::make_index_sequence<static_cast<std::size_t>(word_count)>{}));
  static constexpr auto pick_epilogue() {
    if constexpr (s.epilogue >= 0) return std::type_identity<typename launch_code<lowered<Plan, s.epilogue>, 0>::type>{};
    else return std::type_identity<no_epilogue>{};
  }
  using epilogue = typename decltype(pick_epilogue())::type;
  template <class Code, class Epilogue>
  using kernel = std::conditional_t<is_for_tensor_cores<Code>, tensor_product_kernel<Code, Epilogue>, product_kernel<Code, Epilogue>>;

  template <int... P, int... Symbol>
  static void run(std::integer_sequence<int, P...>, std::integer_sequence<int, Symbol...>, void* const* slots, launch_memory const& of_epilogue, cudaStream_t stream) {
    void* product = nullptr;
    if constexpr (s.result_slot >= 0) product = slots[s.result_slot];
    if constexpr (parts_of_terms<code> == 1) {
      launch_kernel<kernel<code, epilogue>>({{slots[s.operand_slot[0]], slots[s.operand_slot[1]], product, of_epilogue.argument(lowered<Plan, s.epilogue>::value.pointers[P])..., reinterpret_cast<void*>(of_epilogue.symbols[value.symbols.of_plan[Symbol]])...}}, stream);
    } else {
      void* const parts = slots[s.scratch_slot];
      launch_kernel<kernel<typename product_in_parts<code>::type, no_epilogue>>({{slots[s.operand_slot[0]], slots[s.operand_slot[1]], parts}}, stream);
      launch_kernel<join_parts_kernel<code, epilogue>>({{parts, nullptr, product, of_epilogue.argument(lowered<Plan, s.epilogue>::value.pointers[P])...}}, stream);
    }
  }
  static void run(void* const* slots, void* const* epilogue_slots, extent_t const* symbols, cudaStream_t stream) {
#ifdef DIMITY_CUBLAS
    if constexpr (product_by_cublas<Plan, Index>::exists)
      if (product_by_cublas<Plan, Index>::run(slots, epilogue_slots, symbols, stream)) return;
#endif
    run(std::make_integer_sequence<int, epilogue::slots + epilogue::symbols>{}, std::make_integer_sequence<int, value.symbols.count>{}, slots, {epilogue_slots, nullptr, symbols}, stream);
  }
};

/// Any other primitive of a plan as the key of its kernel.
template <class Plan, int Index>
struct primitive_words {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  struct result {
    std::int64_t words[160] = {};
    int count = 0;
    symbols_of_kernel symbols;
    constexpr void push(std::int64_t w) { words[count++] = w; }
  };
  static constexpr result value = [] {
    result r;
    kernel_symbols symbols;
    r.push(static_cast<std::int64_t>(s.op));
    r.push(static_cast<std::int64_t>(s.type));
    r.push(s.attribute);
    for (int k = 0; k <= arity_of(s.op); ++k) {
      bool const is_result = k == arity_of(s.op);
      shape_value const& shape = Plan::value.shapes[is_result ? s.shape : s.operand_shape[k]];
      r.push(static_cast<std::int64_t>(is_result ? s.type : s.operand_type[k]));
      r.push(is_result ? 0 : symbols.word(s.operand_offset[k]));
      r.push(shape.rank);
      for (int i = 0; i < shape.rank; ++i) {
        amount step = 1;
        for (int j = i + 1; j < shape.rank; ++j) step *= shape.extent[j];
        r.push(symbols.word(shape.extent[i]));
        r.push(symbols.word(is_result ? step : s.operand_stride[k][i]));
      }
    }
    if (s.op == primitive::pad)
      for (int i = 0; i < 2 * Plan::value.shapes[s.shape].rank; ++i) r.push(symbols.word(amount(Plan::value.pool[s.attribute + i])));
    if (has_geometry(s.op))
      for (int i = 0; i <= geometry_numbers; ++i) r.push(Plan::value.pool[s.attribute + i]);
    r.symbols = symbols_of_kernel(symbols);
    if (is_attention(s.op)) {
      r.words[2] |= static_cast<std::int64_t>(precision_of<Plan>) << attention_words::precision_at;
      plan_view const p = view_plan(Plan::value);
      for (int k = 0; k < arity_of(s.op); ++k) r.words[2] |= std::int64_t(is_unaligned(p, s.slots.begin + s.operand_slot[k]) ? 1 : 0) << (attention_words::unaligned_at + k);
      r.words[2] |= std::int64_t(is_unaligned(p, s.slots.begin + s.result_slot) ? 1 : 0) << (attention_words::unaligned_at + arity_of(s.op));
    }
    // Where it stands in a pool does not change the kernel.
    if (s.op == primitive::pad || has_geometry(s.op) || is_look(s.op)) r.words[2] = 0;
    return r;
  }();
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> primitive_code<value.words[I]...>;
  using code = decltype(make(std::make_index_sequence<static_cast<std::size_t>(value.count)>{}));
};

template <bool Supported>
struct extents_on_gpu {
  static_assert(Supported, "[dimity.cuda.2] Fourier transforms and factorisations of matrices do not take extents chosen at run time on a GPU yet: give these tensors static extents");
};
constexpr bool takes_run_time_extents(primitive op) {
  for (primitive const p : {primitive::cholesky, primitive::triangular_solve, primitive::solve, primitive::qr, primitive::svd, primitive::expm, primitive::eigh, primitive::slogdet})
    if (op == p) return false;
  return !is_fourier(op);
}
/// Whether there are kernels for all of a plan.
template <class Plan>
inline constexpr bool runs_on_gpu = [] {
  for (int i = 0; i < Plan::size.opaques; ++i) {
    opaque_step const& s = Plan::value.opaques[i];
    if (takes_run_time_extents(s.op)) continue;
    if (!Plan::value.shapes[s.shape].size().is_known()) return false;
    for (int k = 0; k < arity_of(s.op); ++k) {
      shape_value const& shape = Plan::value.shapes[s.operand_shape[k]];
      if (!shape.size().is_known() || !s.operand_offset[k].is_known()) return false;
      for (int axis = 0; axis < shape.rank; ++axis)
        if (!s.operand_stride[k][axis].is_known()) return false;
    }
  }
  return true;
}();
template <class Plan, int Index>
struct primitive_step_on_cuda {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  using key = primitive_words<Plan, Index>;
  using code = typename key::code;
  using arguments = typename code::arguments;

  static arguments pointers(void* const* slots) {
    arguments a;
    for (int k = 0; k < code::operands; ++k) a.p[k] = slots[s.operand_slot[k]];
    a.p[code::operands] = slots[s.result_slot];
    if constexpr (key::value.symbols.count > 0) {
      static_assert(code::symbols == key::value.symbols.count);
      auto const* const extents = static_cast<extent_t const*>(slots[s.slots.size()]);
      for (int i = 0; i < code::symbols; ++i) a.p[code::operands + 1 + i] = reinterpret_cast<void*>(extents[key::value.symbols.of_plan[i]]);
    }
    return a;
  }
  template <class Kernel>
  static void launch(void* const* slots, cudaStream_t stream) {
    launch_kernel<Kernel>(pointers(slots), stream);
  }
  static void* scratch([[maybe_unused]] void* const* slots) {
    if constexpr (s.scratch_slot >= 0) return slots[s.scratch_slot];
    else return nullptr;
  }
  template <class Kernel>
  static void launch_on_matrices(void* const* slots, cudaStream_t stream) {
    launch_kernel<Kernel>({slots[s.operand_slot[0]], arity_of(s.op) > 1 ? slots[s.operand_slot[arity_of(s.op) - 1]] : nullptr, slots[s.result_slot], scratch(slots)}, stream);
  }
  /// Elements are copied to this side, which waits for them.
  static void look(void* const* slots, cudaStream_t stream) {
    using T = typename code::result;
    launch<each_element<code, copy_element>>(slots, stream);
    known_shape const shape = known_shape_of(Plan::value.shapes[s.shape], key::value.symbols.count > 0 ? static_cast<extent_t const*>(slots[s.slots.size()]) : nullptr);
    std::vector<std::byte> elements(static_cast<std::size_t>(shape.size()) * sizeof(T));
    if (!elements.empty()) check_cuda(cudaMemcpyAsync(elements.data(), slots[s.result_slot], elements.size(), cudaMemcpyDeviceToHost, stream));
    check_cuda(cudaStreamSynchronize(stream));
    look_at<s.op>(elements.data(), s.type, shape, Plan::value.pool + s.attribute);
  }
  static void run(void* const* slots, cudaStream_t stream) {
    if constexpr (s.op == primitive::pad) launch<each_element<code, pad_element>>(slots, stream);
    else if constexpr (s.op == primitive::concat) launch<each_element<code, concat_element>>(slots, stream);
    else if constexpr (s.op == primitive::gather) launch<each_element<code, gather_element>>(slots, stream);
    else if constexpr (s.op == primitive::dynamic_slice) launch<each_element<code, dynamic_slice_element>>(slots, stream);
    else if constexpr (s.op == primitive::dynamic_update_slice) launch<each_element<code, dynamic_update_element>>(slots, stream);
    else if constexpr (s.op == primitive::random_bits) launch<random_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::argmax || s.op == primitive::argmin) launch<arg_reduce_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::cumulative_sum || s.op == primitive::cumulative_prod) launch<cumulative_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::argsort) sort_lines<code>::run(pointers(slots), scratch(slots), stream);
    else if constexpr (is_fourier(s.op)) fourier_transform<code>::run(slots[s.operand_slot[0]], slots[s.result_slot], scratch(slots), stream);
    else if constexpr (s.op == primitive::cholesky) launch_on_matrices<cholesky_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::triangular_solve) launch_on_matrices<triangular_solve_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::solve) launch_on_matrices<solve_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::qr) launch_on_matrices<qr_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::svd) launch_on_matrices<svd_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::expm) launch_on_matrices<expm_kernel<code>>(slots, stream);
    else if constexpr (is_look(s.op)) look(slots, stream);
    else if constexpr (s.op == primitive::eigh) launch_on_matrices<eigh_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::slogdet) launch_on_matrices<slogdet_kernel<code>>(slots, stream);
    else if constexpr (s.op == primitive::convolution) launch<each_element<code, convolution_element>>(slots, stream);
    else if constexpr (s.op == primitive::convolution_input_gradient) launch<each_element<code, convolution_input_gradient_element>>(slots, stream);
    else if constexpr (s.op == primitive::convolution_kernel_gradient) launch<convolution_kernel_gradient_kernel<code>>(slots, stream);
    else if constexpr (without_mask(s.op) == primitive::attention) launch<attention_kernel_of<code>>(slots, stream);
    else if constexpr (without_mask(s.op) == primitive::attention_sums) launch<attention_sums_kernel_of<code>>(slots, stream);
    else if constexpr (is_attention(s.op)) launch<attention_gradient_kernel_of<code>>(slots, stream);
    else if constexpr (s.op == primitive::window_max) launch<each_element<code, window_max_element>>(slots, stream);
    else if constexpr (s.op == primitive::select_and_gather) launch<each_element<code, select_and_gather_element>>(slots, stream);
    else if constexpr (s.op == primitive::select_and_scatter) launch<each_element<code, select_and_scatter_element>>(slots, stream);
    else {
      static_assert(s.op == primitive::scatter_add);
      launch<each_element<code, copy_element>>(slots, stream);
      launch<scatter_kernel<code>>(slots, stream);
    }
  }
};

template <class Plan>
struct cuda_executor;

/// The bodies of a loop, in the loop's stream. Reading a condition waits for it.
struct on_gpu {
  cudaStream_t stream = nullptr;
  std::byte* scratch = nullptr;

  template <class Plan, int Begin, int End>
  void run(memory const& m) const {
    cuda_executor<Plan>::template run_range<Begin, End>(m, scratch, stream);
  }
  void copy(void* to, void const* from, std::size_t bytes) const { check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream)); }
  template <class T>
  T read(void const* from) const {
    T x;
    check_cuda(cudaMemcpyAsync(&x, from, sizeof(T), cudaMemcpyDeviceToHost, stream));
    check_cuda(cudaStreamSynchronize(stream));
    return x;
  }
};

template <class Plan>
struct cuda_executor {
  using host = executor<Plan>;
  static constexpr int first = Plan::size.first_step, end = Plan::size.steps;

  /// Equal steps are lowered once. Not beside loops and branches: of two equal steps one may be in a body, whose operands may begin anywhere; and not where one may have a number in its arguments where the other has an address.
  template <int Index>
  static constexpr int kernel_index = Plan::size.controls == 0 && numbers_of<Plan> == 0 && Plan::value.kernels[Index].same_as >= 0 ? Plan::value.kernels[Index].same_as : Index;
  template <int Index>
  static constexpr int opaque_index = Plan::size.controls == 0 && Plan::value.opaques[Index].same_as >= 0 ? Plan::value.opaques[Index].same_as : Index;

  /// Scratch memory of kernels, beside that of the plan: steps run one after the other, so it is that of the one that needs most.
  template <int Step>
  static constexpr std::int64_t scratch_of_step() {
    constexpr step s = Plan::value.steps[Step];
    if constexpr (s.kind == step_kind::kernel) return lowered<Plan, kernel_index<s.index>>::value.scratch_bytes;
    else return 0;
  }
  template <int... Step>
  static constexpr std::int64_t scratch_of(std::integer_sequence<int, Step...>) {
    std::int64_t most = 0;
    ((most = scratch_of_step<Step>() > most ? scratch_of_step<Step>() : most), ...);
    return most;
  }
  static constexpr std::int64_t plan_bytes = (Plan::value.workspace_bytes + 255) / 256 * 256;
  static constexpr std::int64_t workspace_bytes = plan_bytes + scratch_of(std::make_integer_sequence<int, end>{});
  /// The same where extents are chosen at run time.
  static extent_t plan_bytes_at([[maybe_unused]] extent_t const* symbols) {
    if constexpr (has_symbols<Plan>) return round_up(workspace_needed<Plan>(symbols), 256);
    else return plan_bytes;
  }
  template <int Step>
  static void add_scratch_of_step(extent_t const* symbols, extent_t& most) {
    constexpr step s = Plan::value.steps[Step];
    if constexpr (s.kind == step_kind::kernel) {
      using low = lowered<Plan, kernel_index<s.index>>;
      extent_t const needed = scratch_needed(low::value.scratch_bytes, low::value.regions, low::size.regions, symbols);
      most = needed > most ? needed : most;
    }
  }
  template <int... Step>
  static extent_t scratch_at(std::integer_sequence<int, Step...>, extent_t const* symbols) {
    extent_t most = 0;
    (add_scratch_of_step<Step>(symbols, most), ...);
    return most;
  }
  static extent_t workspace_bytes_at([[maybe_unused]] extent_t const* symbols) {
    if constexpr (has_symbols<Plan>) return plan_bytes_at(symbols) + scratch_at(std::make_integer_sequence<int, end>{}, symbols);
    else return workspace_bytes;
  }

  template <int Step>
  static void run_step(memory const& m, std::byte* scratch, cudaStream_t stream) {
    constexpr step s = Plan::value.steps[Step];
    if constexpr (s.kind == step_kind::kernel) {
      constexpr range slots = Plan::value.kernels[s.index].slots;
      typename host::template pointers_of<slots.begin, slots.size()> const own(m);
      run_kernel_on_cuda<Plan, kernel_index<s.index>>(own.p, scratch, m.symbols, stream);
    } else if constexpr (s.kind == step_kind::primitive) {
      constexpr opaque_step o = Plan::value.opaques[s.index];
      constexpr range slots = o.slots, e = host::template epilogue_slots<o.epilogue>();
      typename host::template pointers_of<slots.begin, slots.size()> const own(m);
      typename host::template pointers_of<e.begin, e.size()> const epilogue(m);
      if constexpr (o.op == primitive::dot) product_on_cuda<Plan, opaque_index<s.index>>::run(own.p, epilogue.p, m.symbols, stream);
      else primitive_step_on_cuda<Plan, opaque_index<s.index>>::run(own.p, stream);
    } else {
      constexpr range slots = Plan::value.controls[s.index].slots;
      typename host::template pointers_of<slots.begin, slots.size()> const own(m);
      control_runner<Plan, s.index, on_gpu>::run(own.p, on_gpu{stream, scratch});
    }
  }
  template <int Begin, int... Step>
  static void run_steps(std::integer_sequence<int, Step...>, memory const& m, std::byte* scratch, cudaStream_t stream) {
    (run_step<Begin + Step>(m, scratch, stream), ...);
  }
  template <int Begin, int End>
  static void run_range(memory const& m, std::byte* scratch, cudaStream_t stream) {
    run_steps<Begin>(std::make_integer_sequence<int, End - Begin>{}, m, scratch, stream);
  }
  static void run(memory const& m, cudaStream_t stream) {
    run_range<first, end>(m, m.workspace + plan_bytes_at(m.symbols), stream);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
