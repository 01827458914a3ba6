// error: \[dimity\.eigen\.2\] from_eigen
#include <dimity/dimity.hpp>
#include <dimity/interop/eigen.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  Eigen::MatrixXf m(2, 3);
#else
  Eigen::Matrix<float, 2, 3> m;
#endif
  auto v = from_eigen(m);
  (void)v;
}
