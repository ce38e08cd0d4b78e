/* The file: superblock, global heaps, object headers breadth first, data. All sizes follow from the
 * tree, so every address is known before the first byte is written. */
#include "io/hdf5_write.h"

#include <stdlib.h>
#include <string.h>

#include "io/checksum.h"
#include "io/hdf5_file.h"
#include "io/hdf5_tree.h"
#include "io/tensors.h"

enum {
  SUPERBLOCK = 48,
  HEAP_HEAD = 16,
  HEAP_LEAST = 4096,
  HEAP_OBJECTS = 65535, /* of one collection: the index has two bytes */
  HEADER_HEAD = 10,     /* "OHDR", version, flags, size of the messages */
  MESSAGE_HEAD = 4
};

/* Bytes of one structure, gathered so that its checksum can be taken. */
typedef struct gathered {
  nn_stream s;
} gathered;

static void put(gathered *b, uint64_t v, int n) {
  uint8_t p[8];
  for (int i = 0; i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
  nn_stream_write(&b->s, p, (size_t)n);
}

static void put_sum(gathered *b) { put(b, h5_checksum(b->s.buffer, b->s.fill), 4); }

/* ---- sizes and addresses ---- */

static int by_name(const void *a, const void *b) {
  return strcmp((*(h5_out *const *)a)->name, (*(h5_out *const *)b)->name);
}

static nn_status order_set(nn_hdf5_writer *w) {
  w->order = nn_mem_new(w->alloc, nn_size_mul(w->made + 1, sizeof *w->order));
  if (!w->order) return nn_fail(&w->error, NN_ERR_MEMORY, "HDF5 writer: out of memory");
  w->order[w->objects++] = w->root;
  for (size_t i = 0; i < w->objects; i++) {
    h5_out *o = w->order[i];
    size_t n = 0;
    o->sorted = nn_mem_new(w->alloc, nn_size_mul(o->children, sizeof *o->sorted));
    if (!o->sorted) return nn_fail(&w->error, NN_ERR_MEMORY, "HDF5 writer: out of memory");
    for (h5_out *c = o->child; c; c = c->next) o->sorted[n++] = c;
    qsort(o->sorted, n, sizeof *o->sorted, by_name);
    for (size_t k = 0; k < n; k++) w->order[w->objects++] = o->sorted[k];
  }
  return NN_OK;
}

static void texts_order(nn_hdf5_writer *w) {
  for (size_t i = 0; i < w->objects; i++) {
    for (h5_attribute *a = w->order[i]->attribute; a; a = a->next) {
      for (size_t k = 0; a->text && k < a->count; k++) {
        h5_text *t = &a->text[k];
        if (w->last_text) w->last_text->next = t;
        else w->text = t;
        w->last_text = t;
      }
    }
  }
}

static uint64_t padded(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* Bytes of the collection that begins with text t: what its objects need, and a free object. */
static uint64_t heap_size(const h5_text *t) {
  uint64_t need = HEAP_HEAD;
  for (int i = 0; t && i < HEAP_OBJECTS; t = t->next, i++) need += 16 + padded(t->n);
  need += 16;
  return need < HEAP_LEAST ? HEAP_LEAST : need;
}

static uint64_t heaps_place(nn_hdf5_writer *w, uint64_t at) {
  for (h5_text *t = w->text; t;) {
    uint64_t heap = at;
    at += heap_size(t);
    for (uint32_t i = 1; t && i <= HEAP_OBJECTS; t = t->next, i++) t->heap = heap, t->index = i;
  }
  return at;
}

static size_t element_type_size(nn_element k) {
  return k == NN_ELEMENT_F32 ? 20 : k == NN_ELEMENT_BOOL ? 8 + 12 + 6 + 5 + 2 : 12;
}

static size_t attribute_type_size(const h5_attribute *a) { return a->text ? 20 : 12; }

static size_t attribute_size(const h5_attribute *a) {
  size_t space = 4 + 8 * (size_t)a->rank;
  return 9 + strlen(a->name) + 1 + space + attribute_type_size(a) + a->count * (a->text ? 16 : 8);
}

static int link_width(size_t n) { return n < 256 ? 1 : 2; }

static size_t link_size(const h5_out *o) {
  size_t n = strlen(o->name);
  return 3 + (size_t)link_width(n) + n + 8;
}

/* Bytes of an object's messages with their heads. */
static uint64_t messages_size(const h5_out *o) {
  uint64_t n = 0;
  if (o->is_dataset) {
    n += MESSAGE_HEAD + 4 + 8 * (uint64_t)o->tensor.shape.ndim;
    n += MESSAGE_HEAD + element_type_size(o->as);
    n += MESSAGE_HEAD + 2 + MESSAGE_HEAD + 18;
  } else {
    n += MESSAGE_HEAD + 18 + MESSAGE_HEAD + 2;
    for (size_t i = 0; i < o->children; i++) n += MESSAGE_HEAD + link_size(o->sorted[i]);
  }
  for (const h5_attribute *a = o->attribute; a; a = a->next) n += MESSAGE_HEAD + attribute_size(a);
  return n;
}

static nn_status place_all(nn_hdf5_writer *w, uint64_t *end) {
  uint64_t at = heaps_place(w, SUPERBLOCK);
  for (size_t i = 0; i < w->objects; i++) {
    h5_out *o = w->order[i];
    o->at = at;
    o->size = messages_size(o);
    if (o->size > UINT32_MAX)
      return nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: \"%.80s\" has too many members",
                     o->name);
    at = padded(at + HEADER_HEAD + o->size + 4);
  }
  for (size_t i = 0; i < w->objects; i++) {
    h5_out *o = w->order[i];
    if (!o->is_dataset) continue;
    o->data_size = nn_size_mul((size_t)nn_shape_size(&o->tensor.shape), nn_element_size(o->as));
    o->data = o->data_size ? at : H5_UNDEFINED;
    at = padded(at + o->data_size);
  }
  *end = at;
  return NN_OK;
}

/* ---- structures ---- */

static void superblock_write(gathered *b, uint64_t root, uint64_t end) {
  static const uint8_t head[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n', 2, 8, 8, 0};
  nn_stream_write(&b->s, head, sizeof head);
  put(b, 0, 8);
  put(b, H5_UNDEFINED, 8);
  put(b, end, 8);
  put(b, root, 8);
  put_sum(b);
}

static void heaps_write(gathered *b, nn_hdf5_writer *w) {
  const h5_text *t = w->text;
  while (t) {
    uint64_t size = heap_size(t), used = HEAP_HEAD;
    nn_stream_write(&b->s, "GCOL\1\0\0\0", 8);
    put(b, size, 8);
    for (uint64_t heap = t->heap; t && t->heap == heap; t = t->next) {
      put(b, t->index, 2);
      put(b, 1, 2);
      put(b, 0, 4);
      put(b, t->n, 8);
      if (t == w->sum) w->sum_at = SUPERBLOCK + b->s.fill;
      nn_stream_write(&b->s, t->bytes, t->n);
      nn_stream_pad(&b->s, (size_t)(padded(t->n) - t->n));
      used += 16 + padded(t->n);
    }
    put(b, 0, 8);
    put(b, size - used, 8);
    nn_stream_pad(&b->s, (size_t)(size - used - 16));
  }
}

static void whole_type(gathered *b, size_t size, int is_signed) {
  put(b, 0x10 | (uint64_t)(is_signed ? 8 : 0) << 8, 4);
  put(b, size, 4);
  put(b, 0, 2);
  put(b, size * 8, 2);
}

static void element_type(gathered *b, nn_element k) {
  if (k == NN_ELEMENT_F32) {
    put(b, 0x11 | 0x20 << 8 | 31 << 16, 4); /* mantissa with its leading 1 left out, sign at 31 */
    put(b, 4, 4);
    put(b, 0, 2), put(b, 32, 2);
    put(b, 23, 1), put(b, 8, 1), put(b, 0, 1), put(b, 23, 1);
    put(b, 127, 4);
  } else if (k == NN_ELEMENT_BOOL) {
    put(b, 0x38 | 2 << 8, 4); /* an enumeration of two, version 3: names are not padded */
    put(b, 1, 4);
    whole_type(b, 1, 1);
    nn_stream_write(&b->s, "FALSE\0TRUE\0\0\1", 13);
  } else {
    whole_type(b, nn_element_size(k), k == NN_ELEMENT_I8 || k == NN_ELEMENT_I16 ||
                                          k == NN_ELEMENT_I32 || k == NN_ELEMENT_I64);
  }
}

static void text_type(gathered *b) {
  put(b, 0x19 | 1 << 8 | 1 << 16, 4); /* a text, UTF-8 */
  put(b, 16, 4);
  whole_type(b, 1, 0);
}

static void dataspace(gathered *b, int rank, const int64_t *dim) {
  put(b, 2, 1), put(b, (uint64_t)rank, 1), put(b, 0, 1), put(b, rank > 0, 1);
  for (int i = 0; i < rank; i++) put(b, (uint64_t)dim[i], 8);
}

static void message(gathered *b, int type, size_t size, int flags) {
  put(b, (uint64_t)type, 1);
  put(b, size, 2);
  put(b, (uint64_t)flags, 1);
}

static void attribute_write(gathered *b, const h5_attribute *a) {
  int64_t count = (int64_t)a->count;
  size_t name = strlen(a->name) + 1;
  message(b, 0x0C, attribute_size(a), 0);
  put(b, 3, 1), put(b, 0, 1);
  put(b, name, 2), put(b, attribute_type_size(a), 2), put(b, 4 + 8 * (uint64_t)a->rank, 2);
  put(b, 1, 1); /* the name is UTF-8 */
  nn_stream_write(&b->s, a->name, name);
  if (a->text) text_type(b);
  else whole_type(b, 8, 1);
  dataspace(b, a->rank, &count);
  for (size_t i = 0; a->text && i < a->count; i++) {
    put(b, a->text[i].n, 4);
    put(b, a->text[i].heap, 8);
    put(b, a->text[i].index, 4);
  }
  if (!a->text) put(b, (uint64_t)a->integer, 8);
}

static void dataset_messages(gathered *b, const h5_out *o) {
  const nn_shape *s = &o->tensor.shape;
  message(b, 0x01, 4 + 8 * (size_t)s->ndim, 0);
  dataspace(b, s->ndim, s->dim);
  message(b, 0x03, element_type_size(o->as), 1);
  element_type(b, o->as);
  message(b, 0x05, 2, 1);
  put(b, 3 | 0x0A << 8, 2); /* fill value: none; space late, written if set */
  message(b, 0x08, 18, 0);
  put(b, 3, 1), put(b, 1, 1);
  put(b, o->data, 8);
  put(b, o->data_size, 8);
}

static void link_write(gathered *b, const h5_out *o) {
  size_t n = strlen(o->name);
  message(b, 0x06, link_size(o), 0);
  put(b, 1, 1);
  put(b, 0x10 | (link_width(n) == 2), 1); /* the name's character set is said: UTF-8 */
  put(b, 1, 1);
  put(b, n, link_width(n));
  nn_stream_write(&b->s, o->name, n);
  put(b, o->at, 8);
}

static void group_messages(gathered *b, const h5_out *o) {
  message(b, 0x02, 18, 0);
  put(b, 0, 2);
  put(b, H5_UNDEFINED, 8);
  put(b, H5_UNDEFINED, 8);
  message(b, 0x0A, 2, 1);
  put(b, 0, 2);
  for (size_t i = 0; i < o->children; i++) link_write(b, o->sorted[i]);
}

static void header_write(gathered *b, const h5_out *o) {
  nn_stream_write(&b->s, "OHDR\2\2", 6); /* the size has four bytes, no times */
  put(b, o->size, 4);
  if (o->is_dataset) dataset_messages(b, o);
  else group_messages(b, o);
  for (const h5_attribute *a = o->attribute; a; a = a->next) attribute_write(b, a);
  put_sum(b);
}

/* ---- the file ---- */

/* Writes what was gathered and padding up to a multiple of eight. */
static void flush(gathered *b, nn_stream *s) {
  if (b->s.error.code) nn_stream_fail(s, b->s.error.code, "%s", b->s.error.text);
  nn_stream_write(s, b->s.buffer, b->s.fill);
  nn_stream_pad(s, (size_t)(padded(b->s.fill) - b->s.fill));
  b->s.fill = 0;
  b->s.size = 0;
}

static int fits(int64_t v, nn_element as) {
  int bits = (int)nn_element_size(as) * 8;
  int is_signed = as == NN_ELEMENT_I8 || as == NN_ELEMENT_I16 || as == NN_ELEMENT_I32 ||
                  as == NN_ELEMENT_I64;
  int64_t top = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - is_signed)) - 1;
  return as == NN_ELEMENT_BOOL || (v <= top && v >= (is_signed ? -top - 1 : 0));
}

/* Whole numbers that become wider or narrower, element by element. */
static void converted_write(nn_stream *s, const nn_tensor *t, nn_element as) {
  nn_tensor whole;
  size_t size = nn_element_size(as), n = (size_t)nn_shape_size(&t->shape);
  void *block = nn_mem_new(s->alloc, nn_shape_bytes(&t->shape));
  if (!block) {
    nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
    return;
  }
  nn_tensor_init(&whole, &t->shape, block);
  nn_tensor_copy(&whole, t);
  for (size_t i = 0; i < n; i++) {
    int64_t v = t->shape.dtype == NN_I32 ? ((int32_t *)block)[i] : ((uint8_t *)block)[i];
    uint8_t p[8];
    if (!fits(v, as))
      nn_stream_fail(s, NN_ERR_DATA, "%lld does not fit %s", (long long)v, nn_element_name(as));
    if (as == NN_ELEMENT_BOOL) v = v != 0;
    for (size_t k = 0; k < size; k++) p[k] = (uint8_t)((uint64_t)v >> (8 * k));
    nn_stream_write(s, p, size);
  }
  nn_mem_free(s->alloc, block);
}

static void data_write(nn_stream *s, const h5_out *o) {
  if (!o->is_dataset || o->data_size == 0) return;
  if (o->as == nn_element_of(o->tensor.shape.dtype)) nn_tensor_write(s, &o->tensor);
  else converted_write(s, &o->tensor, o->as);
  nn_stream_pad(s, (size_t)(padded(o->data_size) - o->data_size));
}

nn_status nn_hdf5_writer_write(nn_hdf5_writer *w, nn_stream *s) {
  gathered b;
  uint64_t end = 0;
  if (!w->error.code && !w->order && !order_set(w)) texts_order(w);
  if (!w->error.code) place_all(w, &end);
  if (w->error.code) return nn_stream_fail(s, w->error.code, "%s", w->error.text);
  nn_stream_reserve(s, (size_t)end);
  if (nn_stream_grow(&b.s, w->alloc, "HDF5", &w->error))
    return nn_stream_fail(s, w->error.code, "%s", w->error.text);
  superblock_write(&b, w->root->at, end);
  flush(&b, s);
  heaps_write(&b, w);
  flush(&b, s);
  for (size_t i = 0; i < w->objects && !s->error.code; i++) {
    header_write(&b, w->order[i]);
    flush(&b, s);
  }
  nn_stream_close(&b.s);
  for (size_t i = 0; i < w->objects && !s->error.code; i++) data_write(s, w->order[i]);
  return s->error.code;
}

nn_status nn_hdf5_writer_save(nn_hdf5_writer *w, const char *path, nn_error *e) {
  nn_stream s;
  char digits[NN_CHECKSUM_DIGITS + 1];
  nn_status st = nn_stream_create(&s, w->alloc, path, e);
  if (st) return st;
  s.summing = w->sum != NULL;
  nn_hdf5_writer_write(w, &s);
  nn_checksum_text(digits, s.sum);
  if (w->sum) nn_stream_patch(&s, w->sum_at, digits, NN_CHECKSUM_DIGITS);
  return nn_stream_commit(&s, e);
}

nn_status nn_hdf5_writer_bytes(nn_hdf5_writer *w, uint8_t **bytes, size_t *n, nn_error *e) {
  nn_stream s;
  nn_status st = nn_stream_grow(&s, w->alloc, "HDF5", e);
  if (st) return st;
  nn_hdf5_writer_write(w, &s);
  return nn_stream_take(&s, bytes, n, e);
}
