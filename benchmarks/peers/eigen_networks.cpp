#include "eigen_worker.hpp"

#include <array>

using namespace peers;

namespace {

template <class A, class B, class C>
struct product_state {
  A a;
  B b;
  C c;
};
task matmul(request const& r) {
  using state = product_state<matrix, matrix, matrix>;
  std::size_t const m = r.sizes[0], n = r.sizes[1], k = r.sizes[2];
  auto s = std::make_shared<state>(state{load_matrix<matrix>(r, "a", m, k), load_matrix<matrix>(r, "b", k, n), matrix::Zero(static_cast<extent>(m), static_cast<extent>(n))});
  return make_task(s, [](state& s) { s.c.noalias() = s.a * s.b; }, [](state& s, sink& to) { write(to, s.c); });
}
struct dense_state {
  matrix x, w, y;
  row_vector b;
};
task dense(request const& r) {
  std::size_t const m = r.sizes[0], n = r.sizes[1], k = r.sizes[2];
  auto s = std::make_shared<dense_state>(dense_state{load_matrix<matrix>(r, "x", m, k), load_matrix<matrix>(r, "w", k, n), matrix::Zero(static_cast<extent>(m), static_cast<extent>(n)), load_line(r, "b", n).transpose().matrix()});
  return make_task(s, [](dense_state& s) {
    s.y.noalias() = s.x * s.w;
    s.y = (s.y.rowwise() + s.b).cwiseMax(0.0f);
  }, [](dense_state& s, sink& to) { write(to, s.y); });
}
template <int N>
task small_matmul(request const& r) {
  using small = Eigen::Matrix<float, N, N, Eigen::RowMajor>;
  using state = product_state<small, small, small>;
  auto s = std::make_shared<state>();
  r.read("a", s->a.data(), N * N);
  r.read("b", s->b.data(), N * N);
  return make_task(s, [](state& s) { s.c.noalias() = s.a * s.b; }, [](state& s, sink& to) { write(to, s.c); });
}

/// Three dense layers.
struct layers {
  matrix x;
  std::array<matrix, 3> start, w, h, d, dw;
  std::array<row_vector, 3> start_b, b;
  std::vector<std::int32_t> labels;
  float loss = 0;

  layers(request const& r, std::array<std::size_t, 4> const& widths) {
    x = load_matrix<matrix>(r, "x", r.sizes[0], widths[0]);
    for (std::size_t i = 0; i < 3; ++i) {
      start[i] = load_matrix<matrix>(r, "w" + std::to_string(i + 1), widths[i], widths[i + 1]);
      start_b[i] = load_line(r, "b" + std::to_string(i + 1), widths[i + 1]).transpose().matrix();
      h[i] = d[i] = matrix::Zero(x.rows(), start[i].cols());
      dw[i] = start[i];
    }
    reset();
  }
  void reset() {
    w = start;
    b = start_b;
  }
};

task policy(request const& r) {
  return make_task(std::make_shared<layers>(r, std::array<std::size_t, 4>{48, 256, 128, 12}), [](layers& s) {
    s.h[0].noalias() = s.x * s.w[0];
    s.h[0] = (s.h[0].rowwise() + s.b[0]).array().tanh();
    s.h[1].noalias() = s.h[0] * s.w[1];
    s.h[1] = (s.h[1].rowwise() + s.b[1]).array().tanh();
    s.h[2].noalias() = s.h[1] * s.w[2];
    s.h[2].rowwise() += s.b[2];
  }, [](layers& s, sink& to) { write(to, s.h[2]); });
}

task mlp_step(request const& r) {
  auto s = std::make_shared<layers>(r, std::array<std::size_t, 4>{784, 256, 128, 10});
  s->labels = load_labels(r, r.sizes[0]);
  return make_task(s, [](layers& s) {
    constexpr float rate = 0.05f;
    s.h[0].noalias() = s.x * s.w[0];
    s.h[0] = (s.h[0].rowwise() + s.b[0]).cwiseMax(0.0f);
    s.h[1].noalias() = s.h[0] * s.w[1];
    s.h[1] = (s.h[1].rowwise() + s.b[1]).cwiseMax(0.0f);
    s.h[2].noalias() = s.h[1] * s.w[2];
    s.h[2].rowwise() += s.b[2];

    float total = 0;
    float const scale = 1 / static_cast<float>(s.x.rows());
    for (extent i = 0; i < s.x.rows(); ++i) {
      extent const label = s.labels[static_cast<std::size_t>(i)];
      float const top = s.h[2].row(i).maxCoeff();
      s.d[2].row(i) = (s.h[2].row(i).array() - top).exp();
      float const sum = s.d[2].row(i).sum();
      s.d[2].row(i) *= scale / sum;
      s.d[2](i, label) -= scale;
      total += std::log(sum) + top - s.h[2](i, label);
    }
    s.loss = total * scale;
    s.d[1].noalias() = s.d[2] * s.w[2].transpose();
    s.d[1] = (s.h[1].array() > 0).select(s.d[1], 0.0f);
    s.d[0].noalias() = s.d[1] * s.w[1].transpose();
    s.d[0] = (s.h[0].array() > 0).select(s.d[0], 0.0f);
    matrix const* inputs[] = {&s.x, &s.h[0], &s.h[1]};
    for (std::size_t i = 0; i < 3; ++i) {
      s.w[i].noalias() -= rate * (inputs[i]->transpose() * s.d[i]);
      s.b[i] -= rate * s.d[i].colwise().sum();
    }
  }, [](layers& s, sink& to) {
    to.write(s.loss);
    for (std::size_t i = 0; i < 3; ++i) write(to, s.w[i]), write(to, s.b[i]);
  }, [](layers& s) { s.reset(); });
}

struct lstm_state {
  matrix xs, w, u, inputs, hs;
  row_vector bias, gates;
  Eigen::Array<float, 1, Eigen::Dynamic> c;
};
task lstm(request const& r) {
  std::size_t const steps = r.sizes[0], width = r.sizes[1];
  auto s = std::make_shared<lstm_state>();
  s->xs = load_matrix<matrix>(r, "xs", steps, width);
  s->w = load_matrix<matrix>(r, "w", width, 4 * width);
  s->u = load_matrix<matrix>(r, "u", width, 4 * width);
  s->bias = load_line(r, "bias", 4 * width).transpose().matrix();
  s->inputs = matrix::Zero(s->xs.rows(), s->w.cols());
  s->hs = s->xs;
  return make_task(s, [](lstm_state& s) {
    extent const width = s.xs.cols();
    auto const sigmoid = [](auto const& x) { return 1 / (1 + (-x).exp()); };
    s.inputs.noalias() = s.xs * s.w;
    s.inputs.rowwise() += s.bias;
    s.c.setZero(width);
    for (extent t = 0; t < s.xs.rows(); ++t) {
      s.gates = s.inputs.row(t);
      if (t > 0) s.gates.noalias() += s.hs.row(t - 1) * s.u;
      auto const i = s.gates.segment(0, width).array(), f = s.gates.segment(width, width).array(), g = s.gates.segment(2 * width, width).array(), o = s.gates.segment(3 * width, width).array();
      s.c = sigmoid(f) * s.c + sigmoid(i) * g.tanh();
      s.hs.row(t) = (sigmoid(o) * s.c.tanh()).matrix();
    }
  }, [](lstm_state& s, sink& to) { write(to, s.hs); });
}

struct adamw_state {
  line start, g, start_m, start_v, p, m, v;
  int t = 0;
};
task adamw(request const& r) {
  auto s = std::make_shared<adamw_state>();
  s->start = load_line(r, "p", r.sizes[0]);
  s->g = load_line(r, "g", r.sizes[0]);
  s->start_m = load_line(r, "m", r.sizes[0]);
  s->start_v = load_line(r, "v", r.sizes[0]);
  return make_task(s, [](adamw_state& s) {
    ++s.t;
    float const rate = 1e-3f / (1 - std::pow(0.9f, static_cast<float>(s.t))), correction = 1 / (1 - std::pow(0.999f, static_cast<float>(s.t)));
    constexpr extent piece = 1024;
    for (extent i = 0; i < s.p.size(); i += piece) {
      auto p = s.p.segment(i, piece), m = s.m.segment(i, piece), v = s.v.segment(i, piece);
      auto const g = s.g.segment(i, piece);
      m = 0.9f * m + 0.1f * g;
      v = 0.999f * v + 0.001f * g.square();
      p = p * (1 - 1e-3f * 0.01f) - rate * m / ((v * correction).sqrt() + 1e-8f);
    }
  }, [](adamw_state& s, sink& to) { write(to, s.p), write(to, s.m), write(to, s.v); },
  [](adamw_state& s) {
    s.p = s.start;
    s.m = s.start_m;
    s.v = s.start_v;
    s.t = 9;
  });
}

registered const all{[] {
  makers().insert({{"matmul", matmul}, {"dense", dense}, {"policy", policy}, {"mlp_step", mlp_step}, {"lstm", lstm}, {"adamw", adamw}});
  makers().insert({{"matmul-2x2x2", small_matmul<2>}, {"matmul-4x4x4", small_matmul<4>}, {"matmul-8x8x8", small_matmul<8>}, {"matmul-16x16x16", small_matmul<16>}});
}};

}  // namespace
