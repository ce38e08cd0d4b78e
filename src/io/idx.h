/* IDX, the format of MNIST: 0 0 type rank, the dimensions, the elements, all big-endian; plain or
 * gzip-compressed (known by its first two bytes, not by the file's name).
 *
 * What compressed data may become is known from the header before it is inflated.
 */
#ifndef NN_IO_IDX_H
#define NN_IO_IDX_H

#include "io/elements.h"
#include "io/inflate.h"
#include "io/stream.h"

typedef struct nn_idx {
  nn_shape shape;       /* dtype: what the elements become */
  nn_element_type type; /* as in the file */
  nn_alloc *alloc;      /* borrowed */
  char *name;           /* owned: for errors */
  uint8_t *bytes;       /* owned: the file, NULL when it was opened from memory */
  const uint8_t *data;  /* borrowed: the elements of a plain file */
  nn_inflate *inflate;  /* owned: a compressed file behind its header */
} nn_idx;

nn_status nn_idx_open(nn_idx *f, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e);
nn_status nn_idx_open_memory(nn_idx *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                             const nn_limits *limits, nn_error *e);
/* Fills out, nn_shape_bytes(&f->shape) bytes; once for each opened file. */
nn_status nn_idx_read(nn_idx *f, void *out, nn_error *e);
void nn_idx_close(nn_idx *f); /* also a zeroed or closed one */

/* Writes float32, int32 or uint8; the stream keeps the error. */
nn_status nn_idx_write(nn_stream *s, const nn_tensor *t);

#endif
