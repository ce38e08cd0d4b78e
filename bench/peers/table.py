"""The tables of make bench-peers as Markdown.

    python3 bench/peers/table.py RESULTS.json ...

prints them again from files that run.py wrote; of a workload that stands in several files the last
one counts.
"""
import json
import os
import sys


def median(values):
    s = sorted(values)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2


def save(report, stem):
    os.makedirs(os.path.dirname(stem), exist_ok=True)
    with open(stem + ".json", "w") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    with open(stem + ".md", "w") as f:
        f.write(markdown(report))


def number(x):
    """Three digits, with a comma at thousands."""
    if x is None:
        return "–"
    if x >= 1000:
        digits = 1
        while x >= 10 ** (digits + 1):
            digits += 1
        return f"{round(x, 2 - digits):,.0f}"
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 1 \
        else f"{x:.3g}"


def seconds(t):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if t >= size:
            return f"{number(t / size)} {unit}"
    return f"{number(t * 1e9)} ns"


def row(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |\n"


def head(*cells):
    return row(*cells) + "|---" + "|---:" * (len(cells) - 1) + "|\n"


def of(report, workload):
    return [r for r in report["results"] if r["workload"] == workload]


def own(results, key):
    for r in results:
        if r["peer"] == "nnlua" and r["rounds"]:
            return median([x[key] for x in r["rounds"]])
    return None


def ratio(value, base):
    return "–" if not base else f"{number(value / base)} ×"


def describe(w):
    return (f"{'-'.join(map(str, w['widths']))}, {w['loss']}, {w['optimizer']}, "
            f"batch {w['batch']}, {w['rows']:,} rows")


def loss_of(r):
    last = r["rounds"][-1]
    if last.get("loss") is None:
        return "–"
    return f"{last['loss']:.4f}" + (f" ({last['accuracy']:.3f})" if last.get("accuracy") else "")


def training(report, name):
    w, results = report["workloads"][name], of(report, name)
    base, peak = own(results, "seconds"), report["peak"]["gflops_all"]
    peak = max(peak, report["peak"]["gflops_one"])
    steps = -(-w["rows"] // w["batch"]) * w["epochs"]
    text = f"**{name}**: {describe(w)}\n\n" + head(
        "", "an epoch, median", "least", "to nnlua", "steps/s", "GFLOP/s", "of peak",
        "loss (accuracy)", "MB")
    for r in sorted((r for r in results if r["rounds"]),
                    key=lambda r: median([x["seconds"] for x in r["rounds"]])):
        all_seconds = [x["seconds"] for x in r["rounds"]]
        t = median(all_seconds)
        gflops = w["flops_a_row"] * w["rows"] * w["epochs"] / t / 1e9
        text += row(r["peer"], seconds(t / w["epochs"]), seconds(min(all_seconds) / w["epochs"]),
                    ratio(t, base), number(steps / t), number(gflops),
                    f"{100 * gflops / peak:.1f} %", loss_of(r), number(r["megabytes"]))
    return text + failures(results)


def inference(report):
    results = of(report, "I1")
    base = own(results, "p50")
    base_rows = own(results, "rows_a_second")
    text = f"**I1**: a forward pass of W2's model\n\n" + head(
        "", "batch 1, p50", "p99", "to nnlua", "batch 1024, rows/s", "of nnlua's", "GFLOP/s")
    flops = report["workloads"]["W2"]["flops_forward"]
    for r in sorted((r for r in results if r["rounds"]),
                    key=lambda r: median([x["p50"] for x in r["rounds"]])):
        p50, p99, rows = (median([x[k] for x in r["rounds"]])
                          for k in ("p50", "p99", "rows_a_second"))
        text += row(r["peer"], seconds(p50), seconds(p99), ratio(p50, base), number(rows),
                    ratio(rows, base_rows), number(rows * flops / 1e9))
    return text + failures(results)


def start(report):
    results = of(report, "S1")
    base = own(results, "milliseconds")
    text = "**S1**: from the start of a process to the end of W1's first step\n\n" + head(
        "", "median", "least", "to nnlua", "peak MB")
    for r in sorted((r for r in results if r["rounds"]),
                    key=lambda r: median([x["milliseconds"] for x in r["rounds"]])):
        all_ms = [x["milliseconds"] for x in r["rounds"]]
        text += row(r["peer"], seconds(median(all_ms) / 1e3), seconds(min(all_ms) / 1e3),
                    ratio(median(all_ms), base), number(r["megabytes"]))
    return text + failures(results)


def failures(results):
    failed = [f"{r['peer']} ({r['error']})" for r in results if not r["rounds"]]
    return "\nWithout a result: " + ", ".join(failed) + "\n" if failed else ""


def peak_line(p):
    return (f"Measured beside it: {p['gflops_one']:.0f} GFLOP/s of fused multiply-adds on one "
            f"thread, {p['gflops_all']:.0f} on {p['threads']}; {p['gigabytes_one']:.0f} and "
            f"{p['gigabytes_all']:.0f} GB/s of memory.")


def versions(report):
    seen = {}
    for r in report["results"]:
        if r.get("version") and r["peer"] not in ("nnlua",) and not r["peer"].startswith("limit"):
            seen[r["peer"]] = r["version"]
    return ", ".join(f"{k} {v}" for k, v in seen.items())


def modes(report):
    lines = [f"{r['peer']} at {r['workload']}: {r['mode']}" for r in report["results"]
             if r.get("mode") and r["mode"] not in ("fit", "predict_on_batch")]
    return "; ".join(lines)


def markdown(report):
    text = (f"{report['date']}, {report['cpu']}, {report['cpus']} CPUs, {report['system']}; "
            f"{report['nnlua']}. {report['rounds']} rounds in turn. {peak_line(report['peak'])}\n")
    if report["quick"]:
        text += "\n**A smoke test on a few rows: the times mean nothing.**\n"
    for name in ("W1", "W2", "W3", "W4"):
        if of(report, name):
            text += "\n" + training(report, name)
    if of(report, "I1"):
        text += "\n" + inference(report)
    if of(report, "S1"):
        text += "\n" + start(report)
    if versions(report):
        text += f"\nVersions: {versions(report)}.\n"
    if modes(report):
        text += f"\nFastest modes: {modes(report)}.\n"
    if report["skipped"]:
        text += "\nNot measured: " + "; ".join(
            f"{k}: {v}" for k, v in report["skipped"].items()) + ".\n"
    return text


def merge(reports):
    whole = reports[-1]
    for earlier in reversed(reports[:-1]):
        there = {r["workload"] for r in whole["results"]}
        whole["results"] += [r for r in earlier["results"] if r["workload"] not in there]
    return whole


if __name__ == "__main__":
    loaded = []
    for path in sys.argv[1:]:
        with open(path) as f:
            loaded.append(json.load(f))
    print(markdown(merge(loaded)), end="")
