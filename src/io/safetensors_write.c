#include <stdlib.h>
#include <string.h>

#include "io/checksum.h"
#include "io/safetensors.h"

typedef struct placed {
  const nn_named_tensor *t;
  size_t begin, end;
} placed;

static int by_name(const void *a, const void *b) {
  return strcmp(((const placed *)a)->t->name, ((const placed *)b)->t->name);
}

static int by_size_then_name(const void *a, const void *b) {
  size_t x = nn_dtype_size(((const placed *)a)->t->tensor.shape.dtype);
  size_t y = nn_dtype_size(((const placed *)b)->t->tensor.shape.dtype);
  return x != y ? (x < y ? 1 : -1) : by_name(a, b);
}

static int by_key(const void *a, const void *b) {
  return strcmp((*(const nn_text_pair *const *)a)->key, (*(const nn_text_pair *const *)b)->key);
}

static void key(nn_json_writer *w, const char *text) { nn_json_key(w, text, strlen(text)); }

static void metadata_write(nn_json_writer *w, const nn_text_pair *pair, size_t n) {
  const nn_text_pair **sorted = nn_mem_new(w->stream->alloc, nn_size_mul(n, sizeof *sorted));
  if (!sorted) {
    nn_stream_fail(w->stream, NN_ERR_MEMORY, "out of memory");
    return;
  }
  for (size_t i = 0; i < n; i++) sorted[i] = &pair[i];
  qsort(sorted, n, sizeof *sorted, by_key);
  key(w, "__metadata__");
  nn_json_begin(w, NN_JSON_OBJECT);
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && by_key(&sorted[i - 1], &sorted[i]) == 0)
      nn_stream_fail(w->stream, NN_ERR_ARGUMENT, "metadata \"%.80s\" is given twice",
                     sorted[i]->key);
    key(w, sorted[i]->key);
    nn_json_write_string(w, sorted[i]->value, sorted[i]->value_size);
  }
  nn_json_end(w, NN_JSON_OBJECT);
  nn_mem_free(w->stream->alloc, sorted);
}

static void entry_write(nn_json_writer *w, const placed *p) {
  const nn_shape *shape = &p->t->tensor.shape;
  const char *type = shape->dtype == NN_F32 ? "F32" : shape->dtype == NN_I32 ? "I32" : "U8";
  key(w, p->t->name);
  nn_json_begin(w, NN_JSON_OBJECT);
  key(w, "dtype");
  nn_json_write_string(w, type, strlen(type));
  key(w, "shape");
  nn_json_begin(w, NN_JSON_ARRAY);
  for (int i = 0; i < shape->ndim; i++) nn_json_write_integer(w, shape->dim[i]);
  nn_json_end(w, NN_JSON_ARRAY);
  key(w, "data_offsets");
  nn_json_begin(w, NN_JSON_ARRAY);
  nn_json_write_integer(w, (int64_t)p->begin);
  nn_json_write_integer(w, (int64_t)p->end);
  nn_json_end(w, NN_JSON_ARRAY);
  nn_json_end(w, NN_JSON_OBJECT);
}

/* Gives the size of the data. */
static size_t place(placed *p, const nn_named_tensor *tensors, size_t count) {
  size_t at = 0;
  for (size_t i = 0; i < count; i++) p[i].t = &tensors[i];
  qsort(p, count, sizeof *p, by_size_then_name);
  for (size_t i = 0; i < count; i++) {
    p[i].begin = at;
    at = p[i].end = nn_size_add(at, nn_shape_bytes(&p[i].t->tensor.shape));
  }
  qsort(p, count, sizeof *p, by_name);
  return at;
}

/* Where the digits of the checksum stand in a header's text, 0 when there are none. */
static size_t digits_find(const uint8_t *text, size_t n) {
  static const char mark[] = "\"" NN_CHECKSUM_NAME "\":\"" NN_CHECKSUM_NONE "\"";
  const size_t all = sizeof mark - 1;
  for (size_t i = 0; i + all <= n; i++)
    if (text[i] == '"' && memcmp(text + i, mark, all) == 0)
      return i + all - 1 - NN_CHECKSUM_DIGITS;
  return 0;
}

/* The header as text, padded with spaces so that the data begins at a multiple of eight. *sum_at
 * becomes the place of the checksum in the file. */
static nn_status header_write(nn_stream *s, const placed *p, size_t count, const nn_text_pair *pair,
                              size_t pairs, size_t data_size, size_t *sum_at) {
  nn_stream header;
  nn_json_writer w;
  nn_error e;
  uint8_t *text = NULL;
  size_t n = 0;
  if (nn_stream_grow(&header, s->alloc, "header", &e)) goto failed;
  nn_json_writer_init(&w, &header, 0);
  nn_json_begin(&w, NN_JSON_OBJECT);
  if (pairs) metadata_write(&w, pair, pairs);
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && strcmp(p[i - 1].t->name, p[i].t->name) == 0)
      nn_stream_fail(&header, NN_ERR_ARGUMENT, "tensor \"%.80s\" is given twice", p[i].t->name);
    if (strcmp(p[i].t->name, "__metadata__") == 0)
      nn_stream_fail(&header, NN_ERR_ARGUMENT, "no tensor may be named __metadata__");
    entry_write(&w, &p[i]);
  }
  nn_json_end(&w, NN_JSON_OBJECT);
  while (header.fill % 8 && !header.error.code) nn_stream_write(&header, " ", 1);
  if (nn_stream_take(&header, &text, &n, &e)) goto failed;
  uint8_t length[8];
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)n >> (8 * i));
  size_t digits = pairs ? digits_find(text, n) : 0;
  if (sum_at) *sum_at = digits ? digits + 8 : 0;
  nn_stream_reserve(s, nn_size_add(n + 8, data_size));
  nn_stream_write(s, length, 8);
  nn_stream_write(s, text, n);
  nn_mem_free(s->alloc, text);
  return s->error.code;
failed:
  return nn_stream_fail(s, e.code, "%s", e.text);
}

nn_status nn_safetensors_write(nn_stream *s, const nn_named_tensor *tensors, size_t count,
                               const nn_text_pair *metadata, size_t pairs, size_t *sum_at) {
  placed *p = nn_mem_new(s->alloc, nn_size_mul(count, sizeof *p));
  if (!p) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  size_t data_size = place(p, tensors, count);
  header_write(s, p, count, metadata, pairs, data_size, sum_at);
  qsort(p, count, sizeof *p, by_size_then_name);
  for (size_t i = 0; i < count && !s->error.code; i++) nn_tensor_write(s, &p[i].t->tensor);
  nn_mem_free(s->alloc, p);
  return s->error.code;
}

nn_status nn_safetensors_save(nn_alloc *a, const char *path, const nn_named_tensor *tensors,
                              size_t count, const nn_text_pair *metadata, size_t pairs,
                              nn_error *e) {
  nn_stream s;
  nn_status st = nn_stream_create(&s, a, path, e);
  if (st) return st;
  size_t sum_at = 0;
  char digits[NN_CHECKSUM_DIGITS + 1];
  s.summing = 1;
  nn_safetensors_write(&s, tensors, count, metadata, pairs, &sum_at);
  nn_checksum_text(digits, s.sum);
  if (sum_at) nn_stream_patch(&s, sum_at, digits, NN_CHECKSUM_DIGITS);
  return nn_stream_commit(&s, e);
}
