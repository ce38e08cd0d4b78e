/* Dataspaces and datatypes. */
#include <string.h>

#include "io/hdf5_file.h"

static nn_status dims_take(nn_hdf5 *f, h5_cursor *c, nn_shape *s, int rank, int has_most) {
  nn_error e;
  if (rank > NN_MAX_DIMS)
    return h5_fail(f, "%d dimensions, at most %d are possible", rank, NN_MAX_DIMS);
  s->ndim = rank;
  for (int i = 0; i < rank; i++) {
    uint64_t d = h5_take(c, 8);
    if (d > INT64_MAX) return h5_fail(f, "a dimension is too large");
    s->dim[i] = (int64_t)d;
  }
  if (has_most) h5_take_bytes(c, (size_t)rank * 8);
  if (c->bad) return h5_fail(f, "a dataspace is truncated");
  s->dtype = NN_I32; /* the widest */
  return nn_shape_check(s, &e) ? h5_fail(f, "%s", e.text) : NN_OK;
}

nn_status h5_dataspace(nn_hdf5 *f, h5_cursor *c, nn_hdf5_value *v) {
  int version = (int)h5_take(c, 1), rank = (int)h5_take(c, 1), flags = (int)h5_take(c, 1);
  int kind = (int)h5_take(c, 1); /* version 2: 0 scalar, 1 simple, 2 null */
  if (version != 1 && version != 2) return h5_fail(f, "dataspace version %d is unknown", version);
  if (flags & ~1) return h5_fail(f, "a dataspace with permuted dimensions is not supported");
  if (version == 1) h5_take(c, 4);
  else if (kind > 2 || (kind == 0 && rank != 0)) return h5_fail(f, "a dataspace is damaged");
  if (version == 2 && kind == 2) {
    v->shape.ndim = 1;
    v->shape.dim[0] = 0;
    return c->bad ? h5_fail(f, "a dataspace is truncated") : NN_OK;
  }
  return dims_take(f, c, &v->shape, rank, flags & 1);
}

static nn_status whole_number(nn_hdf5 *f, h5_cursor *c, uint32_t bits, uint32_t size,
                              nn_element_type *t) {
  static const nn_element kinds[2][4] = {
      {NN_ELEMENT_U8, NN_ELEMENT_U16, NN_ELEMENT_U32, NN_ELEMENT_U64},
      {NN_ELEMENT_I8, NN_ELEMENT_I16, NN_ELEMENT_I32, NN_ELEMENT_I64}};
  uint64_t offset = h5_take(c, 2), precision = h5_take(c, 2);
  int log = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1;
  if (log < 0 || offset != 0 || precision != size * 8 || bits & ~(uint32_t)9)
    return h5_fail(f, "a whole-number type of %u bytes with %u bits is not supported",
                   (unsigned)size, (unsigned)precision);
  t->kind = kinds[bits >> 3 & 1][log];
  t->big_endian = bits & 1;
  return NN_OK;
}

/* The fields of a float as it would be written: sign on top, exponent, mantissa at 0. */
static nn_status float_number(nn_hdf5 *f, h5_cursor *c, uint32_t bits, uint32_t size,
                              nn_element_type *t) {
  static const struct {
    nn_element kind;
    uint32_t size;
    uint64_t exponent_bits, mantissa_bits, bias;
  } known[] = {{NN_ELEMENT_F32, 4, 8, 23, 127},
               {NN_ELEMENT_F64, 8, 11, 52, 1023},
               {NN_ELEMENT_F16, 2, 5, 10, 15},
               {NN_ELEMENT_BF16, 2, 8, 7, 127}};
  uint64_t offset = h5_take(c, 2), precision = h5_take(c, 2), exponent_at = h5_take(c, 1);
  uint64_t exponent = h5_take(c, 1), mantissa_at = h5_take(c, 1), mantissa = h5_take(c, 1);
  uint64_t bias = h5_take(c, 4), sign_at = bits >> 8 & 0xFF;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (known[i].size != size || known[i].exponent_bits != exponent ||
        known[i].mantissa_bits != mantissa || known[i].bias != bias)
      continue;
    if (offset || precision != size * 8 || mantissa_at || exponent_at != mantissa ||
        sign_at != size * 8 - 1 || bits & 0x40)
      break;
    t->kind = known[i].kind;
    t->big_endian = bits & 1;
    return NN_OK;
  }
  return h5_fail(f, "a floating-point type of %u bytes is not supported", (unsigned)size);
}

/* h5py's booleans: an enumeration of FALSE = 0 and TRUE = 1 over int8. */
static nn_status boolean(nn_hdf5 *f, h5_cursor *c, uint32_t bits, uint32_t size, int version,
                         nn_element_type *t) {
  nn_hdf5_value base;
  int opaque;
  memset(&base, 0, sizeof base);
  nn_status st = (bits & 0xFFFF) == 2 && size == 1 && c->at < c->end && (*c->at & 15) == 0
                     ? h5_datatype(f, c, &base, &opaque)
                     : h5_fail(f, "an enumeration that is not h5py's boolean is not supported");
  if (st) return st;
  size_t first = version < 3 ? 8 : 6, second = version < 3 ? 8 : 5;
  const uint8_t *no = h5_take_bytes(c, first), *yes = h5_take_bytes(c, second);
  const uint8_t *values = h5_take_bytes(c, 2);
  if (!values || memcmp(no, "FALSE", 6) != 0 || memcmp(yes, "TRUE", 5) != 0 || values[0] != 0 ||
      values[1] != 1)
    return h5_fail(f, "an enumeration that is not h5py's boolean is not supported");
  *t = (nn_element_type){NN_ELEMENT_BOOL, 0};
  return NN_OK;
}

/* A text of variable length: 4 bytes of length, address and index of its global heap object. */
static nn_status variable_text(nn_hdf5 *f, uint32_t bits, uint32_t size, nn_hdf5_value *v) {
  if ((bits & 15) != 1 || size != 16)
    return h5_fail(f, "sequences of variable length are not supported");
  v->is_text = 1;
  v->text_size = 0;
  return NN_OK;
}

static nn_status fixed_text(nn_hdf5 *f, uint32_t size, nn_hdf5_value *v) {
  v->is_text = 1;
  v->text_size = size;
  return size ? NN_OK : h5_fail(f, "a text type of 0 bytes");
}

static nn_status opaque_type(nn_hdf5 *f, uint32_t size, nn_hdf5_value *v, int *opaque) {
  *opaque = 1;
  v->type = (nn_element_type){NN_ELEMENT_BF16, 0};
  return size == 2 ? NN_OK : h5_fail(f, "opaque data is not supported");
}

/* Each branch reads no further than what it needs: the datatype is the last user of its bytes. */
nn_status h5_datatype(nn_hdf5 *f, h5_cursor *c, nn_hdf5_value *v, int *opaque) {
  static const char *const names[] = {"", "", "time", "", "bit field", "", "compound",
                                      "reference", "", "", "array", "complex"};
  int head = (int)h5_take(c, 1), kind = head & 15, version = head >> 4;
  uint32_t bits = (uint32_t)h5_take(c, 3), size = (uint32_t)h5_take(c, 4);
  nn_status st;
  *opaque = 0;
  v->is_text = 0;
  v->element_size = size;
  if (version < 1 || version > 5) return h5_fail(f, "datatype version %d is unknown", version);
  switch (kind) {
    case 0: st = whole_number(f, c, bits, size, &v->type); break;
    case 1: st = float_number(f, c, bits, size, &v->type); break;
    case 3: st = fixed_text(f, size, v); break;
    case 5: st = opaque_type(f, size, v, opaque); break;
    case 8: st = boolean(f, c, bits, size, version, &v->type); break;
    case 9: st = variable_text(f, bits, size, v); break;
    default:
      st = h5_fail(f, "%s types are not supported", kind < 12 ? names[kind] : "unknown");
  }
  if (!st && c->bad) st = h5_fail(f, "a datatype is truncated");
  if (!st) v->shape.dtype = v->is_text ? NN_U8 : nn_element_dtype(v->type.kind);
  return st;
}
