#include <model.hpp>

int main() { return score(dimity::ones<float, 4>()) == 4.0f ? 0 : 1; }
