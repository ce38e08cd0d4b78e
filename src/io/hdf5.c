#include "io/hdf5.h"

#include <stdlib.h>
#include <string.h>

#include "io/checksum.h"
#include "io/hdf5_file.h"

/* ---- opening: breadth first over an array of objects, which is its own queue ---- */

static int link_by_name(const void *a, const void *b) {
  return strcmp(((const h5_link *)a)->name, ((const h5_link *)b)->name);
}

static int value_by_name(const void *a, const void *b) {
  return strcmp(((const nn_hdf5_value *)a)->name, ((const nn_hdf5_value *)b)->name);
}

static nn_status object_add(nn_hdf5 *f, const char *name, uint64_t at, size_t parent, int depth) {
  nn_status st = h5_grow(f, &f->object, f->objects, &f->object_room, sizeof *f->object);
  if (st) return st;
  nn_hdf5_object *o = &f->object[f->objects++];
  memset(o, 0, sizeof *o);
  o->name = name, o->at = at, o->parent_index = parent, o->depth = depth;
  o->path_size = strlen(name) + 1 + (depth ? f->object[parent].path_size : 0);
  if (o->path_size > f->paths_left) return h5_fail(f, "its objects' paths are long beyond reason");
  f->paths_left -= o->path_size;
  return NN_OK;
}

static nn_status children_add(nn_hdf5 *f, size_t i) {
  int depth = f->object[i].depth + 1;
  if (f->links && depth > f->limits.depth) return h5_limit(f, "groups are nested deeper");
  if (f->links > 1) qsort(f->link, f->links, sizeof *f->link, link_by_name);
  f->object[i].first_child = f->objects;
  f->object[i].children = f->links;
  for (size_t k = 0; k < f->links; k++) {
    if (k > 0 && link_by_name(&f->link[k - 1], &f->link[k]) == 0)
      return h5_fail(f, "the name \"%.80s\" stands twice", f->link[k].name);
    nn_status st = object_add(f, f->link[k].name, f->link[k].at, i, depth);
    if (st) return st;
  }
  return NN_OK;
}

static nn_status attributes_sort(nn_hdf5 *f, size_t i, size_t first) {
  nn_hdf5_object *o = &f->object[i];
  o->first_attribute = first;
  o->attributes = f->attributes - first;
  if (o->attributes < 2) return NN_OK;
  nn_hdf5_value *v = f->attribute + first;
  qsort(v, o->attributes, sizeof *v, value_by_name);
  for (size_t k = 1; k < o->attributes; k++)
    if (value_by_name(&v[k - 1], &v[k]) == 0)
      return h5_fail(f, "the attribute \"%.80s\" stands twice", v[k].name);
  return NN_OK;
}

static nn_status contiguous_open(nn_hdf5 *f, const h5_layout *l, nn_hdf5_value *v) {
  size_t need = nn_size_mul((size_t)nn_shape_size(&v->shape), v->element_size);
  if (need == 0) return NN_OK;
  if (l->kind == 1 && l->at == H5_UNDEFINED)
    return h5_fail(f, "the dataset's data was never written, which is not supported");
  if (l->size != need)
    return h5_fail(f, "the dataset needs %zu bytes, its layout has %llu", need,
                   (unsigned long long)l->size);
  v->data = l->compact;
  return l->kind == 1 ? h5_claim_data(f, l->at, l->size, &v->data) : NN_OK;
}

/* An opaque type of two bytes is what h5py makes of Keras's bfloat16, which an attribute says. */
static int says_bfloat16(nn_hdf5 *f, const nn_hdf5_object *o) {
  for (size_t i = 0; i < o->attributes; i++) {
    const nn_hdf5_value *v = &f->attribute[o->first_attribute + i];
    const char *text;
    size_t n;
    if (strcmp(v->name, "dtype") == 0 && v->is_text && nn_shape_size(&v->shape) == 1 &&
        nn_hdf5_text(f, v, 0, &text, &n, f->e) == NN_OK)
      return n == 8 && memcmp(text, "bfloat16", 8) == 0;
  }
  return 0;
}

static nn_status dataset_open(nn_hdf5 *f, size_t i, const h5_header *h) {
  nn_hdf5_object *o = &f->object[i];
  nn_hdf5_value *v = &o->value;
  o->kind = NN_HDF5_DATASET;
  *v = h->value;
  if (!h->has_space || !h->has_type) return h5_fail(f, "the dataset has no dataspace or datatype");
  v->shape.dtype = v->is_text ? NN_U8 : nn_element_dtype(v->type.kind);
  if (h->opaque && !says_bfloat16(f, o)) return h5_fail(f, "opaque data is not supported");
  size_t bytes = nn_size_mul((size_t)nn_shape_size(&v->shape),
                             v->is_text ? v->element_size : nn_dtype_size(v->shape.dtype));
  f->memory = nn_size_add(f->memory, bytes);
  if (f->memory > f->limits.bytes) return h5_limit(f, "its datasets together are larger");
  if (h->layout.kind != 2 && h->filters)
    return h5_fail(f, "filters on data that is not in chunks");
  if (h->layout.kind != 2) return contiguous_open(f, &h->layout, v);
  if (v->is_text) return h5_fail(f, "texts in chunks are not supported");
  return h5_chunks_open(f, h, v);
}

static nn_status object_open(nn_hdf5 *f, size_t i) {
  h5_header h;
  size_t first = f->attributes;
  memset(&h, 0, sizeof h);
  f->current = i;
  f->links = 0;
  nn_status st = h5_object_header(f, f->object[i].at, &h);
  if (!st) st = attributes_sort(f, i, first);
  if (st) return st;
  int group = h.has_table || h.has_links;
  if (group == (h.layout.kind >= 0)) return h5_fail(f, "is neither a group nor a dataset");
  if (!group) return dataset_open(f, i, &h);
  if (h.has_table && h.has_links) return h5_fail(f, "a group has links of both kinds");
  if (h.has_table) st = h5_symbol_table(f, h.tree, h.heap);
  return st ? st : children_add(f, i);
}

static int address_compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Cycles ran into the accounts; what is left is an object with two names. */
static nn_status each_once(nn_hdf5 *f) {
  uint64_t *at = nn_mem_new(f->alloc, nn_size_mul(f->objects, sizeof *at));
  nn_status st = at ? NN_OK : h5_memory(f);
  f->current = 0;
  for (size_t i = 0; at && i < f->objects; i++) at[i] = f->object[i].at;
  if (at) qsort(at, f->objects, sizeof *at, address_compare);
  for (size_t i = 1; at && i < f->objects && !st; i++)
    if (at[i - 1] == at[i])
      st = h5_fail(f, "the object at byte %llu has two names, which is not supported",
                   (unsigned long long)at[i]);
  nn_mem_free(f->alloc, at);
  return st;
}

/* Indices become pointers once the arrays have stopped growing. */
static void pointers_set(nn_hdf5 *f) {
  for (size_t i = 0; i < f->objects; i++) {
    nn_hdf5_object *o = &f->object[i];
    o->parent = i ? &f->object[o->parent_index] : NULL;
    o->child = o->children ? &f->object[o->first_child] : NULL;
    o->attribute = o->attributes ? &f->attribute[o->first_attribute] : NULL;
  }
}

static nn_status tree_open(nn_hdf5 *f) {
  uint64_t root;
  nn_status st = h5_superblock(f, &root);
  if (!st) st = object_add(f, "", root, 0, 0);
  for (size_t i = 0; i < f->objects && !st; i++) st = object_open(f, i);
  if (!st && f->object[0].kind != NN_HDF5_GROUP) st = h5_fail(f, "the root is no group");
  if (!st) st = each_once(f);
  pointers_set(f);
  return st;
}

nn_status nn_hdf5_open(nn_hdf5 **out, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_limits *limits, nn_error *e) {
  nn_error own;
  nn_hdf5 *f = nn_mem_new(a, sizeof *f);
  *out = NULL;
  if (!f) return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
  f->alloc = a, f->name = name, f->bytes = bytes, f->size = n;
  f->limits = nn_limits_of(limits);
  f->e = e ? e : &own;
  f->metadata_left = f->data_left = n;
  f->text_left = (uint64_t)n * 16 + 65536;
  f->names_left = (uint64_t)n + 65536;
  f->paths_left = (uint64_t)n * 64 + (1 << 20);
  nn_status st = h5_text_keep(f, name, strlen(name), &f->name);
  if (!st) st = tree_open(f);
  f->e = NULL;
  if (st) nn_hdf5_close(f);
  else *out = f;
  return st;
}

void nn_hdf5_close(nn_hdf5 *f) {
  if (!f) return;
  nn_alloc *a = f->alloc;
  for (size_t i = 0; i < f->heaps; i++) nn_mem_free(a, f->heap[i].object);
  while (f->chunks) {
    hdf5_chunks *next = f->chunks->next;
    nn_mem_free(a, f->chunks->chunk);
    nn_mem_free(a, f->chunks);
    f->chunks = next;
  }
  while (f->texts) {
    h5_block *next = f->texts->next;
    nn_mem_free(a, f->texts);
    f->texts = next;
  }
  nn_mem_free(a, f->object);
  nn_mem_free(a, f->attribute);
  nn_mem_free(a, f->heap);
  nn_mem_free(a, f->link);
  nn_mem_free(a, f->node);
  nn_mem_free(a, f);
}

/* ---- looking ---- */

const nn_hdf5_object *nn_hdf5_root(const nn_hdf5 *f) { return &f->object[0]; }

static const nn_hdf5_object *child_find(const nn_hdf5_object *o, const char *name, size_t n) {
  size_t low = 0, high = o->children;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const char *other = o->child[middle].name;
    int c = strncmp(other, name, n);
    if (c == 0 && other[n] != 0) c = 1;
    if (c == 0) return &o->child[middle];
    if (c < 0) low = middle + 1;
    else high = middle;
  }
  return NULL;
}

const nn_hdf5_object *nn_hdf5_find(const nn_hdf5_object *o, const char *path) {
  while (o && *path) {
    size_t n = strcspn(path, "/");
    if (n > 0) o = child_find(o, path, n);
    path += n;
    if (*path == '/') path++;
  }
  return o;
}

const nn_hdf5_value *nn_hdf5_attribute(const nn_hdf5_object *o, const char *name) {
  nn_hdf5_value key = {.name = name};
  if (!o || !o->attributes) return NULL;
  return bsearch(&key, o->attribute, o->attributes, sizeof key, value_by_name);
}

/* ---- reading ---- */

/* The object that a value belongs to, for errors; the root when it is an attribute's. */
static size_t owner_of(const nn_hdf5 *f, const nn_hdf5_value *v) {
  uintptr_t at = (uintptr_t)v, first = (uintptr_t)f->object;
  return at - first < f->objects * sizeof *f->object ? (at - first) / sizeof *f->object : 0;
}

static nn_status elements_read(nn_hdf5 *f, const nn_hdf5_value *v, void *out, size_t n) {
  nn_error e;
  nn_status st = nn_elements_read(out, v->shape.dtype, v->data, v->type, n, &e);
  return st ? h5_fail(f, "%s", e.text) : NN_OK;
}

nn_status nn_hdf5_read(nn_hdf5 *f, const nn_hdf5_value *v, void *out, nn_error *e) {
  nn_error own;
  nn_status st;
  f->e = e ? e : &own;
  f->current = owner_of(f, v);
  size_t n = (size_t)nn_shape_size(&v->shape);
  if (v->is_text) st = h5_fail(f, "expected numbers, the value is text");
  else if (n == 0) st = NN_OK;
  else if (v->chunks) st = h5_chunks_read(f, v, out);
  else st = elements_read(f, v, out, n);
  f->e = NULL;
  return st;
}

static nn_status element_check(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, int text) {
  if (v->is_text != text)
    return h5_fail(f, "expected %s, the value is %s", text ? "text" : "numbers",
                   text ? "numbers" : "text");
  if (!v->data || index >= (size_t)nn_shape_size(&v->shape))
    return h5_fail(f, "element %zu of a value with %lld", index + 1,
                   (long long)nn_shape_size(&v->shape));
  return NN_OK;
}

nn_status nn_hdf5_number(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, double *out,
                         nn_error *e) {
  nn_error own;
  f->e = e ? e : &own;
  nn_status st = element_check(f, v, index, 0);
  if (!st) *out = nn_element_get(v->data, v->type, index);
  f->e = NULL;
  return st;
}

/* Up to the first zero; fixed texts may be padded with spaces too, which stay. */
static nn_status text_get(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, const char **text,
                          size_t *n) {
  const uint8_t *data = v->data + index * v->element_size;
  *n = v->text_size;
  if (v->text_size == 0) {
    h5_cursor c = {data, data + 16, 0};
    size_t length = (size_t)h5_take(&c, 4);
    uint64_t at = h5_take(&c, 8);
    uint32_t object = (uint32_t)h5_take(&c, 4);
    *n = 0;
    nn_status st = length ? h5_global_heap(f, at, object, &data, n) : NN_OK;
    if (st) return st;
    if (length > *n) return h5_fail(f, "a text is longer than its global heap object");
    *n = length;
  }
  if (*n > f->text_left) return h5_fail(f, "the file's texts repeat beyond reason");
  f->text_left -= *n;
  const uint8_t *zero = *n ? memchr(data, 0, *n) : NULL;
  if (zero) *n = (size_t)(zero - data);
  *text = *n ? (const char *)data : "";
  return NN_OK;
}

nn_status nn_hdf5_text(nn_hdf5 *f, const nn_hdf5_value *v, size_t index, const char **text,
                       size_t *n, nn_error *e) {
  nn_error own, *before = f->e;
  f->e = e ? e : &own;
  nn_status st = element_check(f, v, index, 1);
  if (!st) st = text_get(f, v, index, text, n);
  f->e = before;
  return st;
}

nn_status nn_hdf5_sum_check(nn_hdf5 *f, nn_error *e) {
  const nn_hdf5_value *v = nn_hdf5_attribute(nn_hdf5_root(f), NN_CHECKSUM_NAME);
  const char *digits = NULL;
  size_t n = 0;
  if (!v) return NN_OK;
  nn_status st = nn_hdf5_text(f, v, 0, &digits, &n, e);
  if (st) return st;
  if (n == NN_CHECKSUM_DIGITS &&
      nn_checksum_holds(f->bytes, f->size, (size_t)((const uint8_t *)digits - f->bytes)))
    return NN_OK;
  return nn_fail(e, NN_ERR_FORMAT, "%.200s: %s", f->name, NN_CHECKSUM_WRONG);
}
