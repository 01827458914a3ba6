#include "scaled.hpp"

#include <dimity/dispatch.hpp>

#include <array>
#include <iostream>

int main() {
  std::array<float, 100> values;
  values.fill(1);
  std::string const machine{dimity::machine_architecture()};
  std::string const names = in_static(values, 2) + " " + in_shared(values, 3) + " " + dispatch(values, 5);
  std::cout << "machine: " << machine << ", versions: " << names << "\n";
  std::string const expected = !VERSIONS || machine == "baseline" ? "baseline baseline baseline" : machine == "avx2" ? "avx2 avx2 avx2" : "avx512 avx2 avx512";
  return values[0] == 30.0f && values[99] == 30.0f && names == expected ? 0 : 1;
}
