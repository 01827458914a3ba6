// Eigen 3.4, as an expert in it writes these: lazy expressions in blocks that stay in L1, noalias, fixed sizes where matrices are tiny.
#include <Eigen/Dense>

#include "protocol.hpp"

int main(int count, char** arguments) {
  int const threads = count > 1 ? std::atoi(arguments[1]) : 1;
  Eigen::setNbThreads(threads);
  return peers::serve("Eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION), threads);
}
