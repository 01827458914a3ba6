// Expressions as text: evaluated, then printed as the tensor that they stand for.
#pragma once

#include <dimity/core/print.hpp>
#include <dimity/expr/eval.hpp>

namespace DIMITY_NAMESPACE {

/// to_string(eval(x)).
template <class Operation, class T, class Shape, class... Operands>
std::string to_string(expression<Operation, T, Shape, Operands...> const& x) {
  return to_string(eval(x));
}
/// The value of an expression, into a stream.
template <class Traits, class Operation, class T, class Shape, class... Operands>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, expression<Operation, T, Shape, Operands...> const& x) {
  return out << eval(x);
}
/// The value of an expression and a new line, to stdout.
template <class Operation, class T, class Shape, class... Operands>
void print(expression<Operation, T, Shape, Operands...> const& x) {
  print(eval(x));
}

}  // namespace DIMITY_NAMESPACE
