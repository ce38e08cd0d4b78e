"""make bench-peers: nnlua, the hand-written C step and every peer that is there, in one run.

    python3 bench/peers/run.py BUILD OUT [settings as NAME=VALUE]

BUILD is the build folder (nnlua, limit, peers/); OUT.json and OUT.md are written. Settings, which
may also stand in the environment:
    ROUNDS=5            rounds, in turn: each peer runs once a round
    WORKLOADS="W1 ..."  which of W1 W2 W3 W4 I1 S1
    PEERS="torch ..."   which peers; nnlua and the limit always run
    QUICK=1             few rows and one epoch: shows whether everything works, measures nothing

A peer is a process that prints a line of JSON when it is ready, answers each line it reads with a
line of JSON, and ends at "quit". It stays alive between its turns and does nothing then. Peak
memory is the process's own. The fraction is that of the fused multiply-adds that all threads can
do, measured in the same run.
"""
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time

import table

HERE = os.path.dirname(os.path.abspath(__file__))
TRAINING = ("W1", "W2", "W3", "W4")
READY_SECONDS, ROUND_SECONDS = 240, 240


def setting(name, default):
    for argument in sys.argv[3:]:
        if argument.startswith(name + "="):
            return argument[len(name) + 1:]
    return os.environ.get(name) or default


BUILD, OUT = (os.path.abspath(p) for p in sys.argv[1:3])
QUICK = setting("QUICK", "0") not in ("0", "")
ROUNDS = int(setting("ROUNDS", "5"))
WORKLOADS = setting("WORKLOADS", "W1 W2 W3 W4 I1 S1").split()
WANTED = setting("PEERS", "").split()
HOME = os.path.join(BUILD, "peers")
DATA = os.path.join(HOME, "quick" if QUICK else "data")
NNLUA, LIMIT = os.path.join(BUILD, "nnlua"), os.path.join(BUILD, "limit")
PYTHON = os.path.join(HOME, "venv", "bin", "python")


def python(script, **environment):
    return {"command": [PYTHON, os.path.join(HERE, script)], "environment": environment,
            "needs": PYTHON}


def peers():
    """Name -> command, environment, and the file without which it is not there."""
    return {
        "nnlua": {"command": [NNLUA, "bench/peers/nnlua.lua"]},
        "limit": {"command": [LIMIT]},
        "limit, one pass": {"command": [LIMIT], "more": ["one-pass"], "only": ("W1",)},
        "FANN": {"command": [os.path.join(HOME, "fann")], "needs": os.path.join(HOME, "fann"),
                 "only": ("W1", "W3", "S1")},
        "PyTorch": python("torch_peer.py"),
        "Keras on JAX": python("keras_peer.py", KERAS_BACKEND="jax"),
        "Keras on TensorFlow": python("keras_peer.py", KERAS_BACKEND="tensorflow"),
        "JAX": python("jax_peer.py"),
        "scikit-learn": python("sklearn_peer.py"),
        "TensorFlow.js": {"command": ["node", os.path.join(HERE, "tfjs_peer.js")],
                          "environment": {"NODE_PATH": os.path.join(HOME, "node_modules")},
                          "needs": os.path.join(HOME, "node_modules", "@tensorflow"),
                          "only": ("W1", "W3", "I1", "S1")},  # minutes a round at the others
        "candle": {"command": [os.path.join(HOME, "candle", "release", "peer")],
                   "needs": os.path.join(HOME, "candle", "release", "peer")},
    }


def chosen():
    skipped = {}
    log = os.path.join(HOME, "skipped.txt")
    if os.path.exists(log):
        with open(log) as f:
            skipped = dict(line.rstrip("\n").split("\t", 1) for line in f if "\t" in line)
    found = {}
    for name, p in peers().items():
        own = name == "nnlua" or name.startswith("limit")
        if WANTED and not own and not any(w.lower() in name.lower() for w in WANTED):
            continue
        if "needs" in p and not os.path.exists(p["needs"]):
            skipped.setdefault(name, "not installed")
        elif name not in skipped:
            found[name] = p
    return found, skipped


def megabytes(pid):
    """Peak memory of a living process (what wait() reports counts its parent's pages too)."""
    try:
        with open(f"/proc/{pid}/status") as f:
            found = re.search(r"VmHWM:\s*(\d+)", f.read())
    except OSError:
        return None
    return int(found.group(1)) / 1024 if found else None


class Peer:
    def __init__(self, name, p, workload):
        self.name, self.rounds, self.error = name, [], None
        self.log = open(os.path.join(HOME, "log-" + re.sub(r"\W+", "-", name) + ".txt"), "ab")
        self.process = subprocess.Popen(
            p["command"] + [DATA, workload] + p.get("more", []), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, bufsize=0,
            env={**os.environ, **p.get("environment", {})})
        os.set_blocking(self.process.stdout.fileno(), False)
        self.buffer = b""
        self.about = self.answer(READY_SECONDS)

    def answer(self, seconds):
        """The next line that is JSON; None after an error."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                if line.startswith(b"{"):
                    return json.loads(line)
                continue
            part = self.process.stdout.read()
            if part == b"":
                self.error = "ended early"
                return None
            if part is None:
                time.sleep(0.002)
            else:
                self.buffer += part
        self.error = f"no answer in {seconds} s"
        self.process.kill()
        return None

    def round(self):
        try:
            self.process.stdin.write(b"round\n")
        except BrokenPipeError:
            self.error = "ended early"
            return
        result = self.answer(ROUND_SECONDS)
        if result:
            self.rounds.append(result)

    def end(self):
        self.megabytes = megabytes(self.process.pid)
        try:
            self.process.stdin.write(b"quit\n")
            self.process.stdin.close()
        except OSError:
            pass
        self.process.wait()
        self.log.close()


def in_turn(found, workload):
    """Starts the peers, then lets them run one after another, each round from the next one on."""
    alive = []
    for name, p in found.items():
        if workload in p.get("only", (workload,)):
            peer = Peer(name, p, workload)
            alive.append(peer)
            say(f"{workload} {name}: {peer.error or peer.about.get('mode', 'ready')}")
    for i in range(ROUNDS):
        for k in range(len(alive)):
            peer = alive[(i + k) % len(alive)]
            if not peer.error:
                time.sleep(0.05)
                peer.round()
    for peer in alive:
        peer.end()
    return [{"workload": workload, "peer": p.name, "error": p.error, "rounds": p.rounds,
             "megabytes": p.megabytes, **(p.about or {})} for p in alive]


def first_step(command, environment):
    """Milliseconds from the start of a process to the end of its first step, and its memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    done = memory = None
    for line in process.stdout:
        if line.startswith(b'{"step"'):
            done = time.perf_counter() - start
            memory = megabytes(process.pid)
            break
    process.communicate()
    return {"milliseconds": done * 1e3, "megabytes": memory} if done else None


def starts(found):
    names = [n for n, p in found.items() if "S1" in p.get("only", ("S1",))]
    results = {n: [] for n in names}
    for i in range(ROUNDS):
        for k in range(len(names)):
            p = found[names[(i + k) % len(names)]]
            one = first_step(p["command"] + [DATA, "S1"], p.get("environment", {}))
            if one:
                results[names[(i + k) % len(names)]].append(one)
    return [{"workload": "S1", "peer": n, "error": None if r else "no step", "rounds": r,
             "megabytes": max(x["megabytes"] or 0 for x in r) if r else None}
            for n, r in results.items()]


def read_settings(name):
    with open(os.path.join(DATA, name + ".spec")) as f:
        words = f.read().split()
    widths = [int(w) for w in words[5:]]
    products = list(zip(widths, widths[1:]))
    return {"rows": int(words[0]), "batch": int(words[1]), "epochs": int(words[2]),
            "optimizer": words[3], "loss": words[4], "widths": widths,
            "flops_a_row": sum(2 * a * b * (2 if i == 0 else 3)
                               for i, (a, b) in enumerate(products)),
            "flops_forward": sum(2 * a * b for a, b in products)}


def cpu_name():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"model name\s*:\s*(.*)", f.read())
    return found.group(1) if found else platform.processor()


def command_line(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def measure_peak():
    """Other processes can only lower it, so the best of several times counts."""
    return json.loads(command_line(LIMIT, "peak"))


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    os.makedirs(DATA, exist_ok=True)
    subprocess.run([NNLUA, "bench/peers/export.lua", DATA] + ["quick"] * QUICK, check=True)
    found, skipped = chosen()
    report = {
        "date": datetime.date.today().isoformat(), "cpu": cpu_name(), "cpus": os.cpu_count(),
        "system": platform.platform(), "nnlua": command_line(NNLUA, "-v"), "rounds": ROUNDS,
        "quick": QUICK, "peak": measure_peak(),
        "workloads": {w: read_settings(w) for w in TRAINING}, "skipped": skipped, "results": []}
    for workload in WORKLOADS:
        load = os.getloadavg()[0]
        results = starts(found) if workload == "S1" else in_turn(found, workload)
        for r in results:
            r["load"] = load
        report["results"] += results
        again = measure_peak()
        report["peak"] = {k: max(v, again[k]) for k, v in report["peak"].items()}
        for r in results:
            print(json.dumps(r), flush=True)
        table.save(report, OUT)  # after each workload: an interrupted run keeps what it has
    print("\n" + table.markdown(report))


main()
