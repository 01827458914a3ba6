// xtensor with its xsimd back end: lazy expressions, assigned without checks for aliases.
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "protocol.hpp"

namespace {

using namespace peers;
using line = xt::xtensor<float, 1>;
using block = xt::xtensor<float, 2>;

struct lines {
  line a, x, b, y;
};
line load_line(request const& r, std::string const& input, std::size_t n) {
  line x = xt::zeros<float>({n});
  r.read(input, x.data(), n);
  return x;
}
template <class X>
void write(sink& to, X const& x) {
  to.write(x.data(), x.size());
}
void write_y(lines& s, sink& to) { write(to, s.y); }

struct rows {
  block x, y;
  line gamma, beta, sums;
  float sum = 0;
};
std::shared_ptr<rows> load_rows(request const& r, bool affine) {
  auto s = std::make_shared<rows>();
  s->x = s->y = xt::zeros<float>({r.sizes[0], r.sizes[1]});
  r.read("x", s->x.data(), s->x.size());
  if (affine) s->gamma = load_line(r, "gamma", r.sizes[1]), s->beta = load_line(r, "beta", r.sizes[1]);
  return s;
}

registered const all{[] {
  makers()["copy"] = [](request const& r) {
    auto s = std::make_shared<lines>(lines{{}, load_line(r, "x", r.sizes[0]), {}, xt::zeros<float>({r.sizes[0]})});
    return make_task(s, [](lines& s) { xt::noalias(s.y) = s.x; }, write_y);
  };
  makers()["triad"] = [](request const& r) {
    auto s = std::make_shared<lines>(lines{{}, load_line(r, "c", r.sizes[0]), load_line(r, "b", r.sizes[0]), xt::zeros<float>({r.sizes[0]})});
    return make_task(s, [](lines& s) { xt::noalias(s.y) = s.b + 3.0f * s.x; }, write_y);
  };
  makers()["gelu_chain"] = [](request const& r) {
    std::size_t const n = r.sizes[0];
    auto s = std::make_shared<lines>(lines{load_line(r, "a", n), load_line(r, "x", n), load_line(r, "b", n), xt::zeros<float>({n})});
    return make_task(s, [](lines& s) {
      auto const z = s.a * s.x + s.b;
      xt::noalias(s.y) = 0.5f * z * (1.0f + xt::tanh(0.7978845608f * (z + 0.044715f * z * z * z)));
    }, write_y);
  };
  makers()["softmax"] = [](request const& r) {
    return make_task(load_rows(r, false), [](rows& s) {
      block const top = xt::amax(s.x, {1}, xt::keep_dims);
      xt::noalias(s.y) = xt::exp(s.x - top);
      block const scale = 1.0f / xt::sum(s.y, {1}, xt::keep_dims);
      s.y *= scale;
    }, [](rows& s, sink& to) { write(to, s.y); });
  };
  makers()["layer_norm"] = [](request const& r) {
    return make_task(load_rows(r, true), [](rows& s) {
      block const mean = xt::mean(s.x, {1}, xt::keep_dims);
      xt::noalias(s.y) = s.x - mean;
      block const scale = 1.0f / xt::sqrt(xt::mean(s.y * s.y, {1}, xt::keep_dims) + 1e-5f);
      s.y = s.y * scale * s.gamma + s.beta;
    }, [](rows& s, sink& to) { write(to, s.y); });
  };
  auto const write_sums = [](rows& s, sink& to) { write(to, s.sums); };
  makers()["sum_over_rows"] = [=](request const& r) { return make_task(load_rows(r, false), [](rows& s) { s.sums = xt::sum(s.x, {0}, xt::evaluation_strategy::immediate); }, write_sums); };
  makers()["sum_over_columns"] = [=](request const& r) { return make_task(load_rows(r, false), [](rows& s) { s.sums = xt::sum(s.x, {1}, xt::evaluation_strategy::immediate); }, write_sums); };
  makers()["sum_all"] = [](request const& r) {
    return make_task(load_rows(r, false), [](rows& s) { s.sum = xt::sum(s.x, xt::evaluation_strategy::immediate)(); }, [](rows& s, sink& to) { to.write(s.sum); });
  };
}};

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::atoi(arguments[1]) != 1) {
    std::cout << "no xtensor has threads with TBB only" << std::endl;
    return 0;
  }
  return peers::serve("xtensor", std::to_string(XTENSOR_VERSION_MAJOR) + "." + std::to_string(XTENSOR_VERSION_MINOR) + "." + std::to_string(XTENSOR_VERSION_PATCH), 1);
}
