// The picture of a training run: learning curves, and the images that the network reads wrongly. One SVG file without scripts or fonts of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <locale>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace digits {

struct epoch_record {
  int epoch;
  double train_loss, train_accuracy, test_loss, test_accuracy;  // accuracies in 0..1
};

struct mistake {
  std::array<unsigned char, 64> pixels;  // 8x8, row-major, 0..16
  int truth, predicted;
};

namespace detail {

inline constexpr std::string_view ink = "#1f2933", faint = "#66727f", grid = "#e4e8ec", train_colour = "#2b6cb0", test_colour = "#d9480f";

/// A number as SVG and people want it, whatever the locale: no more than `decimals` decimals, no trailing zeros.
inline std::string number(double value, int decimals = 1) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.setf(std::ios::fixed);
  out.precision(decimals);
  out << value;
  std::string text = out.str();
  if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

/// The same with three significant digits: for values over several powers of ten.
inline std::string significant(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(3);
  out << value;
  return out.str();
}

struct text_style {
  int size = 13;
  std::string_view colour = ink, anchor = "start", weight = "400";
};

inline std::string text(double x, double y, std::string const& what, text_style const& style = {}) {
  std::string out = "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" font-size=\"" + std::to_string(style.size) + "\" fill=\"";
  out.append(style.colour).append("\" text-anchor=\"").append(style.anchor).append("\" font-weight=\"").append(style.weight);
  return out + "\">" + what + "</text>\n";
}

inline std::string line(double x1, double y1, double x2, double y2, std::string_view colour) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) + "\" stroke=\"" + std::string(colour) +
         "\"/>\n";
}

/// An axis: values from `low` to `high` onto lengths from `start` to `stop`, evenly or by their logarithms.
struct axis {
  double low, high, start, stop;
  bool logarithmic = false;
  std::vector<double> ticks{};

  double place(double value) const {
    auto const on = [this](double v) { return logarithmic ? std::log10(v) : v; };
    return start + (on(value) - on(low)) / (on(high) - on(low)) * (stop - start);
  }
};

/// Ticks at multiples of 1, 2 or 5 times a power of ten, `about` of them, and `low` moved down and `high` up to the next one.
inline axis even_axis(double low, double high, double start, double stop, int about) {
  if (!(high > low)) high = low + 1;
  double const raw = (high - low) / about, power = std::pow(10, std::floor(std::log10(raw)));
  double const step = power * (raw / power <= 1 ? 1 : raw / power <= 2 ? 2 : raw / power <= 5 ? 5 : 10);
  long const first = std::lround(std::floor(low / step + 1e-9)), last = std::lround(std::ceil(high / step - 1e-9));
  axis result{.low = static_cast<double>(first) * step, .high = static_cast<double>(last) * step, .start = start, .stop = stop};
  for (long i = first; i <= last; ++i) result.ticks.push_back(static_cast<double>(i) * step);
  return result;
}

/// Ticks at 1, 2 and 5 times the powers of ten, or at the powers alone over many of them.
inline axis logarithmic_axis(double low, double high, double start, double stop) {
  int const first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  axis result{.low = low, .high = high, .start = start, .stop = stop, .logarithmic = true};
  std::vector<double> candidates;
  for (int e = first; e <= last; ++e)
    for (int const factor : {1, 2, 5})
      if (factor == 1 || last - first <= 4) candidates.push_back(factor * std::pow(10, e));
  for (double const c : candidates) {
    if (c <= low * (1 + 1e-9)) result.low = c;
    if (c >= high * (1 - 1e-9)) {
      result.high = c;
      break;
    }
  }
  for (double const c : candidates)
    if (c >= result.low && c <= result.high) result.ticks.push_back(c);
  return result;
}

struct curve {
  std::string name;
  std::string_view colour;
  std::vector<double> values;  // one per epoch; what is not finite is left out
};

/// Which points of a curve can be drawn: a run that diverges still has a picture.
inline bool drawable(axis const& y, double value) { return std::isfinite(value) && (!y.logarithmic || value > 0); }

/// A chart with its title above and one curve after the other, drawn over a grid. `say` names a value of the vertical axis.
template <class Say>
std::string chart(std::string const& title, axis const& x, axis const& y, std::span<int const> epochs, std::span<curve const> curves, Say say) {
  std::string out = text(x.start, y.stop - 38, title, {.size = 16, .weight = "600"});
  for (double const tick : y.ticks) {
    out += line(x.start, y.place(tick), x.stop, y.place(tick), grid);
    out += text(x.start - 10, y.place(tick) + 4, say(tick), {.size = 12, .colour = faint, .anchor = "end"});
  }
  for (double const tick : x.ticks) {
    out += line(x.place(tick), y.start, x.place(tick), y.start + 5, faint);
    out += text(x.place(tick), y.start + 20, number(tick), {.size = 12, .colour = faint, .anchor = "middle"});
  }
  out += line(x.start, y.start, x.stop, y.start, faint);
  out += text((x.start + x.stop) / 2, y.start + 40, "epoch", {.size = 12, .colour = faint, .anchor = "middle"});

  double legend = x.start;
  for (curve const& c : curves) {
    std::string const colour(c.colour);
    std::string points, marks;
    bool pen_down = false;
    for (std::size_t i = 0; i < c.values.size(); ++i) {
      bool const visible = drawable(y, c.values[i]);
      if (visible) {
        std::string const px = number(x.place(epochs[i])), py = number(y.place(c.values[i]), 2);
        points += (pen_down ? " L" : " M") + px + " " + py;
        marks += "<circle cx=\"" + px + "\" cy=\"" + py + "\" r=\"" + (epochs.size() > 60 ? "1.5" : "2.8") + "\"><title>epoch " + std::to_string(epochs[i]) +
                 ", " + c.name + ": " + number(c.values[i], 4) + "</title></circle>\n";
      }
      pen_down = visible;
    }
    out += "<path d=\"" + points + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n";
    out += "<g fill=\"" + colour + "\" stroke=\"#ffffff\" stroke-width=\"" + (epochs.size() > 60 ? "0" : "0.8") + "\">\n" + marks + "</g>\n";

    std::string const last = c.values.empty() || !std::isfinite(c.values.back()) ? "" : "  " + say(c.values.back());
    out += "<circle cx=\"" + number(legend + 5) + "\" cy=\"" + number(y.stop - 20) + "\" r=\"4.5\" fill=\"" + colour + "\"/>\n";
    out += text(legend + 15, y.stop - 16, c.name + last, {.size = 13, .colour = ink});
    legend += 165;
  }
  return out;
}

/// One image as a grid of pixels with what it is and what it was taken for.
inline std::string tile(mistake const& m, double left, double top, double side) {
  std::string out = "<g><title>a " + std::to_string(m.truth) + ", taken for a " + std::to_string(m.predicted) + "</title>\n";
  out += "<rect x=\"" + number(left - 1) + "\" y=\"" + number(top - 1) + "\" width=\"" + number(side + 2) + "\" height=\"" + number(side + 2) +
         "\" rx=\"3\" fill=\"#ffffff\" stroke=\"#cbd2d9\"/>\n<g shape-rendering=\"crispEdges\">\n";
  double const pixel = side / 8;
  for (std::size_t i = 0; i < 64; ++i) {
    int const level = std::min<int>(m.pixels[i], 16);
    if (level == 0) continue;
    auto const mix = [level](int dark) { return std::to_string(255 + (dark - 255) * level / 16); };
    out += "<rect x=\"" + number(left + pixel * static_cast<double>(i % 8)) + "\" y=\"" + number(top + pixel * static_cast<double>(i / 8)) + "\" width=\"" +
           number(pixel) + "\" height=\"" + number(pixel) + "\" fill=\"rgb(" + mix(31) + "," + mix(41) + "," + mix(51) + ")\"/>\n";
  }
  out += "</g>\n<text x=\"" + number(left + side / 2) + "\" y=\"" + number(top + side + 20) + "\" font-size=\"14\" text-anchor=\"middle\" fill=\"" +
         std::string(ink) + "\">" + std::to_string(m.truth) + " <tspan fill=\"" + std::string(faint) + "\">\u2192</tspan> <tspan fill=\"" +
         std::string(test_colour) + "\" font-weight=\"600\">" + std::to_string(m.predicted) + "</tspan></text>\n</g>\n";
  return out;
}

}  // namespace detail

/// The picture as SVG text: loss and accuracy by epoch, and below them up to 60 of the mistakes.
inline std::string draw_picture(std::span<epoch_record const> history, std::span<mistake const> mistakes) {
  using namespace detail;
  constexpr double width = 960, margin = 40, side = 64, column = 90, row = 106, tiles_top = 530;
  constexpr std::size_t per_row = 10, most = 60;

  std::vector<int> epochs;
  std::array<curve, 2> loss{{{"training", train_colour, {}}, {"test", test_colour, {}}}}, accuracy = loss;
  for (epoch_record const& r : history) {
    epochs.push_back(r.epoch);
    loss[0].values.push_back(r.train_loss);
    loss[1].values.push_back(r.test_loss);
    accuracy[0].values.push_back(r.train_accuracy);
    accuracy[1].values.push_back(r.test_accuracy);
  }
  auto const range = [](std::array<curve, 2> const& curves) {
    double low = INFINITY, high = -INFINITY;
    for (curve const& c : curves)
      for (double const v : c.values)
        if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    return low <= high ? std::pair{low, high} : std::pair{0.0, 1.0};
  };

  std::size_t const shown = std::min(mistakes.size(), most), rows = (shown + per_row - 1) / per_row;
  double const height = tiles_top + (rows == 0 ? 30 : static_cast<double>(rows) * row) + 20;
  std::string const w = number(width), h = number(height);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + w + " " + h + "\" width=\"" + w + "\" height=\"" + h +
                    "\" role=\"img\" aria-label=\"Learning curves and misread digits\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, "
                    "Arial, sans-serif\">\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"#fcfcfd\"/>\n";

  out += text(margin, 52, "Handwritten digits", {.size = 24, .weight = "700"});
  if (!history.empty())
    out += text(margin, 76,
                number(100 * history.back().test_accuracy, 2) + " % of the test images read correctly after " + std::to_string(history.back().epoch) +
                    (history.back().epoch == 1 ? " epoch" : " epochs"),
                {.size = 14, .colour = faint});

  constexpr double bottom = 400, top = 165;
  int const first = epochs.empty() ? 0 : epochs.front(), last = epochs.empty() ? 1 : std::max(epochs.back(), first + 1);
  auto const horizontal = [&](double from, double to) {
    axis x = even_axis(first, last, from, to, 7);
    x.low = first, x.high = last;
    std::erase_if(x.ticks, [&](double t) { return t < first || t > last || t != std::floor(t); });
    if (x.ticks.empty() || x.ticks.front() != first) {  // start at the first epoch, and leave its number room
      if (!x.ticks.empty() && x.ticks.front() - first < 0.4 * (x.ticks.size() > 1 ? x.ticks[1] - x.ticks[0] : 1)) x.ticks.erase(x.ticks.begin());
      x.ticks.insert(x.ticks.begin(), first);
    }
    return x;
  };

  auto const [loss_low, loss_high] = range(loss);
  bool const logarithmic = loss_low > 0 && loss_high / loss_low > 10;
  axis const loss_axis = logarithmic ? logarithmic_axis(loss_low, loss_high, bottom, top) : even_axis(std::min(0.0, loss_low), loss_high, bottom, top, 5);
  out += chart(logarithmic ? "Loss (cross-entropy, logarithmic)" : "Loss (cross-entropy)", horizontal(margin + 42, 462), loss_axis, epochs, loss, significant);

  auto const [accuracy_low, accuracy_high] = range(accuracy);
  axis accuracy_axis = even_axis(accuracy_low, std::max(1.0, accuracy_high), bottom, top, 5);
  out += chart("Accuracy", horizontal(548, width - margin - 4), accuracy_axis, epochs, accuracy, [](double v) { return number(100 * v, 1) + " %"; });

  out += text(margin, tiles_top - 42, "Read wrongly", {.size = 16, .weight = "600"});
  std::string const count =
      mistakes.empty() ? "None of the test images."
      : shown < mistakes.size()
          ? "The first " + std::to_string(shown) + " of " + std::to_string(mistakes.size()) + " test images: what it is \u2192 what the network says"
          : std::to_string(shown) + (shown == 1 ? " test image" : " test images") + ": what it is \u2192 what the network says";
  out += text(margin, tiles_top - 20, count, {.size = 13, .colour = faint});
  for (std::size_t i = 0; i < shown; ++i)
    out += tile(mistakes[i], margin + 1 + column * static_cast<double>(i % per_row), tiles_top + row * static_cast<double>(i / per_row), side);
  return out + "</svg>\n";
}

/// Writes the picture of a run to `path`. Throws std::runtime_error with the path and the reason where it cannot be written.
inline void write_picture(std::filesystem::path const& path, std::span<epoch_record const> history, std::span<mistake const> mistakes) {
  std::string const picture = draw_picture(history, mistakes);
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!out || !out.write(picture.data(), static_cast<std::streamsize>(picture.size())).flush())
    throw std::runtime_error(path.string() + ": cannot be written: " + (errno == 0 ? "unknown reason" : std::generic_category().message(errno)));
}

}  // namespace digits
