// The plan: which kernels run, in which order, on which memory. A constexpr value that tests assert on and that `print` explains.
#pragma once

#include <dimity/program/graph.hpp>

namespace DIMITY_NAMESPACE::detail {

inline constexpr int max_axes = 8;

/// How a kernel reads or writes one buffer: element (i0, i1, ...) of the kernel's axes is at offset + sum(i * stride).
struct access {
  std::int16_t slot = 0;  ///< which of the kernel's pointers
  dtype type = dtype::float32;
  amount offset = 0;
  amount stride[max_axes] = {};
};

/// Whether two accesses of a kernel are to the same elements.
constexpr bool same_access(access const& a, access const& b, int axes) {
  if (a.slot != b.slot || a.type != b.type || !(a.offset == b.offset)) return false;
  for (int i = 0; i < axes; ++i)
    if (!(a.stride[i] == b.stride[i])) return false;
  return true;
}

/// Where in the loop nest a value lives.
enum class level : std::uint8_t { invariant, row, lane };

/// One value inside a kernel. `input` is a load through access `attribute`; reductions here reduce the kernel's inner axes.
struct value {
  primitive op = primitive::input;
  dtype type = dtype::float32;
  level at = level::lane;
  std::int16_t stage = 0;
  std::int16_t kept = -1;  ///< access of the row buffer that carries it to later stages, or -1
  std::int16_t arg[3] = {-1, -1, -1};
  std::int64_t attribute = 0;
};

/// A value that leaves the kernel. `combine` is copy for a plain store, otherwise the reduction over outer axes that it accumulates.
struct store {
  std::int16_t value = 0, access = 0, stage = 0;
  primitive combine = primitive::copy;
  amount fill = 0;  ///< elements to set to the identity before accumulating
  std::int16_t partial_slot = -1;  ///< of what one block of rows leaves, `fill` elements; -1 where rows are not divided into blocks
};

struct range {
  std::int32_t begin = 0, end = 0;
  constexpr int size() const { return end - begin; }
};

/// A fused loop nest: `outer` axes of rows; for each row its stages, each one pass over the inner axes.
struct kernel {
  range values, accesses, stores, slots, lists;  ///< lists: for each stage its lane values; the ranges are in the plan's `list_ranges`
  std::int16_t axes = 0, outer = 0, stages = 1;
  std::int16_t same_as = -1;  ///< the first kernel that is equal to this one: its code is used
  std::int16_t injected = -1; ///< in an epilogue: the value that the contraction supplies
  amount extent[max_axes] = {};
  constexpr amount rows() const {
    amount n = 1;
    for (int i = 0; i < outer; ++i) n *= extent[i];
    return n;
  }
  constexpr amount inner() const {
    amount n = 1;
    for (int i = outer; i < axes; ++i) n *= extent[i];
    return n;
  }
};

/// Into how many blocks a kernel divides its first axis where it adds rows up. Each block begins anew, and what they leave is added up in their order: threads can share them, and the result is that of one thread.
/// Blocks are of 32 rows and more, so that beginning anew and adding up cost little beside the rows, or two of 16 and more; and there is only one where a second thread would not be worth it.
inline constexpr extent_t most_row_blocks = 16, least_elements_of_blocks = 1 << 15;
constexpr int row_blocks(extent_t first_axis, extent_t elements) {
  if (elements < least_elements_of_blocks || first_axis < 32) return 1;
  extent_t const wanted = first_axis < 64 ? 2 : first_axis / 32;
  return static_cast<int>(wanted < most_row_blocks ? wanted : most_row_blocks);
}
/// At most, of extents that need not be known.
constexpr int most_row_blocks_of(kernel const& k) {
  extent_t elements = 1;
  for (int i = 0; i < k.axes; ++i) {
    if (!k.extent[i].is_known()) elements = least_elements_of_blocks;
    else if (elements < least_elements_of_blocks || k.extent[i] == 0) elements *= k.extent[i].number();
  }
  return k.outer == 0 ? 1 : row_blocks(k.extent[0].is_known() ? k.extent[0].number() : most_row_blocks * 32, elements);
}

/// A primitive with a kernel of its own. Operand strides are per operand axis; the result is row-major.
struct opaque_step {
  primitive op = primitive::dot;
  dtype type = dtype::float32;
  std::int16_t shape = 0, operand_shape[3] = {};
  dtype operand_type[3] = {};
  std::int16_t operand_slot[3] = {-1, -1, -1};
  std::int16_t result_slot = -1, scratch_slot = -1;
  std::int16_t epilogue = -1, same_as = -1;
  range slots;
  amount operand_offset[3] = {};
  amount operand_stride[3][max_rank] = {};
  std::int64_t attribute = 0;
};

/// What a control reads, or leaves: operand i of its body is at slot + offset, `stride` bytes further on in each next iteration.
struct port {
  std::int16_t slot = -1;
  std::int16_t carried = -1;  ///< of an operand: the output that takes its place
  std::int16_t spare = -1;    ///< of a carried output: the slot of a second buffer, where it cannot be written over what it takes the place of
  amount offset = 0, stride = 0;
  amount bytes = 0;           ///< of an output, in one iteration
};
/// A loop or branch: its bodies are blocks of steps in the same plan.
struct control_step {
  control_kind kind = control_kind::scan;
  bool from_end = false;
  amount trips = 0;
  range operands, outputs;  ///< ports
  range blocks;             ///< while_loop: the condition, then the body
  range slots;
  std::int16_t head_slot = -1;     ///< of a branch's index, or of the condition's value
  dtype head_type = dtype::boolean;
  amount head_offset = 0;
  std::int16_t scratch_slot = -1;  ///< the workspace of the bodies
};
/// Part of a workspace whose size is known at run time only: buffers are at multiples of `unit` in it. `bytes` of it are needed for each unit, and `slack` bytes because each buffer begins
/// at a multiple of 64.
struct region {
  amount unit = 1;
  std::int64_t bytes = 0, slack = 0;
};
/// Steps with inputs, outputs and a workspace of their own: first what is known, then its regions.
struct block {
  range steps;
  range inputs;   ///< in block_inputs: input i is this operand of the control
  range regions;
  std::int64_t workspace_bytes = 0;
};

enum class step_kind : std::uint8_t { kernel, primitive, control };
struct step {
  step_kind kind = step_kind::kernel;
  std::int16_t index = 0;
};

enum class residence : std::uint8_t { input, output, workspace };
struct buffer {
  residence where = residence::workspace;
  std::int32_t index = 0;     ///< of the input or output
  std::int16_t region = -1;   ///< of the workspace; -1: what comes before the regions
  std::int64_t offset = 0;    ///< bytes, in the workspace; in a region bytes for each of its units ...
  std::int64_t slack = 0;     ///< ... rounded up to a multiple of 64, and bytes more
  amount bytes = 0;           ///< for a strided input all that lies between its first and its last element
  amount before = 0;          ///< of them, how many lie before the pointer: negative strides
  bool in_block = false;      ///< inputs and outputs are those of a loop's or branch's body
};

/// How much scratch memory a primitive's own kernel needs; the executor says so (exec/cpu), the plan reserves it.
using scratch_rule = amount (*)(opaque_step const&, shape_value const* shapes, std::int64_t const* pool);

/// What an executor wants of a plan.
struct plan_rules {
  scratch_rule scratch;
  bool divides_rows = true;  ///< memory for the sums of several blocks of rows (plan.hpp: row_blocks)
  bool chains_rows = true;   ///< products on the same rows block by block (program/row_chain.hpp)
  bool fuses_into_convolutions = true;  ///< elementwise work on the results of a convolution, while they are in registers
  bool on_gpu = false;       ///< which of two ways to compute the same (program/graph.hpp: stands_for_first_on_gpu)
};

struct plan_size {
  int kernels, opaques, steps, buffers, values, accesses, stores, slots, lists, list_ranges, shapes, pool;
  int controls = 0, ports = 0, blocks = 0, block_inputs = 0;
  int regions = 0, symbols = 0, conditions = 0, interface = 0;
  int first_region = 0, first_step = 0;  ///< those before it belong to blocks
  program_error error = program_error::none;
};

/// The whole plan. All arrays are flat; ranges index into them.
template <plan_size N>
struct plan {
  static constexpr plan_size size = N;
  kernel kernels[N.kernels + 1] = {};
  opaque_step opaques[N.opaques + 1] = {};
  step steps[N.steps + 1] = {};
  buffer buffers[N.buffers + 1] = {};
  value values[N.values + 1] = {};
  access accesses[N.accesses + 1] = {};
  store stores[N.stores + 1] = {};
  std::int16_t slots[N.slots + 1] = {};  ///< buffer of each pointer of each step
  std::int16_t lists[N.lists + 1] = {};
  range list_ranges[N.list_ranges + 1] = {};
  shape_value shapes[N.shapes + 1] = {};
  std::int64_t pool[N.pool + 1] = {};
  control_step controls[N.controls + 1] = {};
  port ports[N.ports + 1] = {};
  block blocks[N.blocks + 1] = {};
  std::int16_t block_inputs[N.block_inputs + 1] = {};
  region regions[N.regions + 1] = {};
  extent_symbol symbols[N.symbols + 1] = {};
  extent_condition conditions[N.conditions + 1] = {};
  std::int16_t interface[N.interface + 1] = {};  ///< shapes of the inputs, then of the outputs, of a plan with extents chosen at run time
  std::int64_t workspace_bytes = 0;  ///< of what is known
};

}  // namespace DIMITY_NAMESPACE::detail
