#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "io/checksum.h"

enum { HEADER_MOST = 100000000 }; /* as the reference implementation */

static const struct type_name {
  const char *name;
  nn_element type;
} TYPES[] = {{"F32", NN_ELEMENT_F32}, {"I32", NN_ELEMENT_I32},   {"U8", NN_ELEMENT_U8},
             {"F16", NN_ELEMENT_F16}, {"BF16", NN_ELEMENT_BF16}, {"F64", NN_ELEMENT_F64},
             {"I64", NN_ELEMENT_I64}, {"BOOL", NN_ELEMENT_BOOL}, {"I8", NN_ELEMENT_I8},
             {"I16", NN_ELEMENT_I16}, {"U16", NN_ELEMENT_U16},   {"U32", NN_ELEMENT_U32},
             {"U64", NN_ELEMENT_U64}};

static int type_find(const char *name, nn_element *out) {
  for (size_t i = 0; name && i < sizeof TYPES / sizeof *TYPES; i++) {
    if (strcmp(TYPES[i].name, name) != 0) continue;
    *out = TYPES[i].type;
    return 1;
  }
  return 0;
}

static nn_status fail(nn_safetensors *f, const char *tensor, const char *what) {
  return nn_stream_fail(&f->stream, NN_ERR_FORMAT, "tensor \"%.80s\": %s", tensor, what);
}

static int offset_of(const nn_json *j, uint64_t *out) {
  if (!j || j->kind != NN_JSON_INTEGER || j->as.integer < 0) return 0;
  *out = (uint64_t)j->as.integer;
  return 1;
}

static nn_status shape_parse(nn_safetensors *f, nn_safetensors_entry *t, const nn_json *shape) {
  nn_error e;
  if (!shape || shape->kind != NN_JSON_ARRAY) return fail(f, t->name, "shape is not an array");
  if (shape->size > NN_MAX_DIMS) return fail(f, t->name, "shape has more than 8 dimensions");
  for (const nn_json *d = shape->first; d; d = d->next) {
    if (d->kind != NN_JSON_INTEGER || d->as.integer < 0)
      return fail(f, t->name, "shape holds something else than whole numbers from 0");
    t->shape.dim[t->shape.ndim++] = d->as.integer;
  }
  return nn_shape_check(&t->shape, &e) ? fail(f, t->name, e.text) : NN_OK;
}

static nn_status entry_parse(nn_safetensors *f, nn_safetensors_entry *t, const nn_json *j,
                             uint64_t data, uint64_t data_size) {
  const nn_json *offsets = nn_json_get(j, "data_offsets");
  const char *type = nn_json_text(nn_json_get(j, "dtype"));
  t->name = j->key;
  if (strlen(j->key) != j->key_size) return fail(f, t->name, "zero byte in the name");
  if (j->kind != NN_JSON_OBJECT || j->size != 3)
    return fail(f, t->name, "expected an object of dtype, shape and data_offsets");
  if (!type_find(type, &t->type)) {
    return nn_stream_fail(&f->stream, NN_ERR_FORMAT, "tensor \"%.80s\": dtype %.20s is not known",
                          t->name, type ? type : "(none)");
  }
  t->shape.dtype = nn_element_dtype(t->type);
  nn_status st = shape_parse(f, t, nn_json_get(j, "shape"));
  if (st) return st;
  if (!offset_of(nn_json_at(offsets, 0), &t->begin) ||
      !offset_of(nn_json_at(offsets, 1), &t->end) || offsets->size != 2)
    return fail(f, t->name, "data_offsets are not two whole numbers");
  if (t->begin > t->end || t->end > data_size)
    return fail(f, t->name, "data_offsets lie outside the file");
  uint64_t size = nn_size_mul((size_t)nn_shape_size(&t->shape), nn_element_size(t->type));
  if (t->end - t->begin != size)
    return fail(f, t->name, "data_offsets do not fit its shape and dtype");
  t->begin += data, t->end += data;
  return NN_OK;
}

static int by_begin(const void *a, const void *b) {
  const nn_safetensors_entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const nn_safetensors_entry *)a)->name, ((const nn_safetensors_entry *)b)->name);
}

static nn_status metadata_check(nn_safetensors *f, const nn_json *j) {
  int good = j->kind == NN_JSON_OBJECT;
  for (const nn_json *c = j->first; good && c; c = c->next) good = c->kind == NN_JSON_STRING;
  f->metadata = j;
  return good ? NN_OK
              : nn_stream_fail(&f->stream, NN_ERR_FORMAT, "__metadata__ is not an object of texts");
}

/* Every byte behind the header belongs to exactly one tensor. */
static nn_status cover_check(nn_safetensors *f, uint64_t data, const nn_limits *l) {
  uint64_t at = data, memory = 0;
  qsort(f->entry, f->count, sizeof *f->entry, by_begin);
  for (size_t i = 0; i < f->count; i++) {
    const nn_safetensors_entry *t = &f->entry[i];
    if (t->begin != at) return fail(f, t->name, "its bytes overlap others or leave a gap");
    at = t->end;
    memory = nn_size_add((size_t)memory, nn_shape_bytes(&t->shape));
    if (memory > l->bytes)
      return nn_stream_fail(&f->stream, NN_ERR_LIMIT, "tensors above the limit of %zu bytes",
                            l->bytes);
  }
  qsort(f->entry, f->count, sizeof *f->entry, by_name);
  if (at == f->stream.size) return NN_OK;
  return nn_stream_fail(&f->stream, NN_ERR_FORMAT, "%llu bytes belong to no tensor",
                        (unsigned long long)(f->stream.size - at));
}

static nn_status entries_parse(nn_safetensors *f, uint64_t data, const nn_limits *l) {
  const nn_json *root = f->header.root;
  if (root->kind != NN_JSON_OBJECT)
    return nn_stream_fail(&f->stream, NN_ERR_FORMAT, "the header is not a JSON object");
  if (root->size > l->tensors)
    return nn_stream_fail(&f->stream, NN_ERR_LIMIT, "%zu tensors, above the limit of %zu",
                          root->size, l->tensors);
  f->entry = nn_mem_new(f->stream.alloc, nn_size_mul(root->size, sizeof *f->entry));
  if (!f->entry) return nn_stream_fail(&f->stream, NN_ERR_MEMORY, "out of memory");
  nn_status st = NN_OK;
  for (const nn_json *j = root->first; j && !st; j = j->next) {
    if (strcmp(j->key, "__metadata__") == 0) st = metadata_check(f, j);
    else st = entry_parse(f, &f->entry[f->count++], j, data, f->stream.size - data);
  }
  return st ? st : cover_check(f, data, l);
}

/* Where the checksum's digits stand in the header's text: a file that others wrote anew may have
 * them elsewhere than we do, which is no sum of ours. */
static size_t digits_find(const nn_safetensors *f, const char *text, size_t n) {
  static const char mark[] = "\"" NN_CHECKSUM_NAME "\":\"";
  const nn_json *sum = f->metadata ? nn_json_get(f->metadata, NN_CHECKSUM_NAME) : NULL;
  const size_t all = sizeof mark - 1;
  if (!sum) return 0;
  for (size_t i = 0; i + all + NN_CHECKSUM_DIGITS <= n; i++)
    if (text[i] == '"' && memcmp(text + i, mark, all) == 0) return i + all;
  return 0;
}

/* Goes through the whole file in the order of its bytes. */
static nn_status sum_check(nn_safetensors *f, uint64_t at) {
  nn_stream *s = &f->stream;
  uint8_t bytes[1 << 14], digits[NN_CHECKSUM_DIGITS];
  char want[NN_CHECKSUM_DIGITS + 1];
  uint32_t sum = 0;
  nn_stream_seek(s, 0);
  for (uint64_t end = at; !s->error.code;) {
    while (s->at < end && !s->error.code) {
      size_t n = end - s->at < sizeof bytes ? (size_t)(end - s->at) : sizeof bytes;
      nn_stream_read(s, bytes, n);
      sum = nn_checksum_add(sum, bytes, n);
    }
    if (end == s->size) break;
    nn_stream_read(s, digits, sizeof digits);
    sum = nn_checksum_add(sum, NN_CHECKSUM_NONE, NN_CHECKSUM_DIGITS);
    end = s->size;
  }
  nn_checksum_text(want, sum);
  if (!s->error.code && memcmp(digits, want, sizeof digits) != 0)
    nn_stream_fail(s, NN_ERR_FORMAT, "%s", NN_CHECKSUM_WRONG);
  return s->error.code;
}

static nn_status header_read(nn_safetensors *f, const nn_limits *l) {
  nn_stream *s = &f->stream;
  uint8_t length[8];
  nn_error e;
  if (nn_stream_read(s, length, 8)) return s->error.code;
  uint64_t n = 0;
  for (int i = 7; i >= 0; i--) n = n << 8 | length[i];
  if (n > nn_stream_left(s) || n > HEADER_MOST)
    return nn_stream_fail(s, NN_ERR_FORMAT, "the header claims %llu bytes, the file has %llu",
                          (unsigned long long)n, (unsigned long long)nn_stream_left(s));
  char *text = nn_mem_new(s->alloc, (size_t)n);
  if (!text) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  nn_status st = nn_stream_read(s, text, (size_t)n);
  if (!st && (n == 0 || *text != '{'))
    st = nn_stream_fail(s, NN_ERR_FORMAT, "the header does not begin with {");
  if (!st && nn_json_parse(&f->header, s->alloc, "header", text, (size_t)n, l, &e))
    st = nn_stream_fail(s, e.code, "%s", e.text);
  if (!st) st = entries_parse(f, 8 + n, l);
  size_t digits = st ? 0 : digits_find(f, text, (size_t)n);
  nn_mem_free(s->alloc, text);
  return digits ? sum_check(f, 8 + digits) : st;
}

static nn_status open_stream(nn_safetensors *f, nn_status st, const nn_limits *limits,
                             nn_error *e) {
  if (st) return st;
  nn_limits l = nn_limits_of(limits);
  st = header_read(f, &l);
  nn_stream_status(&f->stream, e);
  if (st) nn_safetensors_close(f);
  return st;
}

nn_status nn_safetensors_open(nn_safetensors *f, nn_alloc *a, const char *path,
                              const nn_limits *limits, nn_error *e) {
  memset(f, 0, sizeof *f);
  return open_stream(f, nn_stream_open(&f->stream, a, path, e), limits, e);
}

nn_status nn_safetensors_open_memory(nn_safetensors *f, nn_alloc *a, const char *name,
                                     const void *bytes, size_t n, const nn_limits *limits,
                                     nn_error *e) {
  memset(f, 0, sizeof *f);
  return open_stream(f, nn_stream_memory(&f->stream, a, name, bytes, n, e), limits, e);
}

const nn_safetensors_entry *nn_safetensors_find(const nn_safetensors *f, const char *name) {
  nn_safetensors_entry key = {.name = name};
  return f->count ? bsearch(&key, f->entry, f->count, sizeof key, by_name) : NULL;
}

nn_status nn_safetensors_read(nn_safetensors *f, const nn_safetensors_entry *t, void *out,
                              nn_error *e) {
  nn_element_type from = {t->type, 0};
  nn_stream_seek(&f->stream, t->begin);
  nn_elements_stream(&f->stream, out, t->shape.dtype, from, (size_t)nn_shape_size(&t->shape));
  if (f->stream.error.code) {
    nn_stream_status(&f->stream, e);
    f->stream.error.code = NN_OK; /* one tensor that does not fit spoils no other */
    return e ? e->code : NN_ERR_DATA;
  }
  return NN_OK;
}

void nn_safetensors_close(nn_safetensors *f) {
  if (f->header.alloc) nn_json_clear(&f->header);
  if (f->entry) nn_mem_free(f->stream.alloc, f->entry);
  nn_stream_close(&f->stream);
  f->entry = NULL, f->metadata = NULL, f->count = 0;
}
