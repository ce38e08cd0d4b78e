/* NumPy's .npz: a zip of .npy members. */
#ifndef NN_IO_NPZ_H
#define NN_IO_NPZ_H

#include "io/npy.h"
#include "io/tensors.h"
#include "io/zip.h"

typedef struct nn_npz {
  nn_zip *zip;      /* owned */
  nn_alloc *alloc;  /* borrowed */
  nn_limits limits;
  size_t memory;    /* of the arrays loaded so far */
  size_t count;
  char **name;      /* owned: one per member, without .npy, sorted */
  size_t *member;   /* owned: their indices in the archive */
  uint8_t *bytes;   /* owned: the member being read */
  nn_stream stream; /* owned: over `bytes` */
  nn_npy npy;       /* its header: shape and dtype */
} nn_npz;

/* A member that does not end in .npy is an error. */
nn_status nn_npz_open(nn_npz *f, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e);
nn_status nn_npz_open_memory(nn_npz *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                             const nn_limits *limits, nn_error *e);
/* Loads array i of `name` and its header into f->npy; then read it. limits->bytes caps all arrays
 * loaded together, as they become in memory. */
nn_status nn_npz_load(nn_npz *f, size_t i, nn_error *e);
/* Fills out, nn_shape_bytes(&f->npy.shape) bytes, from the loaded array. */
nn_status nn_npz_read(nn_npz *f, void *out, nn_error *e);
void nn_npz_close(nn_npz *f); /* also a zeroed or closed one */

/* Writes stored members sorted by name, byte for byte the same for the same arrays; the stream
 * keeps the error. Two equal names are an error. */
nn_status nn_npz_write(nn_stream *s, const nn_named_tensor *tensors, size_t count);
nn_status nn_npz_save(nn_alloc *a, const char *path, const nn_named_tensor *tensors, size_t count,
                      nn_error *e);

#endif
