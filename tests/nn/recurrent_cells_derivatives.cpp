// Gradients of recurrent cells against differences.
#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include "recurrent.hpp"

using namespace dimity;
using namespace recurrent_test;

namespace {

constexpr auto loss = [](auto const& cell, auto const& x, auto const& h) { return sum(square(cell(x, h)) * 3.0); };
constexpr auto lstm_loss = [](auto const& cell, auto const& x, auto const& state) {
  auto const [h, c] = cell(x, state);
  return sum(square(h)) + sum(sin(c));
};

}  // namespace

TEST_CASE("gradients agree with differences") {
  auto const x = row(data().get<double, 4, 2, 3>("recurrent/x"), 0);
  auto const h = data().get<double, 2, 5>("recurrent/h"), c = data().get<double, 2, 5>("recurrent/c");
  CHECK(check_gradients(loss, parameters<nn::rnn_cell<double, 3, 5>, double, 1>("rnn"), x, h));
  CHECK(check_gradients(loss, parameters<nn::gru_cell<double, 3, 5>, double, 3>("gru"), x, h));
  CHECK(check_gradients(lstm_loss, parameters<nn::lstm_cell<double, 3, 5>, double, 4>("lstm"), x, std::tuple{h, c}));
}
