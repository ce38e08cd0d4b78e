"""The kernel table as Markdown, from the JSON lines of build/kernels.

    python3 bench/kernels_table.py KERNELS.json
"""
import json
import sys

with open(sys.argv[1]) as f:
    lines = [json.loads(line) for line in f]
peak = lines[0]
print(f"Table `{peak['table']}`, {peak['threads']} thread(s); at most {peak['gflops']:.0f} GFLOP/s "
      "of fused multiply-adds in the same run.\nOpenBLAS takes part from the size on at which products "
      "are packed; below it both are one kernel.\n")


def microseconds(k):
    t = k["ns"] / 1e3
    return f"{t:,.0f}" if t >= 1000 else f"{t:.3g}"


print("| product | used in | m × n × k | µs | GFLOP/s | of the peak | OpenBLAS's time |")
print("|---|---|---|---:|---:|---:|---:|")
for k in lines[1:]:
    if "use" in k:
        size = k["size"].replace("x", " × ")
        print(f"| {k['kernel']} | {k['use']} | {size} | {microseconds(k)} | {k['gflops']:.1f} | "
              f"{100 * k['peak']:.0f} % | {k['ratio']:.2f} × |")
print("\n| kernel | numbers | µs | ns a number |")
print("|---|---:|---:|---:|")
for k in lines[1:]:
    if "ns_each" in k:
        print(f"| {k['kernel']} | {k['size']:,} | {microseconds(k)} | {k['ns_each']:.3f} |")
