#!/bin/sh
# fuzz.sh BUILD SECONDS SOURCE...
# Runs each fuzzer (spec/fuzz/csv_fuzz.c) for some seconds, beginning with the files in the folder of
# its name (csv_fuzz/) and with the words in csv_fuzz.dict. What it finds stays in BUILD/found, and what
# it learned in CORPUS (BUILD/corpus).
build=$1 seconds=$2
shift 2
passed=0 failed=0
mkdir -p "$build/found"
for source in "$@"; do
  name=$(basename "$source" .c)
  program=$build/${source%.c}
  corpus=${CORPUS:-$build/corpus}/$name
  mkdir -p "$corpus"
  if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="$build/found/$name-" -dict="${source%.c}.dict" \
    "$corpus" "${source%.c}" 2>"$build/$name.log"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
    echo "ok - $name, $seconds seconds, ${runs:-?} executions"
    passed=$((passed + 1))
  else
    tail -n 40 "$build/$name.log"
    echo "not ok - $name"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
