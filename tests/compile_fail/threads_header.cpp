// error: \[dimity\.device\.1\]
#include <dimity/dimity.hpp>
#ifndef MISTAKE
#include <dimity/threads.hpp>
#endif
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
  auto c = eval(a + 1.0f, cpu{.threads = 2});
  (void)c;
}
