/* What the parts of the HDF5 reader share. Private to it. */
#ifndef NN_IO_HDF5_FILE_H
#define NN_IO_HDF5_FILE_H

#include "io/hdf5.h"

#define H5_UNDEFINED UINT64_MAX /* an address that points nowhere */

/* Bytes being parsed; `bad` sticks once more was taken than there is. */
typedef struct h5_cursor {
  const uint8_t *at, *end;
  int bad;
} h5_cursor;

uint64_t h5_take(h5_cursor *c, int bytes);           /* little-endian */
const uint8_t *h5_take_bytes(h5_cursor *c, size_t n); /* NULL when there are fewer */
static inline size_t h5_left(const h5_cursor *c) { return (size_t)(c->end - c->at); }

/* One object of a global heap collection. */
typedef struct h5_heap_object {
  const uint8_t *data;
  size_t size;
  uint16_t index;
} h5_heap_object;

typedef struct h5_heap {
  uint64_t at;
  h5_heap_object *object; /* owned: sorted by index */
  size_t count;
} h5_heap;

typedef struct h5_link {
  const char *name;
  uint64_t at;
} h5_link;

typedef struct h5_node {
  uint64_t at;
  int level; /* -1 = any */
} h5_node;

enum { H5_FILTERS = 2, H5_DEFLATE = 1, H5_SHUFFLE = 2 };

/* A stored chunk: `index` counts chunks in row-major order of the grid. */
typedef struct h5_chunk {
  uint64_t at, size, index;
  uint32_t mask; /* bit i: filter i was left out */
} h5_chunk;

typedef struct hdf5_chunks {
  struct hdf5_chunks *next;   /* all of the file, to be freed */
  int rank;
  uint64_t dim[NN_MAX_DIMS];  /* of a chunk, in elements */
  uint64_t grid[NN_MAX_DIMS]; /* chunks along each dimension */
  size_t bytes;               /* of a chunk once inflated */
  int filters, filter[H5_FILTERS];
  h5_chunk *chunk;            /* owned */
  size_t count, room;
} hdf5_chunks;

typedef struct h5_block {
  struct h5_block *next;
  size_t used, room;
} h5_block;

struct nn_hdf5 {
  nn_alloc *alloc;      /* borrowed */
  const char *name;     /* in `texts` */
  const uint8_t *bytes; /* borrowed */
  size_t size;
  nn_limits limits;
  nn_error *e;          /* borrowed: of the call that runs */
  uint64_t metadata_left, data_left; /* the two accounts */
  uint64_t text_left;   /* and one for texts: many references may name one long text */
  uint64_t names_left;  /* for names, and for the paths of all objects: a long name may be shared */
  uint64_t paths_left;
  size_t memory;        /* of the datasets so far */
  size_t current;       /* the object that is being opened, for errors */
  nn_hdf5_object *object; /* owned: breadth first, a group's children together */
  size_t objects, object_room;
  nn_hdf5_value *attribute; /* owned: an object's together */
  size_t attributes, attribute_room;
  h5_heap *heap; /* owned: sorted by address */
  size_t heaps, heap_room;
  h5_link *link; /* owned: of the group at hand */
  size_t links, link_room;
  h5_node *node; /* owned: B-tree nodes or header blocks to visit */
  size_t nodes, node_room;
  hdf5_chunks *chunks; /* owned: a list */
  h5_block *texts;     /* owned: names */
};

/* Data layout as the message says it. */
typedef struct h5_layout {
  int kind; /* 0 compact, 1 contiguous, 2 chunks; -1 none seen */
  int single; /* chunks: the only one lies at `at` */
  uint64_t at, size;
  uint32_t mask;
  const uint8_t *compact;
  int rank; /* chunks: with the element's size as last dimension */
  uint64_t dim[NN_MAX_DIMS + 1];
} h5_layout;

/* An object header's messages. */
typedef struct h5_header {
  int has_table, has_links, has_space, has_type;
  uint64_t tree, heap; /* of a symbol table */
  nn_hdf5_value value; /* of dataspace and datatype */
  int opaque;          /* datatype is opaque: bfloat16 if the attribute dtype says so */
  h5_layout layout;
  int filters, filter[H5_FILTERS];
} h5_header;

/* hdf5_file.c */
nn_status h5_fail(nn_hdf5 *f, const char *fmt, ...) NN_PRINTF(2, 3);
nn_status h5_limit(nn_hdf5 *f, const char *what);
nn_status h5_memory(nn_hdf5 *f);
/* n bytes at an address, charged to the metadata account; `what` stands in errors. */
nn_status h5_block_at(nn_hdf5 *f, uint64_t at, uint64_t n, const char *what, h5_cursor *out);
/* Charges n bytes of data at an address. */
nn_status h5_claim_data(nn_hdf5 *f, uint64_t at, uint64_t n, const uint8_t **out);
/* Makes room for one more element of `size` bytes in *array. */
nn_status h5_grow(nn_hdf5 *f, void *array, size_t count, size_t *room, size_t size);
nn_status h5_text_keep(nn_hdf5 *f, const void *text, size_t n, const char **out);
nn_status h5_node_push(nn_hdf5 *f, uint64_t at, int level);
uint32_t h5_checksum(const uint8_t *p, size_t n);

/* hdf5_superblock.c: the root's object header. */
nn_status h5_superblock(nn_hdf5 *f, uint64_t *root);

/* hdf5_object.c: all messages of the header at `at` into h, which comes zeroed; attributes are
 * appended to the file's. */
nn_status h5_object_header(nn_hdf5 *f, uint64_t at, h5_header *h);
/* hdf5_message.c: one message. */
nn_status h5_message(nn_hdf5 *f, h5_header *h, int type, int flags, h5_cursor c);
/* hdf5_type.c */
nn_status h5_dataspace(nn_hdf5 *f, h5_cursor *c, nn_hdf5_value *v);
nn_status h5_datatype(nn_hdf5 *f, h5_cursor *c, nn_hdf5_value *v, int *opaque);

/* hdf5_btree.c: visits each child of the leaves of a version 1 B-tree. */
typedef nn_status (*h5_visit)(nn_hdf5 *f, void *ud, h5_cursor key, uint64_t child);
nn_status h5_btree(nn_hdf5 *f, uint64_t root, int type, size_t key_size, h5_visit visit, void *ud);

/* hdf5_group.c: links of a group into f->link. */
nn_status h5_symbol_table(nn_hdf5 *f, uint64_t tree, uint64_t heap);
nn_status h5_link_message(nn_hdf5 *f, h5_cursor *c);
nn_status h5_link_add(nn_hdf5 *f, const void *name, size_t n, uint64_t at);

/* hdf5_heap.c: object `index` of the global heap collection at `at`. */
nn_status h5_global_heap(nn_hdf5 *f, uint64_t at, uint32_t index, const uint8_t **data, size_t *n);

/* hdf5_chunk.c */
nn_status h5_chunks_open(nn_hdf5 *f, const h5_header *h, nn_hdf5_value *v);
nn_status h5_chunks_read(nn_hdf5 *f, const nn_hdf5_value *v, void *out);

#endif
