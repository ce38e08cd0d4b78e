/* Files of elements as memory: .npy and plain IDX mapped instead of read, so that data may be
 * larger than memory and several processes share it.
 *
 * Only what needs no conversion can be mapped: float32, int32 and uint8 (or bool) in this machine's
 * byte order, row-major; anything else is an error that says to read the file instead. The pages
 * are private: nobody writes to the file through them. A file that another process cuts short while
 * it is mapped ends this process (SIGBUS), so replace such files by renaming.
 */
#ifndef NN_IO_MAP_H
#define NN_IO_MAP_H

#include "core/tensor.h"
#include "io/stream.h"

typedef struct nn_map {
  void *base;     /* owned: the mapping, NULL when closed */
  size_t size;
  nn_shape shape;
  void *data;     /* borrowed: the elements, inside the mapping */
} nn_map;

nn_status nn_map_npy(nn_map *m, nn_alloc *a, const char *path, nn_error *e);
nn_status nn_map_idx(nn_map *m, nn_alloc *a, const char *path, nn_error *e);
void nn_map_close(nn_map *m); /* also a zeroed or closed one */

#endif
