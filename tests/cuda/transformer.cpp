// heavy: a whole model, with its reverse pass, on both devices
#include "on_cuda.hpp"

#include "../../examples/transformer/model.hpp"

using namespace dimity;

TEST_CASE("cuda: the example's transformer learns as on this machine") {
  constexpr extent_t vocabulary = 12, context = 10, batch = 2;
  auto model = transformer::first_model<vocabulary, context, 16, 2, 2>(1);
  auto opt = optim::adamw(model, {.learning_rate = 1e-2});
  auto const x = random::integers<std::int32_t, batch, context>(key{4}, 0, vocabulary), next = random::integers<std::int32_t, batch, context>(key{5}, 0, vocabulary);
  auto there = to_cuda(model);
  auto opt_there = to_cuda(opt);
  auto const x_there = to_cuda(x), next_there = to_cuda(next);
  auto const step = compile(transformer::train);
  auto const step_there = compile(transformer::train, cuda{});
  float first = 0, last = 0;
  for (int i = 0; i < 3; ++i) {
    tensor<float> l;
    cuda_tensor<float> l_there;
    std::tie(model, opt, l) = step(std::move(model), std::move(opt), x, next);
    std::tie(there, opt_there, l_there) = step_there(std::move(there), std::move(opt_there), x_there, next_there);
    CHECK(float(to_host(l_there)) == doctest::Approx(float(l)).epsilon(1e-4));
    last = float(l);
    if (i == 0) first = last;
  }
  CHECK(last < first);
  test::check_close(to_host(there.output.weight), model.output.weight, 1e-2);
}
