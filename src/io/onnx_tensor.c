/* Tensors of ONNX. Elements are raw little-endian bytes (field 9), or numbers in a field of their
 * kind, packed in one or several pieces or one by one. A first walk finds type, shape and how many
 * elements each field has, a second one reads them. */
#include <string.h>

#include "io/onnx_file.h"

enum { DIMS = 1, TYPE = 2, NAME = 8, RAW = 9, EXTERNAL = 13, LOCATION = 14, FIELDS = 12 };

/* By TensorProto.DataType: the element, and the field of its numbers (bytes each, 0 = varints). */
static const struct kind {
  int known;
  nn_element element;
  uint32_t field;
  size_t bytes;
} KINDS[] = {
    [1] = {1, NN_ELEMENT_F32, 4, 4},   [2] = {1, NN_ELEMENT_U8, 5, 0},
    [3] = {1, NN_ELEMENT_I8, 5, 0},    [4] = {1, NN_ELEMENT_U16, 5, 0},
    [5] = {1, NN_ELEMENT_I16, 5, 0},   [6] = {1, NN_ELEMENT_I32, 5, 0},
    [7] = {1, NN_ELEMENT_I64, 7, 0},   [9] = {1, NN_ELEMENT_BOOL, 5, 0},
    [10] = {1, NN_ELEMENT_F16, 5, 0},  [11] = {1, NN_ELEMENT_F64, 10, 8},
    [12] = {1, NN_ELEMENT_U32, 11, 0}, [13] = {1, NN_ELEMENT_U64, 11, 0},
    [16] = {1, NN_ELEMENT_BF16, 5, 0}};

/* Bytes of a number in a field, 0 = varint, -1: no field of numbers. */
static int field_bytes(uint32_t number) {
  switch (number) {
    case 4: return 4;
    case 10: return 8;
    case 5: case 7: case 11: return 0;
    default: return -1;
  }
}

static nn_status fail(nn_onnx *f, const nn_onnx_tensor *t, const char *what) {
  int n = (int)(t->name.n < 80 ? t->name.n : 80);
  return onnx_fail(f, "tensor '%.*s': %s", n, n ? t->name.bytes : "", what);
}

static nn_status dim_add(nn_onnx *f, nn_onnx_tensor *t, uint64_t d) {
  if (t->shape.ndim == NN_MAX_DIMS) return fail(f, t, "more than 8 dimensions");
  if (d > INT64_MAX) return fail(f, t, "a negative dimension");
  t->shape.dim[t->shape.ndim++] = (int64_t)d;
  return NN_OK;
}

static nn_status dims_add(nn_onnx *f, nn_onnx_tensor *t, const nn_pb_field *d) {
  nn_pb m = d->bytes;
  if (d->wire == NN_PB_VARINT) return dim_add(f, t, d->value);
  nn_status st = onnx_want(f, d, NN_PB_BYTES);
  while (!st && nn_pb_left(&m)) {
    uint64_t v;
    const char *problem = nn_pb_varint(&m, &v);
    st = problem ? fail(f, t, problem) : dim_add(f, t, v);
  }
  return st;
}

/* How many numbers a field of numbers holds. */
static nn_status numbers_count(nn_onnx *f, const nn_onnx_tensor *t, const nn_pb_field *d,
                               size_t *count) {
  int bytes = field_bytes(d->number);
  nn_pb m = d->bytes;
  if (d->wire != NN_PB_BYTES) {
    nn_pb_wire one = bytes == 4 ? NN_PB_FIXED32 : bytes == 8 ? NN_PB_FIXED64 : NN_PB_VARINT;
    *count += 1;
    return onnx_want(f, d, one);
  }
  if (bytes) {
    *count += nn_pb_left(&m) / (size_t)bytes;
    return nn_pb_left(&m) % (size_t)bytes ? fail(f, t, "its numbers are cut off") : NN_OK;
  }
  for (; nn_pb_left(&m); ++*count) {
    uint64_t v;
    const char *problem = nn_pb_varint(&m, &v);
    if (problem) return fail(f, t, problem);
  }
  return NN_OK;
}

typedef struct found {
  uint64_t type;
  size_t raws, raw;          /* fields 9, and the bytes of the last */
  size_t numbers[FIELDS];    /* by field */
  int external;
} found;

static nn_status field_take(nn_onnx *f, nn_onnx_tensor *t, const nn_pb_field *d, found *w) {
  nn_status st = NN_OK;
  if (d->number == DIMS) return dims_add(f, t, d);
  if (d->number < FIELDS && field_bytes(d->number) >= 0)
    return numbers_count(f, t, d, &w->numbers[d->number]);
  if (d->number == TYPE) {
    st = onnx_want(f, d, NN_PB_VARINT);
    w->type = d->value;
  } else if (d->number == RAW) {
    st = onnx_want(f, d, NN_PB_BYTES);
    w->raws++;
    w->raw = nn_pb_left(&d->bytes);
  } else if (d->number == EXTERNAL) {
    w->external = 1;
  } else if (d->number == LOCATION) {
    st = onnx_want(f, d, NN_PB_VARINT);
    w->external |= d->value != 0;
  }
  return st;
}

/* Elements in one place alone, and as many as the shape says. */
static nn_status elements_check(nn_onnx *f, nn_onnx_tensor *t, const found *w) {
  const struct kind *k = &KINDS[w->type];
  size_t want = (size_t)nn_shape_size(&t->shape), have = w->numbers[k->field], all = 0;
  for (int i = 0; i < FIELDS; i++) all += w->numbers[i];
  if (w->raws > 1 || (w->raws && all) || all != have)
    return fail(f, t, "its elements stand in several places");
  t->field = w->raws ? RAW : k->field;
  if (w->raws) {
    size_t bytes = nn_size_mul(want, nn_element_size(k->element));
    if (w->raw == bytes) return NN_OK;
    int n = (int)(t->name.n < 80 ? t->name.n : 80);
    return onnx_fail(f, "tensor '%.*s' has %zu bytes, expected %zu", n, t->name.bytes, w->raw,
                     bytes);
  }
  if (have == want) return NN_OK;
  int n = (int)(t->name.n < 80 ? t->name.n : 80);
  return onnx_fail(f, "tensor '%.*s' has %zu numbers, expected %zu", n, t->name.bytes, have, want);
}

/* First of all, for the errors about the rest. */
static nn_status name_find(nn_onnx *f, nn_pb m, nn_onnx_tensor *t) {
  nn_pb_field d;
  nn_status st;
  while (!(st = onnx_next(f, &m, &d)) && d.number)
    if (d.number == NAME && (st = onnx_text(f, &d, &t->name))) break;
  return st;
}

nn_status onnx_tensor(nn_onnx *f, nn_pb m, nn_onnx_tensor *t) {
  found w;
  nn_pb_field d;
  nn_error e;
  memset(&w, 0, sizeof w);
  memset(t, 0, sizeof *t);
  t->message = m;
  t->name.bytes = "";
  nn_status st = name_find(f, m, t);
  while (!st && !(st = onnx_next(f, &m, &d)) && d.number) st = field_take(f, t, &d, &w);
  if (st) return st;
  if (w.external) return fail(f, t, "its data is in another file, which is not opened");
  if (w.type >= sizeof KINDS / sizeof *KINDS || !KINDS[w.type].known) {
    int n = (int)(t->name.n < 80 ? t->name.n : 80);
    return onnx_fail(f, "tensor '%.*s': the element type %llu is not supported", n, t->name.bytes,
                     (unsigned long long)w.type);
  }
  t->type = (nn_element_type){KINDS[w.type].element, 0};
  t->shape.dtype = nn_element_dtype(t->type.kind);
  if (nn_shape_check(&t->shape, &e)) return fail(f, t, e.text);
  if ((st = elements_check(f, t, &w))) return st;
  f->memory += nn_shape_bytes(&t->shape);
  return f->memory > f->limits.bytes ? onnx_limit(f, "bytes in tensors") : NN_OK;
}

/* ---- reading ---- */

typedef struct sink {
  nn_onnx *f;
  const nn_onnx_tensor *t;
  uint8_t *out;
} sink;

static nn_status put_bytes(sink *s, const uint8_t *bytes, size_t n) {
  nn_error e;
  nn_dtype to = s->t->shape.dtype;
  if (nn_elements_read(s->out, to, bytes, s->t->type, n, &e)) return fail(s->f, s->t, e.text);
  s->out += n * nn_dtype_size(to);
  return NN_OK;
}

/* A varint as the bytes of an element: signed ones extend their sign to 64 bits, float16 and
 * bfloat16 stand as their 16 bits. */
static nn_status put_varint(sink *s, uint64_t v) {
  uint8_t bytes[8];
  nn_element k = s->t->type.kind;
  size_t bits = 8 * nn_element_size(k);
  int is_signed = k == NN_ELEMENT_I8 || k == NN_ELEMENT_I16 || k == NN_ELEMENT_I32;
  uint64_t half = (uint64_t)1 << (bits - 1);
  if (bits < 64 && (is_signed ? v + half >= 2 * half : v >= 2 * half))
    return fail(s->f, s->t, "a number does not fit its type");
  if (k == NN_ELEMENT_BOOL && v > 1) return fail(s->f, s->t, "a boolean is neither 0 nor 1");
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(v >> (8 * i));
  return put_bytes(s, bytes, 1);
}

static nn_status put_field(sink *s, const nn_pb_field *d) {
  nn_pb m = d->bytes;
  nn_status st = NN_OK;
  if (d->wire == NN_PB_VARINT) return put_varint(s, d->value);
  if (s->t->field == RAW || field_bytes(d->number) > 0)
    return put_bytes(s, m.at, nn_pb_left(&m) / nn_element_size(s->t->type.kind));
  while (!st && nn_pb_left(&m)) {
    uint64_t v;
    const char *problem = nn_pb_varint(&m, &v);
    st = problem ? fail(s->f, s->t, problem) : put_varint(s, v);
  }
  return st;
}

nn_status nn_onnx_read(nn_onnx *f, const nn_onnx_tensor *t, void *out, nn_error *e) {
  nn_error own;
  nn_pb m = t->message;
  nn_pb_field d;
  sink s = {f, t, out};
  nn_status st;
  f->e = e ? e : &own;
  while (!(st = onnx_next(f, &m, &d)) && d.number)
    if (d.number == t->field && (st = put_field(&s, &d))) break;
  f->e = NULL;
  return st;
}
