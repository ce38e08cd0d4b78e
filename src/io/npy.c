#include "io/npy.h"

#include <stdio.h>
#include <string.h>

#include "io/tensors.h"

enum { HEADER_MOST = 1 << 16 };

/* The header's dict while it is read. */
typedef struct dict {
  nn_stream *stream;
  const char *at, *end;
  nn_npy *npy;
  int seen[3]; /* descr, fortran_order, shape */
} dict;

static nn_status bad(dict *d, const char *what) {
  return nn_stream_fail(d->stream, NN_ERR_FORMAT, "npy header: %s", what);
}

static void blanks(dict *d) {
  while (d->at < d->end && (*d->at == ' ' || *d->at == '\n' || *d->at == '\t')) d->at++;
}

static int next_is(dict *d, char c) {
  blanks(d);
  if (d->at >= d->end || *d->at != c) return 0;
  d->at++;
  return 1;
}

/* A quoted text without escapes; 0 when there is none. */
static int quoted(dict *d, const char **text, size_t *n) {
  char quote = next_is(d, '\'') ? '\'' : next_is(d, '"') ? '"' : 0;
  const char *close = quote ? memchr(d->at, quote, (size_t)(d->end - d->at)) : NULL;
  if (!close) return 0;
  *text = d->at;
  *n = (size_t)(close - d->at);
  d->at = close + 1;
  return memchr(*text, '\\', *n) == NULL;
}

static const struct descr {
  const char *text;
  nn_element kind;
} DESCR[] = {{"b1", NN_ELEMENT_BOOL}, {"u1", NN_ELEMENT_U8},  {"i1", NN_ELEMENT_I8},
             {"u2", NN_ELEMENT_U16},  {"i2", NN_ELEMENT_I16}, {"u4", NN_ELEMENT_U32},
             {"i4", NN_ELEMENT_I32},  {"u8", NN_ELEMENT_U64}, {"i8", NN_ELEMENT_I64},
             {"f2", NN_ELEMENT_F16},  {"f4", NN_ELEMENT_F32}, {"f8", NN_ELEMENT_F64}};

static nn_status descr_parse(dict *d) {
  const char *text = "";
  size_t n = 0;
  if (!quoted(d, &text, &n)) return bad(d, "descr is not a plain type (records are not supported)");
  const char *kind = text;
  int big = 0;
  if (n == 3 && strchr("<>|=", *text)) big = *text == '>', kind++, n--;
  for (size_t i = 0; n == 2 && i < sizeof DESCR / sizeof *DESCR; i++) {
    if (memcmp(DESCR[i].text, kind, 2) != 0) continue;
    d->npy->type = (nn_element_type){DESCR[i].kind, big};
    d->npy->shape.dtype = nn_element_dtype(DESCR[i].kind);
    return NN_OK;
  }
  return nn_stream_fail(d->stream, NN_ERR_FORMAT,
                        "npy header: descr '%.*s' is not supported, expected numbers or booleans",
                        (int)(n > 20 ? 20 : n), text);
}

static int word(dict *d, const char *text) {
  size_t n = strlen(text);
  if ((size_t)(d->end - d->at) < n || memcmp(d->at, text, n) != 0) return 0;
  d->at += n;
  return 1;
}

static nn_status order_parse(dict *d) {
  blanks(d);
  d->npy->fortran = word(d, "True");
  return d->npy->fortran || word(d, "False") ? NN_OK : bad(d, "fortran_order is no boolean");
}

static nn_status dim_parse(dict *d) {
  nn_shape *s = &d->npy->shape;
  int64_t v = 0;
  int digits = 0;
  for (; d->at < d->end && *d->at >= '0' && *d->at <= '9'; d->at++, digits++) {
    if (v > (INT64_MAX - 9) / 10) return bad(d, "a dimension is too large");
    v = v * 10 + (*d->at - '0');
  }
  if (digits == 0) return bad(d, "shape is not a tuple of whole numbers from 0");
  if (s->ndim == NN_MAX_DIMS) return bad(d, "shape has more than 8 dimensions");
  s->dim[s->ndim++] = v;
  return NN_OK;
}

static nn_status shape_parse(dict *d) {
  if (!next_is(d, '(')) return bad(d, "shape is not a tuple");
  while (!next_is(d, ')')) {
    nn_status st = dim_parse(d);
    if (st) return st;
    if (!next_is(d, ',')) return next_is(d, ')') ? NN_OK : bad(d, "expected , or ) in shape");
  }
  return NN_OK;
}

static nn_status entry_parse(dict *d) {
  static const char *const keys[] = {"descr", "fortran_order", "shape"};
  const char *key;
  size_t n;
  if (!quoted(d, &key, &n) || !next_is(d, ':')) return bad(d, "expected a key and :");
  for (int i = 0; i < 3; i++) {
    if (strlen(keys[i]) != n || memcmp(keys[i], key, n) != 0) continue;
    if (d->seen[i]++) return bad(d, "a key stands twice");
    return i == 0 ? descr_parse(d) : i == 1 ? order_parse(d) : shape_parse(d);
  }
  return bad(d, "unknown key");
}

static nn_status dict_parse(dict *d) {
  if (!next_is(d, '{')) return bad(d, "expected {");
  while (!next_is(d, '}')) {
    nn_status st = entry_parse(d);
    if (st) return st;
    if (next_is(d, ',')) continue;
    if (!next_is(d, '}')) return bad(d, "expected , or }");
    break;
  }
  blanks(d);
  if (d->at != d->end) return bad(d, "more text after }");
  return d->seen[0] && d->seen[1] && d->seen[2] ? NN_OK : bad(d, "a key is missing");
}

static nn_status size_check(nn_stream *s, const nn_npy *h, const nn_limits *limits) {
  nn_error e;
  nn_limits l = nn_limits_of(limits);
  if (nn_shape_check(&h->shape, &e)) return nn_stream_fail(s, NN_ERR_FORMAT, "%s", e.text);
  uint64_t need = nn_size_mul((size_t)nn_shape_size(&h->shape), nn_element_size(h->type.kind));
  if (need != nn_stream_left(s))
    return nn_stream_fail(s, NN_ERR_FORMAT, "its shape needs %llu bytes, the file has %llu",
                          (unsigned long long)need, (unsigned long long)nn_stream_left(s));
  if (nn_shape_bytes(&h->shape) > l.bytes)
    return nn_stream_fail(s, NN_ERR_LIMIT, "%zu bytes, above the limit of %zu",
                          nn_shape_bytes(&h->shape), l.bytes);
  return NN_OK;
}

static nn_status header_parse(nn_stream *s, nn_npy *h, size_t n) {
  char *text = nn_mem_new(s->alloc, n);
  if (!text) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  if (!nn_stream_read(s, text, n)) {
    dict d = {s, text, text + n, h, {0, 0, 0}};
    dict_parse(&d);
  }
  nn_mem_free(s->alloc, text);
  return s->error.code;
}

nn_status nn_npy_header(nn_stream *s, nn_npy *h, const nn_limits *limits) {
  uint8_t head[8], length[4] = {0};
  memset(h, 0, sizeof *h);
  if (nn_stream_read(s, head, 8)) return s->error.code;
  if (memcmp(head, "\x93NUMPY", 6) != 0)
    return nn_stream_fail(s, NN_ERR_FORMAT, "is no npy file (its first bytes are not \\x93NUMPY)");
  if (head[6] < 1 || head[6] > 3)
    return nn_stream_fail(s, NN_ERR_FORMAT, "npy version %d, expected 1 to 3", head[6]);
  if (nn_stream_read(s, length, head[6] == 1 ? 2 : 4)) return s->error.code;
  uint32_t n = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 |
               (uint32_t)length[3] << 24;
  if (n > HEADER_MOST || n > nn_stream_left(s))
    return nn_stream_fail(s, NN_ERR_FORMAT, "npy header of %u bytes is too long", (unsigned)n);
  if (header_parse(s, h, n)) return s->error.code;
  return size_check(s, h, limits);
}

/* Elements whose first index runs fastest come in as they lie, then a strided copy turns them. */
static nn_status fortran_read(nn_stream *s, const nn_npy *h, void *out) {
  nn_tensor from, to;
  void *block = nn_mem_new(s->alloc, nn_shape_bytes(&h->shape));
  if (!block) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  nn_elements_stream(s, block, h->shape.dtype, h->type, (size_t)nn_shape_size(&h->shape));
  nn_tensor_init(&to, &h->shape, out);
  nn_tensor_init(&from, &h->shape, block);
  from.stride[0] = 1;
  for (int i = 1; i < h->shape.ndim; i++) from.stride[i] = from.stride[i - 1] * h->shape.dim[i - 1];
  if (!s->error.code) nn_tensor_copy(&to, &from);
  nn_mem_free(s->alloc, block);
  return s->error.code;
}

nn_status nn_npy_read(nn_stream *s, const nn_npy *h, void *out) {
  if (h->fortran && h->shape.ndim > 1 && nn_shape_size(&h->shape) > 0)
    return fortran_read(s, h, out);
  return nn_elements_stream(s, out, h->shape.dtype, h->type, (size_t)nn_shape_size(&h->shape));
}

nn_status nn_npy_write(nn_stream *s, const nn_tensor *t) {
  static const char *const descr[] = {"<f4", "<i4", "|u1"};
  char text[512], dims[256] = "";
  size_t at = 0;
  for (int i = 0; i < t->shape.ndim; i++)
    at += (size_t)snprintf(dims + at, sizeof dims - at, i ? ", %lld" : "%lld",
                           (long long)t->shape.dim[i]);
  int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }",
                   descr[t->shape.dtype], dims, t->shape.ndim == 1 ? "," : "");
  int padded = (n + 1 + 10 + 63) / 64 * 64 - 10; /* so that the elements begin at 64 k */
  memset(text + n, ' ', (size_t)(padded - n));
  text[padded - 1] = '\n';
  uint8_t head[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  head[8] = (uint8_t)padded, head[9] = (uint8_t)(padded >> 8);
  nn_stream_write(s, head, sizeof head);
  nn_stream_write(s, text, (size_t)padded);
  return nn_tensor_write(s, t);
}
