#!/bin/sh
# run-tests.sh NNLUA SPEC BUSTED-FLAGS C-TEST...
# Runs the C tests, which print TAP (shown: what failed, and a line for each program), then the Busted
# specs. Fails where any failed.
nnlua=$1 spec=$2 flags=$3
shift 3
failed=0
# As without the sanitizers: memory that is not there is an error, not the end.
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1}"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

for program in "$@"; do
  "$program" >"$log" 2>&1
  status=$?
  awk -v name="${program##*/}" -v status=$status '
    /^ok /             { passed++; next }
    /^not ok /         { failed++ }
    /^1\.\.[0-9]+$/    { planned = 1; next }
                       { print }
    END {
      if (status && !failed) { print "not ok - " name " ended with status " status; failed++ }
      else if (!planned) { print "not ok - " name " did not reach its end"; failed++ }
      printf "%s: %d passed, %d failed\n", name, passed, failed
      exit failed > 0
    }' "$log" || failed=1
done

# shellcheck disable=SC2086 # several folders and flags are words of their own
if [ -n "$(find $spec -name '*_spec.lua' 2>/dev/null)" ]; then
  "$nnlua" tools/busted.lua $flags $spec || failed=1
fi
exit $failed
