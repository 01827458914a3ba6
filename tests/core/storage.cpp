#include <dimity/dimity.hpp>

#include "allocations.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace dimity;

template <>
inline constexpr std::size_t dimity::inline_storage_bytes<tensor<float, 10, 10>> = 400;
template <>
inline constexpr std::size_t dimity::inline_storage_bytes<tensor<float, 9>> = 0;

namespace {

template <class X>
bool is_inside(X const& x) {
  auto const p = reinterpret_cast<std::uintptr_t>(x.data()), first = reinterpret_cast<std::uintptr_t>(&x);
  return p >= first && p < first + sizeof(x);
}
template <class X>
bool is_aligned(X const& x) {
  return reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0;
}

}  // namespace

TEST_CASE("small tensors live inside the object") {
  auto const before = test::allocation_count();
  tensor<float, 64> const at_the_limit;
  tensor<float, 3> const small = {1, 2, 3};
  tensor<double> const one = 2.0;
  tensor<float, 0> const none;
  CHECK(test::allocation_count() == before);
  CHECK(is_inside(at_the_limit));
  CHECK(is_inside(small));
  CHECK(is_inside(one));
  CHECK(none.size() == 0);
  CHECK(is_aligned(at_the_limit));
  static_assert(sizeof(tensor<float, 64>) == 256 && sizeof(tensor<double>) == 8 && sizeof(tensor<float, 4>) == 16);
}
TEST_CASE("large tensors are one aligned block") {
  auto const before = test::allocation_count();
  tensor<float, 65> const large;
  CHECK(test::allocation_count() == before + 1);
  CHECK(!is_inside(large));
  CHECK(is_aligned(large));
  static_assert(sizeof(large) == sizeof(void*));
  tensor<std::int8_t, 257> const bytes;
  CHECK(is_aligned(bytes));
  for (auto const v : large) CHECK(v == 0);
}
TEST_CASE("the limit can be set for one type") {
  auto const before = test::allocation_count();
  tensor<float, 10, 10> const raised;
  CHECK(test::allocation_count() == before);
  CHECK(is_inside(raised));
  tensor<float, 9> const lowered;
  CHECK(test::allocation_count() == before + 1);
  CHECK(!is_inside(lowered));
}
TEST_CASE("moving allocates nothing, copying once") {
  tensor<float, 100> a;
  a = 3;
  float const* const elements = a.data();
  auto before = test::allocation_count();
  tensor<float, 100> b = std::move(a);
  CHECK(test::allocation_count() == before);
  CHECK(b.data() == elements);
  CHECK(b(99) == 3);
  CHECK(!a.owns_elements());
  tensor<float, 100> c = b;
  CHECK(test::allocation_count() == before + 1);
  CHECK(c.data() != b.data());
  before = test::allocation_count();
  c = b;
  CHECK(test::allocation_count() == before);
  c = std::move(b);
  CHECK(c.data() == elements);
  CHECK(test::allocation_count() == before);
}
TEST_CASE("a moved-from tensor can be assigned to again") {
  tensor<float, 100> a, b;
  b = 2;
  tensor<float, 100> sink = std::move(a);
  a = b;  // from a tensor
  CHECK(a(50) == 2);
  sink = std::move(a);
  tensor<float, 100> d = std::move(sink);
  sink = b * 3;  // from an expression
  CHECK(sink(99) == 6);
  tensor<float, 100> e = std::move(d);
  d = 7.0f;  // from a value
  CHECK(d(0) == 7);
  tensor<float, 100> f = std::move(e);
  tensor<float, 100> const copy = e;  // of nothing: nothing
  CHECK(!copy.owns_elements());
  f = e;  // assigning nothing leaves the target alone
  CHECK(f.owns_elements());
}
TEST_CASE("self-assignment") {
  tensor<float, 100> a;
  a = 4;
  auto& same = a;
  a = same;
  CHECK(a(7) == 4);
  a = std::move(same);
  CHECK(a(7) == 4);
}
TEST_CASE("evaluation allocates nothing once its thread has scratch memory") {
  tensor<float, 40, 40> a, b, c;
  a = 1;
  b = 2;
  c = softmax(a, axis<1>);
  auto const before = test::allocation_count();
  c = a * b + sqrt(a);
  a = a + b;
  c = softmax(a, axis<1>);
  c = softmax(c, axis<1>);
  CHECK(test::allocation_count() == before);
}
