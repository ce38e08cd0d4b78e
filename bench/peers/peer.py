"""What the peers written in Python share: the data, and the conversation with run.py.

A peer is a class with
  version, mode          texts
  Peer(work)             builds the model of a workload (work: see Work)
  warm()                 everything that is done once: compiling, choosing the best mode
  reset()                first weights, an optimizer without memory
  train(epochs)          trains; gives the loss and accuracy of the last epoch
  predict(x)             probabilities of rows, as a NumPy array
and serve(Peer) does the rest.
"""
import json
import os
import sys
import time


class Work:
    """The settings of a workload, and its arrays."""

    def __init__(self, folder, name):
        import numpy as np
        self.name = name
        stem = os.path.join(folder, name)
        with open(stem + ".spec") as f:
            words = f.read().split()
        self.rows, self.batch, self.epochs = (int(w) for w in words[:3])
        self.optimizer, self.loss = words[3:5]
        self.widths = [int(w) for w in words[5:]]
        self.softmax = self.loss == "softmax"
        self.x = np.load(stem + "-x.npy")
        self.y = np.load(stem + "-y.npy")
        self.weights = []
        for i in range(1, len(self.widths)):
            self.weights += [np.load(f"{stem}-w{i}.npy"), np.load(f"{stem}-b{i}.npy")]
        self.labels = self.y.argmax(1) if self.softmax else None


class Zeros:
    """W1's model without data: for the first step of a process."""

    def __init__(self):
        import numpy as np
        self.name, self.rows, self.batch, self.epochs = "S1", 32, 32, 1
        self.optimizer, self.loss, self.softmax = "adam", "softmax", True
        self.widths = [39, 5, 5, 2]
        self.x = np.zeros((32, 39), np.float32)
        self.y = np.eye(2, dtype=np.float32)[np.arange(32) % 2]
        self.labels = self.y.argmax(1)
        self.weights = []
        for a, b in zip(self.widths, self.widths[1:]):
            self.weights += [np.zeros((a, b), np.float32), np.zeros(b, np.float32)]


def say(**what):
    out.write(json.dumps(what) + "\n")
    out.flush()


def median(values):
    return sorted(values)[len(values) // 2]


def training_round(peer, work):
    times, started = [], time.perf_counter()
    while not times or time.perf_counter() - started < 0.2:
        peer.reset()
        t = time.perf_counter()
        loss, accuracy = peer.train(work.epochs)
        times.append(time.perf_counter() - t)
    say(seconds=median(times), loss=float(loss),
        accuracy=None if accuracy is None else float(accuracy))


def inference_round(peer, one, many):
    times, started = [], time.perf_counter()
    while len(times) < 2000 and time.perf_counter() - started < 2:
        t = time.perf_counter()
        peer.predict(one)
        times.append(time.perf_counter() - t)
    times.sort()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    times, started = [], time.perf_counter()
    while len(times) < 20 and time.perf_counter() - started < 2:
        t = time.perf_counter()
        peer.predict(many)
        times.append(time.perf_counter() - t)
    say(p50=p50, p99=p99, rows_a_second=len(many) / median(times))


def converse(peer, one_round):
    say(ready=True, version=peer.version, mode=peer.mode)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        one_round()


def fastest(modes, seconds_of):
    """The mode whose short trial takes least; a mode that fails is left out."""
    best, least = None, float("inf")
    for mode in modes:
        try:
            t = seconds_of(mode)
        except Exception as e:  # a mode that this machine cannot run
            print(f"{mode}: {e}", file=sys.stderr)
            continue
        if t < least:
            best, least = mode, t
    return best


def serve(Peer):
    folder, name = sys.argv[1:3]
    if name == "S1":
        Peer(Zeros()).train(1)
        say(step=True)
        sys.stdin.readline()  # alive while its memory is read
        return
    work = Work(folder, "W2" if name == "I1" else name)
    peer = Peer(work)
    if name == "I1":
        one, many = work.x[:1].copy(), work.x[:1024].copy()
        peer.reset()
        for _ in range(3):
            peer.predict(one)
            peer.predict(many)
        converse(peer, lambda: inference_round(peer, one, many))
    else:
        peer.warm()
        converse(peer, lambda: training_round(peer, work))


# Libraries write to standard output; the conversation has a descriptor of its own.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
