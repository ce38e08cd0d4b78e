#!/bin/sh
# make interop: exchanges models with the real Keras, HDF5 files with h5py, and ONNX files with
# onnxruntime.
#
#   spec/interop/run.sh NNLUA FOLDER
#
# Installs Keras and onnxruntime from PyPI into a virtual environment below FOLDER, once. KERAS_BACKEND
# chooses what Keras runs on: jax, or tensorflow or torch where they are installed in it. Layers that
# look things up need TensorFlow in Keras; where it cannot be installed they are left out.
set -e
nnlua=$1 folder=$2
python=$folder/venv/bin/python
KERAS_BACKEND=${KERAS_BACKEND:-jax}
export KERAS_BACKEND

if [ ! -x "$python" ]; then
  mkdir -p "$folder"
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" -q install 'keras==3.15.*' jax h5py numpy onnxruntime
  "$folder/venv/bin/pip" -q install tensorflow-cpu || echo "interop: there is no TensorFlow here"
fi

rm -rf "$folder/files"
mkdir -p "$folder/files"
status=0
"$nnlua" spec/interop/write.lua "$folder/files" || status=1
"$python" spec/interop/exchange.py "$folder/files" 2> "$folder/keras.log" || status=1
if "$python" -c 'import tensorflow' 2> /dev/null; then
  KERAS_BACKEND=tensorflow "$python" spec/interop/exchange.py "$folder/files" tensorflow \
    2>> "$folder/keras.log" || status=1
  "$nnlua" spec/interop/lookups.lua write "$folder/files" || status=1
  KERAS_BACKEND=tensorflow "$python" spec/interop/lookups.py "$folder/files" \
    2>> "$folder/keras.log" || status=1
  "$nnlua" spec/interop/lookups.lua read "$folder/files" || status=1
fi
"$nnlua" spec/interop/read.lua "$folder/files" || status=1
"$python" spec/interop/hdf5_make.py "$folder/files" || status=1
"$nnlua" spec/interop/hdf5_read.lua "$folder/files" || status=1
"$python" spec/interop/hdf5_check.py "$folder/files" || status=1
"$nnlua" spec/interop/onnx.lua "$folder/files" || status=1
"$python" spec/interop/onnxruntime_check.py "$folder/files" || status=1
exit $status
