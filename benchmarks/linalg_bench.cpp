// Systems of equations and factorisations beside LAPACK (OpenBLAS's, one thread) and Eigen, double, square matrices.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#include <Eigen/Dense>
#include <unsupported/Eigen/MatrixFunctions>

#include <algorithm>
#include <string>
#include <vector>

extern "C" {
void openblas_set_num_threads(int);
void dgesv_(int const*, int const*, double*, int const*, int*, double*, int const*, int*);
void dpotrf_(char const*, int const*, double*, int const*, int*);
void dgeqrf_(int const*, int const*, double*, int const*, double*, double*, int const*, int*);
void dorgqr_(int const*, int const*, int const*, double*, int const*, double const*, double*, int const*, int*);
void dsyevd_(char const*, char const*, int const*, double*, int const*, double*, double*, int const*, int*, int const*, int*);
void dgesdd_(char const*, int const*, int const*, double*, int const*, double*, double*, int const*, double*, int const*, double*, int const*, int*, int*);
}

namespace {

using namespace dimity;

constexpr auto solved = compile([](auto const& a) { return linalg::solve(a, slice<1, 0, 1>(a) * 0.5); });
constexpr auto factor = compile([](auto const& a) { return linalg::cholesky(a); });
constexpr auto orthogonal = compile([](auto const& a) { return linalg::qr(a); });
constexpr auto symmetric = compile([](auto const& a) { return linalg::eigh(a); });
constexpr auto singular = compile([](auto const& a) { return linalg::svd(a); });
constexpr auto exponential = compile([](auto const& a) { return linalg::expm(a); });

/// Symmetric and positive definite, so that it serves for all.
template <extent_t N>
tensor<double, N, N> matrix() {
  auto const a = eval(random::normal<double, N, N>(key{3}));
  tensor<double, N, N> product;  // by loops: a product of our own for every size would take minutes to compile
  for (extent_t i = 0; i < N; ++i)
    for (extent_t j = 0; j < N; ++j)
      for (extent_t k = 0; k < N; ++k) product(i, j) += a(i, k) * a(j, k);
  return product / static_cast<double>(N) + eye<double, N>();
}
template <extent_t N, class F>
void ours(benchmark::State& state, F const& f) {
  auto const a = matrix<N>();
  for (auto _ : state) {
    auto x = f(a);
    benchmark::DoNotOptimize(x);
  }
}
/// `run` gets a copy of the matrix, which it may overwrite, and room for 12 n (n + 8).
template <extent_t N, class F>
void lapack(benchmark::State& state, F const& run) {
  auto const a = matrix<N>();
  std::vector<double> copy(N * N), room(12 * N * (N + 8));
  std::vector<int> integers(16 * (N + 4));
  int const n = N;
  for (auto _ : state) {
    std::copy(a.begin(), a.end(), copy.begin());
    run(n, copy.data(), room.data(), static_cast<int>(room.size() - N * (N + 1)), integers.data(), static_cast<int>(integers.size()));
    benchmark::DoNotOptimize(copy.data());
    benchmark::DoNotOptimize(room.data());
    benchmark::ClobberMemory();
  }
}
template <extent_t N, class F>
void eigen(benchmark::State& state, F const& run) {
  auto const a = matrix<N>();
  Eigen::MatrixXd const m = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> const>(a.data(), N, N);
  for (auto _ : state) {
    auto x = run(m);
    benchmark::DoNotOptimize(x);
  }
}

template <extent_t N>
void add() {
  auto const name = [](char const* what, char const* who) { return std::string(what) + " " + std::to_string(N) + "/" + who; };
  auto const add_one = [&](char const* what, auto const& mine, auto const& theirs, auto const& third) {
    benchmark::RegisterBenchmark(name(what, "dimity").c_str(), [mine](benchmark::State& s) { ours<N>(s, mine); });
    benchmark::RegisterBenchmark(name(what, "lapack").c_str(), [theirs](benchmark::State& s) { lapack<N>(s, theirs); });
    benchmark::RegisterBenchmark(name(what, "eigen").c_str(), [third](benchmark::State& s) { eigen<N>(s, third); });
  };
  add_one("solve", solved, [](int n, double* a, double* room, int, int* i, int) { int const one = 1; int bad; std::copy(a, a + n, room); dgesv_(&n, &one, a, &n, i, room, &n, &bad); },
          [](auto const& m) { return Eigen::VectorXd(m.partialPivLu().solve(m.col(0) * 0.5)); });
  add_one("cholesky", factor, [](int n, double* a, double*, int, int*, int) { int bad; dpotrf_("L", &n, a, &n, &bad); }, [](auto const& m) { return Eigen::MatrixXd(m.llt().matrixL()); });
  add_one("qr", orthogonal,
          [](int n, double* a, double* room, int size, int*, int) {
            int bad;
            dgeqrf_(&n, &n, a, &n, room, room + n, &size, &bad);
            dorgqr_(&n, &n, &n, a, &n, room, room + n, &size, &bad);
          },
          [](auto const& m) {
            Eigen::HouseholderQR<Eigen::MatrixXd> const f(m);
            return std::pair{Eigen::MatrixXd(f.householderQ()), Eigen::MatrixXd(f.matrixQR().template triangularView<Eigen::Upper>())};
          });
  add_one("eigh", symmetric, [](int n, double* a, double* room, int size, int* i, int integers) { int bad; dsyevd_("V", "L", &n, a, &n, room, room + n, &size, i, &integers, &bad); },
          [](auto const& m) { return Eigen::MatrixXd(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(m).eigenvectors()); });
  add_one("svd", singular,
          [](int n, double* a, double* room, int size, int* i, int) {
            int bad;
            int const rest = size - 2 * n * n - n;
            dgesdd_("S", &n, &n, a, &n, room, room + n, &n, room + n + n * n, &n, room + n + 2 * n * n, &rest, i, &bad);
          },
          [](auto const& m) { return Eigen::MatrixXd(Eigen::BDCSVD<Eigen::MatrixXd>(m, Eigen::ComputeThinU | Eigen::ComputeThinV).matrixU()); });
  benchmark::RegisterBenchmark(name("expm", "dimity").c_str(), [](benchmark::State& s) { ours<N>(s, exponential); });
  benchmark::RegisterBenchmark(name("expm", "eigen").c_str(), [](benchmark::State& s) { eigen<N>(s, [](auto const& m) { return Eigen::MatrixXd(m.exp()); }); });
}

}  // namespace

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  add<3>();
  add<8>();
  add<16>();
  add<32>();
  add<64>();
  add<128>();
  add<256>();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
