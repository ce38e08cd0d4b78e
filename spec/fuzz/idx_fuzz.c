/* IDX, plain and gzip-compressed. */
#include "io/idx.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_idx f = {0};
  nn_error e;
  fuzz_begin(&a);
  nn_status s = nn_idx_open_memory(&f, &a, "f", data, size, &fuzz_limits, &e);
  fuzz_check(s, &e);
  void *out = s == NN_OK ? fuzz_room(&a, &f.shape) : NULL;
  if (out) fuzz_check(nn_idx_read(&f, out, &e), &e);
  nn_mem_free(&a, out);
  nn_idx_close(&f);
  fuzz_end(&a);
  return 0;
}
