// What nvcc makes of typical kernels; tests/support/sass.py reads the lines that begin with "kernel": a pattern for the kernel's name, and what its code must be. Every kernel here must do without local memory.
#include <dimity/cuda.hpp>

using namespace dimity;

namespace {

constexpr extent_t batch = dim<"batch">;

template <class T, extent_t... E>
cuda_tensor<T, E...> const& given() {
  static cuda_tensor<T, E...> const x(uninitialized);
  return x;
}

// Two arrays in, one out, two packets a thread; tanh once an element.
// kernel elementwise.*Ll4096ELl1024E: LDG.128==6 STG.128==2 LDG.32==0 STG.32==0 CALLREL==0 MUFU<=16 registers<=40 instructions<=200
auto chain() { return eval(tanh(given<float, 4096, 1024>() * given<float, 1024>() + given<float, 4096, 1024>())); }

// The executor's precision: the quick functions and divisions; divisions as IEEE 754 has them, which are calls; what it makes no difference to is one kernel.
// kernel elementwise.*Ll2097408E: CALLREL==0 MUFU==24 instructions<=140
auto quick() { return eval(tanh(given<float, 2097408>()) / (exp(given<float, 2097408>()) + 1.0f), fast_cuda{}); }
// kernel elementwise.*Ll2097664E: CALLREL==16
auto exact() { return eval(sigmoid(given<float, 2097664>()), strict_cuda{}); }
// kernel elementwise.*Ll2097920E: instructions<=60
auto either() { return std::tuple{eval(given<float, 2097920>() + given<float, 2097920>()), eval(given<float, 2097920>() + given<float, 2097920>(), fast_cuda{})}; }

// One array in, one out: four packets a thread. The number stands in the arguments.
// kernel elementwise.*Ll1ELl0ELl8388608E: LDG.128==4 STG.128==4 LDG.32==0 STG.32==0 registers<=40 instructions<=110
auto scale() { return eval(given<float, 8388608>() * 2.0f); }

// Eight 16-bit numbers are one access.
// kernel elementwise.*Ll2097152E: LDG.128==4 STG.128==2 LDG.32==0 STG.32==0 registers<=48 instructions<=200
auto half() { return eval(given<bfloat16, 2097152>() * given<bfloat16, 2097152>()); }

// A row of 1024 in a warp: read once, exponentials once, written once.
// kernel row_kernel.*Ll8192ELl1024E: LDG.128==8 STG.128==8 LDG.32==0 STG.32==0 SHFL==10 MUFU<=37 registers<=80
auto softmax_warp() { return eval(softmax(given<float, 8192, 1024>(), axis<-1>)); }

// A row of 8192 in a block.
// kernel row_kernel.*Ll512ELl8192E: LDG.128==8 STG.128==8 LDG.32==0 STG.32==0 registers<=80
auto softmax_block() { return eval(softmax(given<float, 512, 8192>(), axis<-1>)); }

// Of three arrays each is read once.
// kernel row_kernel.*Ll2048ELl768E: STG.128==2 LDG.128==6 LDG.32==0 STG.32==0 registers<=80
auto normalize() {
  auto const f = [](auto const& x, auto const& gamma, auto const& beta) {
    auto const centered = x - mean(x, axis<-1>, keep_dims);
    return centered * rsqrt(mean(square(centered), axis<-1>, keep_dims) + 1e-5f) * gamma + beta;
  };
  return compile(f, cuda{})(given<float, 2048, 768>(), given<float, 768>(), given<float, 768>());
}

// Sums of columns: parts, then their sum.
// kernel reduction_kernel.*Ll16384ELl1536E: LDG.32==0 registers<=64
auto columns() { return eval(sum(given<float, 16384, 1536>() * given<float, 16384, 1536>(), axis<0>)); }

// kernel reduction_kernel.*Ll33554432E: LDG.32==0 STG.32==1 registers<=48
auto everything() { return eval(sum(square(given<float, 33554432>()))); }

// A layer: the product's tiles through shared memory in 16-byte reads, bias and activation on them in registers.
// kernel product_kernel.*Ll2048ELl1024ELl512E: LDG.32==0 LDS.32==0 FFMA==512 STG.128==16 registers<=168
auto layer() { return eval(relu(matmul(given<float, 2048, 512>(), given<float, 512, 1024>()) + given<float, 1024>())); }

// The same of 16-bit floats, on the tensor cores: copies of 16 bytes in the background, matrices out of shared memory, four results to a store.
// kernel tensor_product_kernel.*Ll4096ELl1024ELl512E: HMMA==32 LDSM==12 LDGSTS.128==12 STG.64==16 registers<=128
auto layer16() { return eval(relu(matmul(given<bfloat16, 4096, 512>(), given<bfloat16, 512, 1024>()) + given<bfloat16, 1024>())); }

// Of 8-bit floats, weights as (out, in): pairs of float16 in registers, scales on the results.
// kernel tensor_product_kernel.*Ll4096ELl1024ELl640E: HMMA==64 LDSM==12 LDGSTS.128==12 STG.64==16 registers<=248
auto layer8() { return eval(cast<bfloat16>(matmul(given<float8_e4m3fn, 4096, 640>(), transpose(given<float8_e4m3fn, 1024, 640>())) * given<float, 4096, 1>() * given<float, 1024>())); }
// kernel elementwise.*Ll4194304E: LDG.128==4 STG.64==4 LDG.32==0 STG.32==0 BRA<=2 registers<=48 instructions<=600
auto narrow8() { return eval(cast<float8_e5m2>(given<bfloat16, 4194304>() * 0.125f)); }

// Floats, rounded.
// kernel tensor_product_kernel.*Ll4096ELl1024ELl768E: HMMA==32 LDSM==8 LDGSTS.128==12 STG.128==16 registers<=160
auto layer32() {
  auto const f = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
  return compile(f, fast_cuda{})(given<float, 4096, 768>(), given<float, 768, 1024>(), given<float, 1024>());
}
// Both transposed, as for a gradient: read by the element.
// kernel tensor_product_kernel.*Ll1024ELl2048ELl4096E: HMMA==32 LDGSTS.128==12 STG.128==16 registers<=160
auto gradient32() {
  auto const f = [](auto const& x, auto const& y) { return matmul(transpose(x), y); };
  return compile(f, fast_cuda{})(given<float, 4096, 1024>(), given<float, 4096, 2048>());
}

// Few results of many terms: eight parts, each a product of its own, and their sums in one more kernel.
// kernel tensor_product_kernel.*Ll784ELl256ELl1024E: HMMA==32 LDGSTS.128==12 registers<=168
// kernel join_parts_kernel.*Ll784ELl256E: LDG.128==8 STG.128==1 LDG.32==0 registers<=48
auto divided() {
  auto const f = [](auto const& x, auto const& y) { return matmul(transpose(x), y); };
  return compile(f, fast_cuda{})(given<float, 8192, 784>(), given<float, 8192, 256>());
}

// A block a line, values and roots of unity in shared memory; and a stage through global memory.
// kernel fourier_block_kernel: registers<=64
// kernel fourier_stage_kernel: registers<=64
auto spectrum() {
  auto const f = [](auto const& x) { return fft::rfft(x); };
  compile(f, cuda{})(given<float, 64, 1024>());
  return compile(f, cuda{})(given<float, 64, 65536>());
}

// A block a matrix.
// kernel cholesky_kernel: registers<=48
// kernel triangular_solve_kernel: registers<=48
// kernel 12solve_kernel: registers<=64
// kernel slogdet_kernel: registers<=64
// kernel qr_kernel: registers<=64
// kernel eigh_kernel: registers<=64
// kernel svd_kernel: registers<=64
// kernel expm_kernel: registers<=64
auto matrices() {
  auto const f = [](auto const& a, auto const& b) {
    auto const l = linalg::cholesky(a);
    return std::tuple{l, linalg::triangular_solve(l, b), linalg::solve(a, b), linalg::slogdet(a), linalg::qr(a), linalg::eigh(a), linalg::svd(a), linalg::expm(a)};
  };
  return compile(f, cuda{})(given<float, 64, 32, 32>(), given<float, 64, 32, 4>());
}

// Extents chosen at run time: packets of 16 bytes where the last extent has a known factor, rows in registers, tiles on the tensor cores; divisions of 32 bits only.
// kernel elementwise.*Ll1536E: LDG.128==6 STG.128==2 LDG.32==0 CALLREL==0 registers<=48 instructions<=260
auto any_chain() { return eval(tanh(given<float, batch, 1536>() * given<float, 1536>() + given<float, batch, 1536>())); }
// kernel row_kernel.*Ll1280E: LDG.128==3 STG.128==3 LDG.32==0 registers<=80
auto any_rows() { return eval(softmax(given<float, batch, 1280>(), axis<-1>)); }
// kernel elementwise.*Ll72E: CALLREL==0 registers<=40 instructions<=220
auto any_turned() { return eval(transpose(given<float, batch, 72>()) + 1.0f); }
// kernel tensor_product_kernel.*Ll3072ELl1152E: HMMA>=16 LDGSTS.128>=8 CALLREL==0 registers<=168
auto any_layer() { return eval(cast<bfloat16>(maximum(matmul(given<bfloat16, batch, 1152>(), given<bfloat16, 1152, 3072>()) + given<bfloat16, 3072>(), 0.0f))); }

// Rows that are too long for registers: several packets on their way at once in the stages that reduce.
// kernel long_row_kernel.*Ll20480E: LDG.128>=10 STG.128==1 LDG.32==0 registers<=48 instructions<=600
auto long_rows() { return eval(softmax(given<float, 4096, 20480>(), axis<-1>)); }

// Attention: two products of lines, in packets of four floats from shared memory, and their gradients with three; what these need of whole rows comes of two.
// kernel [0-9]attention_kernel.*Ll98304ELl1024ELl96E: FFMA>=192 LDS.128==24 SHFL==24 LDG.32==3 registers<=136
// kernel [0-9]attention_sums_kernel.*Ll1024ELl2ELl2ELl1EEEE: FFMA>=128 registers<=96
// kernel [0-9]attention_gradient_kernel.*Ll65536ELl1024E: FFMA>=160 LDS.128<=22 registers<=104
// kernel [0-9]attention_gradient_kernel.*Ll1536ELl160ELl160ELl1EEEE: FFMA>=220 registers<=128
auto attention() {
  auto const f = [](auto const& q, auto const& k, auto const& v) { return sum(square(scaled_dot_product_attention<attention_options{.causal = true}>(q, k, v))); };
  return compile(value_and_grad<0, 1, 2>(f), cuda{})(given<float, 48, 1024, 64>(), given<float, 48, 1536, 64>(), given<float, 48, 1536, 96>());
}

// Attention of 16-bit floats: copies of 16 bytes in the background, products of tiles, four matrices out of shared memory at once, one instruction for an exponential and one to round two probabilities.
// kernel tensor_attention_kernel.*Ll65536ELl1024ELl64ELl64ELl1EEEE: HMMA==64 LDSM==36 LDGSTS.128==5 MUFU<=40 STG.32==16 registers<=144
// kernel tensor_attention_sums_kernel.*Ll1024ELl2ELl2ELl1EEEE: HMMA==64 LDSM==40 LDGSTS.128==6 registers<=144
// kernel tensor_attention_gradient_kernel.*Ll65536ELl1024ELl64ELl64ELl1EEEE: HMMA==24 LDSM==20 LDGSTS.128==6 STG.64==16 registers<=128
// kernel tensor_attention_gradient_kernel.*Ll196608ELl1536ELl128ELl128ELl1EEEE: HMMA==32 LDGSTS.128==6 STG.64==32 registers<=168
auto attention16() {
  auto const f = [](auto const& q, auto const& k, auto const& v) { return sum(square(cast<float>(scaled_dot_product_attention<attention_options{.causal = true}>(q, k, v)))); };
  return compile(value_and_grad<0, 1, 2>(f), cuda{})(given<bfloat16, 48, 1024, 64>(), given<bfloat16, 48, 1536, 64>(), given<bfloat16, 48, 1536, 64>());
}

// The same with a mask of keys.
// kernel tensor_attention_kernel.*Ll32768ELl512ELl64ELl64ELl1EEEE: HMMA==64 LDSM==36 LDGSTS.128==5 registers<=168
// kernel tensor_attention_gradient_kernel.*Ll2048ELl128ELl128ELl1EEEE: HMMA==32 LDGSTS.128==6 STG.64==32 registers<=168
auto attention_masked() {
  auto const f = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return sum(square(cast<float>(scaled_dot_product_attention(q, k, v, mask)))); };
  return compile(value_and_grad<0, 1, 2>(f), cuda{})(given<bfloat16, 32, 512, 64>(), given<bfloat16, 32, 2048, 64>(), given<bfloat16, 32, 2048, 64>(), given<bool, 32, 1, 2048>());
}

// Sorting: runs in shared memory, then merges that look a place up.
// kernel sort_chunks_kernel: registers<=48 LDG.32==4
// kernel merge_runs_kernel: registers<=40 instructions<=260
auto sorted() { return eval(argsort(given<float, 3, 100000>())); }

}  // namespace

int main() {
  attention(), attention16(), attention_masked(), chain(), scale(), half(), softmax_warp(), softmax_block(), normalize(), columns(), everything(), quick(), exact(), either(), layer(), layer16(), layer8(), narrow8(), layer32(), gradient32(), divided(), spectrum(), matrices(), any_chain(), any_rows(), any_turned(), any_layer(), long_rows(), sorted();
  return 0;
}
