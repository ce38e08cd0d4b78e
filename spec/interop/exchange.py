"""Loads what nnlua saved into Keras, compares, and saves it again: exchange.py FOLDER [NEEDS]

NEEDS: takes the models that need it (tensorflow) instead of those that need nothing."""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import warnings

warnings.filterwarnings("ignore")
import logging

logging.disable(logging.WARNING)
import keras
import numpy as np

ROWS = 48
folder = sys.argv[1]
needs = sys.argv[2] if len(sys.argv) > 2 else None


def numbers(shape, salt):
    i = np.arange(ROWS * int(np.prod(shape)))
    return (((i * 37 + salt * 11) % 101) / 50 - 1).astype("float32").reshape([ROWS] + shape)


def inputs(m):
    if m.get("ids"):
        i = np.arange(ROWS * int(np.prod(m["x"])))
        return ((i * 37) % (m["ids"] + 1)).astype("int32").reshape([ROWS] + m["x"])
    if isinstance(m["x"][0], list):
        return [numbers(shape, k + 1) for k, shape in enumerate(m["x"])]
    return numbers(m["x"], 1)


labels = (np.arange(ROWS) * 7) % 3


def gap(a, b):
    a, b = np.asarray(a, "float64").ravel(), np.asarray(b, "float64").ravel()
    if a.shape != b.shape:
        return float("inf")
    d = np.abs(a - b) / (1 + np.abs(b))
    return float(np.max(np.where(np.isnan(d), np.inf, d)))


def go_on(model, x):
    h = model.fit(x, labels, epochs=2, batch_size=16, shuffle=False, verbose=0)
    return [float(v) for v in h.history["loss"]]


def load(m, ending):
    path = os.path.join(folder, m["name"] + ending)
    if ending == ".weights.h5":
        model = keras.saving.load_model(os.path.join(folder, m["name"] + ".keras"))
        for v in model.variables + model.optimizer.variables:
            if v.dtype == "float32":
                v.assign(np.zeros(v.shape, "float32"))
        model.load_weights(path)
        return model
    return keras.saving.load_model(path)


def check(m, ending):
    if ending == ".h5" and ("Lamb" in m["name"] or m.get("no_h5")):
        return None  # what Keras cannot read in .h5: this optimizer, operations
    model = load(m, ending)
    x = inputs(m)
    d = gap(model.predict(x, verbose=0), m["predict"])
    if not d <= 1e-5:
        return "predictions differ by %g" % d
    if ending == ".h5":  # Keras cannot train on after reading its own .h5
        return None
    d = gap(go_on(model, x), m["history"])
    return None if d <= 1e-4 else "two more epochs differ by %g" % d


def save_back(m):
    model = keras.saving.load_model(os.path.join(folder, m["name"] + ".keras"))
    x = inputs(m)
    base = os.path.join(folder, m["name"] + ".back")
    model.fit(x, labels, epochs=1, batch_size=16, shuffle=False, verbose=0)
    model.save(base + ".keras")
    try:
        model.save(base + ".h5")
    except ValueError as e:  # Adafactor's slots have equal names
        print("Keras cannot save %s.h5: %s" % (m["name"], str(e)[:100]))
        os.remove(base + ".h5")
    model.save_weights(base + ".weights.h5")
    out = {"predict": model.predict(x, verbose=0).ravel().tolist()}
    out["history"] = go_on(model, x)
    with open(base + ".json", "w") as f:
        json.dump(out, f)


passed = failed = 0
left_out = []
with open(os.path.join(folder, "index.json")) as f:
    names = json.load(f)
for name in names:
    with open(os.path.join(folder, name + ".json")) as f:
        m = json.load(f)
    if m.get("needs") != needs:
        left_out += [name] if m.get("needs") else []
        continue
    for ending in (".keras", ".h5", ".weights.h5"):
        try:
            problem = check(m, ending)
        except Exception as e:  # every failure is a result
            problem = "%s: %s" % (type(e).__name__, str(e)[:600])
        passed += problem is None
        failed += problem is not None
        if problem:
            print("FAILED nnlua -> Keras %s%s: %s" % (name, ending, problem))
    try:
        save_back(m)
    except Exception as e:
        failed += 1
        print("FAILED Keras saves %s: %s" % (name, str(e)[:300]))
print("nnlua -> Keras %s (%s): %d passed, %d failed" % (
    keras.__version__, keras.config.backend(), passed, failed))
if left_out:
    print("left out here, as Keras needs tensorflow for them: " + ", ".join(left_out))
sys.exit(0 if failed == 0 and passed > 0 else 1)
