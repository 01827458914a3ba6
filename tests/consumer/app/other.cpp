#include <dimity/dimity.hpp>

float other() {
  dimity::tensor<float, 4> const x = dimity::ones<float, 4>();
  return dimity::sum(x);
}
