/* Global heap collections: "GCOL", version, size; objects of index (2), references (2), 0 (4), size
 * (8), data padded to 8. Index 0 is the free rest. Each collection is parsed once, when the first
 * text in it is asked for, and found by its address afterwards. */
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_file.h"

/* Bytes of a collection, as the format demands, and how many of them are read: they are kept
 * sorted, which is quick up to there. */
enum { LEAST = 4096, MOST = 16384 };

static int by_index(const void *a, const void *b) {
  return (int)((const h5_heap_object *)a)->index - (int)((const h5_heap_object *)b)->index;
}

static nn_status objects_parse(nn_hdf5 *f, h5_heap *heap, h5_cursor *c) {
  size_t room = 0;
  while (h5_left(c) >= 16) {
    h5_heap_object o;
    o.index = (uint16_t)h5_take(c, 2);
    h5_take(c, 6);
    uint64_t size = h5_take(c, 8);
    if (o.index == 0) return NN_OK;
    size_t padded = nn_size_add((size_t)size, 7) & ~(size_t)7;
    o.size = (size_t)size;
    o.data = h5_take_bytes(c, padded);
    if (!o.data || padded < size) return h5_fail(f, "a global heap object is longer than its heap");
    nn_status st = h5_grow(f, &heap->object, heap->count, &room, sizeof o);
    if (st) return st;
    heap->object[heap->count++] = o;
  }
  return NN_OK;
}

static nn_status heap_parse(nn_hdf5 *f, uint64_t at, h5_heap *heap) {
  h5_cursor c;
  nn_status st = h5_block_at(f, at, 16, "global heap", &c);
  if (st) return st;
  if (memcmp(c.at, "GCOL", 4) != 0 || c.at[4] != 1)
    return h5_fail(f, "no global heap at byte %llu", (unsigned long long)at);
  c.at += 8;
  uint64_t size = h5_take(&c, 8);
  if (size < LEAST) return h5_fail(f, "a global heap is damaged");
  if (f->heaps >= f->limits.tensors || f->heaps >= MOST) return h5_limit(f, "more global heaps");
  st = h5_block_at(f, at + 16, size - 16, "global heap", &c);
  if (!st) st = objects_parse(f, heap, &c);
  if (heap->count > 1) qsort(heap->object, heap->count, sizeof *heap->object, by_index);
  return st;
}

/* Where the heap of this address is or belongs in the sorted list. */
static size_t heap_place(const nn_hdf5 *f, uint64_t at) {
  size_t low = 0, high = f->heaps;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (f->heap[middle].at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

static nn_status heap_find(nn_hdf5 *f, uint64_t at, const h5_heap **out) {
  size_t i = heap_place(f, at);
  if (i == f->heaps || f->heap[i].at != at) {
    h5_heap heap = {at, NULL, 0};
    nn_status st = h5_grow(f, &f->heap, f->heaps, &f->heap_room, sizeof heap);
    if (!st) st = heap_parse(f, at, &heap);
    if (st) {
      nn_mem_free(f->alloc, heap.object);
      return st;
    }
    memmove(&f->heap[i + 1], &f->heap[i], (f->heaps - i) * sizeof heap);
    f->heap[i] = heap;
    f->heaps++;
  }
  *out = &f->heap[i];
  return NN_OK;
}

nn_status h5_global_heap(nn_hdf5 *f, uint64_t at, uint32_t index, const uint8_t **data, size_t *n) {
  const h5_heap *heap;
  nn_status st = heap_find(f, at, &heap);
  if (st) return st;
  h5_heap_object key = {NULL, 0, (uint16_t)index};
  const h5_heap_object *o = NULL;
  if (index > 0 && index <= UINT16_MAX && heap->count)
    o = bsearch(&key, heap->object, heap->count, sizeof key, by_index);
  if (!o) return h5_fail(f, "a text refers to a global heap object that is not there");
  *data = o->data;
  *n = o->size;
  return NN_OK;
}
