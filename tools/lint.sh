#!/bin/sh
# lint.sh NNLUA BUILD LUA_CFLAGS: every check of the sources, a line "N passed, N failed" at the end.
nnlua=$1 build=$2 lua_cflags=$3
passed=0 failed=0

# Warnings that hold for both compilers; clang's set is larger.
warnings="-Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wwrite-strings -Wundef -Wvla -Wcast-align -Wformat=2 -Wnull-dereference"
sources=$(find src -name '*.c' | sort)

step() {
  name=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "ok - $name"
  else failed=$((failed + 1)); echo "not ok - $name"
  fi
}

# Compiles every source on its own; objects are thrown away. gcc finds some of its warnings only
# while it optimises, clang has all of them from the syntax.
compile() {
  mkdir -p "$build/$1"
  how="-c -O2"
  [ "$1" = gcc ] || how=-fsyntax-only
  # shellcheck disable=SC2086
  echo "$sources" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c '
    compiler=$1 out=$2 file=$3; shift 3
    "$compiler" "$@" -o "$out/$(echo "$file" | tr / _).o" "$file"' \
    compile "$1" "$build/$1" {} $how -std=gnu11 -Isrc $lua_cflags -ffp-contract=off $warnings
}

# Uninitialised values are the compilers' and clang-tidy's: cppcheck loses sight of arrays.
run_cppcheck() {
  cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability \
    --suppress=missingIncludeSystem --suppress=uninitvar --suppress=legacyUninitvar \
    --suppress=invalidPointerCast -Isrc -j "$(getconf _NPROCESSORS_ONLN)" \
    --template='{file}:{line}: {severity}: {message} [{id}]' src
}

run_tidy() {
  # shellcheck disable=SC2086
  echo "$sources" | grep -v '_\(avx2\|avx512\|avx512y\|neon\)\.c$' |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 sh -c '
      flags=$1; shift; clang-tidy --quiet "$@" -- -std=gnu11 -Isrc $flags 2>/dev/null' \
      tidy "$lua_cflags"
}

# The object files export nnlua_* and luaopen_nnlua alone.
exports() {
  bad=$(nm -D --defined-only "$(dirname "$nnlua")/libnnlua.so" | awk '{print $3}' |
    grep -vE '^(nnlua_[a-z_]+|luaopen_nnlua)$')
  [ -z "$bad" ] || { echo "exported besides nnlua_*:" $bad; return 1; }
}

# What a stranger should not find in the sources.
leftovers() {
  ! grep -rnE '\b(TODO|FIXME|XXX)\b' src lua spec examples bench tools --include='*.[ch]' \
    --include='*.lua' | grep -v '^tools/lint.sh'
}

lua_check() {
  existing=
  for folder in lua spec examples tools bench; do
    [ -n "$(find $folder -name '*.lua' 2>/dev/null | head -n 1)" ] && existing="$existing $folder"
  done
  # shellcheck disable=SC2086
  luacheck --quiet --codes $existing
}

step "layers, lengths" "$nnlua" tools/layers.lua
step "luacheck" lua_check
step "gcc, warnings as errors" compile gcc
step "clang, warnings as errors" compile clang
step "cppcheck" run_cppcheck
step "clang-tidy" run_tidy
step "exported names" exports
step "nothing left for later" leftovers
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
