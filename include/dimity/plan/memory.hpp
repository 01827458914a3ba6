// Last planning pass: where each buffer lives. Offsets in one workspace, reused as soon as nobody reads a value any more.
#pragma once

#include <dimity/plan/kernels.hpp>

#include <initializer_list>

namespace dimity::detail {

inline constexpr std::int64_t buffer_alignment = 64;

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// First fit by time of birth: each buffer that the steps from `first` on use takes the lowest offset that is free during its whole life. Returns the bytes needed.
constexpr std::int64_t assign_workspace(plan_builder& out, int first) {
  int const count = out.buffers.size();
  list<std::int32_t> birth(count, -1), death(count, -1);
  for (int s = first; s < out.steps.size(); ++s)
    for (range const r : {out.slots_of(out.steps[s]), out.epilogue_slots_of(out.steps[s])})
      for (int i = r.begin; i < r.end; ++i) {
        int const b = out.slots[i];
        if (birth[b] < 0) birth[b] = s;
        death[b] = s;
      }
  list<std::int32_t> placed;
  std::int64_t total = 0;
  for (int s = first; s < out.steps.size(); ++s)
    for (int b = 0; b < count; ++b) {
      if (out.buffers[b].where != residence::workspace || birth[b] != s) continue;
      std::int64_t const bytes = round_up(out.buffers[b].bytes, buffer_alignment);
      std::int64_t offset = 0;
      for (bool moved = true; moved;) {
        moved = false;
        for (int other : placed) {
          if (death[other] < s) continue;
          std::int64_t const from = out.buffers[other].offset, to = from + round_up(out.buffers[other].bytes, buffer_alignment);
          if (offset < to && from < offset + bytes) {
            offset = to;
            moved = true;
          }
        }
      }
      out.buffers[b].offset = offset;
      placed.push(b);
      if (offset + bytes > total) total = offset + bytes;
    }
  return total;
}

}  // namespace dimity::detail
