// What the files of the Eigen worker share.
#pragma once

#include <Eigen/Dense>

#include "protocol.hpp"

#include <cmath>

namespace peers {

using line = Eigen::ArrayXf;
using block = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row_vector = Eigen::RowVectorXf;
using extent = Eigen::Index;

inline line load_line(request const& r, std::string const& input, std::size_t n) {
  line x(static_cast<extent>(n));
  r.read(input, x.data(), n);
  return x;
}
template <class Matrix>
Matrix load_matrix(request const& r, std::string const& input, std::size_t rows, std::size_t columns) {
  Matrix x(static_cast<extent>(rows), static_cast<extent>(columns));
  r.read(input, x.data(), rows * columns);
  return x;
}
inline std::vector<std::int32_t> load_labels(request const& r, std::size_t n) {
  std::vector<std::int32_t> labels(n);
  r.read("labels", labels.data(), n);
  return labels;
}
template <class X>
void write(sink& to, X const& x) {
  to.write(x.data(), static_cast<std::size_t>(x.size()));
}

/// Row i of y becomes softmax(x) there, or the gradient of cross-entropy before its mean.
inline float softmax_row(block const& x, block& y, extent i) {
  float const top = x.row(i).maxCoeff();
  y.row(i) = (x.row(i) - top).exp();
  float const total = y.row(i).sum();
  y.row(i) *= 1 / total;
  return std::log(total) + top;
}

}  // namespace peers
