// oneDNN: primitives made once, weights in the layout that it prefers, bias and activation fused as post-operations.
#include <dnnl.hpp>

#include "protocol.hpp"

#include <cmath>
#include <unordered_map>

namespace {

using namespace peers;
using dnnl::memory;
using tag = memory::format_tag;

dnnl::engine engine;
dnnl::stream stream;

memory::desc plain(memory::dims const& shape) { return {shape, memory::data_type::f32, shape.size() == 1 ? tag::a : tag::ab}; }

/// Primitives in order, with the memory of each.
struct work {
  std::vector<floats> held;
  std::vector<memory> results;
  std::vector<std::pair<dnnl::primitive, std::unordered_map<int, memory>>> steps;

  memory hold(floats x, memory::dims const& shape) {
    held.push_back(std::move(x));
    return {plain(shape), engine, held.back().data()};
  }
  memory load(request const& r, std::string const& input, memory::dims const& shape) {
    std::size_t n = 1;
    for (auto e : shape) n *= static_cast<std::size_t>(e);
    return hold(r.load(input, n), shape);
  }
  memory room(memory::dims const& shape) {
    std::size_t n = 1;
    for (auto e : shape) n *= static_cast<std::size_t>(e);
    return hold(floats(n), shape);
  }
};
task finish(std::shared_ptr<work> w) {
  return make_task(w, [](work& w) {
    for (auto& [step, arguments] : w.steps) step.execute(stream, arguments);
    stream.wait();
  }, [](work& w, sink& to) {
    for (auto& m : w.results) to.write(static_cast<float*>(m.get_data_handle()), m.get_desc().get_size() / sizeof(float));
  });
}
memory::dims block_of(request const& r) { return {static_cast<memory::dim>(r.sizes[0]), static_cast<memory::dim>(r.sizes[1])}; }

task copy(request const& r) {
  auto w = std::make_shared<work>();
  memory::dims const shape{static_cast<memory::dim>(r.sizes[0])};
  auto x = w->load(r, "x", shape), y = w->room(shape);
  w->steps.push_back({dnnl::reorder(x, y), {{DNNL_ARG_FROM, x}, {DNNL_ARG_TO, y}}});
  w->results = {y};
  return finish(w);
}

task softmax(request const& r) {
  auto w = std::make_shared<work>();
  auto x = w->load(r, "x", block_of(r)), y = w->room(block_of(r));
  dnnl::softmax_forward::primitive_desc const forward({dnnl::prop_kind::forward_training, x.get_desc(), 1}, engine);
  w->steps.push_back({dnnl::softmax_forward(forward), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}}});
  w->results = {y};
  if (r.kind == "softmax_gradient") {
    auto g = w->load(r, "g", block_of(r)), dx = w->room(block_of(r));
    dnnl::softmax_backward::primitive_desc const backward({g.get_desc(), y.get_desc(), 1}, engine, forward);
    w->steps.push_back({dnnl::softmax_backward(backward), {{DNNL_ARG_DST, y}, {DNNL_ARG_DIFF_DST, g}, {DNNL_ARG_DIFF_SRC, dx}}});
    w->results.push_back(dx);
  }
  return finish(w);
}

task layer_norm(request const& r) {
  auto w = std::make_shared<work>();
  auto const shape = block_of(r);
  memory::dims const columns{shape[1]}, rows{shape[0]};
  auto x = w->load(r, "x", shape), y = w->room(shape), gamma = w->load(r, "gamma", columns), beta = w->load(r, "beta", columns);
  auto const flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  bool const back = r.kind == "layer_norm_gradient";
  dnnl::layer_normalization_forward::primitive_desc const forward({back ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, x.get_desc(), 1e-5f, flags}, engine);
  std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_SCALE, gamma}, {DNNL_ARG_SHIFT, beta}, {DNNL_ARG_DST, y}};
  memory mean, variance;
  if (back) {
    mean = w->room(rows), variance = w->room(rows);
    arguments.insert({{DNNL_ARG_MEAN, mean}, {DNNL_ARG_VARIANCE, variance}});
  }
  w->steps.push_back({dnnl::layer_normalization_forward(forward), arguments});
  w->results = {y};
  if (back) {
    auto g = w->load(r, "g", shape), dx = w->room(shape), dgamma = w->room(columns), dbeta = w->room(columns);
    dnnl::layer_normalization_backward::primitive_desc const backward({dnnl::prop_kind::backward, g.get_desc(), x.get_desc(), 1e-5f, flags}, engine, forward);
    w->steps.push_back({dnnl::layer_normalization_backward(backward),
                        {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, g}, {DNNL_ARG_MEAN, mean}, {DNNL_ARG_VARIANCE, variance}, {DNNL_ARG_SCALE, gamma}, {DNNL_ARG_SHIFT, beta}, {DNNL_ARG_DIFF_SRC, dx}, {DNNL_ARG_DIFF_SCALE, dgamma}, {DNNL_ARG_DIFF_SHIFT, dbeta}}});
    w->results.insert(w->results.end(), {dx, dgamma, dbeta});
  }
  return finish(w);
}

task sums(request const& r) {
  auto w = std::make_shared<work>();
  auto shape = block_of(r);
  auto x = w->load(r, "x", shape);
  if (r.kind != "sum_over_columns") shape[0] = 1;
  if (r.kind != "sum_over_rows") shape[1] = 1;
  auto y = w->room(shape);
  dnnl::reduction::primitive_desc const reduce({dnnl::algorithm::reduction_sum, x.get_desc(), y.get_desc(), 0, 0}, engine);
  w->steps.push_back({dnnl::reduction(reduce), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}}});
  w->results = {y};
  return finish(w);
}

task matmul(request const& r) {
  auto w = std::make_shared<work>();
  auto const m = static_cast<memory::dim>(r.sizes[0]), n = static_cast<memory::dim>(r.sizes[1]), k = static_cast<memory::dim>(r.sizes[2]);
  auto a = w->load(r, "a", {m, k}), b = w->load(r, "b", {k, n}), c = w->room({m, n});
  dnnl::matmul::primitive_desc const product({a.get_desc(), b.get_desc(), c.get_desc()}, engine);
  w->steps.push_back({dnnl::matmul(product), {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}}});
  w->results = {c};
  return finish(w);
}

/// One layer, its activation fused.
memory add_layer(work& w, request const& r, memory x, memory::dim batch, memory::dim in, memory::dim outputs, std::string const& number, dnnl::post_ops const& activation) {
  auto weight = w.load(r, "w" + number, {in, outputs}), bias = w.load(r, "b" + number, {outputs}), out = w.room({batch, outputs});
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(activation);
  // Its weights have a row for each output; `any` lets it choose how they lie, which is done once.
  memory::desc const given({outputs, in}, memory::data_type::f32, tag::ba), chosen({outputs, in}, memory::data_type::f32, tag::any);
  dnnl::inner_product_forward::primitive_desc const layer({dnnl::prop_kind::forward_inference, x.get_desc(), chosen, bias.get_desc(), out.get_desc()}, attributes, engine);
  memory const from(given, engine, weight.get_data_handle());
  memory packed(layer.weights_desc(), engine);
  dnnl::reorder(from, packed).execute(stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, packed}});
  stream.wait();
  w.steps.push_back({dnnl::inner_product_forward(layer), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, out}}});
  w.results = {out};
  return out;
}
dnnl::post_ops activation(dnnl::algorithm function) {
  dnnl::post_ops operations;
  operations.append_eltwise(1, function, 0, 0);
  return operations;
}

task policy(request const& r) {
  auto w = std::make_shared<work>();
  auto const batch = static_cast<memory::dim>(r.sizes[0]);
  memory h = w->load(r, "x", {batch, 48});
  h = add_layer(*w, r, h, batch, 48, 256, "1", activation(dnnl::algorithm::eltwise_tanh));
  h = add_layer(*w, r, h, batch, 256, 128, "2", activation(dnnl::algorithm::eltwise_tanh));
  add_layer(*w, r, h, batch, 128, 12, "3", {});
  return finish(w);
}
task dense(request const& r) {
  auto w = std::make_shared<work>();
  auto const m = static_cast<memory::dim>(r.sizes[0]), n = static_cast<memory::dim>(r.sizes[1]), k = static_cast<memory::dim>(r.sizes[2]);
  add_layer(*w, r, w->load(r, "x", {m, k}), m, k, n, "", activation(dnnl::algorithm::eltwise_relu));
  return finish(w);
}

}  // namespace

int main(int count, char** arguments) {
  int const threads = count > 1 ? std::atoi(arguments[1]) : 1;
  engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
  stream = dnnl::stream(engine);
  makers().insert({{"copy", copy}, {"softmax", softmax}, {"softmax_gradient", softmax}, {"layer_norm", layer_norm}, {"layer_norm_gradient", layer_norm}});
  makers().insert({{"sum_over_rows", sums}, {"sum_over_columns", sums}, {"sum_all", sums}, {"matmul", matmul}, {"policy", policy}, {"dense", dense}});
  auto const* version = dnnl::version();
  return peers::serve("oneDNN", std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch), threads);
}
