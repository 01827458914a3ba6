// OpenBLAS: copies and products.
#include <cblas.h>

#include "protocol.hpp"

#include <cstring>

namespace {

using namespace peers;

struct product {
  floats a, b, c;
  int m, n, k;
};
struct lines {
  floats x, y;
};

registered const all{[] {
  makers()["matmul"] = [](request const& r) {
    auto s = std::make_shared<product>(product{r.load("a", r.sizes[0] * r.sizes[2]), r.load("b", r.sizes[2] * r.sizes[1]), floats(r.sizes[0] * r.sizes[1]), static_cast<int>(r.sizes[0]), static_cast<int>(r.sizes[1]),
                                               static_cast<int>(r.sizes[2])});
    auto const results = [](product& s, sink& to) { to.write(s.c); };
    // One row times a matrix has a function of its own.
    if (s->m == 1) return make_task(s, [](product& s) { cblas_sgemv(CblasRowMajor, CblasTrans, s.k, s.n, 1, s.b.data(), s.n, s.a.data(), 1, 0, s.c.data(), 1); }, results);
    return make_task(s, [](product& s) { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s.m, s.n, s.k, 1, s.a.data(), s.k, s.b.data(), s.n, 0, s.c.data(), s.n); }, results);
  };
  makers()["copy"] = [](request const& r) {
    auto s = std::make_shared<lines>(lines{r.load("x", r.sizes[0]), floats(r.sizes[0])});
    return make_task(s, [](lines& s) { cblas_scopy(static_cast<int>(s.x.size()), s.x.data(), 1, s.y.data(), 1); }, [](lines& s, sink& to) { to.write(s.y); });
  };
}};

}  // namespace

int main(int count, char** arguments) {
  int const threads = count > 1 ? std::atoi(arguments[1]) : 1;
  openblas_set_num_threads(threads);
  return peers::serve("OpenBLAS", std::string(openblas_get_config()).substr(sizeof("OpenBLAS")), threads);
}
