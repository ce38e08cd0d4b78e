/* The wire format of Protocol Buffers, read: a message is a list of fields, each a number, a wire
 * type and a varint, 4 or 8 bytes, or a length and as many bytes (a text, a message inside, packed
 * numbers).
 *
 * Every length is held against what is left of the message, a varint has at most ten bytes, groups
 * (deprecated) are refused. Nothing is copied and nothing recurses: a message inside is a range of
 * the bytes, which the caller opens where it knows what it is.
 *
 * Source: Protocol Buffers, "Encoding".
 */
#ifndef NN_IO_PROTOBUF_H
#define NN_IO_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a message from the read position on; borrowed. */
typedef struct nn_pb {
  const uint8_t *at, *end;
  int depth; /* messages around it */
} nn_pb;

typedef enum nn_pb_wire {
  NN_PB_VARINT = 0,
  NN_PB_FIXED64 = 1,
  NN_PB_BYTES = 2,
  NN_PB_FIXED32 = 5
} nn_pb_wire;

typedef struct nn_pb_field {
  uint32_t number; /* 0: the message ended */
  nn_pb_wire wire;
  uint64_t value;  /* of a varint */
  nn_pb bytes;     /* of all others: what they consist of */
} nn_pb_field;

static inline size_t nn_pb_left(const nn_pb *m) { return (size_t)(m->end - m->at); }

/* Each moves on and gives NULL, or says what is wrong. */
const char *nn_pb_next(nn_pb *m, nn_pb_field *f);
const char *nn_pb_varint(nn_pb *m, uint64_t *v);

#endif
