// The limits, as far as they are written: what hand_written.hpp has, and memory at full width for copy and triad.
#include "../hand_written.hpp"

#include "protocol.hpp"

#include <cstring>

namespace {

using namespace peers;

struct state {
  floats a, x, b, y;
};
std::shared_ptr<state> load(request const& r, std::initializer_list<std::pair<char const*, floats state::*>> inputs, std::size_t n) {
  auto s = std::make_shared<state>();
  for (auto const& [name, member] : inputs) s.get()->*member = r.load(name, n);
  s->y = floats(n);
  return s;
}
void results(state& s, sink& to) { to.write(s.y); }

using batch = xsimd::batch<float>;

/// y = x W + b: the outputs of a block stay in registers while the inputs go by.
template <std::size_t In, std::size_t Out>
void layer(float const* x, float const* w, float const* b, float* y) {
  constexpr std::size_t block = Out % 64 == 0 ? 64 : Out;
  for (std::size_t o = 0; o < Out; o += block) {
    float sums[block];
    for (std::size_t j = 0; j < block; ++j) sums[j] = b[o + j];
    for (std::size_t i = 0; i < In; ++i)
      for (std::size_t j = 0; j < block; ++j) sums[j] += x[i] * w[i * Out + o + j];
    for (std::size_t j = 0; j < block; ++j) y[o + j] = sums[j];
  }
}
template <std::size_t N>
void tanh_in_place(float* y) {
  for (std::size_t i = 0; i < N; i += batch::size) xsimd::tanh(batch::load_aligned(y + i)).store_aligned(y + i);
}
struct policy_state {
  floats x, w1, b1, h1, w2, b2, h2, w3, b3, y;
};

registered const all{[] {
  makers()["policy-1"] = [](request const& r) {
    auto s = std::make_shared<policy_state>(policy_state{r.load("x", 48), r.load("w1", 48 * 256), r.load("b1", 256), floats(256), r.load("w2", 256 * 128), r.load("b2", 128), floats(128), r.load("w3", 128 * 12), r.load("b3", 12), floats(12)});
    return make_task(s, [](policy_state& s) {
      layer<48, 256>(s.x.data(), s.w1.data(), s.b1.data(), s.h1.data());
      tanh_in_place<256>(s.h1.data());
      layer<256, 128>(s.h1.data(), s.w2.data(), s.b2.data(), s.h2.data());
      tanh_in_place<128>(s.h2.data());
      layer<128, 12>(s.h2.data(), s.w3.data(), s.b3.data(), s.y.data());
    }, [](policy_state& s, sink& to) { to.write(s.y); });
  };
  makers()["copy"] = [](request const& r) {
    return make_task(load(r, {{"x", &state::x}}, r.sizes[0]), [](state& s) { std::memcpy(s.y.data(), s.x.data(), s.x.size() * sizeof(float)); }, results);
  };
  makers()["triad"] = [](request const& r) {
    return make_task(load(r, {{"b", &state::b}, {"c", &state::x}}, r.sizes[0]), [](state& s) {
      batch const three(3.0f);
      for (std::size_t i = 0; i < s.y.size(); i += batch::size) xsimd::fma(three, batch::load_aligned(&s.x[i]), batch::load_aligned(&s.b[i])).store_aligned(&s.y[i]);
    }, results);
  };
  makers()["gelu_chain"] = [](request const& r) {
    return make_task(load(r, {{"a", &state::a}, {"x", &state::x}, {"b", &state::b}}, r.sizes[0]), [](state& s) {
      batch const half(0.5f), one(1.0f), inner(0.044715f), outer(0.7978845608f);
      for (std::size_t i = 0; i < s.y.size(); i += batch::size) {
        batch const z = xsimd::fma(batch::load_aligned(&s.a[i]), batch::load_aligned(&s.x[i]), batch::load_aligned(&s.b[i]));
        (z * half * (one + xsimd::tanh(outer * xsimd::fma(inner * z, z * z, z)))).store_aligned(&s.y[i]);
      }
    }, results);
  };
  makers()["softmax"] = [](request const& r) {
    std::size_t const rows = r.sizes[0], columns = r.sizes[1];
    return make_task(load(r, {{"x", &state::x}}, rows * columns), [rows, columns](state& s) { hand::softmax(s.x.data(), s.y.data(), rows, columns); }, results);
  };
  makers()["layer_norm"] = [](request const& r) {
    std::size_t const rows = r.sizes[0], columns = r.sizes[1];
    auto s = load(r, {{"x", &state::x}}, rows * columns);
    s->a = r.load("gamma", columns);
    s->b = r.load("beta", columns);
    return make_task(s, [rows, columns](state& s) { hand::layer_norm(s.x.data(), s.a.data(), s.b.data(), s.y.data(), rows, columns); }, results);
  };
}};

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::atoi(arguments[1]) != 1) {
    std::cout << "no written for one thread" << std::endl;
    return 0;
  }
  return peers::serve("hand", "hand_written.hpp", 1);
}
