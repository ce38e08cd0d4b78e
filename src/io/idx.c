#include "io/idx.h"

#include <string.h>

#include "io/tensors.h"

static int type_of(uint8_t code, nn_element *kind) {
  switch (code) {
    case 0x08: *kind = NN_ELEMENT_U8; return 1;
    case 0x09: *kind = NN_ELEMENT_I8; return 1;
    case 0x0B: *kind = NN_ELEMENT_I16; return 1;
    case 0x0C: *kind = NN_ELEMENT_I32; return 1;
    case 0x0D: *kind = NN_ELEMENT_F32; return 1;
    case 0x0E: *kind = NN_ELEMENT_F64; return 1;
    default: return 0;
  }
}

/* n bytes of the header, from the plain bytes or the inflater. */
static nn_status head_read(nn_idx *f, const uint8_t **at, const uint8_t *end, uint8_t *out,
                           size_t n, nn_error *e) {
  if (f->inflate) {
    if (!nn_inflate_read(f->inflate, out, n, e)) return NN_OK;
    return e ? nn_fail_in(e, "%.200s", f->name) : NN_ERR_FORMAT;
  }
  if ((size_t)(end - *at) < n)
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: truncated inside the IDX header", f->name);
  memcpy(out, *at, n);
  *at += n;
  return NN_OK;
}

static nn_status header_read(nn_idx *f, const uint8_t **at, const uint8_t *end, nn_error *e) {
  uint8_t head[4], dim[4];
  nn_status st = head_read(f, at, end, head, 4, e);
  if (st) return st;
  if (head[0] || head[1] || !type_of(head[2], &f->type.kind))
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: is no IDX file (begins with %02x %02x %02x)", f->name,
                   head[0], head[1], head[2]);
  if (head[3] > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: %d dimensions, at most %d are possible", f->name,
                   head[3], NN_MAX_DIMS);
  f->type.big_endian = 1;
  f->shape.dtype = nn_element_dtype(f->type.kind);
  f->shape.ndim = head[3];
  for (int i = 0; i < f->shape.ndim; i++) {
    if ((st = head_read(f, at, end, dim, 4, e))) return st;
    f->shape.dim[i] = (int64_t)dim[0] << 24 | dim[1] << 16 | dim[2] << 8 | dim[3];
  }
  return NN_OK;
}

static nn_status size_check(nn_idx *f, const uint8_t *at, const uint8_t *end, const nn_limits *l,
                            nn_error *e) {
  nn_error own;
  if (nn_shape_check(&f->shape, &own))
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: %s", f->name, own.text);
  if (nn_shape_bytes(&f->shape) > l->bytes)
    return nn_fail(e, NN_ERR_LIMIT, "%.200s: %zu bytes, above the limit of %zu", f->name,
                   nn_shape_bytes(&f->shape), l->bytes);
  size_t need = nn_size_mul((size_t)nn_shape_size(&f->shape), nn_element_size(f->type.kind));
  size_t have = (size_t)(end - at);
  if (!f->inflate && need != have)
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: its shape needs %zu bytes, the file has %zu",
                   f->name, need, have);
  if (f->inflate && need / 1100 > have) /* deflate makes at most 1032 bytes of one */
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: its shape needs %zu bytes, more than %zu inflate to",
                   f->name, need, have);
  return NN_OK;
}

static nn_status begin(nn_idx *f, const uint8_t *bytes, size_t n, const nn_limits *limits,
                       nn_error *e) {
  nn_limits l = nn_limits_of(limits);
  const uint8_t *at = bytes, *end = n ? bytes + n : bytes;
  nn_status st = NN_OK;
  if (n >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B)
    st = nn_inflate_open(&f->inflate, f->alloc, NN_INFLATE_GZIP, bytes, n, e);
  if (!st) st = header_read(f, &at, end, e);
  if (!st) st = size_check(f, at, end, &l, e);
  f->data = at;
  if (st) nn_idx_close(f);
  return st;
}

static nn_status name_set(nn_idx *f, nn_alloc *a, const char *name, nn_error *e) {
  size_t n = strlen(name);
  memset(f, 0, sizeof *f);
  f->alloc = a;
  f->name = nn_mem_new(a, n + 1);
  if (!f->name) return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
  memcpy(f->name, name, n);
  return NN_OK;
}

nn_status nn_idx_open_memory(nn_idx *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                             const nn_limits *limits, nn_error *e) {
  nn_status st = name_set(f, a, name, e);
  return st ? st : begin(f, bytes, n, limits, e);
}

nn_status nn_idx_open(nn_idx *f, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e) {
  nn_status st = name_set(f, a, path, e);
  size_t n = 0;
  if (st) return st;
  st = nn_file_load(a, path, limits, &f->bytes, &n, e);
  if (!st) return begin(f, f->bytes, n, limits, e);
  nn_idx_close(f);
  return st;
}

static nn_status inflate_all(nn_idx *f, void *out, nn_error *e) {
  enum { PIECE = 1 << 14 };
  uint8_t piece[PIECE], *p = out;
  size_t size = nn_element_size(f->type.kind), left = (size_t)nn_shape_size(&f->shape);
  nn_status st = NN_OK;
  while (left > 0 && !st) {
    size_t n = left < PIECE / size ? left : PIECE / size;
    st = nn_inflate_read(f->inflate, piece, n * size, e);
    if (!st) st = nn_elements_read(p, f->shape.dtype, piece, f->type, n, e);
    p += n * nn_dtype_size(f->shape.dtype), left -= n;
  }
  return st ? st : nn_inflate_finish(f->inflate, e);
}

nn_status nn_idx_read(nn_idx *f, void *out, nn_error *e) {
  nn_error own;
  nn_status st = f->inflate
                     ? inflate_all(f, out, &own)
                     : nn_elements_read(out, f->shape.dtype, f->data, f->type,
                                        (size_t)nn_shape_size(&f->shape), &own);
  return st ? nn_fail(e, st, "%.200s: %s", f->name, own.text) : NN_OK;
}

void nn_idx_close(nn_idx *f) {
  if (!f->alloc) return;
  nn_inflate_close(f->inflate);
  nn_mem_free(f->alloc, f->name);
  nn_mem_free(f->alloc, f->bytes);
  memset(f, 0, sizeof *f);
}

/* Four-byte elements one by one, as the byte order is the other one. */
static void elements_write(nn_stream *s, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++, p += 4) {
    uint32_t v;
    memcpy(&v, p, 4);
    uint8_t big[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    nn_stream_write(s, big, 4);
  }
}

static nn_status words_write(nn_stream *s, const nn_tensor *t) {
  nn_tensor whole;
  void *block = nn_mem_new(s->alloc, nn_shape_bytes(&t->shape));
  if (!block) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  nn_tensor_init(&whole, &t->shape, block);
  nn_tensor_copy(&whole, t);
  elements_write(s, block, (size_t)nn_shape_size(&t->shape));
  nn_mem_free(s->alloc, block);
  return s->error.code;
}

nn_status nn_idx_write(nn_stream *s, const nn_tensor *t) {
  static const uint8_t code[] = {0x0D, 0x0C, 0x08};
  uint8_t head[4] = {0, 0, code[t->shape.dtype], (uint8_t)t->shape.ndim};
  nn_stream_write(s, head, 4);
  for (int i = 0; i < t->shape.ndim; i++) {
    if (t->shape.dim[i] > UINT32_MAX)
      return nn_stream_fail(s, NN_ERR_SHAPE, "a dimension above 2^32 - 1 has no place in IDX");
    uint32_t d = (uint32_t)t->shape.dim[i];
    uint8_t big[4] = {(uint8_t)(d >> 24), (uint8_t)(d >> 16), (uint8_t)(d >> 8), (uint8_t)d};
    nn_stream_write(s, big, 4);
  }
  return t->shape.dtype == NN_U8 ? nn_tensor_write(s, t) : words_write(s, t);
}
