// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, -3
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8, 3> c = softmax(a, axis<-3>);
#else
  tensor<float, 8, 3> c = softmax(a, axis<-1>);
#endif
  (void)c;
}
