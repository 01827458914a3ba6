// Everything. The layers and who may include whom: docs/architecture.md.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/dtype.hpp>
#include <dimity/core/dual.hpp>
#include <dimity/core/error.hpp>
#include <dimity/core/shape.hpp>
#include <dimity/core/tensor.hpp>
#include <dimity/core/view.hpp>
#include <dimity/expr/compare.hpp>
#include <dimity/expr/contraction.hpp>
#include <dimity/expr/creation.hpp>
#include <dimity/expr/eval.hpp>
#include <dimity/expr/functions.hpp>
#include <dimity/expr/layout.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/expr/reductions.hpp>
#include <dimity/nn/init.hpp>
#include <dimity/nn/linear.hpp>
#include <dimity/nn/loss.hpp>
#include <dimity/optim/adam.hpp>
#include <dimity/optim/sgd.hpp>
#include <dimity/transform/jvp.hpp>
