#!/bin/sh
# Installs the peers that can be had, into BUILD/peers and nowhere else (FANN's headers come from
# the distribution's package). What cannot be had is noted with the reason in skipped.txt, which the
# table prints.
#
#   bench/peers.sh BUILD
#
# Nothing is installed twice. PEERS="names", as in bench/peers/run.py, leaves the others out.
set -u

home=$1/peers
here=$(dirname "$0")/peers
skipped=$home/skipped.txt
mkdir -p "$home"
: >"$skipped"

skip() { # NAME REASON
  printf '%s\t%s\n' "$1" "$2" >>"$skipped"
  echo "peers: without $1: $2" >&2
}

# Whether PEERS asks for this one; every word of PEERS is a part of a name, in any case.
wanted() {
  [ -z "${PEERS:-}" ] && return 0
  for word in $PEERS; do
    echo "$1" | grep -qi -- "$word" && return 0
  done
  return 1
}

# Keras takes TensorFlow unless it is told otherwise, and cannot be imported without its backend.
in_venv() {
  KERAS_BACKEND=${BACKEND:-tensorflow} "$home/venv/bin/python" -c "import $1" >/dev/null 2>&1
}

# NAME MODULES PACKAGES...: what pip brings, unless the modules are there.
pip_install() {
  name=$1 modules=$2
  shift 2
  wanted "$name" || return 0
  in_venv "$modules" && return 0
  if [ ! -x "$home/venv/bin/pip" ]; then
    skip "$name" "no Python with venv and pip"
    return 0
  fi
  echo "peers: installing $name: $*"
  "$home/venv/bin/pip" install -q "$@" >"$home/install.log" 2>&1 && in_venv "$modules" ||
    skip "$name" "pip could not install $*"
}

python_peers() {
  [ -x "$home/venv/bin/pip" ] || python3 -m venv "$home/venv" >"$home/install.log" 2>&1
  pip_install scikit-learn "sklearn" numpy scikit-learn
  pip_install JAX "jax" numpy jax
  BACKEND=jax
  pip_install "Keras on JAX" "keras, jax" numpy keras jax
  BACKEND=
  pip_install "Keras on TensorFlow" "keras, tensorflow" numpy keras tensorflow-cpu
  pip_install PyTorch "torch" numpy torch
}

fann() {
  wanted FANN || return 0
  if [ ! -e /usr/include/floatfann.h ] && command -v apt-get >/dev/null; then
    root=
    [ "$(id -u)" = 0 ] || root="sudo -n"
    echo "peers: installing FANN: libfann-dev"
    { $root apt-get install -y -q --no-install-recommends libfann-dev ||
      { $root apt-get update -q && $root apt-get install -y -q --no-install-recommends \
        libfann-dev; }; } >"$home/install.log" 2>&1
  fi
  if [ ! -e "$home/fann" ] || [ "$here/fann.c" -nt "$home/fann" ]; then
    "${CC:-cc}" -O3 -march=native -w -o "$home/fann" "$here/fann.c" -lfloatfann -lm \
      >"$home/install.log" 2>&1 || skip FANN "the package libfann-dev is not there"
  fi
}

tfjs() {
  wanted TensorFlow.js || return 0
  [ -d "$home/node_modules/@tensorflow/tfjs-backend-wasm" ] && return 0
  if ! command -v npm >/dev/null; then
    skip TensorFlow.js "no npm"
    return 0
  fi
  echo "peers: installing TensorFlow.js: @tensorflow/tfjs @tensorflow/tfjs-backend-wasm"
  npm install --silent --no-audit --no-fund --prefix "$home" @tensorflow/tfjs \
    @tensorflow/tfjs-backend-wasm >"$home/install.log" 2>&1 ||
    skip TensorFlow.js "npm could not install @tensorflow/tfjs"
}

candle() {
  wanted candle || return 0
  if ! command -v cargo >/dev/null; then
    skip candle "no cargo"
    return 0
  fi
  echo "peers: building candle"
  mkdir -p "$home/candle-source" && cp -r "$here/candle/." "$home/candle-source"
  cargo build --quiet --release --manifest-path "$home/candle-source/Cargo.toml" \
    --target-dir "$home/candle" >"$home/install.log" 2>&1 ||
    skip candle "cargo could not build it"
}

python_peers
fann
tfjs
candle
skip KANN "it is in no package registry; FANN and the hand-written C step stand for C"
