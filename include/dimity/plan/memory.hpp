// Last planning pass: where each buffer lives. Offsets in one workspace, reused as soon as nobody reads a value any more.
#pragma once

#include <dimity/plan/kernels.hpp>

#include <initializer_list>

namespace DIMITY_NAMESPACE::detail {

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

  struct resident {
    std::int32_t buffer = -1;
    std::int64_t bytes = 0, offset = 0;
  };
  /// The buffers of known size.
  constexpr list<resident> residents() const {
    list<resident> all;
    for (int b = 0; b < birth.size(); ++b)
      if (birth[b] >= 0 && out.buffers[b].where == residence::workspace && out.buffers[b].bytes.is_known()) all.push({b, round_up(out.buffers[b].bytes.number(), buffer_alignment), 0});
    return all;
  }
  /// What lives at once, at most: no assignment needs less.
  constexpr std::int64_t least_bytes(list<resident> const& all) const {
    list<std::int64_t> change(out.steps.size() + 1, 0);
    for (resident const& r : all) {
      change[birth[r.buffer]] += r.bytes;
      change[death[r.buffer] + 1] -= r.bytes;
    }
    std::int64_t now = 0, most = 0;
    for (int s = first; s < out.steps.size(); ++s) {
      now += change[s];
      if (now > most) most = now;
    }
    return most;
  }
  /// The largest first, each at the lowest offset that is free during its life: closer to the bound than by time of birth, but quadratic (Pisarchyk & Lee, arXiv 2001.03288, "greedy by size").
  constexpr std::int64_t assign_by_size(list<resident>& all) const {
    list<std::int32_t> placed;  // by offset
    std::int64_t total = 0;
    for (int i = 0; i < all.size(); ++i) {
      for (int j = i; j > 0 && all[j - 1].bytes < all[j].bytes; --j) {
        resident const swapped = all[j];
        all[j] = all[j - 1];
        all[j - 1] = swapped;
      }
    }
    for (int i = 0; i < all.size(); ++i) {
      resident& mine = all[i];
      int const from = birth[mine.buffer], to = death[mine.buffer];
      int at = 0;
      for (; at < placed.size(); ++at) {
        resident const& other = all[placed[at]];
        if (death[other.buffer] < from || to < birth[other.buffer]) continue;
        if (other.offset - mine.offset >= mine.bytes) break;
        if (other.offset + other.bytes > mine.offset) mine.offset = other.offset + other.bytes;
      }
      int before = placed.size();
      placed.push(i);
      for (; before > 0 && all[placed[before - 1]].offset > mine.offset; --before) placed[before] = placed[before - 1];
      placed[before] = i;
      if (mine.offset + mine.bytes > total) total = mine.offset + mine.bytes;
    }
    return total;
  }
  /// By time of birth, and where that wastes more than 2 per cent of not too many buffers, by size.
  constexpr std::int64_t assign_known() {
    list<resident> all = residents();
    std::int64_t const least = least_bytes(all);
    list<std::int32_t> births(birth.size());
    for (int b = 0; b < birth.size(); ++b) births[b] = birth[b];
    std::int64_t const by_birth = assign(1).bytes;  // forgets births
    if (by_birth * 50 <= least * 51 || all.size() > 256) return by_birth;
    for (resident const& r : all) birth[r.buffer] = births[r.buffer];
    std::int64_t const by_size = assign_by_size(all);
    for (resident const& r : all) birth[r.buffer] = -1;
    if (by_size >= by_birth) return by_birth;
    for (resident const& r : all) out.buffers[r.buffer].offset = r.offset;
    return by_size;
  }

  /// Known sizes first, then a region for each unit that occurs. Returns the bytes of the known ones.
  constexpr std::int64_t run() {
    std::int64_t const known = assign_known();
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

}  // namespace DIMITY_NAMESPACE::detail
