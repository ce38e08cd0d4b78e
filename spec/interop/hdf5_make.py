"""hdf5_make.py FOLDER: HDF5 files of many kinds as h5py (and so libhdf5) writes them, and
hdf5.json, which says what is in each, or what of it lies outside the subset that is read."""
import json
import os
import random
import sys

import h5py
import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
cases = []
space = h5py.h5s


def plain(v):
    """An attribute's value as JSON."""
    if isinstance(v, h5py.Empty):
        return []
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, np.ndarray):
        return [plain(x) for x in v.ravel()]
    if isinstance(v, (np.generic,)):
        return plain(v.item())
    if isinstance(v, bool):
        return int(v)
    return v


def describe(f):
    objects = {}

    def visit(name, o):
        entry = {"attributes": {k: plain(v) for k, v in o.attrs.items() if np.ndim(v) < 2}}
        if isinstance(o, h5py.Dataset) and o.shape is not None and o.dtype.kind not in "OS":
            entry["shape"] = list(o.shape)
            values = np.asarray(o[()])
            if values.dtype.kind == "f":
                values = values.astype(np.float32).astype(np.float64)
            entry["values"] = [float(x) for x in values.ravel()]
        objects[name] = entry

    visit("", f)
    f.visititems(visit)
    return objects


def case(name, build, error=None, **options):
    path = os.path.join(folder, name + ".h5")
    with h5py.File(path, "w", **options) as f:
        build(f)
    with h5py.File(path, "r") as f:
        cases.append({"file": name + ".h5", "error": error,
                      "objects": None if error else describe(f)})


def numbers(shape, dtype="<f4"):
    n = int(np.prod(shape))
    a = (np.arange(n) * 37 % 113) - (0 if np.dtype(dtype).kind == "u" else 20)
    if np.dtype(dtype).kind == "f":
        a = a / 4
    return a.reshape(shape).astype(dtype)


DTYPES = [o + k for k in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8") for o in "<>"]
DTYPES += ["i1", "u1", "?"]


def dtypes(f):
    """Few in each group: new formats put more than eight links or attributes into dense storage."""
    for i, d in enumerate(DTYPES):
        g = f.require_group("g%d" % (i // 7))
        g["d%d" % i] = numbers((3, 4)).astype(d) if d == "?" else numbers((3, 4), d)
        g.attrs["a%d" % i] = numbers((5,), "<i4").astype(d)


def shapes(f):
    for i, s in enumerate([(), (1,), (0,), (0, 3), (2, 3, 4, 5, 2), (1,) * 8, (257,)]):
        f["s%d" % i] = numbers(s)


def attributes(f):
    g = f.create_group("g")
    d = f.create_dataset("d", data=numbers((2,)))
    for o in (f, g, d):
        o.attrs["text"] = "variable \u00e4\u20ac"
        o.attrs["fixed"] = np.bytes_(b"fixed")
        o.attrs["texts"] = np.array([b"a", b"bcd", b""], dtype="S7")
        o.attrs.create("variable", ["one", "", "three"], dtype=h5py.string_dtype())
        o.attrs["empty"] = h5py.Empty("f4")
        o.attrs["float"], o.attrs["int"] = 1.5, -7
        if o is g:
            del o.attrs["texts"]
            o.attrs["flag"] = True


def long_attributes(f):
    f.attrs["long"] = "x" * 50000
    f.attrs["names"] = np.array([b"name_%d" % i for i in range(4000)], dtype="S12")
    for i in range(7):
        f.attrs["t%d" % i] = "text " * i * 500


def many_attributes(f):
    for i in range(40):
        f.attrs["a%02d" % i] = i


def many_links(n):
    def build(f):
        g = f.create_group("layers")
        for i in range(n):
            g.create_group("layer_%d" % i) if i % 3 else g.create_dataset("data_%d" % i, data=i)
    return build


def deep(f):
    o = f
    for i in range(60):
        o = o.create_group("g%d" % i)
    o["x"] = numbers((2, 2))


def chunks(f):
    a = numbers((17, 23))
    for i, options in enumerate([{}, {"compression": "gzip"}, {"shuffle": True},
                                 {"compression": "gzip", "compression_opts": 9, "shuffle": True}]):
        for k, c in enumerate([(17, 23), (5, 7), (1, 23), (17, 1), (20, 30), (16, 16)]):
            if c[0] <= 17 and c[1] <= 23:
                f.create_dataset("c%d_%d" % (i, k), data=a, chunks=c, **options)
    f.create_dataset("grows", data=a, chunks=(4, 4), maxshape=(None, None))
    f.create_dataset("auto", data=numbers((400, 300), "<f8"), compression="gzip")


def many_chunks(f):
    f.create_dataset("many", data=numbers((3000,)), chunks=(1,))
    f.create_dataset("more", data=numbers((60, 60), "<i2"), chunks=(2, 3), compression="gzip")


def one_chunk(f):
    a = numbers((17, 23))
    f.create_dataset("plain", data=a, chunks=(17, 23))
    f.create_dataset("gzip", data=a, chunks=(17, 23), compression="gzip", shuffle=True)


def compact(f):
    a = numbers((30,))
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    p.set_layout(h5py.h5d.COMPACT)
    d = h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, space.create_simple((30,)), p)
    d.write(space.ALL, space.ALL, a)


def keras(f):
    """As keras.src.saving lays weights out."""
    for i in range(12):
        g = f.create_group("layers/dense_%d/vars" % i)
        g.attrs["name"] = "dense_%d" % i
        g["0"], g["1"] = numbers((4, 3)), numbers((3,))
    v = f.create_group("optimizer/vars")
    for i in range(30):
        v[str(i)] = numbers((4,)) if i else np.int64(7)


GOOD = [("dtypes", dtypes), ("shapes", shapes), ("attributes", attributes), ("deep", deep),
        ("compact", compact), ("one_chunk", one_chunk)]
for version in ("earliest", "v108", "v110", "v112", "v114", "latest"):
    for name, build in GOOD:
        layout5 = name == "one_chunk" and version == "latest" and h5py.version.hdf5_version >= "2"
        case(name + "-" + version, build, "data layout version 5" if layout5 else None,
             libver=(version, "latest"))
    few = many_links(7)
    case("few_links-" + version, few, libver=(version, "latest"))
for name, build in (("long_attributes", long_attributes), ("many_links_500", many_links(500)),
                    ("many_links_3000", many_links(3000)), ("many_chunks", many_chunks),
                    ("chunks", chunks), ("many_attributes", many_attributes), ("keras", keras)):
    case(name, build, libver=("earliest", "latest"))
case("keras-default", keras)

# what lies outside: data layout version 5 came with HDF5 2.0 and its "latest"


def outside(name, error, build, **options):
    options.setdefault("libver", ("earliest", "latest"))
    case("outside-" + name, build, error, **options)


def linked(link, **options):
    def build(f):
        f["x"] = 1.0
        f["y"] = link
    return build


outside("soft", "soft link", linked(h5py.SoftLink("/x")))
outside("soft-new", "soft link", linked(h5py.SoftLink("/x")), libver="latest")
outside("external-link", "link", linked(h5py.ExternalLink("other.h5", "/x")))
outside("external-link-new", "external link", linked(h5py.ExternalLink("other.h5", "/x")),
        libver="latest")


def hard(f):
    f["x"] = numbers((3,))
    f["y"] = f["x"]


outside("hard", "two names|overlap", hard)
outside("cycle", "two names|overlap|cycle", lambda f: f.create_group("a").__setitem__("b", f["/"]))
outside("external-data", "external data", lambda f: f.create_dataset(
    "x", (10,), "f4", external=[(os.path.join(folder, "other.bin"), 0, 40)]).__setitem__(..., 1))


def virtual(f):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource(".", "x", shape=(4,))
    f["x"] = numbers((4,))
    f.create_virtual_dataset("v", layout)


outside("virtual", "virtual", virtual, libver="latest")


def filtered(**options):
    return lambda f: f.create_dataset("x", data=numbers((8, 8), "<i4"), chunks=(4, 4), **options)


outside("lzf", "filter 32000 .lzf.", filtered(compression="lzf"))
outside("fletcher32", "filter 3 .fletcher32.", filtered(fletcher32=True))
outside("scaleoffset", "filter 6", filtered(scaleoffset=0))
if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
    outside("szip", "filter 4 .szip.", filtered(compression="szip"))
outside("compound", "compound", lambda f: f.create_dataset(
    "x", data=np.zeros(3, [("a", "f4"), ("b", "i4")])))
outside("complex", "compound|complex", lambda f: f.create_dataset("x", data=np.zeros(3, "c8")))
outside("enumeration", "enumeration", lambda f: f.create_dataset(
    "x", (3,), h5py.enum_dtype({"RED": 0, "GREEN": 1})))
outside("sequences", "sequences of variable length", lambda f: f.create_dataset(
    "x", (3,), h5py.vlen_dtype(np.int32)))
outside("reference", "reference", lambda f: f.create_dataset(
    "x", data=f["/"].ref, dtype=h5py.ref_dtype))
outside("array", "array", lambda f: f.create_dataset("x", (3,), np.dtype(("f4", (2,)))))
outside("opaque", "opaque", lambda f: f.create_dataset("x", data=np.zeros(3, "V5")))
outside("committed", "neither a group|committed|shared|type", lambda f: f.__setitem__(
    "t", np.dtype("f4")))
outside("half-written", "chunks were written", lambda f: f.create_dataset(
    "x", (100,), "f4", chunks=(10,)).__setitem__(slice(0, 10), 1))
outside("never-written", "never|written|not there", lambda f: f.create_dataset("x", (100,), "f4"))
outside("userblock", "base address|no HDF5", lambda f: f.__setitem__("x", 1.0), userblock_size=512)
outside("dense-links", "fractal heap", many_links(30), libver="latest")
outside("dense-attributes", "fractal heap", many_attributes, libver="latest")
for name, chunk, most in (("fixed-array", (4, 4), None), ("extensible-array", (4, 4), (None, 8)),
                          ("version 2 B-tree", (4, 4), (None, None))):
    outside(name.replace(" ", "-"), name, lambda f: f.create_dataset(
        "x", data=numbers((8, 8)), chunks=chunk, maxshape=most), libver="latest")
outside("implicit", "implicit|fixed array", lambda f: f.create_dataset(
    "x", data=numbers((8, 8)), chunks=(4, 4)), libver="latest")

# trees of chance, within the subset

for seed in range(60):
    r = random.Random(seed)

    def grow(g, depth):
        for i in range(r.randint(0, 6)):
            if r.random() < 0.3 and depth < 4:
                grow(g.create_group("g%d" % i), depth + 1)
                continue
            shape = tuple(r.randint(1, 9) for _ in range(r.randint(0, 4)))
            options = {}
            if shape and r.random() < 0.5:
                options["chunks"] = tuple(r.randint(1, n) for n in shape) if seed % 2 else shape
                options["shuffle"] = r.random() < 0.5
                if r.random() < 0.5:
                    options["compression"] = "gzip"
            d = g.create_dataset("d%d" % i, data=numbers(shape, r.choice(DTYPES[:-1])), **options)
            for k in range(r.randint(0, 4)):
                d.attrs["k%d" % k] = r.choice(["", "text", 3, 2.5, [1, 2], np.array([b"x"])])

    case("random-%d" % seed, lambda f: grow(f, 0),
         libver=("earliest" if seed % 2 else r.choice(["v108", "v110", "v114"]), "latest"))

with open(os.path.join(folder, "hdf5.json"), "w") as out:
    json.dump(cases, out)
