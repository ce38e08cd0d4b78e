#!/bin/sh
# The processor's name as part of a file's name.
{ sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null; sysctl -n machdep.cpu.brand_string \
  2>/dev/null; uname -m; } | head -n 1 | tr -cs 'A-Za-z0-9\n' '-' | sed 's/-*$//'
