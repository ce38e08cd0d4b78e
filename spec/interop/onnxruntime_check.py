"""Runs what nnlua exported under onnxruntime and compares: onnxruntime_check.py FOLDER"""
import json
import os
import sys

import numpy as np
import onnxruntime

folder = sys.argv[1]


def tensor(t):
    return np.asarray(t["values"], "float64").astype(t["dtype"]).reshape(t["shape"])


def gap(got, want):
    """The largest |a - b| / (1 + |b|)."""
    if got.shape != want.shape:
        return float("inf")
    a, b = got.astype("float64"), want.astype("float64")
    with np.errstate(invalid="ignore"):
        d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b) / (1 + np.abs(b)))
    return float(np.max(np.nan_to_num(d, nan=np.inf))) if d.size else 0.0


def check(m, path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    for run in m["runs"]:
        feeds = {i.name: tensor(x) for i, x in zip(session.get_inputs(), run["inputs"])}
        outputs = session.run(None, feeds)
        if len(outputs) != len(run["outputs"]):
            return "%d outputs, expected %d" % (len(outputs), len(run["outputs"]))
        for k, (got, want) in enumerate(zip(outputs, run["outputs"])):
            if str(got.dtype) != want["dtype"]:
                return "output %d is %s, expected %s" % (k + 1, got.dtype, want["dtype"])
            d = gap(got, tensor(want))
            if not d <= 1e-5:
                rows = run["inputs"][0]["shape"][0]
                return "output %d differs by %g with %d rows" % (k + 1, d, rows)
    return None


passed = failed = 0
with open(os.path.join(folder, "onnx.json")) as f:
    names = json.load(f)
for number, name in enumerate(names, 1):
    path = os.path.join(folder, "%d.onnx" % number)
    with open(path + ".json") as f:
        m = json.load(f)
    try:
        problem = check(m, path)
    except Exception as e:  # every failure is a result
        problem = str(e)[:300]
    passed += problem is None
    failed += problem is not None
    if problem:
        print("FAILED onnxruntime %s: %s" % (name, problem))
print("onnxruntime %s: %d passed, %d failed" % (onnxruntime.__version__, passed, failed))
sys.exit(0 if failed == 0 and passed > 0 else 1)
