#!/bin/sh
# What the machine must have.
#
#   bootstrap.sh packages demo|test|lint|fuzz|arm   installs missing packages (Debian, Ubuntu),
#                                          or prints the command for other systems
#   bootstrap.sh busted NNLUA              makes Busted work under that interpreter
#   bootstrap.sh find-lua                  prints pkg-config's name of Lua 5.4, or nothing
#
# Says what it installs. Uses sudo where it is not root; asks nothing where CI is set or no terminal
# is there. Does nothing, quickly, when nothing is missing.
set -u

# gcc and the headers build it; gnuplot draws; OpenBLAS and libedit are used where they are there.
build="gcc libc6-dev pkg-config liblua5.4-dev zlib1g-dev"
extra="gnuplot-nox libopenblas0-pthread libedit2"
specs="lua-busted"
checks="lua-check clang clang-tidy cppcheck lua-busted"
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static lua-busted"

fail() {
  echo "bootstrap: $*" >&2
  exit 1
}

find_lua() {
  for name in lua5.4 lua-5.4 lua54 lua; do
    if pkg-config --exists "$name >= 5.4" "$name < 5.5" 2>/dev/null; then
      echo "$name"
      return
    fi
  done
}

# Of the packages given, those that dpkg does not know as installed (or provided under a new name).
missing() {
  for package in "$@"; do
    case "$(dpkg-query -W -f '${db:Status-Abbrev} ' "$package" 2>/dev/null)" in
      *ii*) ;;
      *) echo "$package" ;;
    esac
  done
}

# Runs apt-get as root, without questions.
as_root() {
  set -- env DEBIAN_FRONTEND=noninteractive apt-get "$@"
  if [ "$(id -u)" = 0 ]; then "$@"
  elif ! command -v sudo >/dev/null; then fail "not root and no sudo; run as root: $*"
  elif [ -n "${CI:-}" ] || ! [ -t 0 ]; then sudo -n "$@"
  else sudo "$@"
  fi
}

install_apt() {
  want=$(missing "$@")
  [ -n "$want" ] || return 0
  want=$(echo $want)
  echo "bootstrap: installing with apt-get: $want"
  as_root install -y -q --no-install-recommends $want >/dev/null 2>&1 && return 0
  as_root update -q || fail "apt-get update failed"
  as_root install -y -q --no-install-recommends $want ||
    fail "apt-get could not install: $want"
}

# 1 where a compiler, Lua 5.4 and zlib are there already.
can_build() {
  [ -n "$(find_lua)" ] && command -v "${CC:-cc}" >/dev/null &&
    echo '#include <zlib.h>' | "${CC:-cc}" -E - >/dev/null 2>&1
}

# The command for a system without apt.
advise() {
  echo "bootstrap: this machine lacks a C compiler, Lua 5.4 or zlib. Install them with:" >&2
  if command -v dnf >/dev/null; then
    echo "  sudo dnf install gcc make pkgconf lua-devel luarocks zlib-devel gnuplot openblas" >&2
  elif command -v apk >/dev/null; then
    echo "  apk add build-base pkgconf lua5.4-dev luarocks5.4 zlib-dev gnuplot openblas" >&2
  elif command -v pacman >/dev/null; then
    echo "  sudo pacman -S --needed base-devel lua54 luarocks zlib gnuplot openblas" >&2
  elif command -v zypper >/dev/null; then
    echo "  sudo zypper install gcc make pkgconf lua54-devel lua54-luarocks zlib-devel gnuplot" >&2
  elif [ "$(uname -s)" = Darwin ]; then
    echo "  brew install lua@5.4 luarocks pkg-config gnuplot openblas" >&2
  else
    echo "  (your system's packages for: gcc make pkg-config lua-5.4 luarocks zlib gnuplot)" >&2
  fi
  exit 1
}

# clang and its run-time libraries, which newer releases pack alone, by clang's version.
fuzz_packages() {
  install_apt $build clang
  runtime=$(dirname "$(clang -print-libgcc-file-name -rtlib=compiler-rt)")
  if ! ls "$runtime"/libclang_rt.fuzzer* >/dev/null 2>&1; then
    install_apt "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
  fi
}

packages() {
  if ! command -v apt-get >/dev/null; then
    [ "$1" != arm ] || fail "the packages for ARM are had by apt-get alone"
    can_build || advise
    return 0
  fi
  case "$1" in
    demo) install_apt $build $extra ;;
    test) install_apt $build $extra $specs ;;
    lint) install_apt $build $checks ;;
    fuzz) fuzz_packages ;;
    arm) install_apt $cross ;;
    *) fail "packages: demo, test, lint, fuzz or arm, not '$1'" ;;
  esac
}

has_busted() {
  "$1" tools/busted.lua --version >/dev/null 2>&1
}

# Distributions differ in the Lua releases that their Busted is built for; LuaRocks has it for all.
busted() {
  has_busted "$1" && return 0
  rocks=$(dirname "$1")/rocks
  echo "bootstrap: the system's Busted does not run under Lua 5.4; installing it into $rocks"
  if command -v apt-get >/dev/null; then install_apt luarocks libc6-dev; fi
  for luarocks in luarocks-5.4 luarocks; do
    command -v "$luarocks" >/dev/null || continue
    "$luarocks" --lua-version 5.4 --tree "$rocks" install busted && has_busted "$1" && return 0
  done
  fail "no Busted for Lua 5.4: install LuaRocks, or run 'luarocks --lua-version 5.4 install busted'"
}

case "${1:-}" in
  packages) packages "${2:-}" ;;
  busted) busted "${2:-}" ;;
  find-lua) find_lua ;;
  *) fail "packages, busted or find-lua, not '${1:-}'" ;;
esac
