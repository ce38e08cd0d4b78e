#include "io/json.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_json_doc d = {0};
  nn_error e;
  fuzz_begin(&a);
  fuzz_check(nn_json_parse(&d, &a, "f", data, size, &fuzz_limits, &e), &e);
  nn_json_clear(&d);
  fuzz_end(&a);
  return 0;
}
