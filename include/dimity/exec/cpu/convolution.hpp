// Convolutions of two spatial axes and their derivatives.
#pragma once

#include <dimity/exec/cpu/convolution_forward.hpp>
#include <dimity/exec/cpu/convolution_input_gradient.hpp>
#include <dimity/exec/cpu/convolution_scalar.hpp>
#include <dimity/exec/cpu/convolution_weight_gradient.hpp>
