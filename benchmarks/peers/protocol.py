"""The runner's side of the workers' protocol, and the statistics of rounds. Standard library only.

A worker is a process that lives as long as the run. It reads one command a line and answers with one line, "ok ..." or "no <why>":

    hello                            ok <JSON: name, version>
    prepare <workload> <folder>      reads the inputs from <folder>/<input>.bin, and does everything that a user does once: compiles, allocates, packs
    check <workload> <file>          one call from the initial state; its results, one after the other as floats, go to the file
    run <workload> <calls>           ok <nanoseconds of all calls> <processor time of the process, likewise> <JSON of anything else worth keeping>: from the initial state, after one
                                     call that is not timed
    latencies <workload> <calls>     ok <median ns> <99th percentile ns> of single calls
    drop <workload>                  frees it
    quit

Once a worker has said no to a workload it is not asked for it again. A worker that dies or does not answer in time is left out of the rest of the run.
"""
import json
import os
import select
import statistics
import subprocess
import time


class Refused(Exception):
    """The worker answered, and its answer is no."""


class Lost(Exception):
    """The worker died, or did not answer in time."""


class Worker:
    def __init__(self, name, command, threads=1, cores=None, environment=None, log=None):
        self.name, self.threads, self.lost = name, threads, None
        stderr = open(log, "w") if log else subprocess.DEVNULL
        # The affinity is set before the libraries are loaded: several of them count the cores they may use when they start.
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment, preexec_fn=pin)
        if log:
            stderr.close()
        self.rest = b""
        self.about = json.loads(self.ask("hello", 120))

    def ask(self, line, seconds=300):
        """The answer without its ok."""
        if self.lost:
            raise Lost(self.lost)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, and may have said why
        answer = self.read_line(time.monotonic() + seconds)
        word, _, rest = answer.partition(" ")
        if word == "ok":
            return rest
        if word == "no":
            raise Refused(rest)
        self.lose(f"answered {answer!r} to {line.split()[0]}")

    def read_line(self, deadline):
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self.lose("did not answer in time")
            more = os.read(descriptor, 65536)
            if not more:
                self.lose(f"ended with status {self.process.wait()}")
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def lose(self, why):
        self.lost = why
        self.process.kill()
        self.process.wait()
        raise Lost(why)

    def close(self):
        if not self.lost:
            try:
                self.process.stdin.write(b"quit\n")
                self.process.stdin.flush()
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()


def run_once(worker, workload, calls, seconds=120):
    """Nanoseconds per call, those of the processor, and what else the worker tells."""
    wall, busy, *extra = worker.ask(f"run {workload} {calls}", seconds).split(" ", 2)
    return int(wall) / calls, int(busy) / calls, json.loads(extra[0]) if extra else {}


def calls_for(worker, workload, slice_ns):
    """How many calls fill the slice: found by doubling, because one call of a small workload is shorter than the clock's grain."""
    calls = 1
    while True:
        per_call = run_once(worker, workload, calls)[0]
        if per_call * calls >= slice_ns / 4 or calls >= 1 << 24:
            return max(1, round(slice_ns / max(per_call, 0.1)))
        calls *= 4


def spread(values):
    """Median and interquartile range."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


class Entry:
    """One workload on one worker: prepared, checked, and timed in rounds."""

    def __init__(self, worker, workload):
        self.worker, self.workload = worker, workload
        self.status, self.reason, self.error = "ok", None, None
        self.times, self.busy, self.medians, self.tails, self.extra, self.calls = [], [], [], [], {}, 0

    def give_up(self, status, reason):
        self.status, self.reason = status, str(reason)

    def prepare(self, folder, result_file, judge, slice_ns):
        """`judge(file)` gives the error of the results, and whether it is acceptable. What is wrong is not timed."""
        name = self.workload
        try:
            self.worker.ask(f"prepare {name} {folder}", 600)
        except Refused as why:
            return self.give_up("refused", why)
        except Lost as why:
            return self.give_up("lost", why)
        try:
            self.worker.ask(f"check {name} {result_file}", 300)
            self.error, good, why = judge(result_file)
            if not good:
                self.give_up("wrong", why)
                self.worker.ask(f"drop {name}")
            else:
                self.calls = calls_for(self.worker, name, slice_ns)
        except (Refused, Lost) as why:
            self.give_up("failed", why)

    def time(self, with_latencies=False):
        if self.status != "ok":
            return
        try:
            wall, busy, self.extra = run_once(self.worker, self.workload, self.calls)
            self.times.append(wall)
            self.busy.append(busy)
            if with_latencies:
                middle, tail = self.worker.ask(f"latencies {self.workload} {min(self.calls, 20000)}").split()
                self.medians.append(float(middle))
                self.tails.append(float(tail))
        except (Refused, Lost) as why:
            self.give_up("failed", why)

    def drop(self):
        if self.status == "ok":
            try:
                self.worker.ask(f"drop {self.workload}")
            except (Refused, Lost) as why:
                self.give_up("failed", why)

    def summary(self):
        row = {"workload": self.workload, "peer": self.worker.name, "threads": self.worker.threads, "status": self.status}
        if self.reason:
            row["reason"] = self.reason
        if self.error is not None:
            row["error"] = self.error
        if self.status == "ok" and self.times:
            # With one thread what counts is the processor's time, which others on the machine disturb less; with more the clock's.
            times = self.busy if self.worker.threads == 1 else self.times
            row["ns"], row["low"], row["high"] = spread(times)
            row["clock"], row["best"], row["rounds"], row["calls"] = spread(self.times)[0], min(times), len(times), self.calls
            if self.medians:
                row["p50"], row["p99"] = spread(self.medians)[0], spread(self.tails)[0]
            row.update(self.extra)
        return row


def measure(workloads, workers, folder_of, judge_of, result_file, rounds, slice_ns, with_latencies=lambda workload: False, pause=0.0, say=lambda line: None):
    """Rows of results and the load average of each round. Every round visits every worker for every workload once, each time in another order, so that what
    disturbs the machine for a while disturbs all alike."""
    entries = []
    for workload in workloads:
        folder, judge = folder_of(workload), judge_of(workload)
        for worker in workers:
            entry = Entry(worker, workload)
            entry.prepare(folder, result_file, judge, slice_ns)
            if entry.status not in ("ok", "refused"):
                say(f"{worker.name}, {workload}: {entry.status}: {entry.reason}")
            entries.append(entry)
    loads = []
    for number in range(rounds):
        loads.append(os.getloadavg()[0])
        for workload in workloads:
            visited = [entry for entry in entries if entry.workload == workload]
            start = number % len(visited)
            for entry in visited[start:] + visited[:start]:
                entry.time(with_latencies(workload))
                if pause and entry.status == "ok":
                    time.sleep(pause)
    for entry in entries:
        entry.drop()
    return [entry.summary() for entry in entries if entry.status != "refused" or entry.reason != "unknown workload"], loads
