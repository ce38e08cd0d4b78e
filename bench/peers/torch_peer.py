"""PyTorch: the usual loop, in the fastest of eager and compiled steps on one or all threads. The
optimizers are the fused ones; a batch is taken by indexing, which is faster than a DataLoader."""
import os
import time

import numpy as np
import peer
import torch
import torch.nn.functional as F


class Torch:
    def __init__(self, work):
        self.work = work
        self.version = torch.__version__
        self.mode = "eager"
        torch.manual_seed(1)
        layers = []
        for a, b in zip(work.widths, work.widths[1:]):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        self.x = torch.from_numpy(work.x)
        self.y = torch.from_numpy(work.labels if work.softmax else work.y)
        self.forward = self.plain
        self.reset()

    def plain(self, x, y):
        z = self.model(x)
        if not self.work.softmax:
            return F.mse_loss(z, y), None
        return F.cross_entropy(z, y), (z.argmax(1) == y).sum()

    def reset(self):
        with torch.no_grad():
            for p, w in zip(self.model.parameters(), self.work.weights):
                p.copy_(torch.from_numpy(w.T if w.ndim == 2 else w))
        if self.work.optimizer == "adam":
            self.optimizer = torch.optim.Adam(self.model.parameters(), eps=1e-7, fused=True)
        else:
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9,
                                             fused=True)

    def batches(self, order):
        loss_sum, right = torch.zeros(()), torch.zeros(())
        for rows in order.split(self.work.batch):
            full = len(rows) == self.work.batch
            loss, hits = (self.forward if full else self.plain)(self.x[rows], self.y[rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.detach() * len(rows)
            if hits is not None:
                right += hits
        return loss_sum.item() / len(order), right.item() / len(order)

    def train(self, epochs):
        for _ in range(epochs):
            loss, accuracy = self.batches(torch.randperm(self.work.rows))
        return loss, accuracy if self.work.softmax else None

    def choose(self, mode):
        kind, threads = mode
        torch.set_num_threads(threads)
        self.forward = torch.compile(self.plain, dynamic=False) if kind == "compiled" \
            else self.plain
        self.mode = f"{kind}, {threads} thread{'s' if threads > 1 else ''}"

    def trial(self, mode):
        self.choose(mode)
        self.reset()
        order = torch.randperm(self.work.rows)
        self.batches(order[:self.work.batch * 3])
        times = []
        for _ in range(3):
            t = time.perf_counter()
            self.batches(order[:self.work.batch * 20])
            times.append(time.perf_counter() - t)
        return min(times)

    def warm(self):
        cpus = os.cpu_count()
        modes = [(k, n) for k in ("eager", "compiled") for n in sorted({1, cpus})]
        self.choose(peer.fastest(modes, self.trial))
        self.batches(torch.arange(self.work.batch * 2))

    def predict(self, x):
        with torch.inference_mode():
            return F.softmax(self.model(torch.from_numpy(np.asarray(x))), 1).numpy()


peer.serve(Torch)
