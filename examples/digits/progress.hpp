// The live line of a training run: on a terminal one line per epoch, redrawn while the epoch runs; elsewhere one plain line when it is done.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace digits {

/// What one line can show.
struct progress_line {
  int epoch = 0;
  double part = 0;            // of the epoch that is done, in 0..1
  double train_loss = 0;      // mean over the epoch so far
  double train_accuracy = 0;  // likewise, in 0..1
  double test_accuracy = -1;  // negative: not known yet
  double seconds = 0;
};

/// What the terminal can do.
struct terminal {
  bool live = false;  // lines can be redrawn
  bool colour = false;
  bool unicode = false;

  /// Looks at stdout and at TERM, NO_COLOR (no-color.org), LC_ALL, LC_CTYPE and LANG.
  static terminal detect() {
    auto const variable = [](char const* name) -> std::string_view { return std::getenv(name) ? std::getenv(name) : ""; };
    terminal t;
    t.live = isatty(STDOUT_FILENO) != 0 && !variable("TERM").empty() && variable("TERM") != "dumb";
    t.colour = t.live && variable("NO_COLOR").empty();
    for (char const* name : {"LC_ALL", "LC_CTYPE", "LANG"})
      if (std::string_view const locale = variable(name); !locale.empty()) {
        t.unicode = locale.find("UTF-8") != std::string_view::npos || locale.find("utf8") != std::string_view::npos;
        break;
      }
    return t;
  }

  /// Asked anew for each line, so that a window may be resized while it is written to.
  static int columns() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
  }
};

/// One line of at most `columns` columns. What matters least goes first where there is no room: the seconds, the bar, the training figures.
inline std::string format(progress_line const& line, int epochs, int columns, terminal const& terminal) {
  constexpr int widest_bar = 32, narrowest_bar = 6;
  auto const text = [](char const* format, auto... values) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, values...);
    return std::string(buffer.data());
  };
  auto const percent = [&](double accuracy) { return accuracy < 0 ? std::string("  ...  ") : text("%5.1f %%", 100 * accuracy); };

  int const digits = static_cast<int>(std::to_string(epochs).size());
  std::string const epoch = text("epoch %*d/%d", digits, line.epoch, epochs);
  std::string const loss = "  loss " + text("%.4f", line.train_loss);
  std::string const train = "  train " + percent(line.train_accuracy);
  std::string const test = "  test " + percent(line.test_accuracy);
  std::string const seconds = "  " + text("%.2f s", line.seconds);

  int left = columns - static_cast<int>(epoch.size() + test.size());
  auto const take = [&left](std::string const& part) {
    bool const fits = static_cast<int>(part.size()) <= left;
    if (fits) left -= static_cast<int>(part.size());
    return fits;
  };
  bool const with_loss = take(loss);
  bool const with_train = with_loss && take(train);
  bool const with_bar = terminal.live && with_train && left >= narrowest_bar + 2;
  if (with_bar) left -= narrowest_bar + 2;
  bool const with_seconds = with_train && take(seconds);
  int const bar = with_bar ? std::min(widest_bar, narrowest_bar + left) : 0;

  std::string out;
  auto const put = [&](std::string_view colour, std::string_view part) {
    if (terminal.colour && !colour.empty())
      out.append("\033[").append(colour).append("m").append(part).append("\033[0m");
    else
      out.append(part);
  };
  auto const repeat = [](std::string_view one, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += one;
    return all;
  };

  if (columns < static_cast<int>(epoch.size() + test.size())) {  // a window this narrow shows the start of the line
    put("", epoch.substr(0, static_cast<std::size_t>(std::max(columns, 0))));
    return out;
  }
  put("", epoch);
  if (with_bar) {
    int const full = static_cast<int>(std::lround(std::clamp(line.part, 0.0, 1.0) * bar));
    put("", "  ");
    put(line.part < 1 ? "36" : "32", repeat(terminal.unicode ? "\u2501" : "#", full));
    // Without colour the rest of the bar must differ in shape.
    put("90", repeat(!terminal.unicode ? "." : terminal.colour ? "\u2501" : "\u2500", bar - full));
  }
  if (with_loss) put("", loss);
  if (with_train) put("", train);
  put(line.test_accuracy < 0 ? "90" : "1", test);
  if (with_seconds) put("90", seconds);
  return out;
}

/// Writes the lines of a run to stdout.
class progress {
 public:
  explicit progress(int epochs) : epochs_(epochs) {}
  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;
  /// Ends a line that an exception cut short, so that what is printed next has a line of its own.
  ~progress() {
    if (open_) std::fputs("\n", stdout);
  }

  /// Shows an epoch under way. Cheap enough for every step: it draws 25 times a second at most, and only on a terminal.
  void show(progress_line line) {
    auto const now = clock::now();
    if (!terminal_.live || (open_ && now - drawn_ < std::chrono::milliseconds(40))) return;
    drawn_ = now;
    draw(line);
    open_ = true;
  }

  /// Shows a finished epoch and starts a new line; its `seconds` are taken from here.
  void finish(progress_line line) {
    line.part = 1;
    draw(line);
    std::fputs("\n", stdout);
    std::fflush(stdout);
    open_ = false;
    start_ = clock::now();
  }

 private:
  using clock = std::chrono::steady_clock;

  void draw(progress_line line) {
    line.seconds = std::chrono::duration<double>(clock::now() - start_).count();
    // Elsewhere than on a terminal lines have no width. On one the last column stays free: some wrap as soon as it is written.
    std::string const text = format(line, epochs_, terminal_.live ? terminal::columns() - 1 : 1000, terminal_);
    std::fputs((terminal_.live ? "\r" + text + "\033[K" : text).c_str(), stdout);
    std::fflush(stdout);
  }

  int epochs_;
  terminal terminal_ = terminal::detect();
  bool open_ = false;
  clock::time_point start_ = clock::now(), drawn_{};
};

}  // namespace digits
