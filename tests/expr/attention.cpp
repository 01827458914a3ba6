// Attention, whole and in blocks: values and gradients against NumPy, lengths that blocks do not divide, masks, large scores, extents chosen at run time.
// heavy: many compiled derivatives
#include "../golden/golden.hpp"

#include <cmath>
#include <limits>

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("attention");
  return f;
}
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  double const tolerance = std::is_same_v<typename X::value_type, float> ? 2e-5 : 1e-12;
  golden::check_close(name, golden::span_of(y), data().as<double>(name), tolerance, tolerance);
}

/// Blocks so small that there are several of each kind, and none is full.
constexpr attention_options blocks(bool causal) { return {.causal = causal, .block_queries = 4, .block_keys = 8}; }

template <attention_options O>
constexpr auto attend = [](auto const&... x) { return scaled_dot_product_attention<O>(x...); };
/// The product with u, which comes first.
template <attention_options O>
constexpr auto weighted = [](auto const& u, auto const&... x) { return sum(scaled_dot_product_attention<O>(x...) * u); };

template <class T, attention_options O>
void check_case(std::string const& name) {
  auto const q = data().get<T, 2, 9, 5>("q"), u = data().get<T, 2, 9, 3>("u");
  auto const k = data().get<T, 2, 13, 5>("k");
  auto const v = data().get<T, 2, 13, 3>("v");
  auto const all = [&](auto const&... mask) {
    check(name + "/y", compile(attend<O>)(q, k, v, mask...));
    auto const [dq, dk, dv] = compile(grad<1, 2, 3>(weighted<O>))(u, q, k, v, mask...);
    check(name + "/dq", dq);
    check(name + "/dk", dk);
    check(name + "/dv", dv);
  };
  if (name.ends_with("mask")) {
    tensor<bool, 9, 13> mask;
    auto const bits = data().as<bool>("mask");
    for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = bits[i];
    all(mask);
  } else if (name.ends_with("bias")) {
    auto const bias = data().get<T, 2, 1, 13>("bias");
    all(bias);
    check(name + "/dbias", compile(grad<4>(weighted<O>))(u, q, k, v, bias));
  } else {
    all();
  }
}
template <class T, bool Causal>
void check_both(std::string const& name) {
  check_case<T, attention_options{.causal = Causal}>(name);
  check_case<T, blocks(Causal)>(name);
}

}  // namespace

TEST_CASE_TEMPLATE("attention and its gradients are NumPy's, whole and in blocks", T, float, double) {
  for (std::string const name : {"plain", "mask", "bias"}) check_both<T, false>(name);
  for (std::string const name : {"causal", "causal_mask", "causal_bias"}) check_both<T, true>(name);
}
