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
  // Those that are alive, by offset: what a new one has to fit between.
  struct span {
    std::int64_t from = 0, to = 0;
    std::int32_t death = 0;
  };
  list<span> alive;
  std::int64_t total = 0;
  for (int s = first; s < out.steps.size(); ++s) {
    int kept = 0;
    for (int i = 0; i < alive.size(); ++i)
      if (alive[i].death >= s) alive[kept++] = alive[i];
    while (alive.size() > kept) alive.pop();
    for (range const r : {out.slots_of(out.steps[s]), out.epilogue_slots_of(out.steps[s])})
      for (int i = r.begin; i < r.end; ++i) {
        int const b = out.slots[i];
        if (birth[b] != s || out.buffers[b].where != residence::workspace) continue;
        birth[b] = -1;
        std::int64_t const bytes = round_up(out.buffers[b].bytes, buffer_alignment);
        std::int64_t offset = 0;
        int at = 0;
        for (; at < alive.size() && alive[at].from - offset < bytes; ++at)
          if (alive[at].to > offset) offset = alive[at].to;
        out.buffers[b].offset = offset;
        alive.push({});
        for (int j = alive.size() - 1; j > at; --j) alive[j] = alive[j - 1];
        alive[at] = {offset, offset + bytes, death[b]};
        if (offset + bytes > total) total = offset + bytes;
      }
  }
  return total;
}

}  // namespace dimity::detail
