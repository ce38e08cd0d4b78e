"""JAX without a library on top: an epoch as one compiled scan over batches, or a compiled step
called from Python, whichever is faster."""
import time

import jax
import jax.numpy as jnp
import numpy as np
import peer


class Jax:
    version = jax.__version__
    mode = "scan"

    def __init__(self, work):
        self.work = work
        self.x = jnp.asarray(work.x)
        self.y = jnp.asarray(work.labels if work.softmax else work.y)
        self.key = jax.random.key(1)
        self.step = jax.jit(self.update, donate_argnums=0)
        self.scan = jax.jit(self.epoch, donate_argnums=0)
        self.forward = jax.jit(lambda p, x: jax.nn.softmax(self.logits(p, x)))
        self.reset()

    def reset(self):
        params = [jnp.array(w) for w in self.work.weights]
        zeros = [jnp.zeros_like(w) for w in params]
        slots = (zeros,) if self.work.optimizer != "adam" else (
            zeros, [jnp.zeros_like(w) for w in params])
        self.state = (params, slots, jnp.zeros(()))

    @staticmethod
    def logits(params, x):
        for i in range(0, len(params) - 2, 2):
            x = jax.nn.relu(x @ params[i] + params[i + 1])
        return x @ params[-2] + params[-1]

    def loss(self, params, x, y):
        z = self.logits(params, x)
        if not self.work.softmax:
            return jnp.mean((z - y) ** 2), 0.0
        picked = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1)
        return -jnp.mean(picked), jnp.sum(z.argmax(1) == y).astype(jnp.float32)

    def update(self, state, rows):
        params, slots, t = state
        (loss, right), grads = jax.value_and_grad(self.loss, has_aux=True)(
            params, self.x[rows], self.y[rows])
        t = t + 1
        if self.work.optimizer == "adam":
            m = [m + (g - m) * 0.1 for m, g in zip(slots[0], grads)]
            v = [v + (g * g - v) * 0.001 for v, g in zip(slots[1], grads)]
            rate = 0.001 * jnp.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
            params = [p - rate * a / (jnp.sqrt(b) + 1e-7) for p, a, b in zip(params, m, v)]
            slots = (m, v)
        else:
            m = [0.9 * m - 0.01 * g for m, g in zip(slots[0], grads)]
            params = [p + a for p, a in zip(params, m)]
            slots = (m,)
        n = rows.shape[0]
        return (params, slots, t), jnp.stack([loss * n, jnp.asarray(right, jnp.float32)])

    def epoch(self, state, key):
        rows, batch = self.work.rows, self.work.batch
        order = jax.random.permutation(key, rows)
        full = rows // batch
        state, sums = jax.lax.scan(self.update, state, order[:full * batch].reshape(full, batch))
        total = sums.sum(0)
        if rows % batch:
            state, last = self.update(state, order[full * batch:])
            total = total + last
        return state, total / rows

    def by_steps(self, key, limit):
        order = np.asarray(jax.random.permutation(key, self.work.rows))[:limit]
        sums = []
        for at in range(0, len(order), self.work.batch):
            self.state, one = self.step(self.state, order[at:at + self.work.batch])
            sums.append(one)
        return jnp.sum(jnp.stack(sums), 0) / len(order)

    def train(self, epochs):
        for _ in range(epochs):
            self.key, key = jax.random.split(self.key)
            if self.mode == "scan":
                self.state, result = self.scan(self.state, key)
            else:
                result = self.by_steps(key, self.work.rows)
        loss, accuracy = np.asarray(result)
        return loss, accuracy if self.work.softmax else None

    def trial(self, mode):
        self.mode = mode
        self.train(1)
        t = time.perf_counter()
        self.train(1)
        return time.perf_counter() - t

    def warm(self):
        self.mode = peer.fastest(["scan", "step"], self.trial)

    def predict(self, x):
        return np.asarray(self.forward(self.state[0], x))


peer.serve(Jax)
