/* Numbers that say which element is meant: class ids and tokens count from 0 (they are data),
 * positions from 1, or from the end when they are negative. */
#ifndef NN_OPS_INDEX_H
#define NN_OPS_INDEX_H

#include "ops/op.h"

enum { NN_TOKENS = 0, NN_POSITIONS = 1 };

/* Element k of an array of numbers of any dtype, cut to an integer; INT64_MIN for NaN. */
int64_t nn_index_read(const void *data, nn_dtype t, int64_t k);
/* The 0-based place of `number` among n, -1 when it is outside. */
int64_t nn_index_place(int64_t number, int64_t n, int base);
/* Reports that element k of `index` (of shape s) is outside 0 .. n-1 or 1 .. n. */
void nn_index_fault(nn_run *run, const char *op, const void *index, const nn_shape *s, int64_t k,
                    int64_t n, int base);

#endif
