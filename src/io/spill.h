/* A file without a name for tensors that are needed again: written one behind the other, mapped
 * when they are wanted. The file goes with its last descriptor, also where the process is killed.
 */
#ifndef NN_IO_SPILL_H
#define NN_IO_SPILL_H

#include "io/map.h"

typedef struct nn_spill {
  int fd;       /* owned, -1 when closed */
  uint64_t end; /* where the next tensor goes: at the beginning of a page */
} nn_spill;

/* A new file in `folder`. */
nn_status nn_spill_open(nn_spill *s, const char *folder, nn_error *e);
/* Writes a contiguous tensor; *at is its place. */
nn_status nn_spill_write(nn_spill *s, const nn_tensor *t, uint64_t *at, nn_error *e);
/* The tensor of that shape at a place that nn_spill_write gave; what is written to it stays in this
 * mapping. Close it with nn_map_close. */
nn_status nn_spill_map(const nn_spill *s, nn_map *m, uint64_t at, const nn_shape *shape,
                       nn_error *e);
void nn_spill_close(nn_spill *s); /* mapped tensors stay; also a closed one */

#endif
