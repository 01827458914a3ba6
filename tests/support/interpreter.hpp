// A reference interpreter of programs, raw or finished, for tests. What it computes is what the passes and the kernels have to agree with.
#pragma once

#include "interpreter_control.hpp"
#include "interpreter_convolution.hpp"
#include "interpreter_matrices.hpp"

#include <memory>
#include <unordered_map>

namespace test {

/// The values of a program's nodes for one set of inputs, by input number. An input that has a shape but no elements is one that nothing may depend on.
class interpreter {
 public:
  interpreter(builder const& program, std::vector<array> const& inputs) : g_(program), inputs_(inputs), shapes_of_inputs_(inputs) {}
  interpreter(interpreter const&) = delete;
  interpreter& operator=(interpreter const&) = delete;

  array const& operator[](int id) {
    if (auto const known = values_.find(id); known != values_.end()) return known->second;
    array value;
    if (!find_given(id, value)) value = computed(g_.nodes[id]);
    if (value.shape != shape_of(id) || static_cast<std::int64_t>(value.elements.size()) != count_elements(value.shape))
      throw std::runtime_error(std::string("interpreter: a shape that is not that of ") + name_of(g_.nodes[id].op));
    for (double& x : value.elements) x = as_type(g_.type(id), x);
    return values_.emplace(id, std::move(value)).first->second;
  }
  std::int64_t number(amount a) const {
    std::int64_t n = a.coefficient();
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) n *= number(g_.extents->symbols[a.factor(i)]);
    return n;
  }
  indices shape_of(shape_value const& s) const {
    indices shape;
    for (int i = 0; i < s.rank; ++i) shape.push_back(number(s.extent[i]));
    return shape;
  }
  indices shape_of(int id) const { return shape_of(g_.shape(id)); }

 private:
  /// An iteration of a raw program's loop, or a branch.
  interpreter(interpreter& outside, control const& within, interpreter* previous, std::int64_t row)
      : g_(outside.g_), inputs_(outside.inputs_), shapes_of_inputs_(outside.shapes_of_inputs_), outside_(&outside), previous_(previous), within_(&within), row_(row) {}
  /// A finished program's body.
  interpreter(interpreter const& outside, builder const& program, std::vector<array> const& inputs) : g_(program), inputs_(inputs), shapes_of_inputs_(outside.shapes_of_inputs_) {}

  std::int64_t number(extent_symbol const& s) const {
    switch (s.kind) {
      case symbol_kind::axis: return shapes_of_inputs_[static_cast<std::size_t>(s.input)].shape[static_cast<std::size_t>(s.axis)];
      case symbol_kind::sum: return number(s.a) + number(s.b);
      case symbol_kind::quotient: return (number(s.a) + number(s.b) - 1) / number(s.b);
      case symbol_kind::minimum: return std::min(number(s.a), number(s.b));
      case symbol_kind::maximum: return std::max(number(s.a), number(s.b));
      case symbol_kind::replaced: return number(s.a);
      default: throw std::runtime_error("interpreter: an extent that is nowhere");
    }
  }
  std::int64_t pooled(node const& n, std::size_t i) const { return number(amount(g_.pool[static_cast<int>(n.attribute) + static_cast<int>(i)])); }

  array computed(node const& n) {
    indices const shape = shape_of(g_.shapes[n.shape]);
    auto const axis = static_cast<std::size_t>(n.attribute & 15);
    auto const all = [&](double value) { return made_of(shape, [&](indices const&) { return value; }); };
    switch (n.op) {
      case primitive::input: {
        array const& x = inputs_.at(static_cast<std::size_t>(n.attribute));
        if (x.elements.empty() && count_elements(x.shape) > 0) throw std::runtime_error("interpreter: something depends on an input that was replaced");
        return x;
      }
      case primitive::block_input: throw std::runtime_error("interpreter: a block input outside of its body");
      case primitive::constant: return all(constant_value(n));
      case primitive::extent: return all(static_cast<double>(number(amount(n.attribute))));
      case primitive::iota: return made_of(shape, [&](indices const& at) { return static_cast<double>(at[axis]); });
      case primitive::control_result: return g_.closed.size() > 0 ? results_of_closed(n.arg[0])[static_cast<std::size_t>(n.attribute)] : result(n);
      case primitive::after: return (*this)[n.arg[kept_operands(n, false).begin]];
      default: break;
    }
    if (n.op == primitive::control || n.op >= primitive::count) no_definition(n.op);
    array const& x = (*this)[n.arg[0]];
    array const nothing;
    array const &y = arity_of(n.op) > 1 ? (*this)[n.arg[1]] : nothing, &z = arity_of(n.op) > 2 ? (*this)[n.arg[2]] : nothing;
    if (family_of(n.op) == family::elementwise) {
      bool const floating = is_floating(g_.type(n.arg[0]));
      return made_of(shape, [&](indices const& at) { return elementwise_value(n.op, floating, element(x, at), arity_of(n.op) > 1 ? element(y, at) : 0, arity_of(n.op) > 2 ? element(z, at) : 0); });
    }
    if (family_of(n.op) == family::reduction) return reduced(n.op, x, n.attribute, shape);
    std::size_t const rank = shape.size();
    auto const read = [&](auto const& index_of) { return made_of(shape, [&](indices const& at) { return element(x, index_of(at)); }); };
    switch (n.op) {
      case primitive::reshape: return {shape, x.elements};
      case primitive::debug_print:
      case primitive::check_finite: return x;
      case primitive::broadcast:
      case primitive::transpose: return read([&](indices const& at) {
        indices from(x.shape.size(), 0);
        axis_map const map{static_cast<std::uint32_t>(n.attribute)};
        for (std::size_t i = 0; i < rank; ++i)
          if (int const to = map[static_cast<int>(i)]; to >= 0) from[static_cast<std::size_t>(to)] = at[i];
        return from;
      });
      case primitive::slice: return read([&](indices at) {
        for (std::size_t i = 0; i < rank; ++i) at[i] = pooled(n, i) + at[i] * pooled(n, rank + i);
        return at;
      });
      case primitive::pad: {
        array result = all(0);
        for_each_place(x.shape, [&](indices const& at) {
          indices to = at;
          for (std::size_t i = 0; i < rank; ++i) to[i] = pooled(n, i) + at[i] * pooled(n, rank + i);
          element(result, to) = element(x, at);
        });
        return result;
      }
      case primitive::concat: return made_of(shape, [&](indices const& at) {
        std::int64_t const first = x.shape[axis];
        return at[axis] < first ? element(x, at) : element(y, with(at, axis, at[axis] - first));
      });
      case primitive::argmax:
      case primitive::argmin: return made_of(shape, [&](indices at) {
        at.insert(at.begin() + static_cast<std::ptrdiff_t>(axis), 0);
        std::int64_t best = 0;
        for (std::int64_t i = 1; i < x.shape[axis]; ++i) {
          double const now = element(x, with(at, axis, best)), next = element(x, with(at, axis, i));
          if (n.op == primitive::argmax ? next > now : next < now) best = i;
        }
        return static_cast<double>(best);
      });
      case primitive::cumulative_sum:
      case primitive::cumulative_prod: return made_of(shape, [&](indices const& at) {
        bool const from_end = (n.attribute & 16) != 0;
        double value = element(x, at);
        for (std::int64_t i = from_end ? at[axis] + 1 : 0; i < (from_end ? shape[axis] : at[axis]); ++i) value = combined(n.op, value, element(x, with(at, axis, i)));
        return value;
      });
      case primitive::dot: return made_of(shape, [&](indices const& at) {
        double sum = 0;
        for (std::int64_t k = 0; k < x.shape[rank - 1]; ++k) sum += element(x, with(at, rank - 1, k)) * element(y, with(at, rank - 2, k));
        return sum;
      });
      case primitive::gather: return read([&](indices const& at) { return with(at, 1, inside(y.elements[static_cast<std::size_t>(at[1])], x.shape[1])); });
      case primitive::scatter_add: {
        array result = x;
        for_each_place(z.shape, [&](indices const& at) { element(result, with(at, 1, inside(y.elements[static_cast<std::size_t>(at[1])], x.shape[1]))) += element(z, at); });
        return result;
      }
      case primitive::random_bits: {
        std::size_t const batch = x.shape.size() - 1;
        return made_of(shape, [&](indices const& at) {
          indices const own(at.begin() + static_cast<std::ptrdiff_t>(batch), at.end()), rest(shape.begin() + static_cast<std::ptrdiff_t>(batch), shape.end());
          auto const word = [&](std::int64_t i) { return static_cast<std::uint32_t>(element(x, joined(before(at, batch), {i}))); };
          std::size_t const i = offset_of(rest, own);
          return static_cast<double>(philox4x32({{static_cast<std::uint32_t>(i / 4), 0, 0, 0}}, word(0), word(1)).word[i % 4]);
        });
      }
      case primitive::dynamic_slice: return read([&](indices const& at) { return moved(at, y, x.shape, shape); });
      case primitive::dynamic_update_slice: {
        array result = x;
        for_each_place(z.shape, [&](indices const& at) { element(result, moved(at, y, x.shape, z.shape)) = element(z, at); });
        return result;
      }
      case primitive::argsort: {
        array result = x;
        for_each_place(before(shape, rank - 1), [&](indices const& at) {
          std::vector<std::int64_t> order;
          for (std::int64_t i = 0; i < shape.back(); ++i) order.push_back(i);
          // Not std::stable_sort, which makes clang 19 warn of what libstdc++ 12 does in it.
          std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            double const left = element(x, joined(at, {a})), right = element(x, joined(at, {b}));
            return left < right || (left == right && a < b);
          });
          for (std::size_t i = 0; i < order.size(); ++i) element(result, joined(at, {static_cast<std::int64_t>(i)})) = static_cast<double>(order[i]);
        });
        return result;
      }
      case primitive::solve: return made_of_matrices(shape, [&](indices const& at) { return solved(matrix_at(x, at), matrix_at(y, at)); });
      case primitive::triangular_solve: return made_of_matrices(shape, [&](indices const& at) { return solved(triangle_of(matrix_at(x, at), n.attribute != 0), matrix_at(y, at)); });
      case primitive::cholesky: return made_of_matrices(shape, [&](indices const& at) { return cholesky_factor(matrix_at(x, at)); });
      case primitive::qr: return made_of_matrices(shape, [&](indices const& at) { return qr_factors(matrix_at(x, at)); });
      case primitive::eigh: return made_of_matrices(shape, [&](indices const& at) { return eigenvectors(matrix_at(x, at)); });
      case primitive::svd: return made_of_matrices(shape, [&](indices const& at) { return singular_vectors(matrix_at(x, at)); });
      case primitive::expm: return made_of_matrices(shape, [&](indices const& at) { return exponential(matrix_at(x, at)); });
      case primitive::fft: return made_of_matrices(shape, [&](indices const& at) { return fourier_sum(matrix_at(x, at), static_cast<std::size_t>(shape[rank - 1]), n.attribute != 0); });
      case primitive::rfft: {
        array const rows{joined(before(x.shape, x.shape.size() - 1), {1, x.shape.back()}), x.elements};
        return made_of_matrices(shape, [&](indices const& at) { return fourier_sum(matrix_at(rows, at), static_cast<std::size_t>(shape[rank - 1]), false); });
      }
      case primitive::irfft: {
        auto const count = static_cast<std::size_t>(shape[rank - 1]);
        array rows = made_of_matrices(joined(before(shape, rank - 1), {1, shape[rank - 1]}), [&](indices const& at) { return matrix{fourier_sum(whole_spectrum(matrix_at(x, at), count), count, true)[0]}; });
        return {shape, std::move(rows.elements)};
      }
      case primitive::convolution:
      case primitive::convolution_input_gradient:
      case primitive::convolution_kernel_gradient: return convolved(n.op, geometry_of(g_, n), x, y, shape);
      case primitive::window_max:
      case primitive::select_and_gather:
      case primitive::select_and_scatter: return of_windows(n.op, geometry_from(g_.pool.begin() + static_cast<int>(n.attribute)), x, y, shape);
      case primitive::slogdet: return made_of(shape, [&](indices const& at) {
        double const d = determinant(matrix_at(x, before(at, rank - 1)));
        return at.back() == 1 ? std::log(std::fabs(d)) : d > 0 ? 1 : d < 0 ? -1 : 0;
      });
      default: no_definition(n.op);
    }
  }
  static std::int64_t inside(double index, std::int64_t n) {
    auto i = static_cast<std::int64_t>(index);
    if (i < 0) i += n;
    return std::min(std::max(i, std::int64_t{0}), n - 1);
  }
  /// From an index into a block to the index into the whole, for the start of the entry that the index is in.
  static indices moved(indices at, array const& starts, indices const& whole, indices const& block) {
    std::size_t const batch = starts.shape.size() - 1;
    indices const entry = before(at, batch);
    for (std::size_t i = batch; i < at.size(); ++i) {
      auto start = static_cast<std::int64_t>(element(starts, joined(entry, {static_cast<std::int64_t>(i - batch)})));
      if (start < 0) start += whole[i];
      at[i] += std::min(std::max(start, std::int64_t{0}), whole[i] - block[i]);
    }
    return at;
  }

  values const& results_of_closed(int id) {
    if (auto const known = results_.find(id); known != results_.end()) return known->second;
    return results_.emplace(id, run(g_.closed[static_cast<int>(g_.nodes[id].attribute)])).first->second;
  }
  /// Of a raw program: a result asks for what it needs, iteration by iteration from the last, because not all that a control has must exist.
  array result(node const& n) {
    control const& c = g_.controls[static_cast<int>(g_.nodes[n.arg[0]].attribute)];
    int const k = static_cast<int>(n.attribute);
    auto& all = iterations_[n.arg[0]];
    std::int64_t const trips = number(c.trips);
    if (all.empty() && c.kind == control_kind::branches) all.emplace_back(new interpreter(*this, c, nullptr, 0));
    if (all.empty() && c.kind == control_kind::scan)
      for (std::int64_t t = 0; t < trips; ++t) all.emplace_back(new interpreter(*this, c, t == 0 ? nullptr : all.back().get(), c.from_end ? trips - 1 - t : t));
    if (all.empty() && c.kind == control_kind::while_loop)
      do {
        if (all.size() > 10000) throw std::runtime_error("interpreter: a while loop without an end");
        all.emplace_back(new interpreter(*this, c, all.empty() ? nullptr : all.back().get(), 0));
      } while ((*all.back())[c.head].elements[0] != 0);
    if (c.kind == control_kind::branches) {
      double const head = (*this)[c.head].elements[0];
      return (*all[0])[output_node(g_, c, static_cast<int>(std::min(std::max(head, 0.0), c.bodies - 1.0)), k)];
    }
    for (int j = 0; j < c.input_count; ++j) {
      control_input const& i = g_.control_inputs[c.inputs + j];
      if (i.carried != k) continue;
      if (c.kind == control_kind::while_loop) return (*all.back())[i.inner];  // that for which the condition failed
      return all.empty() ? (*this)[i.operand] : (*all.back())[output_node(g_, c, 0, k)];
    }
    array stacked = made_of(shape_of(g_.shapes[n.shape]), [](indices const&) { return 0.0; });
    for (auto const& iteration : all) set_entry(stacked, iteration->row_, (*iteration)[output_node(g_, c, 0, k)]);
    return stacked;
  }
  /// Inside of a body: a value that it is given, or that is outside.
  bool find_given(int id, array& value) {
    for (int j = 0; within_ != nullptr && j < within_->input_count; ++j) {
      control_input const& i = g_.control_inputs[within_->inputs + j];
      if (i.inner != id) continue;
      if (i.carried >= 0 && previous_ != nullptr) value = (*previous_)[output_node(g_, *within_, 0, i.carried)];
      else value = within_->kind == control_kind::scan && i.carried < 0 ? entry_of((*outside_)[i.operand], row_) : (*outside_)[i.operand];
      return true;
    }
    for (int j = 0; within_ != nullptr && j < within_->free_count; ++j)
      if (g_.control_nodes[within_->frees + j] == id) {
        value = (*outside_)[id];
        return true;
      }
    return false;
  }
  /// Of a finished program: bodies are programs.
  values run(closed_control const& c) {
    int const first_body = c.kind == control_kind::while_loop ? 1 : 0;
    given_control made{c.kind, c.from_end, number(c.trips), c.kind == control_kind::branches ? (*this)[c.head].elements[0] : 0, c.body_count};
    for (int j = 0; j < c.operand_count; ++j) {
      closed_operand const& o = g_.closed_operands[c.operands + j];
      made.operands.push_back({(*this)[o.node], o.entry, o.carried});
    }
    builder const& first = *g_.bodies.programs[c.bodies + first_body];
    for (std::int32_t const o : first.outputs) made.output_shapes.push_back(shape_of(first.shape(o)));
    auto const outputs_of = [&](int number_of_body, values const& given) {
      int const at = c.bodies + number_of_body;
      builder const& program = *g_.bodies.programs[at];
      values inputs, outputs;
      for (int i = 0; i < program.inputs; ++i) inputs.push_back(given[static_cast<std::size_t>(g_.bodies.inputs[g_.bodies.begin[at] + i])]);
      interpreter body(*this, program, inputs);
      for (std::int32_t const o : program.outputs) outputs.push_back(body[o]);
      return outputs;
    };
    return run_control(made, [&](int b, values const& given) { return outputs_of(b + first_body, given); }, [&](values const& given) { return outputs_of(0, given)[0].elements[0] != 0; });
  }

  builder const& g_;
  std::vector<array> const& inputs_;
  std::vector<array> const& shapes_of_inputs_;
  interpreter *outside_ = nullptr, *previous_ = nullptr;
  control const* within_ = nullptr;
  std::int64_t row_ = 0;
  std::unordered_map<int, array> values_;
  std::unordered_map<int, values> results_;
  std::unordered_map<int, std::vector<std::unique_ptr<interpreter>>> iterations_;
};

}  // namespace test
