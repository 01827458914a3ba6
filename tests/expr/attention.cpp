// Attention, whole and in blocks, causal and with masks: values and gradients against NumPy.
// heavy: many compiled derivatives
#include "../golden/golden.hpp"

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
template <attention_options O, int... Arguments>
constexpr auto result_and_gradients = [](auto const& u, auto const&... x) { return std::tuple{scaled_dot_product_attention<O>(x...), grad<Arguments...>(weighted<O>)(u, x...)}; };

template <class T, attention_options O>
void check_case(std::string const& prefix) {
  auto const q = data().get<T, 2, 9, 5>("q");
  auto const u = data().get<T, 2, 9, 3>("u");
  auto const k = data().get<T, 2, 13, 5>("k");
  auto const v = data().get<T, 2, 13, 3>("v");
  auto const bias = data().get<T, 2, 1, 13>("bias");
  tensor<bool, 9, 13> mask;
  auto const bits = data().as<bool>("mask");
  for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = bits[i];
  auto const check_parts = [](std::string const& name, auto const& found) {
    auto const& [y, d] = found;
    check(name + "/y", y);
    check(name + "/dq", std::get<0>(d));
    check(name + "/dk", std::get<1>(d));
    check(name + "/dv", std::get<2>(d));
    if constexpr (std::tuple_size_v<std::remove_cvref_t<decltype(d)>> == 4) check(name + "/dbias", std::get<3>(d));
  };
  check_parts(prefix.empty() ? "plain" : "causal", compile(result_and_gradients<O, 1, 2, 3>)(u, q, k, v));
  check_parts(prefix + "mask", compile(result_and_gradients<O, 1, 2, 3>)(u, q, k, v, mask));
  check_parts(prefix + "bias", compile(result_and_gradients<O, 1, 2, 3, 4>)(u, q, k, v, bias));
}

}  // namespace

TEST_CASE("attention and its gradients are NumPy's, whole and in blocks") {
  check_case<double, attention_options{}>("");
  check_case<double, attention_options{.causal = true}>("causal_");
  check_case<double, blocks(false)>("");
  check_case<double, blocks(true)>("causal_");
  check_case<float, blocks(true)>("causal_");
}
