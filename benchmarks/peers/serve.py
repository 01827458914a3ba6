"""The workers' side of the protocol for peers with a Python interface: see protocol.py for the commands."""
import json
import os
import sys
import time

import numpy as np

import workloads


class Task:
    """`call()` is what is timed; it leaves no work unfinished. `results()` are the results of the last call, `reset()` brings back the initial state."""

    def __init__(self, call, results, reset=lambda: None):
        self.call, self.results, self.reset = call, results, reset


def run(task, calls):
    task.reset()
    call = task.call
    call()
    begin, begin_busy = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - begin, time.process_time_ns() - begin_busy


def latencies(task, calls):
    task.reset()
    call, clock = task.call, time.perf_counter_ns
    call()
    times = []
    for _ in range(calls):
        begin = clock()
        call()
        times.append(clock() - begin)
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]


def serve(name, version, makers, threads):
    """`makers` has for each kind of workload a function (workload, inputs) -> Task; one that is not possible raises NotImplementedError with the reason."""
    # Libraries print to standard output as they like; the protocol keeps the pipe to itself.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    tasks = {}

    def handle(command, arguments):
        if command == "hello":
            return json.dumps({"name": name, "version": version, "threads": threads})
        workload = workloads.by_name[arguments[0]] if arguments[0] in workloads.by_name else None
        if command == "prepare":
            if workload is None or workload.kind not in makers:
                raise NotImplementedError("unknown workload")
            inputs = {i.name: np.fromfile(os.path.join(arguments[1], i.name + ".bin"), i.dtype).reshape(i.shape) for i in workload.inputs}
            task = makers[workload.kind](workload, inputs)
            for _ in range(3):
                task.call()
            tasks[workload.name] = task
            return ""
        task = tasks[workload.name]
        if command == "check":
            task.reset()
            task.call()
            with open(arguments[1], "wb") as file:
                for result in task.results():
                    file.write(np.ascontiguousarray(result, np.float32).tobytes())
            return ""
        if command == "run":
            return "%d %d" % run(task, int(arguments[1]))
        if command == "latencies":
            return "%d %d" % latencies(task, int(arguments[1]))
        if command == "drop":
            del tasks[workload.name]
            return ""
        raise NotImplementedError("unknown command")

    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "quit":
            break
        try:
            answers.write(f"ok {handle(command, arguments)}\n")
        except Exception as error:
            if not isinstance(error, NotImplementedError):
                import traceback
                traceback.print_exc()
            text = " ".join(str(error).split())[:300]
            answers.write(f"no {text or type(error).__name__}\n")
