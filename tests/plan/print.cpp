// Plans as text and as Graphviz source.
#include <dimity/dimity.hpp>
#include <dimity/plan/graphviz.hpp>
#include <dimity/plan/print.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace dimity;

namespace {

constexpr auto dense = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
constexpr auto soft = [](auto const& x) { return softmax(x, axis<-1>); };
constexpr auto columns = [](auto const& x) { return sum(x * x, axis<0>); };
constexpr auto twice = [](auto const& x, auto const& w) { return tanh(matmul(tanh(matmul(x, w)), w)); };

using x_t = tensor<float, 64, 32>;
using w_t = tensor<float, 32, 16>;
using b_t = tensor<float, 16>;

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a line a step, then totals") {
  CHECK(to_string(compile(dense).plan<x_t, w_t, b_t>) ==
        "0: matmul [64, 32] x [32, 16] float32, 65536 flops; reads in0 8192 B, in1 2048 B; epilogue: elementwise [64, 16], 4 values; reads in2 64 B; writes out0 4096 B\n"
        "1 step: 0 kernels, 1 contraction; 1 distinct\n"
        "reads 10 KiB, writes 4096 B, 2 passes, 65536 flops in contractions; workspace 0 B\n");
  CHECK(to_string(compile(soft).plan<x_t>) ==
        "0: row reduction [64] x [32], 11 values, 3 stages; reads in0 8192 B; writes out0 8192 B\n"
        "1 step: 1 kernel, 0 contractions; 1 distinct\n"
        "reads 8192 B, writes 8192 B, 2 passes; workspace 128 B\n"
        "in place if donated: out0 over in0\n");
  CHECK(contains(to_string(compile(columns).plan<x_t>), "0: column reduction [64] x [32], 2 values; reads in0 8192 B; writes out0 128 B\n"));
}
TEST_CASE("every value of every kernel") {
  std::string const text = to_string(compile(dense).plan<x_t, w_t, b_t>, plan_detail::values);
  CHECK(contains(text, "v0 = the product                          float32\n"));
  CHECK(contains(text, "v1 = load in2[i1]                         float32\n"));
  CHECK(contains(text, "v3 = relu(v2)                             float32\n"));
  CHECK(contains(text, "out0[16 i0 + i1] = v3\n"));
  std::string const rows = to_string(compile(soft).plan<x_t>, plan_detail::values);
  CHECK(contains(rows, "      stage 1\n"));
  CHECK(contains(rows, "v1 = max(v0) over the row                 float32  per row\n"));
  CHECK(contains(rows, "v6 = exp(v5)                              float32  kept for later stages\n"));
  CHECK(contains(to_string(compile(columns).plan<x_t>, plan_detail::values), "out0[i1] = sum with v1\n"));
}
TEST_CASE("steps with the code of an earlier one say so") {
  constexpr auto const& p = compile(twice).plan<tensor<float, 8, 8>, tensor<float, 8, 8>>;
  CHECK(contains(to_string(p), "same code as step 0"));
  CHECK(contains(to_string(p), "2 steps: 0 kernels, 2 contractions; 1 distinct\n"));
}
TEST_CASE("primitives with code of their own") {
  std::string const text = to_string(compile([](auto const& x) { return concat<0>(x, cumulative_sum(x, axis<0>)); }).plan<tensor<double, 3>>);
  CHECK(contains(text, "0: cumulative_sum [3] float64; reads in0 24 B; writes w"));
  CHECK(contains(text, "1: concat [3], [3] float64; reads in0 24 B, w"));
  CHECK(contains(text, "2 steps: 0 kernels, 0 contractions, 2 other primitives; 2 distinct\n"));
}
TEST_CASE("Graphviz") {
  std::string const dot = to_graphviz(compile(dense).plan<x_t, w_t, b_t>);
  CHECK(dot.rfind("digraph plan {\n", 0) == 0);
  CHECK(contains(dot, "  step0 [label=\"0: matmul\\n[64, 16]\\n+ 4 values\"];\n"));
  CHECK(contains(dot, "  in2 -> step0 [label=\"64 B\"];\n"));
  CHECK(contains(dot, "  step0 -> out0 [label=\"4096 B\"];\n"));
  CHECK(dot.substr(dot.size() - 2) == "}\n");
}
namespace {
constexpr auto running_sum = [](auto const& xs) { return scan([](auto const& s, auto const& x) { return std::tuple{s + x, s * 2.0f}; }, zeros<float, 16>(), xs); };
}  // namespace
TEST_CASE("loops: what they are given and leave, and the steps of their bodies") {
  constexpr auto const& p = compile(running_sum).plan<tensor<float, 100, 16>>;
  std::string const text = to_string(p);
  CHECK(contains(text, ": scan, 100 iterations; given w"));
  CHECK(contains(text, "(then left0), in0 by entry; leaves out0, out1 by entry\n"));
  CHECK(contains(text, "    0: elementwise [16], 5 values; reads given0 64 B, given1 64 B; writes left0 64 B, left1 64 B\n"));
  CHECK(contains(text, "3 steps: 2 kernels, 0 contractions, 1 loop or branch; 3 distinct\n"));
  CHECK(bytes_read(p) == 100 * 2 * 64);
  std::string const dot = to_graphviz(p);
  CHECK(contains(dot, "scan\\n100 iterations"));
  CHECK(contains(dot, "[style=dotted, label=\"runs\"]"));
}
