// compile(f, cuda{}): f as one program on a GPU. A call puts its kernels into the stream and returns; it allocates nothing but results that replace no moved argument.
#pragma once

#include <dimity/cuda/evaluate.hpp>
#include <dimity/cuda/graph.hpp>

#include <array>

namespace DIMITY_NAMESPACE::detail {

template <class List>
struct rule_of_arguments;
template <class... L>
struct rule_of_arguments<leaf_list<L...>> {
  static_assert(!(is_on_host<L> || ...), "[dimity.cuda.4] a function that is compiled for a GPU was given a tensor of this side: copy it with to_cuda(x)");
  static constexpr bool fits = !(is_on_host<L> || ...);
  static constexpr int numbers = (0 + ... + !operand<L>);
};

/// Where a recorded call leaves results that take no argument's memory: in places of its own, from which they are copied. Their memory is another one at each call, for which the call would have to be recorded anew. Large ones, which
/// copying would cost more than it saves, are recorded with their memory, of which the pool has few.
template <class Gifts, class Out>
struct results_of_recording;
template <class Gifts, class... L>
struct results_of_recording<Gifts, leaf_list<L...>> {
  static constexpr std::int64_t most_bytes = std::int64_t{1} << 20;
  struct table {
    std::int64_t place[sizeof...(L) + 1] = {};  ///< -1: none
    std::int64_t bytes = 0;
  };
  static constexpr table value = [] {
    table t;
    int i = 0;
    auto const choose = [&](std::int64_t bytes) {
      bool const fresh = Gifts::value.of[i].input < 0 && bytes > 0 && bytes <= most_bytes;
      t.place[i++] = fresh ? t.bytes : -1;
      if (fresh) t.bytes += round_up(bytes, 256);
    };
    (choose(has_own_extents<L> ? 0 : static_cast<std::int64_t>(sizeof(typename L::value_type)) * shape_of<L>::size), ...);
    return t;
  }();
};

template <class F, cuda_precision P>
struct compiled_call<F, basic_cuda<P>> {
  static constexpr bool takes_device = true;
  template <class... Args>
  using source = source_on_cuda<traced_source<F, tree_value_t<Args>...>, P>;
  template <class... Args>
  using program = planned<source<Args...>>;
  template <class... Args>
  static constexpr std::int64_t workspace_bytes = cuda_executor<program<Args...>>::workspace_bytes;
  template <class... Args>
  using result_t = device_tree_t<untraced_tree_t<typename source<Args...>::result>>;

  template <class Source>
  using on_device = source_on_cuda<Source, P>;
  /// `There` says which optionals of the arguments are there; void: they have none.
  template <class Source, class There, class... Args>
  static auto run_plan(cuda const& device, Args&&... args) {
    using plan = planned<on_device<Source>>;
    using result = result_t<Args...>;
    using given = given_leaves<There, Args...>;
    using made = made_leaves<Source, result>;
    using inputs_list = typename given::list;
    using gifts = donations_of<plan, inputs_list, typename made::list, typename given::flags>;
    using on = cuda_executor<plan>;
    using rule = rule_of_arguments<inputs_list>;
    constexpr int in_count = inputs_list::size, out_count = made::list::size;
    cudaStream_t const stream = stream_of(device);
    // Before anything is moved.
    if (waits_for_host<plan> && device.graph) fail<error>("cuda{.graph = true}: while_loop, cond, debug::print and debug::check_finite need values on this side that are not known when the graph is recorded; compile without `graph`");
    using recorded = results_of_recording<gifts, typename made::list>;
    run_extents<plan, inputs_list> const extents(args...);
    std::int64_t const own = round_up(on::workspace_bytes_at(extents.symbols()), 256), numbers = own + round_up(gifts::value.scratch_bytes, 256), results = numbers + round_up(rule::numbers * scalar_slot_bytes, 256);

    void* owners[in_count + 1];
    call_pointers<in_count, out_count, plan::size.symbols> at;
    for (int i = 0; i < plan::size.symbols; ++i) at.symbols[i] = extents.symbols()[i];
    at.workspace = workspace_on(stream, static_cast<std::size_t>(device.graph ? results + recorded::value.bytes : results));
    std::array<cudaStream_t, in_count + 1> streams{};  // of what is read here
    int n = 0;
    std::size_t number_bytes[in_count + 1] = {};
    auto const add = [&](auto& leaf) {
      using L = std::remove_cvref_t<decltype(leaf)>;
      owners[n] = const_cast<void*>(static_cast<void const*>(&leaf));
      if constexpr (operand<L>) {
        if (!leaf.owns_elements()) fail<error>("an argument of a function on the GPU was moved from");
        at.inputs[n] = const_cast<void*>(static_cast<void const*>(leaf.data()));
        streams[static_cast<std::size_t>(n)] = leaf.stream();
      } else number_bytes[n] = sizeof(L);
      ++n;
    };
    (for_each_leaf(args, add), ...);

    int next = 0;
    auto make = [&]<class L>() -> L {
      extent_t wanted[max_rank + 1] = {};
      if constexpr (has_symbols<plan>) extents.call.output_extents(in_count, next, wanted);
      int const from = gifts::value.of[next++].input;
      bool takes = from >= 0;
      if constexpr (has_own_extents<L>) {
        // The memory of an argument, if that is as large at this call.
        for (int i = 0; i < L::rank && takes; ++i) takes = static_cast<L*>(owners[from])->extents()[i] == wanted[i];
      }
      if (!takes) {
        L fresh(uninitialized, device);
        if constexpr (has_own_extents<L>) fresh.take_extents(wanted);
        return fresh;
      }
      L given(static_cast<L&&>(*static_cast<L*>(owners[from])));
      given.move_to(stream);
      return given;
    };
    result out = build_tree<result>(make, made::there);

    n = 0;
    void* copies[out_count + 1] = {};
    for_each_leaf(out, [&](auto& leaf) {
      at.destinations[n] = at.outputs[n] = leaf.data();
      donation const d = gifts::value.of[n];
      if (d.input >= 0 && !d.in_place) at.outputs[n] = at.workspace + own + d.scratch;
      if (std::int64_t const place = recorded::value.place[n]; device.graph && place >= 0) copies[n] = at.destinations[n] = at.outputs[n] = at.workspace + results + place;
      ++n;
    });
    // Numbers are on this side: they travel before the kernels, also before those of a graph, so that a replay sees the new ones.
    if constexpr (rule::numbers > 0) {
      std::byte* slot = at.workspace + numbers;
      number_sender sender(stream);
      for (int i = 0; i < in_count; ++i) {
        if (number_bytes[i] == 0) continue;
        sender.send(slot, owners[i], number_bytes[i]);
        at.inputs[i] = slot;
        slot += scalar_slot_bytes;
      }
      sender.finish();
    }
    auto const copy = [&](void* const* to, void* const* from, cudaStream_t into) {
      int k = 0;
      for_each_leaf(out, [&](auto& leaf) {
        void* const there = to != nullptr ? to[k] : leaf.data();
        if (from[k] != nullptr && from[k] != there) check_cuda(cudaMemcpyAsync(there, from[k], leaf.size() * sizeof(*leaf.data()), cudaMemcpyDeviceToDevice, into));
        ++k;
      });
    };
    auto const kernels = [&](cudaStream_t into) {
      on::run({at.inputs, at.outputs, at.workspace, at.symbols}, into);
      if constexpr (gifts::value.scratch_bytes > 0) copy(at.destinations, at.outputs, into);
    };
    // What arguments depend on in other streams is waited for; and what happens to them there later, their end too, waits for this call.
    for (cudaStream_t const of : streams) order_streams(of, stream);
    if (device.graph) {
      recorded_calls<plan, in_count, out_count>::get().run(at, stream, kernels);
      copy(nullptr, copies, stream);
    } else {
      kernels(stream);
    }
    for (cudaStream_t const of : streams) order_streams(stream, of);
    return out;
  }
  template <class... Args>
  static auto failed_result() {
    auto make = [&]<class L>() { return L(no_elements_t{}); };  // &: nvcc warns of the conversion to a function that lambdas without have
    return build_tree<result_t<Args...>>(make);
  }
  template <class... Args>
  static auto call(cuda const& device, Args&&... args) {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(optionals_rule<F, tree_value_t<Args>...>);
    if constexpr (!is_transformable<F>) {
      return no_result{};
    } else {
      using list = typename given_leaves<void, Args...>::list;
      (void)sizeof(rule_of_arguments<list>);
      if constexpr (rule_of_arguments<list>::fits) return run(device, materialize(static_cast<Args&&>(args))...);
      else return no_result{};
    }
  }
  /// Arguments are tensors here.
  template <class... Args>
  static auto run(cuda const& device, Args&&... args) {
    auto const run_program = [&]<class Source, class There>() {
      constexpr bool runs = runs_on_gpu<planned<on_device<Source>>>;
      (void)sizeof(extents_on_gpu<runs>);
      if constexpr (runs) return run_plan<Source, There>(device, static_cast<Args&&>(args)...);
      else return failed_result<Args...>();
    };
    if constexpr (optional_count<Args...> > 0) {
      using programs = programs_of_presence<F, on_device, tree_value_t<Args>...>;
      if constexpr (programs::choices::fits) return programs::template run<result_t<Args...>>(presence_of(args...), run_program, [&] { return failed_result<Args...>(); });
      else return failed_result<Args...>();
    } else {
      constexpr program_error error = program<Args...>::size.error;
      (void)sizeof(program_rule<error>);
      (void)sizeof(presence_rule<error>);
      if constexpr (error == program_error::none) return run_program.template operator()<traced_source<F, tree_value_t<Args>...>, void>();
      else return failed_result<Args...>();
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
