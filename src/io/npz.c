#include "io/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ENDING[] = ".npy";
enum { ENDING_SIZE = sizeof ENDING - 1 };

typedef struct listed {
  char *name;
  size_t member;
} listed;

static int by_name(const void *a, const void *b) {
  return strcmp(((const listed *)a)->name, ((const listed *)b)->name);
}

static nn_status no_memory(const nn_npz *f, nn_error *e) {
  return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", nn_zip_archive(f->zip));
}

static nn_status name_add(nn_npz *f, listed *l, size_t member, nn_error *e) {
  const char *name = nn_zip_name(f->zip, member);
  size_t n = strlen(name);
  if (n < ENDING_SIZE || strcmp(name + n - ENDING_SIZE, ENDING) != 0)
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: member \"%.80s\" is no .npy",
                   nn_zip_archive(f->zip), name);
  l->member = member;
  l->name = nn_mem_new(f->alloc, n - ENDING_SIZE + 1);
  if (!l->name) return no_memory(f, e);
  memcpy(l->name, name, n - ENDING_SIZE);
  return NN_OK;
}

static nn_status names_list(nn_npz *f, nn_error *e) {
  size_t count = nn_zip_count(f->zip), made = 0;
  listed *list = nn_mem_new(f->alloc, nn_size_mul(count, sizeof *list));
  f->name = nn_mem_new(f->alloc, nn_size_mul(count, sizeof *f->name));
  f->member = nn_mem_new(f->alloc, nn_size_mul(count, sizeof *f->member));
  nn_status st = NN_OK;
  if (!list || !f->name || !f->member) st = no_memory(f, e);
  for (; made < count && !st; made++) st = name_add(f, &list[made], made, e);
  if (!st) qsort(list, count, sizeof *list, by_name);
  for (size_t i = 0; f->name && list && i < made; i++)
    f->name[i] = list[i].name, f->member[i] = list[i].member;
  f->count = made;
  nn_mem_free(f->alloc, list);
  return st;
}

static nn_status begin(nn_npz *f, nn_status st, nn_error *e) {
  if (st) return st;
  st = names_list(f, e);
  if (st) nn_npz_close(f);
  return st;
}

nn_status nn_npz_open(nn_npz *f, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e) {
  memset(f, 0, sizeof *f);
  f->alloc = a;
  f->limits = nn_limits_of(limits);
  return begin(f, nn_zip_open(&f->zip, a, path, limits, e), e);
}

nn_status nn_npz_open_memory(nn_npz *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                             const nn_limits *limits, nn_error *e) {
  memset(f, 0, sizeof *f);
  f->alloc = a;
  f->limits = nn_limits_of(limits);
  return begin(f, nn_zip_open_memory(&f->zip, a, name, bytes, n, limits, e), e);
}

static void unload(nn_npz *f) {
  nn_stream_close(&f->stream);
  nn_mem_free(f->alloc, f->bytes);
  f->bytes = NULL;
}

nn_status nn_npz_load(nn_npz *f, size_t i, nn_error *e) {
  size_t n = 0;
  char where[300];
  unload(f);
  nn_status st = nn_zip_read(f->zip, f->member[i], &f->bytes, &n, e);
  snprintf(where, sizeof where, "%.160s: %.100s", nn_zip_archive(f->zip), f->name[i]);
  if (!st) st = nn_stream_memory(&f->stream, f->alloc, where, f->bytes, n, e);
  if (st) return st;
  st = nn_npy_header(&f->stream, &f->npy, &f->limits);
  if (!st) f->memory = nn_size_add(f->memory, nn_shape_bytes(&f->npy.shape));
  if (!st && f->memory > f->limits.bytes)
    st = nn_stream_fail(&f->stream, NN_ERR_LIMIT, "arrays above the limit of %zu bytes together",
                        f->limits.bytes);
  nn_stream_status(&f->stream, e);
  return st;
}

nn_status nn_npz_read(nn_npz *f, void *out, nn_error *e) {
  nn_status st = nn_npy_read(&f->stream, &f->npy, out);
  nn_stream_status(&f->stream, e);
  unload(f);
  return st;
}

void nn_npz_close(nn_npz *f) {
  if (!f->alloc) return;
  unload(f);
  for (size_t i = 0; f->name && i < f->count; i++) nn_mem_free(f->alloc, f->name[i]);
  nn_mem_free(f->alloc, f->name);
  nn_mem_free(f->alloc, f->member);
  nn_zip_close(f->zip);
  memset(f, 0, sizeof *f);
}

/* ---- writing ---- */

static int pointer_by_name(const void *a, const void *b) {
  return strcmp((*(const nn_named_tensor *const *)a)->name,
                (*(const nn_named_tensor *const *)b)->name);
}

static void member_write(nn_zip_writer *w, const nn_named_tensor *t) {
  nn_stream *out = w->stream, member;
  nn_error e;
  uint8_t *bytes = NULL;
  size_t n = 0, room = strlen(t->name) + sizeof ENDING;
  char *name = nn_mem_new(out->alloc, room);
  if (!name || nn_stream_grow(&member, out->alloc, t->name, &e)) {
    nn_stream_fail(out, NN_ERR_MEMORY, "out of memory");
  } else {
    snprintf(name, room, "%s%s", t->name, ENDING);
    nn_npy_write(&member, &t->tensor);
    if (nn_stream_take(&member, &bytes, &n, &e)) nn_stream_fail(out, e.code, "%s", e.text);
    else nn_zip_add(w, name, bytes, n);
  }
  nn_mem_free(out->alloc, bytes);
  nn_mem_free(out->alloc, name);
}

nn_status nn_npz_write(nn_stream *s, const nn_named_tensor *tensors, size_t count) {
  const nn_named_tensor **sorted = nn_mem_new(s->alloc, nn_size_mul(count, sizeof *sorted));
  if (!sorted) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  for (size_t i = 0; i < count; i++) sorted[i] = &tensors[i];
  qsort(sorted, count, sizeof *sorted, pointer_by_name);
  nn_zip_writer w;
  nn_zip_writer_init(&w, s);
  for (size_t i = 0; i < count && !s->error.code; i++) {
    if (i > 0 && strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
      nn_stream_fail(s, NN_ERR_ARGUMENT, "array \"%.80s\" is given twice", sorted[i]->name);
    member_write(&w, sorted[i]);
  }
  nn_zip_finish(&w);
  nn_mem_free(s->alloc, sorted);
  return s->error.code;
}

nn_status nn_npz_save(nn_alloc *a, const char *path, const nn_named_tensor *tensors, size_t count,
                      nn_error *e) {
  nn_stream s;
  nn_status st = nn_stream_create(&s, a, path, e);
  if (st) return st;
  nn_npz_write(&s, tensors, count);
  return nn_stream_commit(&s, e);
}
