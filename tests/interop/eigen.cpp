// Tensors and Eigen's matrices over the same memory. Empty where Eigen is not installed.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#if __has_include(<Eigen/Core>)
#include <dimity/interop/eigen.hpp>

using namespace dimity;

TEST_CASE("as_eigen maps a tensor's own memory") {
  tensor<float, 2, 3> a = {{1, 2, 3}, {4, 5, 6}};
  auto m = as_eigen(a);
  static_assert(decltype(m)::RowsAtCompileTime == 2 && decltype(m)::ColsAtCompileTime == 3 && decltype(m)::IsRowMajor);
  CHECK(m.data() == a.data());
  CHECK(m(1, 0) == 4);
  m(0, 2) = 9;
  CHECK(a(0, 2) == 9);
  m *= 2.0f;
  CHECK(a(1, 2) == 12);

  tensor<double, 4> const v = {1, 2, 3, 4};
  auto const e = as_eigen(v);
  static_assert(std::is_same_v<decltype(e.data()), double const*>);
  static_assert(std::remove_cvref_t<decltype(e)>::ColsAtCompileTime == 1);
  CHECK(e.sum() == 10);

  tensor<double, 3, 1> column = {{1}, {2}, {3}};
  tensor<double, 1, 3> row = {{1, 2, 3}};
  CHECK((as_eigen(row) * as_eigen(column))(0, 0) == 14);
  tensor<float, 100, 100> large = full<float, 100, 100>(0.5f);
  CHECK(as_eigen(large).sum() == 5000);
}
TEST_CASE("from_eigen views Eigen's memory with Eigen's strides") {
  Eigen::Matrix<float, 2, 3> m;
  m << 1, 2, 3, 4, 5, 6;
  auto v = from_eigen(m);
  static_assert(std::is_same_v<decltype(v), tensor_view<float, shape<2, 3>, strides<1, 2>>>);
  CHECK(v(0, 2) == 3);
  CHECK(v(1, 0) == 4);
  tensor<float, 2, 3> t = v * 2.0f;
  CHECK(t(1, 2) == 12);
  v = t + 1.0f;
  CHECK(m(1, 0) == 9);
  tensor<float, 2, 2> const product = matmul(from_eigen(m), transpose(from_eigen(m)));
  Eigen::Matrix<float, 2, 2> const expected = m * m.transpose();
  CHECK(product(0, 1) == doctest::Approx(expected(0, 1)));

  Eigen::Matrix<double, 2, 3, Eigen::RowMajor> const r = Eigen::Matrix<double, 2, 3, Eigen::RowMajor>::Constant(3);
  static_assert(std::is_same_v<decltype(from_eigen(r)), tensor_view<double const, shape<2, 3>, strides<3, 1>>>);
  CHECK(static_cast<double>(sum(from_eigen(r))) == 18);

  Eigen::Vector4d w(1, 2, 3, 4);
  static_assert(std::is_same_v<decltype(from_eigen(w)), tensor_view<double, shape<4>, strides<1>>>);
  Eigen::RowVector3f u(1, 2, 3);
  static_assert(std::is_same_v<decltype(from_eigen(u)), tensor_view<float, shape<3>, strides<1>>>);
  CHECK(static_cast<float>(sum(from_eigen(u))) == 6);
  Eigen::Array<float, 2, 2> a;
  a << 1, 2, 3, 4;
  CHECK(from_eigen(a)(1, 0) == 3);
}
TEST_CASE("maps and blocks") {
  float raw[6] = {1, 2, 3, 4, 5, 6};
  Eigen::Map<Eigen::Matrix<float, 2, 3>> map(raw);
  CHECK(from_eigen(map)(1, 2) == 6);
  CHECK(from_eigen(map)(0, 1) == 3);
  Eigen::Map<Eigen::Matrix<float, 2, 3> const> read_only(raw);
  static_assert(std::is_same_v<decltype(from_eigen(read_only)), tensor_view<float const, shape<2, 3>, strides<1, 2>>>);
  Eigen::Matrix<double, 4, 4> m;
  for (int i = 0; i < 16; ++i) m(i / 4, i % 4) = i;
  auto block = m.block<2, 2>(1, 2);
  auto v = from_eigen(block);
  static_assert(std::is_same_v<decltype(v), tensor_view<double, shape<2, 2>, strides<1, 4>>>);
  CHECK(v(0, 0) == 6);
  CHECK(v(1, 1) == 11);
  auto r = m.row(2);
  static_assert(std::is_same_v<decltype(from_eigen(r)), tensor_view<double, shape<4>, strides<4>>>);
  CHECK(from_eigen(r)(3) == 11);
}
TEST_CASE("sizes chosen at run time are checked") {
  Eigen::MatrixXd m(2, 3);
  m << 1, 2, 3, 4, 5, 6;
  auto v = view<2, 3>(m);
  static_assert(std::is_same_v<decltype(v), tensor_view<double, shape<2, 3>, strides<1, 2>>>);
  CHECK(v(1, 0) == 4);
  CHECK_THROWS_AS((view<3, 2>(m)), shape_error);
  CHECK_THROWS_WITH((view<3, 2>(m)), "view of an Eigen object: its sizes are [2, 3], wanted are [3, 2]");
  Eigen::VectorXf w = Eigen::VectorXf::LinSpaced(5, 0, 4);
  CHECK(static_cast<float>(sum(view<5>(w))) == 10);
  CHECK_THROWS_AS((view<4>(w)), shape_error);
  CHECK_THROWS_AS((view<6>(m)), shape_error);
  Eigen::MatrixXd big = Eigen::MatrixXd::Zero(4, 4);
  auto block = big.topLeftCorner(2, 2);
  CHECK_THROWS_AS((view<2, 2>(block)), shape_error);
  auto corner = big.topLeftCorner<2, 2>();
  CHECK_THROWS_AS((view<2, 2>(corner)), shape_error);
  Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> map(big.data(), 2, 8);
  CHECK(view<2, 8>(map).extent(1) == 8);
}
#endif
