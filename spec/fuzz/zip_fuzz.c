#include "io/zip.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_error e;
  nn_zip *z;
  size_t index;
  fuzz_begin(&a);
  fuzz_check(nn_zip_open_memory(&z, &a, "f", data, size, &fuzz_limits, &e), &e);
  if (z) nn_zip_find(z, "config.json", &index);
  for (size_t i = 0; z && i < nn_zip_count(z) && i < 8; i++) {
    uint8_t *bytes;
    size_t n;
    nn_status s = nn_zip_read(z, i, &bytes, &n, &e);
    fuzz_check(s, &e);
    if (s == NN_OK && n != nn_zip_size(z, i)) abort();
    nn_mem_free(&a, bytes);
  }
  nn_zip_close(z);
  fuzz_end(&a);
  return 0;
}
