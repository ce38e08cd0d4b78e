/* ONNX: the graph of a model, as much of it as importing needs.
 *
 * A file is one protobuf message (protobuf.h): model > graph > nodes > attributes, and tensors with
 * a shape, a type and elements that are raw or typed. Read: nodes with their attributes, the
 * initializers, inputs and outputs of the graph. Refused by name: tensors whose data is in another
 * file (none is ever opened), graphs inside attributes (loops and branches), sparse tensors,
 * complex numbers, texts as elements. Fields that ONNX may add are passed over.
 *
 * The messages nest as deep as the code says, seven at most, so nothing recurses. All that is
 * found is counted against limits->tensors, the tensors as they become in memory against
 * limits->bytes; elements stay in the file's bytes until they are asked for. Linear in the file
 * (finding a name that stands twice: n log n).
 *
 * Source: onnx.proto3 of ONNX 1.17 (IR version 10).
 */
#ifndef NN_IO_ONNX_H
#define NN_IO_ONNX_H

#include "core/tensor.h"
#include "io/elements.h"
#include "io/protobuf.h"
#include "io/stream.h"

/* UTF-8 without zero bytes, except where an attribute holds bytes; borrowed, not ended by zero. */
typedef struct nn_onnx_text {
  const char *bytes;
  size_t n;
} nn_onnx_text;

typedef struct nn_onnx_tensor {
  nn_onnx_text name;
  nn_shape shape;       /* dtype: what the elements become */
  nn_element_type type; /* as in the file */
  nn_pb message;        /* borrowed */
  uint32_t field;       /* that holds the elements */
} nn_onnx_tensor;

typedef enum nn_onnx_kind {
  NN_ONNX_NONE, /* of a kind that import has no use for */
  NN_ONNX_FLOAT,
  NN_ONNX_INTEGER,
  NN_ONNX_TEXT,
  NN_ONNX_INTEGERS,
  NN_ONNX_TENSOR
} nn_onnx_kind;

typedef struct nn_onnx_attribute {
  nn_onnx_text name;
  nn_onnx_kind kind;
  float number;
  int64_t integer;
  nn_onnx_text text;
  nn_onnx_tensor tensor;
  size_t first, count; /* of NN_ONNX_INTEGERS: in f->integer */
} nn_onnx_attribute;

/* The parts of a node stand in a row in f->text and f->attribute. */
typedef struct nn_onnx_node {
  nn_onnx_text name, op, domain;
  size_t input, inputs, output, outputs, attribute, attributes;
} nn_onnx_node;

typedef struct nn_onnx_value {
  nn_onnx_text name;
  int has_shape, ndim;
  int64_t dim[NN_MAX_DIMS]; /* -1: not known */
} nn_onnx_value;

typedef struct nn_onnx {
  nn_alloc *alloc;      /* borrowed */
  char *name;           /* owned: of the file, for errors */
  const uint8_t *bytes; /* borrowed */
  nn_limits limits;
  nn_error *e;          /* borrowed: of the call that runs */
  size_t items;         /* counted against limits.tensors */
  uint64_t memory;      /* of all tensors */
  nn_onnx_node *node;   /* owned, as all below */
  nn_onnx_tensor *tensor; /* initializers, in the order of the file */
  nn_onnx_value *input, *output; /* of the graph */
  nn_onnx_text *text;
  nn_onnx_attribute *attribute;
  int64_t *integer;
  size_t nodes, tensors, inputs, outputs, texts, attributes, integers;
  size_t node_room, tensor_room, input_room, output_room, text_room, attribute_room, integer_room;
} nn_onnx;

/* `bytes` are borrowed until close. */
nn_status nn_onnx_open(nn_onnx *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_limits *limits, nn_error *e);
/* The elements into out, nn_shape_bytes(&t->shape) bytes of the caller. */
nn_status nn_onnx_read(nn_onnx *f, const nn_onnx_tensor *t, void *out, nn_error *e);
void nn_onnx_close(nn_onnx *f); /* also a zeroed or closed one */

#endif
