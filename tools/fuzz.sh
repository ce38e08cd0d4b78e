#!/bin/sh
# fuzz.sh BUILD SECONDS SOURCE...
# Runs each fuzzer (spec/io/csv_fuzz.c) for some seconds, beginning with the files in the folder of its
# name (spec/io/csv_fuzz/) where there is one. What it finds stays in BUILD/found.
build=$1 seconds=$2
shift 2
passed=0 failed=0
mkdir -p "$build/found"
for source in "$@"; do
  name=$(basename "$source" .c)
  program=$build/${source%.c}
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  seeds=
  [ -d "${source%.c}" ] && seeds=${source%.c}
  # shellcheck disable=SC2086
  if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 \
    -verbosity=0 -artifact_prefix="$build/found/$name-" "$corpus" $seeds 2>"$build/$name.log"; then
    echo "ok - $name, $seconds seconds"
    passed=$((passed + 1))
  else
    tail -n 40 "$build/$name.log"
    echo "not ok - $name"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
