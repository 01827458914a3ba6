// Products and convolutions divided among threads: the entries of a batch, or tiles of one product.
#pragma once

#include <dimity/exec/cpu/contraction.hpp>
#include <dimity/exec/cpu/convolution_step.hpp>
#include <dimity/exec/cpu/thread_pool.hpp>
#include <dimity/exec/workspace.hpp>

#include <limits>

namespace DIMITY_NAMESPACE::detail {

/// Nanoseconds of one multiplication and addition in a long product, an estimate.
template <class T>
inline constexpr double product_cost = 0.02 * sizeof(T) / sizeof(float);

/// An epilogue that adds up what several entries have in common would do so in another order.
template <class Plan, int Epilogue>
constexpr bool epilogue_adds_up() {
  if constexpr (Epilogue < 0) return false;
  else return has_combining_store(Plan::value.stores + Plan::value.kernels[Epilogue].stores.begin, Plan::value.kernels[Epilogue].stores.size());
}
/// Scratch memory of a share: the plan's for the first, its own for the others, with `more` bytes behind it.
template <class Step>
std::byte* scratch_of_share(void* const* slots, int share, std::size_t more = 0) {
  if constexpr (Step::s.scratch_slot < 0) {
    return nullptr;
  } else {
    if (share == 0) return static_cast<std::byte*>(slots[Step::s.scratch_slot]);
    constexpr amount bytes = Step::plan::value.buffers[Step::plan::value.slots[Step::s.slots.begin + Step::s.scratch_slot]].bytes;
    return workspace_of_share(share, static_cast<std::size_t>(value_of(bytes, Step::facts::symbols(slots))) + more);
  }
}

template <class Contraction>
struct threaded_contraction {
  using T = typename Contraction::T;
  using facts = typename Contraction::facts;
  static constexpr int rank = Contraction::rank;

  static void run(void* const* slots, void* const* epilogue_slots) {
    known_shape batch = facts::result_shape(slots);
    extent_t const n = batch.extent[rank - 1], entry = batch.extent[rank - 2] * n;
    batch.rank -= 2;
    extent_t const entries = batch.size();
    auto const a = facts::template operand<0>(slots);
    auto const b = facts::template operand<1>(slots);
    double const cost = static_cast<double>(entries) * static_cast<double>(entry) * static_cast<double>(a.shape.extent[rank - 1]) * product_cost<T>;
    int const shares = count_shares(cost, std::numeric_limits<std::int64_t>::max());
    if (shares == 1 || epilogue_adds_up<typename Contraction::plan, Contraction::s.epilogue>()) return Contraction::run_here(slots, epilogue_slots);
    result_sinks<Contraction> const sinks(slots, epilogue_slots, n);
    run_shares(shares, [&](int share) {
      std::byte* const scratch = scratch_of_share<Contraction>(slots, share);
      bool const by_entries = entries >= shares;
      extent_t const begin = by_entries ? entries * share / shares : 0, end = by_entries ? entries * (share + 1) / shares : entries;
      mm::product_share const part = by_entries ? mm::product_share{0, 1} : mm::product_share{share, shares};
      for (extent_t i = begin; i < end; ++i) {
        extent_t index[max_rank] = {};
        extent_t rest = i;
        for (int axis = batch.rank - 1; axis >= 0; --axis) {
          index[axis] = rest % batch.extent[axis];
          rest /= batch.extent[axis];
        }
        Contraction::product(a.data + offset_at(index, a.stride, rank - 2), b.data + offset_at(index, b.stride, rank - 2), scratch, slots, sinks.at(index, i * entry), part);
      }
    });
  }
};

/// By images, or, where the gradient of the kernels adds them up, by the parts in which it does.
template <class Convolution>
struct threaded_convolution {
  using T = typename Convolution::T;
  using facts = typename Convolution::facts;
  static constexpr auto s = Convolution::s;

  static void run(void* const* slots, void* const* epilogue_slots) {
    if constexpr (s.op == primitive::convolution_kernel_gradient && Convolution::vectors) {
      extent_t const images = facts::template operand<0>(slots).shape.extent[Convolution::leading];
      auto const divide = [&](int parts, extent_t spare, double multiplications, T* scratch, auto const& f) {
        int const shares = count_shares(multiplications * 1.5 * product_cost<T>, parts);
        if (shares == 1) return f(0, parts, scratch);
        run_shares(shares, [&](int share) {
          int const begin = parts * share / shares, end = parts * (share + 1) / shares;
          f(begin, end, share == 0 ? scratch : reinterpret_cast<T*>(scratch_of_share<Convolution>(slots, share, static_cast<std::size_t>((end - begin) * spare) * sizeof(T))));
        });
      };
      Convolution::run_images(slots, epilogue_slots, reinterpret_cast<T*>(scratch_of_share<Convolution>(slots, 0)), 0, images, divide);
    } else if constexpr (s.op == primitive::convolution_kernel_gradient || epilogue_adds_up<typename Convolution::plan, s.epilogue>()) {
      Convolution::run_here(slots, epilogue_slots);
    } else {
      constexpr auto& g = Convolution::geometry;
      auto const a = facts::template operand<0>(slots);
      extent_t const images = a.shape.extent[Convolution::leading];
      double const cost = static_cast<double>(g.groups * g.in_channels * g.out_channels * g.kernel_size() * g.out_size()) * static_cast<double>(images) * 1.5 * product_cost<T>;
      int const shares = count_shares(cost, images);
      if (shares == 1) return Convolution::run_here(slots, epilogue_slots);
      run_shares(shares, [&](int share) {
        std::byte* const scratch = scratch_of_share<Convolution>(slots, share);
        Convolution::run_images(slots, epilogue_slots, reinterpret_cast<T*>(scratch), images * share / shares, images * (share + 1) / shares);
      });
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
