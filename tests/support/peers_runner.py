"""Tests the runner of `make bench-peers` with workers that only pretend: no peer needs to be installed.

usage: peers_runner.py PROJECT_DIR
"""
import pathlib
import struct
import sys
import tempfile
import unittest

project = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(project / "benchmarks" / "peers"))
import protocol
import report
import svg
import targets

# Takes the name, what it does wrong, and the nanoseconds of a call.
fake = r'''
import json, struct, sys
name, fault, ns = sys.argv[1], sys.argv[2], float(sys.argv[3])
runs = 0
for line in sys.stdin:
    command, *rest = line.split()
    if command == "quit": break
    if command == "hello": answer = "ok " + json.dumps({"name": name, "version": "1", "threads": 1})
    elif command == "prepare":
        answer = "no unknown workload" if fault == "refuses" else "ok"
        if fault == "dies": sys.exit(3)
        if fault == "hangs": import time; time.sleep(60)
    elif command == "check":
        open(rest[1], "wb").write(struct.pack("<3f", 1, 2, 4 if fault == "wrong" else 3))
        answer = "ok"
    elif command == "run":
        runs += 1
        busy = int(float(rest[1]) * ns * (50 if fault == 'outlier' and runs % 5 == 0 else 1))
        answer = f"ok {2 * busy} {busy} " + json.dumps({"allocations": 0})
    elif command == "latencies": answer = f"ok {ns} {2 * ns}"
    else: answer = "ok"
    print(answer, flush=True)
'''


def worker(name, fault="none", ns=100.0):
    return protocol.Worker(name, [sys.executable, "-c", fake, name, fault, str(ns)])


def judge(file):
    got = struct.unpack("<3f", pathlib.Path(file).read_bytes())
    error = max(abs(g - w) for g, w in zip(got, (1, 2, 3)))
    return error, error < 1e-6, "off"


class Runner(unittest.TestCase):
    def setUp(self):
        self.workers = []
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        for w in self.workers:
            w.close()
        self.folder.cleanup()

    def measure(self, *workers, rounds=9, **more):
        self.workers += workers
        rows, loads = protocol.measure(["one"], workers, lambda w: self.folder.name, lambda w: judge, self.folder.name + "/results", rounds, 1e6, **more)
        self.assertEqual(len(loads), rounds)
        return {row["peer"]: row for row in rows}

    def test_times_are_medians_with_quartiles(self):
        rows = self.measure(worker("steady"), worker("noisy", "outlier", 200), with_latencies=lambda w: True)
        self.assertEqual((rows["steady"]["status"], rows["steady"]["ns"], rows["steady"]["p99"], rows["steady"]["allocations"]), ("ok", 100, 200, 0))
        self.assertEqual((rows["steady"]["calls"], rows["steady"]["clock"]), (5000, 200))
        self.assertAlmostEqual(rows["noisy"]["ns"], 200)
        self.assertEqual(rows["noisy"]["rounds"], 9)
        self.assertEqual(protocol.spread([1, 2, 3, 4, 100]), (3, 2, 4))
        self.assertEqual(protocol.spread([7]), (7, 7, 7))

    def test_a_wrong_result_is_not_timed(self):
        rows = self.measure(worker("right"), worker("wrong", "wrong"))
        self.assertEqual(rows["right"]["status"], "ok")
        self.assertEqual((rows["wrong"]["status"], rows["wrong"]["reason"], rows["wrong"]["error"]), ("wrong", "off", 1))
        self.assertNotIn("ns", rows["wrong"])

    def test_who_does_not_know_a_workload_is_no_row(self):
        self.assertEqual(list(self.measure(worker("able"), worker("unable", "refuses"))), ["able"])

    def test_a_dead_worker_is_left_out(self):
        rows = self.measure(worker("dead", "dies"), worker("alive"))
        self.assertEqual((rows["dead"]["status"], rows["dead"]["reason"]), ("lost", "ended with status 3"))
        self.assertEqual(rows["alive"]["status"], "ok")

    def test_a_silent_worker_is_given_up(self):
        silent = worker("silent", "hangs")
        self.workers.append(silent)
        with self.assertRaisesRegex(protocol.Lost, "in time"):
            silent.ask("prepare one .", 0.2)
        with self.assertRaises(protocol.Lost):
            silent.ask("run one 1")


class Comparison(unittest.TestCase):
    def setUp(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("NumPy is not installed")
        self.numpy = numpy

    def test_results_are_compared_with_the_reference(self):
        import judge as comparison
        with tempfile.TemporaryDirectory() as folder:
            file, numpy = folder + "/results", self.numpy
            expected = [numpy.array([[1.0, -200.0]]), 3.0]
            write = lambda *values: numpy.array(values, numpy.float32).tofile(file)
            write(1, -200, 3)
            self.assertEqual(comparison.judge(file, expected, 1e-6)[:2], (0, True))
            write(1, -200.1, 3)
            error, good, why = comparison.judge(file, expected, 1e-4)
            self.assertFalse(good)
            self.assertAlmostEqual(error, 0.0005, 6)
            self.assertIn("result 0", why)
            write(1, -200, 3.1)
            self.assertIn("result 1", comparison.judge(file, expected, 1e-4)[2])
            write(1, float("nan"), 3)
            self.assertEqual(comparison.judge(file, expected, 1)[1:], (False, "result 0 is not finite"))
            write(1, -200)
            self.assertEqual(comparison.judge(file, expected, 1)[1:], (False, "2 numbers instead of 3"))

    def test_every_workload_has_inputs_and_a_reference_that_fit(self):
        import workloads
        for w in workloads.table:
            if w.bytes + w.flops < 1e6:
                inputs = w.make_inputs()
                for result in w.expected(inputs):
                    self.assertTrue(self.numpy.isfinite(result).all(), w.name)

    def test_derivatives_by_hand_are_those_of_differences(self):
        import references
        numpy = self.numpy
        generator = numpy.random.default_rng(1)
        normal = lambda *shape: generator.normal(size=shape)
        block = [normal(8) + 1, normal(8), normal(8, 24), normal(24), normal(8, 8), normal(8), normal(8) + 1, normal(8), normal(8, 16), normal(16), normal(16, 8), normal(8)]
        nets = {"mlp_step": (2, [normal(3, 5), numpy.array([0, 2, 1]), normal(5, 6), normal(6), normal(6, 4), normal(4), normal(4, 3), normal(3)]),
                "transformer_step": (2, [normal(2, 3, 8), normal(2, 3, 8), *block]),
                "conv_step": (2, [normal(2, 28, 28, 1), numpy.array([0, 2]), normal(3, 3, 1, 2), normal(2), normal(3, 3, 2, 3), normal(3), normal(75, 4), normal(4)])}
        for name, (first, args) in nets.items():
            step = getattr(references, name)
            after = step(*args)[1:]
            for i in range(first, len(args)):
                way = normal(*args[i].shape)
                slope = ((args[i] - after[i - first]) / references.learning_rate * way).sum()
                loss = lambda t: step(*args[:i], args[i] + t * way, *args[i + 1:])[0]
                self.assertAlmostEqual((loss(1e-6) - loss(-1e-6)) / 2e-6, slope, delta=1e-4 * max(1, abs(slope)), msg=f"{name}, argument {i}")


class Report(unittest.TestCase):
    def results(self):
        workload = lambda title, family: {"title": title, "family": family, "flops": 1e6, "bytes": 1e6, "dispatch": False}
        row = lambda name, peer, ns: {"workload": name, "peer": peer, "threads": 1, "status": "ok", "ns": ns, "low": ns, "high": ns}
        names = {"copy-4096": workload("copy", "elementwise"), "copy-65536": workload("copy, larger", "elementwise"), "sum_all-8x8": workload("sum", "reductions")}
        rows = [row("copy-4096", "dimity", 100), row("copy-4096", "JAX", 50), row("copy-4096", "hand", 90), row("copy-65536", "dimity", 100), row("copy-65536", "JAX", 300), row("sum_all-8x8", "JAX", 3)]
        return report.Results({"workloads": names, "results": rows})

    def test_what_is_lost_comes_first(self):
        r = self.results()
        self.assertEqual(r.compared(), [(0.5, "copy-4096", "JAX"), (3.0, "copy-65536", "JAX")])
        losing = "\n".join(report.behind(r))
        self.assertIn("| copy | 0.1 | JAX 0.05 | 0.50 | |".replace("| |", "|  |"), losing)
        self.assertNotIn("larger", losing)
        self.assertIn("- sum: not in dimity", "\n".join(report.refused(r)))

    def test_targets_are_computed(self):
        r = self.results()
        rows = {row[0]: row for row in targets.Targets(r.one, r.workloads, r.rows).all()}
        best = rows["elementwise and reductions / best of all peers"]
        self.assertEqual(best[1:3], ("1", "0.50"))
        self.assertIn("not met", best[3])
        self.assertEqual(rows["elementwise / by hand"][2], "0.90")
        self.assertEqual(rows["MLP training step / JAX"][2], "not measured")

    def test_pictures_are_well_formed(self):
        import xml.dom.minidom
        series = {"dimity": [(1, 10), (10, 200)], "JAX": [(1, 9), (10, 190)]}
        xml.dom.minidom.parseString(svg.lines("a < b", "x", "y", series, [(1, "1"), (10, "10")]))
        xml.dom.minidom.parseString(svg.dots("t", "x", [("Family", None), ("one", {"JAX": 0.5, "hand": 3})]))
        placed = svg.apart([10, 11, 40], 14, 12, 100)
        self.assertGreaterEqual(placed[1] - placed[0], 13.9)
        self.assertGreaterEqual(placed[0], 11.99)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
