// Attention of 96 heads of 64, forwards, and with all gradients.
#include "gpu_bench.hpp"

namespace gpu {

template <bool Causal>
struct attends {
  constexpr auto operator()(auto const& q, auto const& k, auto const& v) const { return scaled_dot_product_attention<attention_options{.causal = Causal}>(q, k, v); }
};
/// As if `g` were the cotangent of the result.
template <bool Causal>
struct weighted {
  constexpr auto operator()(auto const& q, auto const& k, auto const& v, auto const& g) const { return sum(attends<Causal>{}(q, k, v) * g); }
};

template <class T, extent_t Length, bool Causal>
static void add_length(std::string const& kind) {
  constexpr extent_t heads = 96, width = 64;
  static auto const q = numbers<T, heads, Length, width>(1);
  static auto const k = numbers<T, heads, Length, width>(2);
  static auto const v = numbers<T, heads, Length, width>(3);
  static auto const g = numbers<T, heads, Length, width>(4);
  std::string const name = (Causal ? "causal attention " : "attention ") + kind, size = "/" + std::to_string(heads) + "x" + std::to_string(Length) + "x" + std::to_string(width);
  // Two products forwards and five backwards (FlashAttention's count), of half the pairs where it is causal.
  double const product = 2.0 * heads * Length * Length * width / (Causal ? 2 : 1);
  add(name + size, 0, 2 * product, [f = compile(attends<Causal>{}, cuda{})] { benchmark::DoNotOptimize(f(q, k, v)); });
  add(name + " gradient" + size, 0, 7 * product, [f = compile(grad<0, 1, 2>(weighted<Causal>{}), cuda{})] { benchmark::DoNotOptimize(f(q, k, v, g)); });
}

void add_attention() {
  add_length<float, 1024, false>("float32");
  add_length<float, 1024, true>("float32");
  add_length<bfloat16, 4096, true>("bfloat16");
}

}  // namespace gpu
