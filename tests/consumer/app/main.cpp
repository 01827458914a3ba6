#include <dimity/dimity.hpp>

float other();

int main() {
  dimity::tensor<float, 4> const x = dimity::ones<float, 4>();
  float const s = dimity::sum(x * 2.0f);
  return s == 8.0f && other() == 4.0f ? 0 : 1;
}
