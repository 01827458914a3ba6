// Training steps: a small classifier, where starting kernels is most of the time, and a transformer's block.
#include "../models.hpp"
#include "gpu_bench.hpp"

namespace gpu {
/// The model, its inputs and its step live as long as the program: benchmarks run after they are registered.
template <class Device, auto Loss, class Model, class Made>
static void add_training(std::string const& name, Device device, Made const& made) {
  static auto model = to_cuda(nn::init<Model>(key{42}));
  static auto const data = made();
  add(name, 0, 0, [step = compile(models::step<Loss>, device)] {
    static cuda_tensor<float> loss(uninitialized);
    std::tie(model, loss) = step(std::move(model), std::get<0>(data), std::get<1>(data));
  });
}

template <class Device>
static void add_models(std::string const& kind, bool graph) {
  auto const suffix = kind + (graph ? ", graph" : "");
  Device const device{nullptr, graph};
  add_training<Device, models::label_loss, models::classifier<float>>("classifier step/256" + suffix, device, [] { return std::tuple{numbers<float, 256, 784>(1), to_cuda(random::integers<std::int64_t, 256>(key{2}, 0, 10))}; });
  add_training<Device, models::square_loss, models::block<float>>("transformer block step/8x64x128" + suffix, device, [] { return std::tuple{numbers<float, 8, 64, 128>(1), numbers<float, 8, 64, 128>(2)}; });
}

void add_steps() {
  add_models<cuda>(" float32", false);
  add_models<cuda>(" float32", true);
  add_models<fast_cuda>(" tf32", true);
}

}  // namespace gpu
