#!/bin/bash
# arm.sh BUILD: the library on 64-bit ARM, on a machine that is none (Debian; amd64).
#
# Builds for ARM into BUILD/arm with a cross compiler, runs the C tests and some specs there under
# QEMU, and compares the digests of trainings (spec/bits) with those of this machine. The compiler
# and QEMU are installed; Lua, zlib and the C library for ARM are unpacked into BUILD/arm/sysroot.
# Where they cannot be had it says why and ends with 0. `make arm` has built BUILD for this machine.
set -u
build=$1
arm=$build/arm
sysroot=$PWD/$arm/sysroot
apt=$PWD/$arm/apt
libs=$sysroot/usr/lib/aarch64-linux-gnu
passed=0 failed=0

packages="libc6 libgcc-s1 liblua5.4-dev zlib1g zlib1g-dev
  lua-filesystem lua-system lua-term"
# Files that start the interpreter themselves are not among the specs.
specs="spec/layers spec/ops spec/parts spec/optimizers_spec.lua spec/random_spec.lua"

skip() {
  echo "arm: skipped: $*"
  exit 0
}

# apt-get for ARM, in folders of its own: the machine's lists and architectures stay as they are.
apt_arm() {
  apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
    -o Dir::State::status=/dev/null -o APT::Sandbox::User="$(id -un)" "$@"
}

unpack() {
  [ -e "$sysroot/done" ] && return 0
  rm -rf "$apt" "$sysroot"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$sysroot"
  apt_arm update >/dev/null || return 1
  # shellcheck disable=SC2086
  (cd "$apt" && apt_arm download $packages >/dev/null) || return 1
  for file in "$apt"/*.deb; do dpkg -x "$file" "$sysroot" || return 1; done
  touch "$sysroot/done"
}

emulated() {
  LUA_CPATH="$libs/lua/5.4/?.so" timeout 600 qemu-aarch64-static -L "$sysroot" "$@"
}

# report NAME MACHINE STATUS FILE: counts the TAP lines of a file, shows what failed.
report() {
  local good bad
  good=$(grep -c '^ok ' "$4") bad=$(grep -c '^not ok ' "$4")
  if [ "$3" != 0 ] && [ "$bad" = 0 ]; then
    bad=1
    tail -n 5 "$4"
  fi
  grep -A 3 '^not ok ' "$4" | head -n 20
  echo "$1 on $2: $good passed, $bad failed"
  passed=$((passed + good)) failed=$((failed + bad))
}

[ "$(uname -m)" = x86_64 ] || skip "this machine is $(uname -m), not x86_64"
tools/bootstrap.sh packages arm || skip "no cross compiler or no QEMU"
unpack || skip "no packages of Lua and zlib for ARM"

env -u MAKEFLAGS -u MAKELEVEL make -s -j"${JOBS:-2}" BUILD="$arm" EMBED="$build/embed" \
  CC=aarch64-linux-gnu-gcc BOOTSTRAP=0 LUA_PC= \
  LUA_CFLAGS="-isystem $sysroot/usr/include/lua5.4 -isystem $sysroot/usr/include/aarch64-linux-gnu \
    -isystem $sysroot/usr/include" LDFLAGS="-L$libs" \
  LUA_LIBS="-Wl,--whole-archive $libs/liblua5.4.a -Wl,--no-whole-archive" build-tests || exit 1

log=$arm/log
for test in "$arm"/spec/*/*_test; do
  name=${test##*/}
  [ "$name" = bits_test ] && set -- "$arm/digests" || set --
  emulated "$test" "$@" >"$log" 2>&1
  report "$name" ARM $? "$log"
done

# shellcheck disable=SC2086
emulated "$arm/nnlua" tools/busted.lua -o TAP $specs >"$log" 2>&1
report specs ARM $? "$log"

"$build/spec/bits/bits_test" "$build/digests" >"$log" 2>&1
report bits_test "$(uname -m)" $? "$log"
if cmp -s "$build/digests" "$arm/digests"; then
  echo "all $(wc -l <"$arm/digests") digests are equal on ARM and on $(uname -m)"
  passed=$((passed + 1))
else
  diff "$build/digests" "$arm/digests"
  failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
