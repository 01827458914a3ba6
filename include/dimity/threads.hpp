// Several threads: `compile(f, cpu{.threads = 4})`, `eval(x, cpu{.threads = 4})`, `assign(y, x, cpu{.threads = 4})`. Programs must be linked with the system's threads (-pthread; the CMake target dimity::threads does).
//
// No thread is made before a call asks for more than one; those that are made stay, sleep between calls, and end with the program. Results are the same for every number of threads, to the last bit: what is divided are
// rows, entries of batches, tiles of products, and blocks and subtrees of sums that one thread makes as well. A step that is not worth it, by an estimate of its time, runs on the calling thread. Of calls that overlap in time,
// from several threads of the caller's own, one is divided and the others run on their callers.
#pragma once

#include <dimity/exec/cpu/threaded_contraction.hpp>
#include <dimity/exec/cpu/threaded_control.hpp>
#include <dimity/exec/cpu/threaded_loop.hpp>
