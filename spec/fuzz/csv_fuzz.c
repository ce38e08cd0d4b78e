/* CSV; the first byte chooses the options. */
#include "io/csv.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_csv_table t = {0};
  nn_csv_options o;
  nn_error e;
  if (size == 0) return 0;
  fuzz_begin(&a);
  nn_csv_options_init(&o);
  o.header = data[0] & 1;
  o.trim = data[0] >> 1 & 1;
  if (data[0] & 4) o.delimiter = ';', o.decimal = ',';
  if (data[0] & 8) o.thousands = '.', o.decimal = ',', o.delimiter = '\t';
  if (data[0] & 16) o.comment = "#";
  if (data[0] & 32) o.quote = 0;
  fuzz_check(nn_csv_parse(&t, &a, "f", data + 1, size - 1, &o, &fuzz_limits, &e), &e);
  nn_csv_clear(&t);
  fuzz_end(&a);
  return 0;
}
