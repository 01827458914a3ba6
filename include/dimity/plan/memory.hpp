// Last planning pass: where each buffer lives. Offsets in one workspace, reused as soon as nobody reads a value any more.
#pragma once

#include <dimity/plan/kernels.hpp>

#include <initializer_list>

namespace dimity::detail {

inline constexpr std::int64_t buffer_alignment = 64;

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// Lifetimes of the buffers that the steps from `first` on use.
struct workspace_assignment {
  plan_builder& out;
  int first;
  list<std::int32_t> birth, death;

  constexpr workspace_assignment(plan_builder& plan, int first_step)
      : out(plan), first(first_step), birth(plan.buffers.size(), -1), death(plan.buffers.size(), -1) {
    for (int s = first; s < out.steps.size(); ++s)
      for (range const r : {out.slots_of(out.steps[s]), out.epilogue_slots_of(out.steps[s])})
        for (int i = r.begin; i < r.end; ++i) {
          int const b = out.slots[i];
          if (birth[b] < 0) birth[b] = s;
          death[b] = s;
        }
  }

  /// First fit by time of birth, for the buffers whose size is a multiple of `unit`: each takes the lowest offset that is free during its whole life.
  /// Offsets and `bytes` of a result are for each unit; how many units there are is not known, so that buffers also keep a distance of 64 bytes (`slack`) to be aligned in.
  constexpr region assign(amount unit) {
    bool const known = unit.is_known();
    struct span {
      std::int64_t from = 0, to = 0, slack = 0;
      std::int32_t death = 0;
    };
    list<span> alive;  // by offset: what a new one has to fit between
    region total;
    total.unit = unit;
    for (int s = first; s < out.steps.size(); ++s) {
      int kept = 0;
      for (int i = 0; i < alive.size(); ++i)
        if (alive[i].death >= s) alive[kept++] = alive[i];
      while (alive.size() > kept) alive.pop();
      for (range const r : {out.slots_of(out.steps[s]), out.epilogue_slots_of(out.steps[s])})
        for (int i = r.begin; i < r.end; ++i) {
          int const b = out.slots[i];
          if (birth[b] != s || out.buffers[b].where != residence::workspace || out.buffers[b].bytes.monomial() != unit.monomial()) continue;
          birth[b] = -1;
          std::int64_t const bytes = known ? round_up(out.buffers[b].bytes.number(), buffer_alignment) : out.buffers[b].bytes.coefficient();
          std::int64_t const distance = known ? 0 : buffer_alignment;
          std::int64_t offset = 0, slack = 0;
          int at = 0;
          for (; at < alive.size() && (alive[at].from - offset < bytes || alive[at].slack - slack < distance); ++at) {
            if (alive[at].to > offset) offset = alive[at].to;
            if (alive[at].slack + distance > slack) slack = alive[at].slack + distance;
          }
          out.buffers[b].offset = offset;
          out.buffers[b].slack = slack;
          if (!known) out.buffers[b].region = static_cast<std::int16_t>(out.regions.size());
          alive.push({});
          for (int j = alive.size() - 1; j > at; --j) alive[j] = alive[j - 1];
          alive[at] = {offset, offset + bytes, slack, death[b]};
          if (offset + bytes > total.bytes) total.bytes = offset + bytes;
          if (slack + distance > total.slack) total.slack = slack + distance;
        }
    }
    return total;
  }

  /// Known sizes first, then a region for each unit that occurs. Returns the bytes of the known ones.
  constexpr std::int64_t run() {
    std::int64_t const known = assign(1).bytes;
    for (int b = 0; b < birth.size(); ++b)
      if (birth[b] >= 0 && out.buffers[b].where == residence::workspace && !out.buffers[b].bytes.is_known()) {
        region const r = assign(out.buffers[b].bytes.with_coefficient(1));
        out.regions.push(r);
      }
    return known;
  }
};

constexpr std::int64_t assign_workspace(plan_builder& out, int first) {
  workspace_assignment assignment(out, first);
  return assignment.run();
}
/// What a workspace with these regions needs at most, in bytes.
constexpr amount workspace_amount(extent_table& extents, std::int64_t known, list<region> const& regions, int begin) {
  amount total = 0;
  for (int r = begin; r < regions.size(); ++r) {
    total = extents.sum(total, amount(regions[r].bytes) * regions[r].unit);
    known += regions[r].slack + buffer_alignment;
  }
  return extents.sum(total, known);
}

}  // namespace dimity::detail
