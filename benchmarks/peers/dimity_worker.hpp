// What the files of the dimity worker share.
#pragma once

#include <dimity/dimity.hpp>
#ifdef DIMITY_PEERS_THREADS
#include <dimity/threads.hpp>
#endif

#include "protocol.hpp"

#include <memory>
#include <string>
#include <tuple>

namespace peers {

using dimity::extent_t;

#ifdef DIMITY_PEERS_THREADS
inline constexpr int threads = DIMITY_PEERS_THREADS;
inline constexpr dimity::cpu device{.threads = threads};
#else
inline constexpr int threads = 1;
inline constexpr dimity::simd_device device = dimity::simd;
#endif

template <class F>
constexpr auto compiled(F const& f) {
  return dimity::compile(f, device);
}
/// y = x
template <class Y, class X>
void put(Y& y, X&& x) {
#ifdef DIMITY_PEERS_THREADS
  if constexpr (dimity::operand<X> && dimity::operand<Y>) dimity::assign(y, x, device);
  else
#endif
    y = static_cast<X&&>(x);
}

template <class Tensor>
void fill(request const& r, std::string const& input, Tensor& t) {
  r.read(input, t.data(), t.size());
}

/// A struct with the tensors `Inputs...`, filled, and a place for `Result`.
template <class Result, class... Inputs>
struct inputs_and_result {
  std::tuple<Inputs...> inputs;
  Result result{};
};

template <class T>
void write(sink& to, T const& x) {
  if constexpr (requires { x.data(); }) to.write(x.data(), x.size());
  else if constexpr (std::is_arithmetic_v<T>) to.write(static_cast<float>(x));
  else std::apply([&](auto const&... part) { (write(to, part), ...); }, x);
}

/// A workload without state: `call(result, inputs...)` puts what it computes into result, whose old contents it may take.
template <class Result, class... Inputs, class Call>
void add(std::string const& name, std::array<char const*, sizeof...(Inputs)> names, Call call) {
  makers()[name] = [names, call](request const& r) {
    auto state = std::make_shared<inputs_and_result<Result, Inputs...>>();
    std::apply([&](auto&... input) {
      std::size_t i = 0;
      (fill(r, names[i++], input), ...);
    }, state->inputs);
    using state_type = inputs_and_result<Result, Inputs...>;
    return make_task(state, [call](state_type& s) { std::apply([&](auto const&... input) { call(s.result, input...); }, s.inputs); },
                     [](state_type& s, sink& to) { write(to, s.result); });
  };
}

}  // namespace peers
