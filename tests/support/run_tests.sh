#!/usr/bin/env bash
# Builds and tests in several configurations, one after the other, and closes with one line: N passed, N failed, N skipped.
# usage: run_tests.sh [STAGE...]    environment: JOBS (number of cores), MINUTES (stages that would probably not end by then are skipped)
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The most telling first.
all_stages=(gcc asan clang scalar aarch64)
stages=("${@:-${all_stages[@]}}")
jobs=${JOBS:-$(nproc)}
passed=0 failed=0 skipped=0
complaints=()

tests/support/install_packages.sh g++ cmake ninja-build clang-19 libclang-rt-19-dev libxsimd-dev doctest-dev libbenchmark-dev python3 pkg-config \
  g++-aarch64-linux-gnu qemu-user libopenblas-dev libeigen3-dev

fail() {
  complaints+=("$1")
  failed=$((failed + 1))
}

# What a stage needs beside g++ and cmake.
needs() {
  case $1 in
    clang | asan) echo clang++-19 ;;
    aarch64) echo aarch64-linux-gnu-g++ qemu-aarch64 ;;
  esac
}

# About how long a stage takes, in per cent of g++'s, and what that took here.
share() {
  case $1 in
    asan) echo 75 ;;
    clang) echo 40 ;;
    scalar) echo 8 ;;
    aarch64) echo 20 ;;
    *) echo 0 ;;
  esac
}
gcc_seconds=0

run_stage() {
  local stage=$1 preset=$1 start=$SECONDS program
  local configure=() select=()
  echo
  echo "=== $stage"
  for program in $(needs "$stage"); do
    if ! command -v "$program" >/dev/null; then
      echo "--- $stage skipped: no $program"
      skipped=$((skipped + 1))
      return
    fi
  done
  local expected=$((gcc_seconds * $(share "$stage") / 100))
  if [ -n "${MINUTES:-}" ] && [ $((SECONDS + expected)) -gt $((MINUTES * 60)) ]; then
    echo "--- $stage skipped: after $SECONDS s, about $expected more would not end within $MINUTES minutes on this machine"
    skipped=$((skipped + 1))
    return
  fi
  # Only g++'s stage runs the checks, which do not depend on the build.
  [ "$stage" = gcc ] || select=(--label-exclude checks)
  # Every file is built by clang once: with sanitizers, or, where that is too slow, and for the optimised code of kernels, without.
  [ "$stage" = clang ] && configure=(-D DIMITY_TEST_FILES=heavy)
  [ "$stage" = scalar ] && configure=(-D "DIMITY_TEST_FOLDERS=core;exec")

  local log=build/$stage.log report=$PWD/build/$stage.xml
  mkdir -p build
  rm -f "$report"
  if ! cmake --preset "$preset" "${configure[@]}" >"$log" 2>&1; then
    tail -n 30 "$log"
    fail "$stage: cmake failed ($log)"
    return
  fi
  if ! cmake --build --preset "$preset" --parallel "$jobs" -- -k 0 >"$log" 2>&1; then
    grep -E -A 8 ' error: |undefined reference|multiple definition' "$log" | head -n 80
    fail "$stage: the build failed ($log)"
  fi
  local built=$SECONDS
  ctest --preset "$preset" --parallel "$jobs" "${select[@]}" --output-junit "$report" >"$log.ctest" 2>&1 || true
  sed -n '/% tests passed/,$p' "$log.ctest"
  local counts
  if counts=$(python3 tests/support/count_tests.py "$report"); then
    read -r p f s <<<"$counts"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    [ "$f" -eq 0 ] || { complaints+=("$stage: $f failed (build/$stage.log.ctest)"); grep -E '^ *[0-9]+/[0-9]+ Test|\*\*\*|^.*ERROR:|does not compile|error:' "$log.ctest" | grep -v Passed | head -n 60; }
    echo "--- $stage: $p passed, $f failed, $s skipped; built in $((built - start)) s, tested in $((SECONDS - built)) s"
  else
    tail -n 20 "$log.ctest"
    fail "$stage: no tests ran"
  fi
}

for stage in "${stages[@]}"; do
  begun=$SECONDS
  run_stage "$stage"
  [ "$stage" = gcc ] && gcc_seconds=$((SECONDS - begun))
done

echo
echo "$SECONDS s in all"
[ ${#complaints[@]} -eq 0 ] || printf '%s\n' "${complaints[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
