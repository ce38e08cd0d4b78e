#include "io/protobuf.h"

enum { MOST_FIELD = (1 << 29) - 1 };

const char *nn_pb_varint(nn_pb *m, uint64_t *v) {
  *v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (m->at == m->end) return "a number is not closed";
    uint64_t byte = *m->at++;
    if (shift == 63 && byte > 1) return "a number has more than 64 bits";
    *v |= (byte & 127) << shift;
    if (byte < 128) return NULL;
  }
  return "a number has more than 64 bits";
}

const char *nn_pb_next(nn_pb *m, nn_pb_field *f) {
  uint64_t key, n = 0;
  const char *problem;
  f->number = 0;
  if (m->at == m->end) return NULL;
  if ((problem = nn_pb_varint(m, &key))) return problem;
  if (key >> 3 == 0 || key >> 3 > MOST_FIELD) return "a field has no proper number";
  f->wire = (nn_pb_wire)(key & 7);
  switch (f->wire) {
    case NN_PB_VARINT:
      problem = nn_pb_varint(m, &f->value);
      break;
    case NN_PB_FIXED64: n = 8; break;
    case NN_PB_FIXED32: n = 4; break;
    case NN_PB_BYTES:
      problem = nn_pb_varint(m, &n);
      break;
    default: problem = "a field is of an unknown kind";
  }
  if (problem) return problem;
  if (n > nn_pb_left(m)) return "a field is longer than what holds it";
  f->bytes = (nn_pb){m->at, m->at + n, m->depth + 1};
  m->at += n;
  f->number = (uint32_t)(key >> 3);
  return NULL;
}
