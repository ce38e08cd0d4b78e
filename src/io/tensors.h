/* Tensors on their way to a file: their names, and their elements as a stream of bytes. */
#ifndef NN_IO_TENSORS_H
#define NN_IO_TENSORS_H

#include "core/tensor.h"
#include "io/stream.h"

typedef struct nn_named_tensor {
  const char *name; /* borrowed, UTF-8 */
  nn_tensor tensor; /* borrowed memory; any strides */
} nn_named_tensor;

/* The elements in row-major order, little-endian; the stream keeps the error. */
nn_status nn_tensor_write(nn_stream *s, const nn_tensor *t);

#endif
