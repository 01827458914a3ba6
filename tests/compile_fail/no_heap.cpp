// error: \[dimity\.storage\.1\]
// error: 4096
#define DIMITY_NO_HEAP
#include <dimity/dimity.hpp>
using namespace dimity;
#ifndef MISTAKE
template <>
inline constexpr std::size_t dimity::inline_storage_bytes<tensor<float, 64, 64>> = 64 * 64 * sizeof(float);
#endif
int main() {
  tensor<float, 64, 64> a;
  a = 1.0f;
}
