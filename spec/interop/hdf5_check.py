"""hdf5_check.py FOLDER: what the library wrote, as h5py (and so libhdf5) reads it."""
import json
import os
import sys

import h5py
import numpy as np

folder = sys.argv[1]
with open(os.path.join(folder, "ours.json")) as text:
    wanted = json.load(text)
checks, bad = 0, 0


def check(ok, *what):
    global checks, bad
    checks += 1
    if not ok:
        bad += 1
        print("FAILED", *what)


with h5py.File(os.path.join(folder, "ours.h5"), "r") as f:
    found = []
    f.visititems(lambda name, o: found.append(name) if isinstance(o, h5py.Dataset) else None)
    check(sorted(found) == sorted(wanted["datasets"]), "names of datasets")
    for path, d in wanted["datasets"].items():
        check(list(f[path].shape) == d["shape"], path, "shape")
        check(f[path].dtype == np.dtype(d["dtype"]), path, f[path].dtype, d["dtype"])
        check(np.array_equal(np.asarray(f[path][()]).ravel(), d["values"]), path, "values")
    for path, name, v in wanted["attributes"]:
        got = f[path or "/"].attrs[name]
        got = list(got) if isinstance(v, list) else got
        check(got == v, path, name)

print("hdf5: h5py made %d comparisons with what nnlua wrote, %d differ" % (checks, bad))
sys.exit(bad > 0)
