/* What every fuzzer of a reader holds: any bytes give a result or an error with a text, memory
 * stays under a cap, and all of it comes back.
 */
#ifndef NN_SPEC_FUZZ_H
#define NN_SPEC_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/tensor.h"
#include "io/stream.h"

/* libFuzzer's entry. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const nn_limits fuzz_limits = {.bytes = 1 << 20, .tensors = 1000, .depth = 50};

static inline void fuzz_begin(nn_alloc *a) { nn_alloc_init(a, NULL, NULL, 64 << 20); }

/* A failure has its code in the record and a text of one line. */
static inline void fuzz_check(nn_status s, const nn_error *e) {
  if (s != NN_OK && (e->code != s || !e->text[0])) abort();
}

/* Everything was given back. */
static inline void fuzz_end(const nn_alloc *a) {
  if (a->used) abort();
}

/* Memory for an array that a file declares, NULL where it is refused. */
static inline void *fuzz_room(nn_alloc *a, const nn_shape *s) {
  return nn_mem_new(a, nn_shape_bytes(s));
}

#endif
