#pragma once

#include <dimity/dimity.hpp>

float score(dimity::tensor<float, 4> const& x);
