#!/bin/sh
# run-tests.sh NNLUA SPEC BUSTED-FLAGS C-TEST...
# Runs the C tests (each prints TAP), then the Busted specs; fails where any failed.
nnlua=$1 spec=$2 flags=$3
shift 3
failed=0
for program in "$@"; do
  echo "# $program"
  "$program" || { failed=1; echo "not ok - $program ended with an error"; }
done
if [ -n "$(find $spec -name '*_spec.lua' 2>/dev/null)" ]; then
  "$nnlua" tools/busted.lua $flags $spec || failed=1
fi
exit $failed
