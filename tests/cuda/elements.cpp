#include "on_cuda.hpp"

using namespace dimity;
using test::numbers;

namespace {

/// A kernel of a user's: three neighbouring elements of an expression, added.
template <class Elements>
struct sum_of_neighbours {
  static constexpr int threads = 64;
  static constexpr std::int64_t blocks = (Elements::size() + threads - 1) / threads;
  using value = typename Elements::value_type;
  struct arguments {
    Elements x;
    value* to;
  };
  DIMITY_DEVICE static void run(arguments const& args) {
    std::ptrdiff_t const n = static_cast<std::ptrdiff_t>(blockIdx.x) * threads + static_cast<std::ptrdiff_t>(threadIdx.x);
    if (n >= Elements::size()) return;
    args.to[n] = n > 0 && n + 1 < Elements::size() ? static_cast<value>(args.x(n - 1) + args.x(n) + args.x(n + 1)) : args.x(n);
  }
};
template <class Elements>
struct all_elements {
  static constexpr int threads = 64;
  static constexpr std::int64_t blocks = (Elements::size() + threads - 1) / threads;
  struct arguments {
    Elements x;
    typename Elements::value_type* to;
  };
  DIMITY_DEVICE static void run(arguments const& args) {
    std::ptrdiff_t const n = static_cast<std::ptrdiff_t>(blockIdx.x) * threads + static_cast<std::ptrdiff_t>(threadIdx.x);
    if (n < Elements::size()) args.to[n] = args.x(n);
  }
};

template <class X>
void check_elements(X const& x) {
  auto const elements = elements_of(x);
  using elements_type = std::remove_const_t<decltype(elements)>;
  auto to = eval(x);  // only for its memory
  to = std::remove_const_t<decltype(to)>();
  detail::start_kernel<all_elements<elements_type>>({elements, to.data()}, to.stream());
  test::compare(to, to_host(eval(x)), 0);
}

}  // namespace

TEST_CASE("elements_of: what evaluation gives, element by element") {
  auto const a = to_cuda(numbers<float, 6, 20>(1));
  auto const row = to_cuda(numbers<float, 20>(2));
  auto const column = to_cuda(numbers<float, 6, 1>(3));
  check_elements(a);
  check_elements(a * 2.0f + row);
  check_elements(where(a > row, column, a));
  check_elements(a > 0.5f);
  check_elements(transpose(a) - 1.0f);
  check_elements(slice<1, 3, 17>(a) * slice<1, 0, 14>(a));
  check_elements(flip(a, axis<1>) + a);
  check_elements(broadcast_to<3, 6, 20>(a) * 1.5f);
  check_elements(arange<float, 20>() * row);
  check_elements(a + arange<float, 20>());
  check_elements(reshape<120>(a) + 1.0f);
  check_elements(transpose(exp(a)));
  check_elements(permute<2, 0, 1>(exp(to_cuda(numbers<float, 3, 4, 5>(8)))));
  check_elements(cast<double>(a) * 0.1);
  check_elements(to_cuda(numbers<double, 7>(4)) / 3.0);
  check_elements(to_cuda(numbers<std::int64_t, 3, 5>(5)) % to_cuda(tensor<std::int64_t, 5>{3, 4, 5, 6, 7}));
  check_elements(to_cuda(numbers<bfloat16, 33>(6)) * to_cuda(numbers<bfloat16, 33>(7)));
  check_elements(to_cuda(tensor<float>(3.0f)) + 1.0f);
  check_elements(to_cuda(tensor<float, 0>{}) + 1.0f);
}

TEST_CASE("elements_of: in a kernel of one's own, with the executor's precision, and new values of the same tensors") {
  auto a = to_cuda(numbers<float, 300>(1));
  auto const b = to_cuda(numbers<float, 300>(2));
  auto const elements = elements_of(sigmoid(a) * b, strict_cuda{});
  using elements_type = std::remove_const_t<decltype(elements)>;
  static_assert(elements_type::size() == 300);
  cuda_tensor<float, 300> to;
  for (int i = 0; i < 2; ++i) {
    a = a + 1.0f;
    detail::start_kernel<sum_of_neighbours<elements_type>>({elements, to.data()}, to.stream());
    tensor<float, 300> const x = to_host(eval(sigmoid(a) * b, strict_cuda{})), got = to_host(to);
    bool same = got(0) == x(0) && got(299) == x(299);
    for (int n = 1; n < 299; ++n) same = same && got(n) == doctest::Approx(x(n - 1) + x(n) + x(n + 1)).epsilon(1e-5);
    CHECK(same);
  }
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("elements_of computes nothing by itself") {
  auto const a = to_cuda(numbers<float, 300>(1));
  long const launches = emulation::launches, allocations = emulation::memory_of_device::get().allocations;
  auto const elements = elements_of(exp(a) * 2.0f);
  CHECK(elements.size() == 300);
  CHECK(emulation::launches == launches);
  CHECK(emulation::memory_of_device::get().allocations == allocations);
}
#endif
