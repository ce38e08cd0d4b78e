#include "io/npy.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_stream s = {0};
  nn_npy h;
  nn_error e;
  fuzz_begin(&a);
  fuzz_check(nn_stream_memory(&s, &a, "f", data, size, &e), &e);
  if (nn_npy_header(&s, &h, &fuzz_limits) == NN_OK) {
    void *out = fuzz_room(&a, &h.shape);
    if (out) nn_npy_read(&s, &h, out);
    nn_mem_free(&a, out);
  }
  fuzz_check(nn_stream_status(&s, &e), &e);
  nn_stream_close(&s);
  fuzz_end(&a);
  return 0;
}
