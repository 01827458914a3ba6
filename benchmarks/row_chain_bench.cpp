// A chain of layers on a large batch: layer by layer, as the compiled model does it (which chooses a loop over blocks of rows where it expects that to be faster), and in blocks of 128 rows by hand.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

using namespace dimity;

namespace {

template <class T, extent_t In, extent_t Hidden, extent_t Out>
struct mlp {
  nn::linear<T, In, Hidden> first;
  nn::linear<T, Hidden, Hidden> second, third;
  nn::linear<T, Hidden, Out> last;
  constexpr auto operator()(auto const& x) const { return last(relu(third(relu(second(relu(first(x))))))); }
};
constexpr auto run = [](auto const& model, auto const& x, auto) { return model(x); };
constexpr auto compiled = compile(run);
constexpr auto hidden_layer = compile([](auto const& layer, auto const& x, auto) { return relu(layer(x)); });
constexpr auto last_layer = compile([](auto const& layer, auto const& x, auto) { return layer(x); });
template <extent_t Rows, extent_t In, extent_t Out>
constexpr auto by_hand = compile([](auto const& model, auto const& x, auto) {
  return reshape<Rows, Out>(map([](auto const& part, auto const& m) { return m(part); }, reshape<Rows / 128, 128, In>(x), model));
});

template <extent_t Rows, extent_t In, extent_t Hidden, extent_t Out>
struct data {
  mlp<float, In, Hidden, Out> model = nn::init<mlp<float, In, Hidden, Out>>(key{1});
  tensor<float, Rows, In> x = random::normal<float, Rows, In>(key{2});
  tensor<float, Rows, Hidden> a, b, c;
  tensor<float, Rows, Out> y;
};
template <class F>
void add_one(std::string const& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), [f](benchmark::State& s) {
    for (auto _ : s) {
      f();
      benchmark::ClobberMemory();
    }
  });
}
template <extent_t Rows, extent_t In, extent_t Hidden, extent_t Out>
void add() {
  using D = data<Rows, In, Hidden, Out>;
  static std::unique_ptr<D> const d = std::make_unique<D>();
  constexpr bool loops = compiled.plan<mlp<float, In, Hidden, Out>, tensor<float, Rows, In>, tensor<float, Rows, Out>>.size.controls > 0;
  std::string const name = std::to_string(Rows) + "x" + std::to_string(In) + "-" + std::to_string(Hidden) + "-" + std::to_string(Hidden) + "-" + std::to_string(Hidden) + "-" + std::to_string(Out) + (loops ? "/blocks/" : "/whole/");
  add_one(name + "layer by layer", [] {
    d->a = hidden_layer(d->model.first, d->x, std::move(d->a));
    d->b = hidden_layer(d->model.second, d->a, std::move(d->b));
    d->c = hidden_layer(d->model.third, d->b, std::move(d->c));
    d->y = last_layer(d->model.last, d->c, std::move(d->y));
  });
  add_one(name + "compiled", [] { d->y = compiled(d->model, d->x, std::move(d->y)); });
  add_one(name + "128 rows by hand", [] { d->y = by_hand<Rows, In, Out>(d->model, d->x, std::move(d->y)); });
}

}  // namespace

int main(int argc, char** argv) {
  add<1024, 256, 256, 64>();
  add<4096, 48, 256, 16>();
  add<8192, 64, 128, 10>();
  add<16384, 64, 64, 8>();
  add<4096, 256, 384, 10>();
  add<8192, 256, 512, 64>();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
