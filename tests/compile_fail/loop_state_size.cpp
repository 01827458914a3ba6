// error: \[dimity\.loop\.2\]
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto y = while_loop([](auto const& s) { return s.second > 1.0f; }, [](auto const& s) { return s.first * 0.5f; }, std::pair{x, 4.0f});
#else
  auto y = while_loop([](auto const& s) { return s.second > 1.0f; }, [](auto const& s) { return std::pair{s.first * 0.5f, s.second - 1.0f}; }, std::pair{x, 4.0f});
#endif
  (void)y;
}
