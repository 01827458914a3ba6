// The workers' side of the protocol (protocol.py has the commands) for peers in C++.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace peers {

/// 64-byte aligned, as the libraries themselves would allocate.
template <class T>
struct aligned {
  using value_type = T;
  aligned() = default;
  template <class U>
  aligned(aligned<U> const&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64))); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(64)); }
  bool operator==(aligned const&) const { return true; }
};
using floats = std::vector<float, aligned<float>>;
using integers = std::vector<std::int32_t, aligned<std::int32_t>>;

/// A workload "kind-AxBxC" and the folder with its inputs.
struct request {
  std::string name, kind, folder;
  std::vector<std::size_t> sizes;

  request(std::string workload, std::string where) : name(std::move(workload)), kind(name.substr(0, name.find('-'))), folder(std::move(where)) {
    for (std::size_t i = kind.size(); i < name.size();) {
      std::size_t used = 0;
      sizes.push_back(std::stoul(name.substr(i + 1), &used));
      i += 1 + used;
    }
  }
  template <class T>
  void read(std::string const& input, T* to, std::size_t n) const {
    std::ifstream file(folder + "/" + input + ".bin", std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(n * sizeof(T))) || file.peek() != EOF) throw std::runtime_error("input " + input + " of " + name + " does not have " + std::to_string(n) + " elements");
  }
  floats load(std::string const& input, std::size_t n) const {
    floats x(n);
    read(input, x.data(), n);
    return x;
  }
};

/// Where results go.
struct sink {
  std::ofstream file;
  void write(float const* from, std::size_t n) { file.write(reinterpret_cast<char const*>(from), static_cast<std::streamsize>(n * sizeof(float))); }
  void write(floats const& x) { write(x.data(), x.size()); }
  void write(float x) { write(&x, 1); }
};

inline std::int64_t now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
/// Processor time of the whole process.
inline std::int64_t busy() {
  std::timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return std::int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}
struct elapsed {
  std::int64_t wall, busy;
};

struct task {
  std::function<elapsed(long)> run;  ///< so many calls
  std::function<std::vector<std::int64_t>(long)> each;
  std::function<void(sink&)> results;
  std::function<void()> reset = [] {};
};

/// The loop is made here, with the call inlined, because the smallest workloads take nanoseconds. `State` outlives the task; the barrier stands for a caller
/// who uses the results and changes the inputs.
template <class State, class Call, class Results, class Reset>
task make_task(std::shared_ptr<State> state, Call call, Results results, Reset reset) {
  State* s = state.get();
  task t;
  t.run = [state, s, call](long calls) {
    std::int64_t const begin = now(), begin_busy = busy();
    for (long i = 0; i < calls; ++i) {
      call(*s);
      asm volatile("" : : "r"(s) : "memory");
    }
    return elapsed{now() - begin, busy() - begin_busy};
  };
  t.each = [state, s, call](long calls) {
    std::vector<std::int64_t> times(static_cast<std::size_t>(calls));
    for (auto& time : times) {
      std::int64_t const begin = now();
      call(*s);
      asm volatile("" : : "r"(s) : "memory");
      time = now() - begin;
    }
    return times;
  };
  t.results = [s, results](sink& to) { results(*s, to); };
  t.reset = [s, reset] { reset(*s); };
  return t;
}
template <class State, class Call, class Results>
task make_task(std::shared_ptr<State> state, Call call, Results results) {
  return make_task(std::move(state), call, results, [](State&) {});
}

using maker = std::function<task(request const&)>;

/// Makers by whole names ("matmul-2x2x2"), where shapes are types, or by kinds, where they are not.
inline std::map<std::string, maker>& makers() {
  static std::map<std::string, maker> all;
  return all;
}
/// At namespace scope: `peers::registered const add{[] { ... }};`
struct registered {
  template <class F>
  explicit registered(F const& f) { f(); }
};

/// How often operator new was called, by workers that count.
inline std::size_t* allocation_counter = nullptr;

inline int serve(std::string const& name, std::string const& version, int threads) {
  std::map<std::string, task> tasks;
  auto const handle = [&](std::istringstream& in) -> std::string {
    std::string command, workload;
    in >> command >> workload;
    if (command == "hello") return "{\"name\": \"" + name + "\", \"version\": \"" + version + "\", \"threads\": " + std::to_string(threads) + "}";
    if (command == "prepare") {
      std::string folder;
      in >> folder;
      request const r(workload, folder);
      auto found = makers().find(r.name);
      if (found == makers().end()) found = makers().find(r.kind);
      if (found == makers().end()) throw std::runtime_error("unknown workload");
      tasks.insert_or_assign(workload, found->second(r));
      return {};
    }
    auto const found = tasks.find(workload);
    if (found == tasks.end()) throw std::runtime_error("not prepared: " + workload);
    task const& t = found->second;
    if (command == "check") {
      std::string path;
      in >> path;
      t.reset();
      t.run(1);
      sink to{std::ofstream(path, std::ios::binary)};
      t.results(to);
      return {};
    }
    if (command == "drop") {
      tasks.erase(found);
      return {};
    }
    long calls = 0;
    in >> calls;
    t.reset();
    t.run(1);
    if (command == "run") {
      std::size_t const before = allocation_counter ? *allocation_counter : 0;
      elapsed const ns = t.run(calls);
      std::size_t const after = allocation_counter ? *allocation_counter : 0;  // before the answer's own strings
      std::string const times = std::to_string(ns.wall) + " " + std::to_string(ns.busy);
      if (!allocation_counter) return times;
      return times + " {\"allocations\": " + std::to_string(static_cast<double>(after - before) / static_cast<double>(calls)) + "}";
    }
    if (command == "latencies") {
      auto times = t.each(calls);
      std::sort(times.begin(), times.end());
      return std::to_string(times[times.size() / 2]) + " " + std::to_string(times[std::min(times.size() - 1, times.size() * 99 / 100)]);
    }
    throw std::runtime_error("unknown command");
  };

  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    try {
      std::istringstream in(line);
      std::string const answer = handle(in);
      std::cout << "ok " << answer << std::endl;
    } catch (std::exception const& error) {
      std::cout << "no " << error.what() << std::endl;
    }
  }
  return 0;
}

}  // namespace peers
