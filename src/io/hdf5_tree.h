/* The tree that a writer collects. Private to the HDF5 writer. */
#ifndef NN_IO_HDF5_TREE_H
#define NN_IO_HDF5_TREE_H

#include "io/hdf5_write.h"

/* A text in a global heap; its place is known once all texts are. */
typedef struct h5_text {
  struct h5_text *next;
  const char *bytes; /* owned, by the writer */
  size_t n;
  uint64_t heap; /* address of its collection */
  uint32_t index;
} h5_text;

typedef struct h5_attribute {
  struct h5_attribute *next;
  const char *name;       /* owned, by the writer */
  int rank;               /* 0 scalar, 1 array */
  size_t count;
  h5_text *text;          /* `count` in a row; NULL for a number */
  int64_t integer;
} h5_attribute;

typedef struct h5_out {
  const char *name; /* owned, by the writer */
  struct h5_out *next, *child, *last_child;
  struct h5_out **sorted; /* owned: the children by name */
  size_t children;
  h5_attribute *attribute; /* sorted by name */
  size_t attributes;
  int is_dataset;
  nn_tensor tensor; /* borrowed memory */
  nn_element as;
  uint64_t at, size, data, data_size; /* header and data in the file */
} h5_out;

struct nn_hdf5_writer {
  nn_alloc *alloc; /* borrowed */
  nn_error error;  /* the first */
  struct h5_bytes *blocks; /* owned: nodes, names, texts */
  h5_out *root;
  size_t made; /* objects besides the root */
  h5_text *text, *last_text; /* all, in the order of the file */
  h5_out **order;  /* owned: all objects, breadth first */
  size_t objects;
  const h5_text *sum; /* the checksum's digits, NULL without one */
  uint64_t sum_at;    /* their place in the file */
};

void *h5_out_take(nn_hdf5_writer *w, size_t n); /* zeroed memory that lives with the writer */

#endif
