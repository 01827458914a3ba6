// Everything. The layers and who may include whom: docs/architecture.md.
#pragma once

// Those with rules first, each before the headers that need it: an error message then names one header on its way here.
#include <dimity/core/shape.hpp>
#include <dimity/expr/rules.hpp>
#include <dimity/core/fields.hpp>
#include <dimity/core/storage.hpp>
#include <dimity/core/tensor.hpp>
#include <dimity/expr/einsum_equation.hpp>
#include <dimity/program/tracer.hpp>
#include <dimity/expr/expression.hpp>

#include <dimity/core/config.hpp>
#include <dimity/core/dtype.hpp>
#include <dimity/core/dual.hpp>
#include <dimity/core/error.hpp>
#include <dimity/core/pytree.hpp>
#include <dimity/core/view.hpp>
#include <dimity/expr/compare.hpp>
#include <dimity/expr/contraction.hpp>
#include <dimity/expr/creation.hpp>
#include <dimity/expr/einsum.hpp>
#include <dimity/expr/eval.hpp>
#include <dimity/expr/functions.hpp>
#include <dimity/expr/indexing.hpp>
#include <dimity/expr/layout.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/expr/random.hpp>
#include <dimity/expr/reductions.hpp>
#include <dimity/expr/slicing.hpp>
#include <dimity/expr/joining.hpp>
#include <dimity/transform/trace.hpp>
#include <dimity/transform/compile.hpp>
#include <dimity/transform/grad.hpp>
#include <dimity/transform/jvp.hpp>
#include <dimity/transform/jacobian.hpp>
#include <dimity/transform/vmap.hpp>
#include <dimity/transform/custom.hpp>
#include <dimity/transform/checkpoint.hpp>
#include <dimity/transform/tree.hpp>
#include <dimity/nn/init.hpp>
#include <dimity/nn/linear.hpp>
#include <dimity/nn/loss.hpp>
#include <dimity/optim/adam.hpp>
#include <dimity/optim/sgd.hpp>
