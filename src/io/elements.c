#include "io/elements.h"

#include <math.h>
#include <string.h>

static const struct about {
  const char *name;
  size_t size;
  nn_dtype dtype;
} ABOUT[] = {
    [NN_ELEMENT_BOOL] = {"bool", 1, NN_U8},       [NN_ELEMENT_U8] = {"uint8", 1, NN_U8},
    [NN_ELEMENT_I8] = {"int8", 1, NN_I32},        [NN_ELEMENT_U16] = {"uint16", 2, NN_I32},
    [NN_ELEMENT_I16] = {"int16", 2, NN_I32},      [NN_ELEMENT_U32] = {"uint32", 4, NN_I32},
    [NN_ELEMENT_I32] = {"int32", 4, NN_I32},      [NN_ELEMENT_U64] = {"uint64", 8, NN_I32},
    [NN_ELEMENT_I64] = {"int64", 8, NN_I32},      [NN_ELEMENT_F16] = {"float16", 2, NN_F32},
    [NN_ELEMENT_BF16] = {"bfloat16", 2, NN_F32},  [NN_ELEMENT_F32] = {"float32", 4, NN_F32},
    [NN_ELEMENT_F64] = {"float64", 8, NN_F32},
};

size_t nn_element_size(nn_element k) { return ABOUT[k].size; }
const char *nn_element_name(nn_element k) { return ABOUT[k].name; }
nn_dtype nn_element_dtype(nn_element k) { return ABOUT[k].dtype; }

nn_element nn_element_of(nn_dtype t) {
  return t == NN_F32 ? NN_ELEMENT_F32 : t == NN_I32 ? NN_ELEMENT_I32 : NN_ELEMENT_U8;
}

static int host_is_big(void) {
  const uint16_t one = 1;
  return *(const uint8_t *)&one == 0;
}

/* `size` bytes at p as an unsigned integer. */
static uint64_t bits_at(const uint8_t *p, size_t size, int big) {
  uint64_t v = 0;
  for (size_t i = 0; i < size; i++) v = v << 8 | p[big ? i : size - 1 - i];
  return v;
}

/* IEEE half: 1 sign, 5 exponent (bias 15), 10 fraction bits; exact in a double. */
static double half(uint64_t bits) {
  int exponent = (int)(bits >> 10 & 31);
  double fraction = (double)(bits & 1023), v;
  if (exponent == 31) v = fraction != 0 ? NAN : INFINITY;
  else if (exponent == 0) v = ldexp(fraction, -24);
  else v = ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 ? -v : v;
}

static float single(uint64_t bits) {
  uint32_t b = (uint32_t)bits;
  float v;
  memcpy(&v, &b, sizeof v);
  return v;
}

static double value_of(uint64_t bits, nn_element k) {
  double d;
  switch (k) {
    case NN_ELEMENT_I8: return (int8_t)bits;
    case NN_ELEMENT_I16: return (int16_t)bits;
    case NN_ELEMENT_I32: return (int32_t)bits;
    case NN_ELEMENT_I64: return (double)(int64_t)bits;
    case NN_ELEMENT_F16: return half(bits);
    case NN_ELEMENT_BF16: return single(bits << 16);
    case NN_ELEMENT_F32: return single(bits);
    case NN_ELEMENT_F64: memcpy(&d, &bits, sizeof d); return d;
    case NN_ELEMENT_BOOL: return bits != 0;
    default: return (double)bits;
  }
}

double nn_element_get(const void *bytes, nn_element_type from, size_t index) {
  size_t size = ABOUT[from.kind].size;
  return value_of(bits_at((const uint8_t *)bytes + index * size, size, from.big_endian), from.kind);
}

static nn_status does_not_fit(double v, nn_element_type from, nn_dtype to, size_t i, nn_error *e) {
  return nn_fail(e, NN_ERR_DATA, "element %zu (%s) is %.17g, which does not fit %s", i + 1,
                 ABOUT[from.kind].name, v, nn_dtype_name(to));
}

static nn_status one(void *out, nn_dtype to, size_t i, double v, nn_element_type from,
                     nn_error *e) {
  if (to == NN_F32) {
    ((float *)out)[i] = (float)v;
    return NN_OK;
  }
  double least = to == NN_I32 ? INT32_MIN : 0, most = to == NN_I32 ? INT32_MAX : UINT8_MAX;
  if (!(v >= least && v <= most)) return does_not_fit(v, from, to, i, e);
  if (to == NN_I32) ((int32_t *)out)[i] = (int32_t)v;
  else ((uint8_t *)out)[i] = (uint8_t)v;
  return NN_OK;
}

nn_status nn_elements_read(void *out, nn_dtype to, const void *bytes, nn_element_type from,
                           size_t n, nn_error *e) {
  size_t size = ABOUT[from.kind].size;
  int straight = size == 1 || from.big_endian == host_is_big();
  if (straight && from.kind == nn_element_of(to)) {
    if (n) memcpy(out, bytes, n * size);
    return NN_OK;
  }
  const uint8_t *p = bytes;
  nn_status st = NN_OK;
  for (size_t i = 0; i < n && !st; i++)
    st = one(out, to, i, value_of(bits_at(p + i * size, size, from.big_endian), from.kind), from,
             e);
  return st;
}

nn_status nn_elements_stream(nn_stream *s, void *out, nn_dtype to, nn_element_type from,
                             size_t n) {
  enum { PIECE = 1 << 13 };
  uint8_t bytes[PIECE];
  size_t size = ABOUT[from.kind].size, step = nn_dtype_size(to);
  if (from.kind == nn_element_of(to) && (size == 1 || from.big_endian == host_is_big()))
    return nn_stream_read(s, out, nn_size_mul(n, size));
  for (uint8_t *p = out; n > 0 && !s->error.code;) {
    size_t count = n < PIECE / size ? n : PIECE / size;
    nn_error e;
    if (nn_stream_read(s, bytes, count * size)) break;
    if (nn_elements_read(p, to, bytes, from, count, &e)) nn_stream_fail(s, e.code, "%s", e.text);
    p += count * step, n -= count;
  }
  return s->error.code;
}

void nn_elements_write(void *out, const void *src, nn_dtype from, size_t n) {
  size_t size = nn_dtype_size(from);
  if (n == 0) return;
  if (out != src) memmove(out, src, n * size);
  if (!host_is_big() || size == 1) return;
  uint8_t *p = out;
  for (size_t i = 0; i < n; i++, p += 4) {
    uint8_t a = p[0], b = p[1];
    p[0] = p[3], p[1] = p[2], p[2] = b, p[3] = a;
  }
}
