// Compiled for machines with AMX, wherever that is: amx_code.py looks at the machine code.
#include <dimity/dimity.hpp>

using namespace dimity;

void known_extents(tensor<float, 64, 96>& y, tensor<bfloat16, 64, 128> const& a, tensor<bfloat16, 96, 128> const& w) { y = cast<float>(matmul(a, transpose(w))); }
void run_time_extents(tensor<bfloat16, dyn, 96>& y, tensor<bfloat16, dyn, 128> const& a, tensor<bfloat16, 128, 96> const& w) { y = relu(matmul(a, w)); }
