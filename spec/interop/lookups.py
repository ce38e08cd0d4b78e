"""Layers that take texts, from their configurations and back: lookups.py FOLDER (on TensorFlow)"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf

folder = sys.argv[1]
with open(os.path.join(folder, "lookups.json")) as f:
    cases = json.load(f)
failed, back = 0, []
for number, case in enumerate(cases, 1):
    try:
        layer = keras.saving.deserialize_keras_object(case["layer"])
        columns = case["name"] == "HashedCrossing"
        data = [tf.constant(d) for d in case["data"]] if columns else tf.constant(case["data"])
        out = np.asarray(layer(data), "float64").ravel()
        want = np.asarray(case["output"], "float64")
        if out.shape != want.shape or not np.allclose(out, want, rtol=0, atol=1e-6):
            raise ValueError("%s, expected %s" % (out.tolist(), want.tolist()))
        back.append({"layer": keras.saving.serialize_keras_object(layer), "output": out.tolist()})
    except Exception as e:  # every failure is a result
        failed += 1
        back.append({})
        print("FAILED nnlua -> Keras %d %s: %s" % (number, case["name"], str(e)[-260:]))
with open(os.path.join(folder, "lookups.back.json"), "w") as f:
    json.dump(back, f)
print("lookups, nnlua -> Keras: %d passed, %d failed" % (len(cases) - failed, failed))
sys.exit(0 if failed == 0 and cases else 1)
