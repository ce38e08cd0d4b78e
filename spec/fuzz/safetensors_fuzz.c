#include "io/safetensors.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_safetensors f = {0};
  nn_error e;
  fuzz_begin(&a);
  nn_status s = nn_safetensors_open_memory(&f, &a, "f", data, size, &fuzz_limits, &e);
  fuzz_check(s, &e);
  for (size_t i = 0; s == NN_OK && i < f.count; i++) {
    void *out = fuzz_room(&a, &f.entry[i].shape);
    if (out) fuzz_check(nn_safetensors_read(&f, &f.entry[i], out, &e), &e);
    nn_mem_free(&a, out);
  }
  nn_safetensors_close(&f);
  fuzz_end(&a);
  return 0;
}
