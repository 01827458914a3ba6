// lines: 27
// error: \[dimity\.tree\.6\]
#include <dimity/dimity.hpp>
#include <optional>
#include <tuple>
using namespace dimity;
int main() {
  tensor<float, 3> h = {1, 2, 3};
  tensor<float, 8, 3> xs;
  xs = 1.0f;
  auto const last = compile([](auto const& start, auto const& entries) {
    auto const body = [](auto const& s, auto const& x) {
#ifdef MISTAKE
      return std::tuple{std::tuple{std::get<0>(s) + x, std::remove_cvref_t<decltype(std::get<1>(s))>()}, std::tuple{}};
#else
      return std::tuple{std::tuple{std::get<0>(s) + x, std::get<1>(s)}, std::tuple{}};
#endif
    };
    return std::get<0>(std::get<0>(scan(body, std::tuple{start, std::optional{start}}, entries)));
  })(h, xs);
  (void)last;
}
