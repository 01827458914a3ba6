#include "model.hpp"

float score(dimity::tensor<float, 4> const& x) { return dimity::sum(x * x); }
