"""Keras, on the backend that KERAS_BACKEND names: compile and fit as its documentation shows."""
import os

import peer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402


class Keras:
    mode = "fit"

    def __init__(self, work):
        self.work = work
        backend = keras.backend.backend()
        module = __import__(backend)
        self.version = f"{keras.__version__}, {backend} {module.__version__}"
        keras.utils.set_random_seed(1)
        layers = [keras.Input((work.widths[0],))]
        layers += [keras.layers.Dense(n, activation="relu") for n in work.widths[1:-1]]
        layers.append(keras.layers.Dense(
            work.widths[-1], activation="softmax" if work.softmax else None))
        self.model = keras.Sequential(layers)
        optimizer = ("adam" if work.optimizer == "adam"
                     else keras.optimizers.SGD(0.01, momentum=0.9))
        self.model.compile(
            optimizer=optimizer, loss="categorical_crossentropy" if work.softmax else "mse",
            metrics=["accuracy"] if work.softmax else None)

    def warm(self):
        w = self.work
        n = min(w.rows, 2 * w.batch + w.rows % w.batch)
        self.model.fit(w.x[:n], w.y[:n], batch_size=w.batch, verbose=0)
        self.first = [keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables]
        for i, v in enumerate(self.model.optimizer.variables):
            if "learning_rate" not in v.path:
                self.first[i] = self.first[i] * 0

    def reset(self):
        self.model.set_weights(self.work.weights)
        if hasattr(self, "first"):
            for v, value in zip(self.model.optimizer.variables, self.first):
                v.assign(value)

    def train(self, epochs):
        w = self.work
        h = self.model.fit(w.x, w.y, batch_size=w.batch, epochs=epochs, verbose=0,
                           shuffle=True).history
        return h["loss"][-1], h["accuracy"][-1] if w.softmax else None

    def predict(self, x):
        return self.model.predict_on_batch(x)


peer.serve(Keras)
