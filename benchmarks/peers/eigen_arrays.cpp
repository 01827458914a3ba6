#include "eigen_worker.hpp"

using namespace peers;

namespace {

constexpr float outer = 0.7978845608f, inner = 0.044715f;

/// Calls f(begin, length) for pieces that stay in L1 while several passes go over them.
template <class F>
void in_pieces(extent n, F const& f) {
  constexpr extent piece = 2048;
  for (extent i = 0; i < n; i += piece) f(i, std::min(piece, n - i));
}

struct lines {
  line a, x, b, y, ya, yx, yb;
};
std::shared_ptr<lines> load_lines(request const& r) {
  auto s = std::make_shared<lines>();
  std::size_t const n = r.sizes[0];
  s->a = load_line(r, "a", n);
  s->x = load_line(r, "x", n);
  s->b = load_line(r, "b", n);
  s->y = s->ya = s->yx = s->yb = line::Zero(static_cast<extent>(n));
  return s;
}

task copy(request const& r) {
  auto s = std::make_shared<lines>();
  s->x = load_line(r, "x", r.sizes[0]);
  s->y = line::Zero(s->x.size());
  return make_task(s, [](lines& s) { s.y = s.x; }, [](lines& s, sink& to) { write(to, s.y); });
}
task triad(request const& r) {
  auto s = std::make_shared<lines>();
  s->b = load_line(r, "b", r.sizes[0]);
  s->x = load_line(r, "c", r.sizes[0]);
  s->y = line::Zero(s->x.size());
  return make_task(s, [](lines& s) { s.y = s.b + 3.0f * s.x; }, [](lines& s, sink& to) { write(to, s.y); });
}
task gelu_chain(request const& r) {
  return make_task(load_lines(r), [](lines& s) {
    in_pieces(s.y.size(), [&](extent i, extent n) {
      auto z = s.y.segment(i, n);
      z = s.a.segment(i, n) * s.x.segment(i, n) + s.b.segment(i, n);
      z = 0.5f * z * (1 + (outer * (z + inner * z.cube())).tanh());
    });
  }, [](lines& s, sink& to) { write(to, s.y); });
}
task gelu_gradient(request const& r) {
  return make_task(load_lines(r), [](lines& s) {
    in_pieces(s.y.size(), [&](extent i, extent n) {
      auto a = s.a.segment(i, n), x = s.x.segment(i, n), z = s.ya.segment(i, n), t = s.yx.segment(i, n), slope = s.yb.segment(i, n);
      z = a * x + s.b.segment(i, n);
      t = (outer * (z + inner * z.cube())).tanh();
      slope = 0.5f * (1 + t) + 0.5f * z * (1 - t.square()) * (outer + 3 * inner * outer * z.square());
      s.ya.segment(i, n) = slope * x;
      s.yx.segment(i, n) = slope * a;
    });
  }, [](lines& s, sink& to) { write(to, s.ya), write(to, s.yx), write(to, s.yb); });
}

struct rows {
  block x, y, g, dx;
  Eigen::Array<float, 1, Eigen::Dynamic> gamma, beta, dgamma, dbeta;
  std::vector<std::int32_t> labels;
  float loss = 0;
};
std::shared_ptr<rows> load_rows(request const& r, bool with_g, bool affine, bool labelled) {
  auto s = std::make_shared<rows>();
  std::size_t const m = r.sizes[0], n = r.sizes[1];
  s->x = load_matrix<block>(r, "x", m, n);
  s->y = s->dx = block::Zero(s->x.rows(), s->x.cols());
  if (with_g) s->g = load_matrix<block>(r, "g", m, n);
  if (affine) {
    s->gamma = load_line(r, "gamma", n).transpose();
    s->beta = load_line(r, "beta", n).transpose();
    s->dgamma = s->dbeta = s->beta;
  }
  if (labelled) s->labels = load_labels(r, m);
  return s;
}

task softmax(request const& r) {
  return make_task(load_rows(r, false, false, false), [](rows& s) {
    for (extent i = 0; i < s.x.rows(); ++i) softmax_row(s.x, s.y, i);
  }, [](rows& s, sink& to) { write(to, s.y); });
}
task softmax_gradient(request const& r) {
  return make_task(load_rows(r, true, false, false), [](rows& s) {
    for (extent i = 0; i < s.x.rows(); ++i) {
      softmax_row(s.x, s.y, i);
      float const inner_product = (s.g.row(i) * s.y.row(i)).sum();
      s.dx.row(i) = s.y.row(i) * (s.g.row(i) - inner_product);
    }
  }, [](rows& s, sink& to) { write(to, s.y), write(to, s.dx); });
}

struct moments {
  float mean, scale;
};
moments moments_of(block const& x, extent i) {
  float const mean = x.row(i).mean();
  return {mean, 1 / std::sqrt((x.row(i) - mean).square().mean() + 1e-5f)};
}
task layer_norm(request const& r) {
  return make_task(load_rows(r, false, true, false), [](rows& s) {
    for (extent i = 0; i < s.x.rows(); ++i) {
      auto const [mean, scale] = moments_of(s.x, i);
      s.y.row(i) = (s.x.row(i) - mean) * scale * s.gamma + s.beta;
    }
  }, [](rows& s, sink& to) { write(to, s.y); });
}
task layer_norm_gradient(request const& r) {
  return make_task(load_rows(r, true, true, false), [](rows& s) {
    s.dgamma.setZero();
    s.dbeta.setZero();
    for (extent i = 0; i < s.x.rows(); ++i) {
      auto const [mean, scale] = moments_of(s.x, i);
      auto unit = s.dx.row(i);
      unit = (s.x.row(i) - mean) * scale;
      s.y.row(i) = unit * s.gamma + s.beta;
      s.dgamma += s.g.row(i) * unit;
      s.dbeta += s.g.row(i);
      float const m1 = (s.g.row(i) * s.gamma).mean(), m2 = (s.g.row(i) * s.gamma * unit).mean();
      s.dx.row(i) = scale * (s.g.row(i) * s.gamma - m1 - unit * m2);
    }
  }, [](rows& s, sink& to) { write(to, s.y), write(to, s.dx), write(to, s.dgamma), write(to, s.dbeta); });
}
task cross_entropy(request const& r) {
  return make_task(load_rows(r, false, false, true), [](rows& s) {
    float total = 0;
    for (extent i = 0; i < s.x.rows(); ++i) {
      float const top = s.x.row(i).maxCoeff();
      total += std::log((s.x.row(i) - top).exp().sum()) + top - s.x(i, s.labels[static_cast<std::size_t>(i)]);
    }
    s.loss = total / static_cast<float>(s.x.rows());
  }, [](rows& s, sink& to) { to.write(s.loss); });
}
task cross_entropy_gradient(request const& r) {
  return make_task(load_rows(r, false, false, true), [](rows& s) {
    float total = 0;
    float const scale = 1 / static_cast<float>(s.x.rows());
    for (extent i = 0; i < s.x.rows(); ++i) {
      extent const label = s.labels[static_cast<std::size_t>(i)];
      total += softmax_row(s.x, s.dx, i) - s.x(i, label);
      s.dx(i, label) -= 1;
      s.dx.row(i) *= scale;
    }
    s.loss = total * scale;
  }, [](rows& s, sink& to) { to.write(s.loss), write(to, s.dx); });
}

task sum_over_rows(request const& r) {
  return make_task(load_rows(r, false, false, false), [](rows& s) { s.gamma = s.x.colwise().sum(); }, [](rows& s, sink& to) { write(to, s.gamma); });
}
task sum_over_columns(request const& r) {
  return make_task(load_rows(r, false, false, false), [](rows& s) { s.gamma = s.x.rowwise().sum().transpose(); }, [](rows& s, sink& to) { write(to, s.gamma); });
}
task sum_all(request const& r) {
  return make_task(load_rows(r, false, false, false), [](rows& s) { s.loss = s.x.sum(); }, [](rows& s, sink& to) { to.write(s.loss); });
}

registered const all{[] {
  makers().insert({{"copy", copy}, {"triad", triad}, {"gelu_chain", gelu_chain}, {"gelu_gradient", gelu_gradient}});
  makers().insert({{"softmax", softmax}, {"softmax_gradient", softmax_gradient}, {"layer_norm", layer_norm}, {"layer_norm_gradient", layer_norm_gradient}});
  makers().insert({{"cross_entropy", cross_entropy}, {"cross_entropy_gradient", cross_entropy_gradient}});
  makers().insert({{"sum_over_rows", sum_over_rows}, {"sum_over_columns", sum_over_columns}, {"sum_all", sum_all}});
}};

}  // namespace
