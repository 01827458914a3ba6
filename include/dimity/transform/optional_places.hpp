// Where the optionals of a tree type are: which leaves are inside of them, and which have to be there together.
#pragma once

#include <dimity/core/pytree.hpp>

namespace DIMITY_NAMESPACE::detail {

/// f.template operator()<Field>() for the types of a tuple, a pair or a struct.
template <class X, class F>
constexpr void for_each_field_type(F const& f) {
  if constexpr (is_tuple<X>) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<std::remove_cvref_t<std::tuple_element_t<I, X>>>(), ...); }(std::make_index_sequence<std::tuple_size_v<X>>{});
  } else {
    using fields = decltype(fields_of(std::declval<X&>()));
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<std::remove_cvref_t<std::tuple_element_t<I, fields>>>(), ...); }(std::make_index_sequence<std::tuple_size_v<fields>>{});
  }
}

/// For a struct that has nothing but trees of one type M and of one presence in it (the state of an optimizer): M. If the arguments of a call have one M beside it, it has the optionals of that.
template <class X>
struct state_of_tree {
  using type = void;
};
/// The first optional of the one tree of type M in a tree, outside of states; -1 if there are several, or none.
template <class M>
struct tree_search {
  int at = 0, found = -1, count = 0;
  template <class Part>
  constexpr void walk() {
    if constexpr (std::is_same_v<Part, M>) {
      found = at;
      ++count;
      at += optional_count<Part>;
    } else if constexpr (optional_count<Part> == 0 || !std::is_void_v<typename state_of_tree<Part>::type>) {
      at += optional_count<Part>;
    } else if constexpr (is_optional<Part>) {
      ++at;
      walk<typename Part::value_type>();
    } else if constexpr (is_array<Part>) {
      for (std::size_t i = 0; i < std::tuple_size_v<Part>; ++i) walk<typename Part::value_type>();
    } else {
      for_each_field_type<Part>([&]<class Field>() { walk<Field>(); });
    }
  }
};

/// For a tree type: the innermost optional around each leaf and around each optional, by their numbers; -1 for none.
template <class X>
struct optional_places {
  int of_leaf[leaf_count<X> + 1] = {};
  int of_optional[optional_count<X> + 1] = {};
  int same_as[optional_count<X> + 1] = {};  ///< the optional that must be there exactly when this one is; usually itself
  int leaves = 0, optionals = 0;

  constexpr optional_places() { walk<X>(-1); }
  /// Whether such a presence exists.
  constexpr bool is_possible(presence p) const {
    for (int i = 0; i < optionals; ++i)
      if ((p >> i & 1u) != 0 && of_optional[i] >= 0 && (p >> of_optional[i] & 1u) == 0) return false;
    return true;
  }
  constexpr bool has_leaf(presence p, int leaf) const { return of_leaf[leaf] < 0 || (p >> of_leaf[leaf] & 1u) != 0; }
  constexpr int leaves_there(presence p) const {
    int n = 0;
    for (int i = 0; i < leaves; ++i) n += has_leaf(p, i) ? 1 : 0;
    return n;
  }

 private:
  template <class Part>
  constexpr void walk(int inside) {
    if constexpr (optional_count<Part> == 0) {
      for (int i = 0; i < leaf_count<Part>; ++i) of_leaf[leaves++] = inside;
    } else if constexpr (is_optional<Part>) {
      int const mine = optionals++;
      of_optional[mine] = inside;
      same_as[mine] = mine;
      walk<typename Part::value_type>(mine);
    } else if constexpr (is_array<Part>) {
      for (std::size_t i = 0; i < std::tuple_size_v<Part>; ++i) walk<typename Part::value_type>(inside);
    } else {
      int const first = optionals;
      for_each_field_type<Part>([&]<class Field>() { walk<Field>(inside); });
      using model = typename state_of_tree<Part>::type;
      if constexpr (!std::is_void_v<model>) {
        tree_search<model> search;
        search.template walk<X>();
        for (int i = first; i < optionals; ++i) same_as[i] = (search.count == 1 ? search.found : first) + (i - first) % optional_count<model>;
      }
    }
  }
};
template <class X>
inline constexpr optional_places<X> places_of{};
/// The number of leaves of a tree type that are there.
template <class X>
constexpr int leaves_there([[maybe_unused]] presence p) {
  if constexpr (optional_count<X> == 0) return leaf_count<X>;
  else return places_of<X>.leaves_there(p);
}

}  // namespace DIMITY_NAMESPACE::detail
