"""Runs what nnlua exported under onnxruntime and compares: onnxruntime_check.py FOLDER"""
import json
import os
import sys

import numpy as np
import onnxruntime

ROWS = 48
folder = sys.argv[1]


def cells(shape):
    return np.arange(ROWS * int(np.prod(shape)))


def numbers(shape, salt):
    return (((cells(shape) * 37 + salt * 11) % 101) / 50 - 1).astype("float32").reshape([ROWS] + shape)


def inputs(m):
    if m.get("ids"):
        return [((cells(m["x"]) * 37) % (m["ids"] + 1)).astype("int32").reshape([ROWS] + m["x"])]
    if isinstance(m["x"][0], list):
        return [numbers(shape, k + 1) for k, shape in enumerate(m["x"])]
    return [numbers(m["x"], 1)]


passed = failed = 0
with open(os.path.join(folder, "onnx.json")) as f:
    names = json.load(f)
for name in names:
    with open(os.path.join(folder, name + ".onnx.json")) as f:
        m = json.load(f)
    try:
        s = onnxruntime.InferenceSession(os.path.join(folder, name + ".onnx"))
        feeds = {i.name: x for i, x in zip(s.get_inputs(), inputs(m))}
        got = np.asarray(s.run(None, feeds)[0], "float64").ravel()
        want = np.asarray(m["predict"], "float64")
        gap = np.max(np.abs(got - want) / (1 + np.abs(want)))
        problem = None if gap <= 1e-5 else "differs by %g" % gap
    except Exception as e:  # every failure is a result
        problem = str(e)[:300]
    passed += problem is None
    failed += problem is not None
    if problem:
        print("FAILED onnxruntime %s: %s" % (name, problem))
print("onnxruntime %s: %d passed, %d failed" % (onnxruntime.__version__, passed, failed))
sys.exit(0 if failed == 0 and passed > 0 else 1)
