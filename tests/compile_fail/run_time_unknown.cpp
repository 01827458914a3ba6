// error: \[dimity\.shape\.17\] an extent chosen at run time is in no argument
// lines: 30
#include <dimity/dimity.hpp>
using namespace dimity;
constexpr auto f = compile([](auto const& x) {
#ifdef MISTAKE
  return sum(zeros<float, dim<"batch">, 4>()) + sum(x);
#else
  return sum(zeros<float, 3, 4>()) + sum(x);
#endif
});
int main() { return static_cast<int>(float(f(tensor<float, 2>{}))); }
