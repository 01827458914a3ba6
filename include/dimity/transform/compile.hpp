// compile(f): f as one planned program. A call evaluates it in this thread's workspace; it allocates nothing but results that do not fit inline and replace no moved argument.
#pragma once

#include <dimity/transform/presence.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE {
namespace detail {

/// An argument as it is given: lvalues are read where they are, temporaries and moved ones are donated.
template <class X>
inline constexpr bool is_donated = !std::is_lvalue_reference_v<X> && !std::is_const_v<std::remove_reference_t<X>>;

struct donation {
  int input = -1;          ///< whose memory becomes the output's
  bool in_place = false;   ///< written directly; otherwise through scratch memory, copied at the end
  std::int64_t scratch = 0;
};

template <class L>
inline constexpr bool owns_heap_block = false;
template <class T, extent_t... E>
inline constexpr bool owns_heap_block<tensor<T, E...>> = has_run_time_extent<E...> || sizeof(T) * static_cast<std::size_t>(shape<E...>::size) > inline_storage_bytes<tensor<T, E...>>;
/// Whether a tensor of this type has extents of its own.
template <class L>
inline constexpr bool has_own_extents = requires(L x, extent_t const* e) { x.take_extents(e); };

template <class A, class B>
inline constexpr bool same_block = std::is_same_v<A, B>;

template <class Plan, class In, class Out, bool... Given>
struct donations;
template <class Plan, class... In, class... Out, bool... Given>
struct donations<Plan, leaf_list<In...>, leaf_list<Out...>, Given...> {
  static constexpr int inputs = static_cast<int>(sizeof...(In)), outputs = static_cast<int>(sizeof...(Out));
  struct table {
    donation of[outputs + 1] = {};
    bool taken[inputs + 1] = {};
    std::int64_t scratch_bytes = 0;
  };
  template <class O>
  static constexpr void choose(table& t, int output) {
    if constexpr (owns_heap_block<O>) {
      constexpr bool given[] = {Given..., false};
      constexpr bool same[] = {same_block<O, In>..., false};
      // An argument that may be overwritten directly is worth more than the first one that fits.
      for (int pass = 0; pass < 2; ++pass)
        for (int i = 0; i < inputs; ++i) {
          if (!given[i] || !same[i] || t.taken[i]) continue;
          bool const direct = may_overwrite(Plan::value, output, i);
          if (!direct && (pass == 0 || has_own_extents<O>)) continue;
          t.taken[i] = true;
          t.of[output] = {i, direct, 0};
          if (!direct) {
            t.of[output].scratch = t.scratch_bytes;
            t.scratch_bytes += round_up(static_cast<std::int64_t>(sizeof(typename O::value_type)) * shape_of<O>::size, buffer_alignment);
          }
          return;
        }
    }
  }
  static constexpr table value = [] {
    table t;
    // One by one: g++ 12 loses the default of the elements behind the first that is assigned to when that is not element 0.
    for (donation& d : t.of) d = {};
    int output = 0;
    (choose<Out>(t, output++), ...);
    return t;
  }();
};

template <bool Value, class List>
struct flags_for;

/// One bool for each leaf: is its argument donated?
template <bool... B>
struct bools {};
template <class... B>
struct join_bools {
  using type = bools<>;
};
template <bool... A>
struct join_bools<bools<A...>> {
  using type = bools<A...>;
};
template <bool... A, bool... B, class... Rest>
struct join_bools<bools<A...>, bools<B...>, Rest...> : join_bools<bools<A..., B...>, Rest...> {};
template <bool Value, class... L>
struct flags_for<Value, leaf_list<L...>> {
  using type = bools<((void)sizeof(L), Value)...>;
};
template <class Plan, class In, class Out, class Flags>
struct donations_of;
template <class Plan, class In, class Out, bool... B>
struct donations_of<Plan, In, Out, bools<B...>> : donations<Plan, In, Out, B...> {};

/// The leaves that a program is given, and for each of them whether its argument is donated.
template <class There, class... Args>
struct given_leaves {
  using list = typename join_leaves<leaves_t<tree_value_t<Args>>...>::type;
  using flags = typename join_bools<typename flags_for<is_donated<Args>, leaves_t<tree_value_t<Args>>>::type...>::type;
};
/// Of a list, what is there in a tree of this type.
template <class Tree, presence There, class List>
struct leaves_of_presence;
template <class Tree, presence There, class... L>
struct leaves_of_presence<Tree, There, leaf_list<L...>> {
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> typename join_leaves<std::conditional_t<places_of<Tree>.has_leaf(There, static_cast<int>(I)), leaf_list<L>, leaf_list<>>...>::type;
  using type = decltype(make(std::index_sequence_for<L...>{}));
};
template <class Tree, presence There, bool... B>
struct leaves_of_presence<Tree, There, bools<B...>> {
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> typename join_bools<std::conditional_t<places_of<Tree>.has_leaf(There, static_cast<int>(I)), bools<B>, bools<>>...>::type;
  using type = decltype(make(std::make_index_sequence<sizeof...(B)>{}));
};
template <presence There, class... Args>
struct given_leaves<std::integral_constant<presence, There>, Args...> {
  using all = given_leaves<void, Args...>;
  using tree = std::tuple<tree_value_t<Args>...>;
  using list = typename leaves_of_presence<tree, There, typename all::list>::type;
  using flags = typename leaves_of_presence<tree, There, typename all::flags>::type;
};
/// The leaves of a result that a program makes.
template <class Source, class Result>
struct made_leaves {
  static constexpr presence there = 0;
  using list = leaves_t<Result>;
};
template <class Source, class Result>
  requires(optional_count<Result> > 0)
struct made_leaves<Source, Result> {
  static constexpr presence there = trial<Source>::outcome.result_there;
  using list = typename leaves_of_presence<Result, there, leaves_t<Result>>::type;
};

/// Tensors and scalars pass through; expressions and views are evaluated into tensors first.
template <class X>
constexpr decltype(auto) materialize(X&& x) {
  using V = tree_value_t<X>;
  if constexpr (std::is_same_v<V, std::remove_cvref_t<X>>) return static_cast<X&&>(x);
  else if constexpr (operand<X>) return V(static_cast<X&&>(x));
  else if constexpr (is_optional<V>) return x.has_value() ? V(materialize(*static_cast<X&&>(x))) : V();
  else return std::apply([](auto&&... e) { return V{tree_value_t<decltype(e)>(materialize(static_cast<decltype(e)&&>(e)))...}; }, static_cast<X&&>(x));
}

/// The extents of all tensors in the arguments, checked; nothing where all are known.
template <class Plan, class Inputs>
struct run_extents {
  explicit run_extents(auto const&...) {}
  static constexpr extent_t const* symbols() { return nullptr; }
};
template <class Plan, class Inputs>
  requires has_symbols<Plan>
struct run_extents<Plan, Inputs> {
  struct given_extents {
    extent_t const* of[Inputs::size + 1];
    explicit given_extents(auto const&... args) {
      int n = 0;
      auto const add = [&](auto const& leaf) {
        if constexpr (operand<decltype(leaf)>) of[n++] = extents_of(leaf);
        else of[n++] = extents_of_type<shape<>>;
      };
      (for_each_leaf(args, add), ...);
    }
  };
  call_extents<Plan> call;
  explicit run_extents(auto const&... args) : call(given_extents(args...).of, Inputs::size) {}
  extent_t const* symbols() const { return call.values; }
};

/// Another device than this machine on which a leaf is, or void.
template <class L>
struct device_of_leaf {
  using type = void;
};
template <class List>
struct device_of_leaves;
template <class... L>
struct device_of_leaves<leaf_list<L...>> {
  using type = void;
};
template <class L, class... Rest>
  requires(!std::is_void_v<typename device_of_leaf<L>::type> || ... || !std::is_void_v<typename device_of_leaf<Rest>::type>)
struct device_of_leaves<leaf_list<L, Rest...>> {
  using type = typename std::conditional_t<std::is_void_v<typename device_of_leaf<L>::type>, device_of_leaves<leaf_list<Rest...>>, device_of_leaf<L>>::type;
};

/// The programs of a function for what may be there of its arguments' optionals. `OfDevice` makes of a source that of the device.
template <class F, template <class> class OfDevice, class... Args>
struct programs_of_presence {
  using choices = presence_choices<F, Args...>;
  template <bool IsAll, class Source>
  static constexpr bool is_traceable = [] {
    if constexpr (IsAll) return true;
    else return trial<Source>::value;
  }();
  /// Without a plan for a program that is not run.
  template <bool IsAll, class Source>
  static constexpr program_error program_error_of() {
    if constexpr (IsAll) return planned<OfDevice<Source>>::size.error;
    else if constexpr (trial<Source>::outcome.error != program_error::none) return trial<Source>::outcome.error;
    else return planned<OfDevice<Source>>::size.error;
  }
  /// Runs the program for what is there: `run.template operator()<Source, There>()`. `failed` gives the result where there is an error.
  template <class Result, int I = 0, class Run, class Failed>
  static Result run(presence there, Run const& run_program, Failed const& failed) {
    if constexpr (I == 0)
      if (!choices::is_one(there)) fail<presence_error>(presence_text);
    constexpr presence mine = choices::value.of[I];
    if constexpr (I + 1 < choices::value.count)
      if (there != mine) return run<Result, I + 1>(there, run_program, failed);
    // With everything there a function that cannot be traced is a mistake, with its own error.
    constexpr bool is_all = I + 1 == choices::value.count;
    using some = std::conditional_t<is_all, traced_source<F, Args...>, partial_source<mine, F, Args...>>;
    if constexpr (!is_traceable<is_all, some>) {
      fail<presence_error>("a transformed function uses an optional of its arguments that is not there");
    } else if constexpr (constexpr program_error error = program_error_of<is_all, some>(); error == program_error::presence_differs) {
      fail<presence_error>(presence_text);
    } else {
      (void)sizeof(program_rule<error>);
      if constexpr (error == program_error::none) return run_program.template operator()<some, std::integral_constant<presence, mine>>();
      else return failed();
    }
  }
};

template <class F, class Device = simd_device>
struct compiled_call {
  template <class... Args>
  using source = traced_source<F, tree_value_t<Args>...>;
  template <class... Args>
  using program = planned<source<Args...>>;
  template <class... Args>
  static constexpr std::int64_t workspace_bytes = program<Args...>::value.workspace_bytes;
  template <class... Args>
  using result_t = untraced_tree_t<typename source<Args...>::result>;

  /// Arguments are tensors here.
  template <class... Args>
  static auto run(Args&&... args) {
    if constexpr (source<Args...>::failed) {
      return failed_result<Args...>();
    } else if constexpr (optional_count<Args...> > 0) {
      using programs = programs_of_presence<F, std::type_identity_t, tree_value_t<Args>...>;
      if constexpr (programs::choices::fits) {
        auto const run_program = [&]<class Source, class There>() { return run_plan<Source, There>(static_cast<Args&&>(args)...); };
        return programs::template run<result_t<Args...>>(presence_of(args...), run_program, [&] { return failed_result<Args...>(); });
      } else {
        return failed_result<Args...>();
      }
    } else {
      constexpr program_error error = program<Args...>::size.error;
      (void)sizeof(program_rule<error>);
      (void)sizeof(presence_rule<error>);
      if constexpr (error == program_error::none) return run_plan<source<Args...>, void>(static_cast<Args&&>(args)...);
      else return failed_result<Args...>();
    }
  }
  template <class... Args>
  static auto failed_result() {
    auto make = [&]<class L>() { return L{}; };  // &: nvcc warns of the conversion to a function that lambdas without have
    return build_tree<result_t<Args...>>(make);
  }
  /// `There` says which optionals of the arguments are there; void: they have none.
  template <class Source, class There, class... Args>
  static auto run_plan(Args&&... args) {
    using plan = planned<Source>;
    using result = result_t<Args...>;
    using given = given_leaves<There, Args...>;
    using made = made_leaves<Source, result>;
    using inputs_list = typename given::list;
    using gifts = donations_of<plan, inputs_list, typename made::list, typename given::flags>;
    constexpr int in_count = inputs_list::size, out_count = made::list::size;

    void* inputs[in_count + 1];
    void* owners[in_count + 1];
    // Compilers do not see that what is there are as many as the program has inputs.
    if constexpr (!std::is_void_v<There>)
      for (int i = 0; i < in_count; ++i) inputs[i] = owners[i] = nullptr;
    int n = 0;
    auto const add = [&](auto& leaf) {
      using L = std::remove_cvref_t<decltype(leaf)>;
      if constexpr (operand<L>) inputs[n] = const_cast<void*>(static_cast<void const*>(leaf.data()));
      else inputs[n] = const_cast<void*>(static_cast<void const*>(&leaf));
      owners[n++] = const_cast<void*>(static_cast<void const*>(&leaf));
    };
    (for_each_leaf(args, add), ...);

    run_extents<plan, inputs_list> const extents(args...);
    int next = 0;
    auto make = [&]<class L>() -> L {
      if constexpr (has_own_extents<L>) {
        extent_t wanted[max_rank] = {};
        if constexpr (has_symbols<plan>) extents.call.output_extents(in_count, next, wanted);
        int const from = gifts::value.of[next++].input;
        L fresh;
        if (from >= 0) {
          // Its memory, if it is as large at this call.
          L& given = *static_cast<L*>(owners[from]);
          bool same = true;
          for (int i = 0; i < L::rank; ++i) same = same && given.extents()[i] == wanted[i];
          if (same) return L(static_cast<L&&>(given));
        }
        fresh.take_extents(wanted);
        return fresh;
      } else if constexpr (owns_heap_block<L>) {
        int const from = gifts::value.of[next++].input;
        if (from >= 0) return L(static_cast<L&&>(*static_cast<L*>(owners[from])));
        return L(uninitialized);
      } else if constexpr (operand<L>) {
        ++next;
        return L(uninitialized);
      } else {
        ++next;
        return L{};
      }
    };
    result out = build_tree<result>(make, made::there);

    constexpr std::int64_t own = round_up(plan::value.workspace_bytes, buffer_alignment), total = own + gifts::value.scratch_bytes;
    std::byte* workspace = nullptr;
    [[maybe_unused]] std::int64_t after_own = own;  // where the scratch memory of donated arguments begins
    if constexpr (plan::size.regions > 0) {
      after_own = round_up(workspace_needed<plan>(extents.symbols()), buffer_alignment);
      workspace = workspace_of_thread(static_cast<std::size_t>(after_own + gifts::value.scratch_bytes));
    } else if constexpr (total > 0) workspace = workspace_of_thread<static_cast<std::size_t>(total)>();
    void* outputs[out_count + 1];
    void* destinations[out_count + 1];
    if constexpr (optional_count<result> > 0)
      for (int i = 0; i < out_count; ++i) outputs[i] = destinations[i] = nullptr;
    n = 0;
    for_each_leaf(out, [&](auto& leaf) {
      if constexpr (operand<decltype(leaf)>) outputs[n] = leaf.data();
      else outputs[n] = &leaf;
      destinations[n] = outputs[n];
      donation const d = gifts::value.of[n];
      if (d.input >= 0 && !d.in_place) outputs[n] = workspace + after_own + d.scratch;
      ++n;
    });
    executor<typename plan_on<Device, plan>::type>::run({inputs, outputs, workspace, extents.symbols()});
    if constexpr (gifts::value.scratch_bytes > 0) {
      n = 0;
      for_each_leaf(out, [&](auto& leaf) {
        if (outputs[n] != destinations[n])
          if constexpr (operand<decltype(leaf)>) std::memcpy(destinations[n], outputs[n], leaf.size() * sizeof(*leaf.data()));
        ++n;
      });
    }
    return out;
  }

  template <class... Args>
  static auto call(Args&&... args) {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(optionals_rule<F, tree_value_t<Args>...>);
    using elsewhere = typename device_of_leaves<typename join_leaves<leaves_t<Args>...>::type>::type;
    if constexpr (!is_transformable<F>) return no_result{};
    else if constexpr (!std::is_void_v<elsewhere>) return compiled_call<F, elsewhere>::call(elsewhere{}, static_cast<Args&&>(args)...);
    else return [](auto&&... values) { return run(static_cast<decltype(values)&&>(values)...); }(materialize(static_cast<Args&&>(args))...);
  }
};

}  // namespace detail

/// A function as one program; see compile().
template <class F, class Device = simd_device>
struct compiled_function {
  [[no_unique_address]] Device device{};

  /// Runs the program. Arguments and results are pytrees; an argument passed with std::move is overwritten by a result of the same type. Where arguments have optionals, the program for those that are
  /// there; presence_error if the function uses one that is not, or if trees that belong together differ.
  template <class... Args>
  constexpr auto operator()(Args&&... args) const {
    (void)sizeof(detail::tree_rule<Args...>);
    if constexpr (!detail::are_trees<Args...>) return detail::no_result{};
    else if constexpr ((detail::is_traced_tree<Args> || ...)) return F{}(args...);
    else {
      if constexpr (detail::is_transformable<F>) {
        // Here first, where an error message about the function's body has the fewest lines above it.
        using body = decltype(F{}(std::declval<detail::traced_tree_t<detail::tree_value_t<Args>>&>()...));
        (void)sizeof(body*);
      }
      detail::device_scope<Device> const scope(device);
      if constexpr (requires { detail::compiled_call<F, Device>::takes_device; }) return detail::compiled_call<F, Device>::call(device, static_cast<Args&&>(args)...);
      else return detail::compiled_call<F, Device>::call(static_cast<Args&&>(args)...);
    }
  }
  /// Bytes of scratch memory that a call with such arguments needs, all their optionals there: a compile-time constant. Without what depends on extents chosen at run time, for which see workspace_bytes_for().
  template <class... Args>
  static constexpr std::size_t workspace_bytes = static_cast<std::size_t>(detail::compiled_call<F, Device>::template workspace_bytes<Args...>);
  /// The same with extents chosen at run time, in the order in which the arguments have them (each name once): a linear function of products of them, up to alignment. Usable in constant expressions.
  template <class... Args, std::integral... N>
  static constexpr std::size_t workspace_bytes_for(N... extents) {
    using plan = typename detail::compiled_call<F, Device>::template program<Args...>;
    extent_t const given[] = {static_cast<extent_t>(extents)..., 0};
    return detail::workspace_for<plan>(given, static_cast<int>(sizeof...(N)));
  }
  /// The plan of a call with such arguments, all their optionals there, to print() or to assert on.
  template <class... Args>
  static constexpr auto plan = detail::compiled_call<F, Device>::template program<Args...>::value;
};

/// Turns a captureless function of tensors, scalars and aggregates of them into one program that is traced, differentiated where asked, fused and planned at compile time.
template <class F>
constexpr compiled_function<F> compile(F const&) {
  (void)sizeof(detail::transformable_function<F>);
  return {};
}

/// The same on a device: `compile(f, cpu{.threads = 4})` divides long steps among threads, `compile(f, scalar)` runs one element at a time.
template <class F, class Device>
constexpr compiled_function<F, Device> compile(F const&, Device device) {
  (void)sizeof(detail::transformable_function<F>);
  return {device};
}

}  // namespace DIMITY_NAMESPACE
