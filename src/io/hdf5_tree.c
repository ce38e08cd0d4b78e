#include "io/hdf5_tree.h"

#include <string.h>

#include "io/checksum.h"

typedef struct h5_bytes {
  struct h5_bytes *next;
  size_t used, room;
} h5_bytes;

void *h5_out_take(nn_hdf5_writer *w, size_t n) {
  enum { BLOCK = 1 << 14 };
  const size_t head = (sizeof(h5_bytes) + 15) & ~(size_t)15;
  h5_bytes *b = w->blocks;
  n = nn_size_add(n, 15) & ~(size_t)15;
  if (!b || b->room - b->used < n) {
    size_t room = nn_size_add(head, n > BLOCK ? n : BLOCK);
    b = nn_mem_new(w->alloc, room);
    if (!b) {
      if (!w->error.code) nn_fail(&w->error, NN_ERR_MEMORY, "HDF5 writer: out of memory");
      return NULL;
    }
    b->room = room, b->used = head;
    b->next = w->blocks;
    w->blocks = b;
  }
  void *p = (char *)b + b->used;
  b->used += n;
  return p;
}

static const char *keep(nn_hdf5_writer *w, const char *text, size_t n) {
  char *p = h5_out_take(w, nn_size_add(n, 1));
  if (p && n) memcpy(p, text, n);
  return p;
}

nn_hdf5_writer *nn_hdf5_writer_new(nn_alloc *a) {
  nn_hdf5_writer *w = nn_mem_new(a, sizeof *w);
  if (!w) return NULL;
  w->alloc = a;
  w->root = h5_out_take(w, sizeof *w->root);
  if (w->root) w->root->name = "";
  return w;
}

void nn_hdf5_writer_free(nn_hdf5_writer *w) {
  if (!w) return;
  for (size_t i = 0; i < w->objects; i++) nn_mem_free(w->alloc, w->order[i]->sorted);
  nn_mem_free(w->alloc, w->order);
  while (w->blocks) {
    h5_bytes *next = w->blocks->next;
    nn_mem_free(w->alloc, w->blocks);
    w->blocks = next;
  }
  nn_mem_free(w->alloc, w);
}

static int named(const char *name, const char *text, size_t n) {
  return strncmp(name, text, n) == 0 && name[n] == 0;
}

static h5_out *child_get(nn_hdf5_writer *w, h5_out *o, const char *name, size_t n) {
  if (o->is_dataset) {
    nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: \"%.80s\" is a dataset and a group", o->name);
    return NULL;
  }
  if (o->last_child && named(o->last_child->name, name, n)) return o->last_child;
  for (h5_out *c = o->child; c; c = c->next)
    if (named(c->name, name, n)) return c;
  h5_out *c = h5_out_take(w, sizeof *c);
  if (!c || !(c->name = keep(w, name, n))) return NULL;
  if (o->last_child) o->last_child->next = c;
  else o->child = c;
  o->last_child = c;
  o->children++;
  w->made++;
  return c;
}

static h5_out *object_get(nn_hdf5_writer *w, const char *path) {
  h5_out *o = w->error.code ? NULL : w->root;
  while (o && *path) {
    size_t n = strcspn(path, "/");
    if (n > 60000 || (n == 1 && *path == '.')) {
      nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: \"%.80s\" is no name", path);
      return NULL;
    }
    if (n > 0) o = child_get(w, o, path, n);
    path += n;
    if (*path == '/') path++;
  }
  return o;
}

void nn_hdf5_put_group(nn_hdf5_writer *w, const char *path) { object_get(w, path); }

void nn_hdf5_put_tensor(nn_hdf5_writer *w, const char *path, const nn_tensor *t, nn_element as) {
  h5_out *o = object_get(w, path);
  if (!o) return;
  if (o->is_dataset || o->child || o == w->root) {
    nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: \"%.80s\" is there already", path);
  } else if ((nn_element_dtype(as) == NN_F32) != (t->shape.dtype == NN_F32) ||
             (nn_element_dtype(as) == NN_F32 && as != NN_ELEMENT_F32)) {
    nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: \"%.80s\": %s cannot be written as %s", path,
            nn_dtype_name(t->shape.dtype), nn_element_name(as));
  } else {
    o->is_dataset = 1;
    o->tensor = *t;
    o->as = as;
  }
}

/* ---- attributes ---- */

/* A new attribute in its place by name. */
static h5_attribute *attribute_add(nn_hdf5_writer *w, const char *path, const char *name) {
  h5_out *o = object_get(w, path);
  size_t n = strlen(name);
  h5_attribute *a = o ? h5_out_take(w, sizeof *a) : NULL;
  if (!a || !(a->name = keep(w, name, n))) return NULL;
  if (n == 0 || n > 1000) nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: bad attribute name");
  h5_attribute **place = &o->attribute;
  while (*place && strcmp((*place)->name, name) < 0) place = &(*place)->next;
  if (*place && strcmp((*place)->name, name) == 0)
    nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: attribute \"%.80s\" is given twice", name);
  a->next = *place;
  *place = a;
  o->attributes++;
  return a;
}

static void text_set(nn_hdf5_writer *w, h5_text *t, const char *text, size_t n) {
  t->bytes = keep(w, text, n);
  t->n = n;
  if (n > INT32_MAX) nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: a text of 2 GiB or more");
}

void nn_hdf5_put_text(nn_hdf5_writer *w, const char *path, const char *name, const char *text,
                      size_t n) {
  h5_attribute *a = attribute_add(w, path, name);
  if (!a || !(a->text = h5_out_take(w, sizeof *a->text))) return;
  a->count = 1;
  text_set(w, a->text, text, n);
}

void nn_hdf5_put_checksum(nn_hdf5_writer *w) {
  h5_attribute *a = attribute_add(w, "", NN_CHECKSUM_NAME);
  if (!a || !(a->text = h5_out_take(w, sizeof *a->text))) return;
  a->count = 1;
  text_set(w, a->text, NN_CHECKSUM_NONE, NN_CHECKSUM_DIGITS);
  w->sum = a->text;
}

uint64_t nn_hdf5_writer_sum_at(const nn_hdf5_writer *w) { return w->sum_at; }

void nn_hdf5_put_texts(nn_hdf5_writer *w, const char *path, const char *name,
                       const char *const *texts, size_t count) {
  h5_attribute *a = attribute_add(w, path, name);
  if (count > 4000)
    nn_fail(&w->error, NN_ERR_ARGUMENT, "HDF5 writer: attribute \"%.80s\" has %zu texts, at most "
            "4000 fit", name, count);
  if (!a || w->error.code || !(a->text = h5_out_take(w, nn_size_mul(count + 1, sizeof(h5_text)))))
    return;
  a->rank = 1;
  a->count = count;
  for (size_t i = 0; i < count; i++) text_set(w, &a->text[i], texts[i], strlen(texts[i]));
}

void nn_hdf5_put_integer(nn_hdf5_writer *w, const char *path, const char *name, int64_t v) {
  h5_attribute *a = attribute_add(w, path, name);
  if (!a) return;
  a->count = 1;
  a->integer = v;
}
