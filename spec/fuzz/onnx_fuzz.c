#include "io/onnx.h"
#include "support/fuzz.h"

static void read_one(nn_onnx *f, nn_alloc *a, const nn_onnx_tensor *t) {
  nn_error e;
  void *out = fuzz_room(a, &t->shape);
  if (out) fuzz_check(nn_onnx_read(f, t, out, &e), &e);
  nn_mem_free(a, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_onnx f = {0};
  nn_error e;
  fuzz_begin(&a);
  nn_status s = nn_onnx_open(&f, &a, "f", data, size, &fuzz_limits, &e);
  fuzz_check(s, &e);
  for (size_t i = 0; s == NN_OK && i < f.tensors; i++) read_one(&f, &a, &f.tensor[i]);
  for (size_t i = 0; s == NN_OK && i < f.attributes; i++)
    if (f.attribute[i].kind == NN_ONNX_TENSOR) read_one(&f, &a, &f.attribute[i].tensor);
  nn_onnx_close(&f);
  fuzz_end(&a);
  return 0;
}
