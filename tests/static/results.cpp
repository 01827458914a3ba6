// The type of every kind of result: element type and shape are known before anything runs.
#include <dimity/dimity.hpp>

using namespace dimity;

namespace result_types {

template <class X>
using value = decltype(eval(std::declval<X>()));
template <class X, class T, extent_t... E>
inline constexpr bool is = std::is_same_v<value<X>, tensor<T, E...>>;

tensor<float, 8, 3>& a();
tensor<double, 3>& d();
tensor<int, 8, 3>& i();
tensor<bool, 8, 3>& b();
tensor<float, 3, 5>& w();

// operators
static_assert(is<decltype(a() + a()), float, 8, 3>);
static_assert(is<decltype(a() + d()), double, 8, 3>);
static_assert(is<decltype(a() * 2.0), float, 8, 3>, "a plain number never widens a tensor of floats");
static_assert(is<decltype(i() * 2.5), double, 8, 3>);
static_assert(is<decltype(i() / i()), double, 8, 3>, "true division");
static_assert(is<decltype(a() < d()), bool, 8, 3>);
static_assert(is<decltype(!b()), bool, 8, 3>);
static_assert(is<decltype(tensor<float, 8, 1>() + tensor<float, 3>()), float, 8, 3>);

// functions
static_assert(is<decltype(exp(a())), float, 8, 3>);
static_assert(is<decltype(exp(i())), double, 8, 3>, "as NumPy");
static_assert(is<decltype(abs(i())), int, 8, 3>);
static_assert(is<decltype(cast<double>(a())), double, 8, 3>);
static_assert(is<decltype(where(b(), a(), 0.0f)), float, 8, 3>);
static_assert(is<decltype(clip(a(), 0.0f, 1.0f)), float, 8, 3>);

// reductions
static_assert(is<decltype(sum(a())), float>);
static_assert(is<decltype(sum(a(), axis<0>)), float, 3>);
static_assert(is<decltype(sum(a(), axis<-1>)), float, 8>);
static_assert(is<decltype(sum(a(), axis<0, 1>)), float>);
static_assert(is<decltype(sum(a(), axis<1>, keep_dims)), float, 8, 1>);
static_assert(is<decltype(sum(i())), std::int64_t>);
static_assert(is<decltype(sum(b(), axis<0>)), std::int64_t, 3>);
static_assert(is<decltype(mean(i())), double>);
static_assert(is<decltype(max(i(), axis<1>)), int, 8>);
static_assert(is<decltype(argmax(a(), axis<1>)), std::int64_t, 8>);
static_assert(is<decltype(all(b())), bool>);
static_assert(is<decltype(softmax(a(), axis<1>)), float, 8, 3>);

// layout
static_assert(is<decltype(reshape<4, 6>(a())), float, 4, 6>);
static_assert(is<decltype(flatten(a())), float, 24>);
static_assert(is<decltype(transpose(a())), float, 3, 8>);
static_assert(is<decltype(permute<2, 0, 1>(tensor<float, 2, 3, 4>())), float, 4, 2, 3>);
static_assert(is<decltype(expand_dims<0, -1>(d())), double, 1, 3, 1>);
static_assert(is<decltype(squeeze(tensor<float, 1, 3, 1>())), float, 3>);
static_assert(is<decltype(broadcast_to<8, 3>(d())), double, 8, 3>);
static_assert(is<decltype(slice<0, 1, 7, 2>(a())), float, 3, 3>);
static_assert(is<decltype(slice<0, 7, to_end, -1>(a())), float, 8, 3>);
static_assert(is<decltype(concat<1>(a(), a())), float, 8, 6>);
static_assert(is<decltype(stack(d(), d(), d(), d())), double, 4, 3>);
static_assert(is<decltype(stack<-1>(d(), d())), double, 3, 2>);
static_assert(std::tuple_size_v<decltype(split<2>(a()))> == 2);
static_assert(is<std::tuple_element_t<0, decltype(split<2>(a()))>, float, 4, 3>);
static_assert(is<decltype(tile<2>(d())), double, 6>);
static_assert(is<decltype(pad<1, 1, 0, 2>(a())), float, 10, 5>);
static_assert(is<decltype(pick<0>(a(), 2)), float, 3>);
static_assert(std::is_same_v<decltype(row(a(), 2)), tensor_view<float, shape<3>, strides<1>>>, "a row of a named tensor is a view");

// contractions
static_assert(is<decltype(matmul(a(), w())), float, 8, 5>);
static_assert(is<decltype(matmul(d(), w())), double, 5>);
static_assert(is<decltype(matmul(a(), d())), double, 8>);
static_assert(is<decltype(matmul(tensor<float, 4, 1, 2, 3>(), tensor<float, 7, 3, 5>())), float, 4, 7, 2, 5>);
static_assert(is<decltype(outer(d(), d())), double, 3, 3>);
static_assert(is<decltype(tensordot<1>(a(), w())), float, 8, 5>);
static_assert(is<decltype(einsum<"bi,ij->jb">(a(), w())), float, 5, 8>);

// indexing and random
static_assert(is<decltype(take(a(), tensor<int, 4>(), axis<0>)), float, 4, 3>);
static_assert(is<decltype(one_hot<10>(tensor<int, 4>())), float, 4, 10>);
static_assert(is<decltype(sort(a())), float, 8, 3>);
static_assert(std::is_same_v<decltype(random::normal<float, 8, 3>(key{1})), tensor<float, 8, 3>>);

// losses and layers
static_assert(is<decltype(nn::cross_entropy(a(), tensor<int, 8>())), float, 8>);
static_assert(is<decltype(std::declval<nn::linear<float, 3, 5>&>()(a())), float, 8, 5>);

// A tracer in, a tracer out: types never nest.
static_assert(std::is_same_v<decltype(relu(std::declval<tensor<traced<float>, 8, 3>&>() * 2.0f + 1.0f)), tensor<traced<float>, 8, 3>>);

// Named tensors are viewed, temporaries are moved in.
static_assert(std::is_base_of_v<dimity::detail::held<0, tensor_view<float const, shape<8, 3>, strides<3, 1>>>, decltype(-a())>);
static_assert(std::is_base_of_v<dimity::detail::held<0, tensor<float, 8, 3>>, decltype(-tensor<float, 8, 3>())>);

}  // namespace result_types
