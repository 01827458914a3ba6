// The CUDA evaluator: the same expressions, functions and models on an NVIDIA GPU. For files that are compiled as CUDA; see docs/cuda.md.
#pragma once

#include <dimity/dimity.hpp>
#include <dimity/cuda/compile.hpp>
#include <dimity/cuda/elements.hpp>
