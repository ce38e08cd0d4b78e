/* W1's step (39-5-5-2, softmax, Adam) written out as one pass: see limit_tiny.c. */
#ifndef NN_BENCH_LIMIT_TINY_H
#define NN_BENCH_LIMIT_TINY_H

#include "limit.h"

/* What `tiny_state` has to hold. */
size_t tiny_bytes(void);
int tiny_fits(const net *s);
/* One batch of at most 32 rows, as `step` in limit.c does it. */
void tiny_step(net *s, const int32_t *index, int rows);

#endif
