/* safetensors: eight bytes of length (little-endian), a JSON header, the tensors' bytes.
 *
 * The header is an object: name -> {"dtype", "shape", "data_offsets": [begin, end]}, offsets from
 * the end of the header on, and "__metadata__", an object of strings. The reader holds every rule
 * of the format: sizes match shape and dtype, tensors cover the data without gap or overlap, no
 * name stands twice. Data is read when asked for, straight into the caller's memory.
 *
 * The writer's bytes depend on names, shapes and values alone: metadata sorted by key, header
 * sorted by name, data by falling element size and then by name (so all is aligned).
 */
#ifndef NN_IO_SAFETENSORS_H
#define NN_IO_SAFETENSORS_H

#include "core/tensor.h"
#include "io/elements.h"
#include "io/json.h"
#include "io/stream.h"
#include "io/tensors.h"

typedef struct nn_safetensors_entry {
  const char *name;      /* owned by the file: UTF-8 */
  nn_shape shape;        /* dtype: what the elements become */
  nn_element type;       /* as in the file */
  uint64_t begin, end;   /* in the file */
} nn_safetensors_entry;

typedef struct nn_safetensors {
  nn_stream stream;            /* owned */
  nn_json_doc header;          /* owned */
  const nn_json *metadata;     /* in `header`: an object of strings; NULL without one */
  size_t count;
  nn_safetensors_entry *entry; /* owned: sorted by name */
} nn_safetensors;

/* limits->bytes caps the tensors as they become in memory, limits->tensors their number. A file
 * that says its checksum (io/checksum.h) is held against it. */
nn_status nn_safetensors_open(nn_safetensors *f, nn_alloc *a, const char *path,
                              const nn_limits *limits, nn_error *e);
nn_status nn_safetensors_open_memory(nn_safetensors *f, nn_alloc *a, const char *name,
                                     const void *bytes, size_t n, const nn_limits *limits,
                                     nn_error *e);
/* The entry by this name, NULL when there is none. */
const nn_safetensors_entry *nn_safetensors_find(const nn_safetensors *f, const char *name);
/* Fills out, nn_shape_bytes(&entry->shape) bytes of the caller. */
nn_status nn_safetensors_read(nn_safetensors *f, const nn_safetensors_entry *entry, void *out,
                              nn_error *e);
void nn_safetensors_close(nn_safetensors *f); /* also a zeroed or closed one */

/* ---- writing ---- */

typedef struct nn_text_pair {
  const char *key;   /* borrowed, UTF-8 */
  const char *value; /* borrowed, UTF-8 */
  size_t value_size;
} nn_text_pair;

/* Writes to an open stream, which keeps the error; fails on two equal names. Where the metadata has
 * a checksum (io/checksum.h), *sum_at tells the place of its digits, else 0; NULL is allowed. */
nn_status nn_safetensors_write(nn_stream *s, const nn_named_tensor *tensors, size_t count,
                               const nn_text_pair *metadata, size_t pairs, size_t *sum_at);
/* Replaces a file atomically, the checksum's digits filled in. */
nn_status nn_safetensors_save(nn_alloc *a, const char *path, const nn_named_tensor *tensors,
                              size_t count, const nn_text_pair *metadata, size_t pairs,
                              nn_error *e);

#endif
