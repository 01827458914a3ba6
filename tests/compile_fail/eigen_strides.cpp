// error: \[dimity\.eigen\.3\] from_eigen
#include <dimity/dimity.hpp>
#include <dimity/interop/eigen.hpp>
using namespace dimity;
int main() {
  float memory[12] = {};
#ifdef MISTAKE
  using strides = Eigen::OuterStride<Eigen::Dynamic>;
#else
  using strides = Eigen::OuterStride<4>;
#endif
  Eigen::Map<Eigen::Matrix<float, 2, 3>, Eigen::Unaligned, strides> m(memory, strides(4));
  auto v = from_eigen(m);
  (void)v;
}
