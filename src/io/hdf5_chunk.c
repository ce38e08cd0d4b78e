/* Data in chunks. When a file is opened every chunk is found, once and only once, and its size is
 * held against what it may inflate to; reading then cannot fail for want of memory bounds.
 *
 * The B-tree's key of a chunk is its stored size (4), filter mask (4) and its first element's
 * indices (8 each, one more, 0, for the element's bytes). Chunks at the edge are stored whole. */
#include <string.h>

#include "io/hdf5_file.h"
#include "io/inflate.h"

enum { DEFLATE_MOST = 1040 };

static size_t grid_size(const hdf5_chunks *k) {
  size_t n = 1;
  for (int i = 0; i < k->rank; i++) n = nn_size_mul(n, (size_t)k->grid[i]);
  return n;
}

/* Shape of chunks and grid from the layout. */
static nn_status grid_set(nn_hdf5 *f, const h5_layout *l, const nn_hdf5_value *v, hdf5_chunks *k) {
  k->rank = v->shape.ndim;
  if (l->rank != k->rank + 1 || l->dim[k->rank] != v->element_size)
    return h5_fail(f, "the chunks do not fit the dataset's dimensions or type");
  k->bytes = v->element_size;
  for (int i = 0; i < k->rank; i++) {
    k->dim[i] = l->dim[i];
    if (l->dim[i] == 0 || l->dim[i] > UINT32_MAX) return h5_fail(f, "a chunk has a bad dimension");
    k->bytes = nn_size_mul(k->bytes, (size_t)l->dim[i]);
    uint64_t d = (uint64_t)v->shape.dim[i];
    k->grid[i] = d / l->dim[i] + (d % l->dim[i] != 0);
  }
  if (k->bytes > f->limits.bytes) return h5_limit(f, "a chunk is larger");
  return NN_OK;
}

/* Whether `stored` bytes can be the chunk. */
static nn_status stored_check(nn_hdf5 *f, const hdf5_chunks *k, const h5_chunk *c) {
  int deflated = 0;
  for (int i = 0; i < k->filters; i++)
    deflated |= k->filter[i] == H5_DEFLATE && !(c->mask >> i & 1);
  if (deflated ? k->bytes / DEFLATE_MOST > c->size : k->bytes != c->size)
    return h5_fail(f, "a chunk of %llu bytes cannot become %zu", (unsigned long long)c->size,
                   k->bytes);
  const uint8_t *data;
  return h5_claim_data(f, c->at, c->size, &data);
}

static nn_status chunk_add(nn_hdf5 *f, hdf5_chunks *k, const h5_chunk *c) {
  nn_status st = stored_check(f, k, c);
  if (!st) st = h5_grow(f, &k->chunk, k->count, &k->room, sizeof *c);
  if (!st) k->chunk[k->count++] = *c;
  return st;
}

static nn_status tree_chunk(nn_hdf5 *f, void *ud, h5_cursor key, uint64_t at) {
  hdf5_chunks *k = ud;
  h5_chunk c = {at, 0, 0, 0};
  c.size = h5_take(&key, 4);
  c.mask = (uint32_t)h5_take(&key, 4);
  for (int i = 0; i < k->rank; i++) {
    uint64_t first = h5_take(&key, 8);
    if (first % k->dim[i] || first / k->dim[i] >= k->grid[i])
      return h5_fail(f, "a chunk lies outside the dataset");
    c.index = c.index * k->grid[i] + first / k->dim[i];
  }
  if (h5_take(&key, 8) != 0) return h5_fail(f, "a chunk's key is damaged");
  return chunk_add(f, k, &c);
}

static nn_status each_once(nn_hdf5 *f, const hdf5_chunks *k) {
  size_t want = grid_size(k);
  if (k->count != want)
    return h5_fail(f, "%zu of %zu chunks were written, data that is not there is not supported",
                   k->count, want);
  uint8_t *seen = nn_mem_new(f->alloc, want / 8 + 1);
  if (!seen) return h5_memory(f);
  int twice = 0;
  for (size_t i = 0; i < k->count; i++) {
    uint64_t index = k->chunk[i].index;
    twice |= seen[index / 8] >> (index % 8) & 1;
    seen[index / 8] |= (uint8_t)(1 << (index % 8));
  }
  nn_mem_free(f->alloc, seen);
  return twice ? h5_fail(f, "a chunk was written twice") : NN_OK;
}

static nn_status single_chunk(nn_hdf5 *f, const h5_layout *l, hdf5_chunks *k) {
  h5_chunk c = {l->at, k->filters ? l->size : k->bytes, 0, l->mask};
  return chunk_add(f, k, &c);
}

nn_status h5_chunks_open(nn_hdf5 *f, const h5_header *h, nn_hdf5_value *v) {
  hdf5_chunks *k = nn_mem_new(f->alloc, sizeof *k);
  if (!k) return h5_memory(f);
  k->next = f->chunks;
  f->chunks = v->chunks = k;
  k->filters = h->filters;
  memcpy(k->filter, h->filter, sizeof k->filter);
  nn_status st = grid_set(f, &h->layout, v, k);
  if (!st && h->layout.at != H5_UNDEFINED) {
    if (h->layout.single) st = single_chunk(f, &h->layout, k);
    else st = h5_btree(f, h->layout.at, 1, 16 + 8 * (size_t)k->rank, tree_chunk, k);
  }
  return st ? st : each_once(f, k);
}

/* ---- reading ---- */

/* Bytes were sorted by their place in the element: all first bytes, all second bytes ... */
static void unshuffle(uint8_t *out, const uint8_t *in, size_t n, size_t element) {
  size_t count = n / element;
  for (size_t b = 0; b < element; b++)
    for (size_t i = 0; i < count; i++) out[i * element + b] = in[b * count + i];
}

static nn_status inflate_chunk(nn_hdf5 *f, uint8_t *out, size_t n, const uint8_t *in, size_t in_n) {
  nn_inflate *z;
  nn_error e;
  nn_status st = nn_inflate_open(&z, f->alloc, NN_INFLATE_ZLIB, in, in_n, &e);
  if (!st) st = nn_inflate_read(z, out, n, &e);
  if (!st) st = nn_inflate_finish(z, &e);
  nn_inflate_close(z);
  return st ? h5_fail(f, "a chunk: %s", e.text) : NN_OK;
}

/* The chunk's elements as the file has them, in a or b (both k->bytes long) or in the file itself.
 * Filters are undone from the last to the first. */
static nn_status chunk_unpack(nn_hdf5 *f, const hdf5_chunks *k, const h5_chunk *c, size_t element,
                              uint8_t *a, uint8_t *b, const uint8_t **out) {
  const uint8_t *now = f->bytes + c->at;
  size_t n = (size_t)c->size;
  for (int i = k->filters - 1; i >= 0; i--) {
    if (c->mask >> i & 1) continue;
    uint8_t *to = now == a ? b : a;
    if (k->filter[i] == H5_DEFLATE) {
      nn_status st = inflate_chunk(f, to, k->bytes, now, n);
      if (st) return st;
      n = k->bytes;
    } else if (n != k->bytes) {
      return h5_fail(f, "shuffle after gzip is not supported");
    } else {
      unshuffle(to, now, n, element);
    }
    now = to;
  }
  *out = now;
  return NN_OK;
}

/* Puts the part of a chunk that lies inside the dataset into place. */
static void chunk_place(const hdf5_chunks *k, uint64_t index, const nn_shape *shape, void *out,
                        void *block) {
  nn_tensor whole, piece;
  nn_shape chunk = *shape;
  for (int i = 0; i < k->rank; i++) chunk.dim[i] = (int64_t)k->dim[i];
  nn_tensor_init(&whole, shape, out);
  nn_tensor_init(&piece, &chunk, block);
  int64_t offset = 0;
  for (int i = k->rank - 1; i >= 0; i--) {
    int64_t first = (int64_t)(index % k->grid[i] * k->dim[i]);
    index /= k->grid[i];
    offset += first * whole.stride[i];
    int64_t left = shape->dim[i] - first;
    if (piece.shape.dim[i] > left) piece.shape.dim[i] = left;
    whole.shape.dim[i] = piece.shape.dim[i];
  }
  whole.data = (char *)out + (size_t)offset * nn_dtype_size(shape->dtype);
  nn_tensor_copy(&whole, &piece);
}

/* a and b have room for a chunk as it is in the file, block for one as it is in memory. */
static nn_status chunks_unpack(nn_hdf5 *f, const nn_hdf5_value *v, void *out, uint8_t *a,
                               uint8_t *b, void *block) {
  const hdf5_chunks *k = v->chunks;
  size_t elements = k->bytes / v->element_size;
  nn_status st = NN_OK;
  nn_error e;
  for (size_t i = 0; i < k->count && !st; i++) {
    const uint8_t *bytes = NULL;
    st = chunk_unpack(f, k, &k->chunk[i], v->element_size, a, b, &bytes);
    if (!st && nn_elements_read(block, v->shape.dtype, bytes, v->type, elements, &e))
      st = h5_fail(f, "%s", e.text);
    if (!st) chunk_place(k, k->chunk[i].index, &v->shape, out, block);
  }
  return st;
}

nn_status h5_chunks_read(nn_hdf5 *f, const nn_hdf5_value *v, void *out) {
  size_t n = v->chunks->bytes, elements = n / v->element_size;
  uint8_t *a = nn_mem_new(f->alloc, n), *b = nn_mem_new(f->alloc, n);
  void *block = nn_mem_new(f->alloc, nn_size_mul(elements, nn_dtype_size(v->shape.dtype)));
  nn_status st = a && b && block ? chunks_unpack(f, v, out, a, b, block) : h5_memory(f);
  nn_mem_free(f->alloc, a);
  nn_mem_free(f->alloc, b);
  nn_mem_free(f->alloc, block);
  return st;
}
