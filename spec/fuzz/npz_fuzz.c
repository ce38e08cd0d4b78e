/* .npz, and with it zip. */
#include "io/npz.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_npz f = {0};
  nn_error e;
  fuzz_begin(&a);
  nn_status s = nn_npz_open_memory(&f, &a, "f", data, size, &fuzz_limits, &e);
  fuzz_check(s, &e);
  for (size_t i = 0; s == NN_OK && i < f.count; i++) {
    nn_status loaded = nn_npz_load(&f, i, &e);
    fuzz_check(loaded, &e);
    void *out = loaded == NN_OK ? fuzz_room(&a, &f.npy.shape) : NULL;
    if (out) fuzz_check(nn_npz_read(&f, out, &e), &e);
    nn_mem_free(&a, out);
  }
  nn_npz_close(&f);
  fuzz_end(&a);
  return 0;
}
