/* A strict, bounded reader of the HDF5 that Keras and h5py write.
 *
 * Read: superblocks 0 to 3; groups as symbol tables (B-tree version 1, local heap) and as link
 * messages; attributes inside the object header; whole numbers of 1 to 8 bytes, float16, bfloat16,
 * float32, float64, h5py's booleans, texts of fixed and of variable length (global heap); scalars
 * and arrays; data compact, contiguous and in chunks (B-tree version 1 or a single chunk) with gzip
 * and shuffle. All else is an error that names it: soft and external links, external and virtual
 * data, other filters, dense groups and attributes (fractal heaps), shared messages, records.
 *
 * The whole tree is read when the file is opened, from memory, without recursion. Two accounts make
 * that linear and free of cycles: metadata that is parsed, and data that datasets claim, may not
 * add up to more bytes than the file has, as in a sound file no two structures share a byte. So an
 * object with two names is refused as well, and data that was never written.
 *
 * Source: HDF5 File Format Specification, version 3.0.
 */
#ifndef NN_IO_HDF5_H
#define NN_IO_HDF5_H

#include "core/tensor.h"
#include "io/elements.h"
#include "io/stream.h"

typedef struct nn_hdf5 nn_hdf5;

/* An attribute's or a dataset's value. */
typedef struct nn_hdf5_value {
  const char *name;          /* owned by the file; of an attribute, NULL in a dataset */
  int is_text;
  nn_shape shape;            /* scalars have ndim 0; dtype: what numbers become */
  nn_element_type type;      /* of numbers, as in the file */
  size_t text_size;          /* bytes of each text, 0 = variable length */
  size_t element_size;       /* bytes of each element in the file */
  const uint8_t *data;       /* borrowed: in the file, NULL when in chunks or without elements */
  struct hdf5_chunks *chunks; /* owned by the file; NULL unless in chunks */
} nn_hdf5_value;

typedef enum nn_hdf5_kind { NN_HDF5_GROUP, NN_HDF5_DATASET } nn_hdf5_kind;

/* A group or dataset; all is owned by the file. */
typedef struct nn_hdf5_object {
  nn_hdf5_kind kind;
  const char *name;                      /* "" for the root */
  const struct nn_hdf5_object *parent;   /* NULL at the root */
  const struct nn_hdf5_object *child;    /* `children` of them, sorted by name (bytewise) */
  size_t children;
  const nn_hdf5_value *attribute;        /* `attributes` of them, sorted by name */
  size_t attributes;
  nn_hdf5_value value;                   /* of a dataset */
  uint64_t at;                           /* of its header in the file */
  size_t first_child, first_attribute, parent_index; /* while the file is opened */
  int depth;
  size_t path_size;
} nn_hdf5_object;

/* `bytes` are borrowed until close. limits->tensors caps objects and attributes, limits->depth the
 * groups inside groups, limits->bytes all datasets together as they become in memory. */
nn_status nn_hdf5_open(nn_hdf5 **f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_limits *limits, nn_error *e);
void nn_hdf5_close(nn_hdf5 *f); /* NULL is allowed */

const nn_hdf5_object *nn_hdf5_root(const nn_hdf5 *f);
/* The object at a path below `o` ("layers/dense/vars/0"), NULL when there is none. "" is `o`. */
const nn_hdf5_object *nn_hdf5_find(const nn_hdf5_object *o, const char *path);
const nn_hdf5_value *nn_hdf5_attribute(const nn_hdf5_object *o, const char *name);

/* NN_ERR_FORMAT when the file says its checksum (io/checksum.h) and is not the file it was. */
nn_status nn_hdf5_sum_check(nn_hdf5 *f, nn_error *e);

/* Numbers into out, nn_shape_bytes(&v->shape) bytes as v->shape.dtype. */
nn_status nn_hdf5_read(nn_hdf5 *f, const nn_hdf5_value *v, void *out, nn_error *e);
/* Number `index` (row-major, from 0) as a double; not from chunks. */
nn_status nn_hdf5_number(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, double *out,
                         nn_error *e);
/* Text `index`: *n bytes in the file, without padding and not ending in zero; not from chunks. */
nn_status nn_hdf5_text(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, const char **text,
                       size_t *n, nn_error *e);

#endif
