#include "io/tensors.h"

#include "io/elements.h"

static nn_status rows_write(nn_stream *s, const nn_tensor *t, nn_tensor *piece, int64_t rows,
                            int64_t step) {
  nn_tensor from = *t;
  char *data = t->data;
  ptrdiff_t row = (ptrdiff_t)nn_dtype_size(t->shape.dtype) * (ptrdiff_t)t->stride[0];
  for (int64_t i = 0; i < rows && !s->error.code; i += step) {
    from.data = data + (ptrdiff_t)i * row;
    from.shape.dim[0] = rows - i < step ? rows - i : step;
    piece->shape.dim[0] = from.shape.dim[0];
    nn_tensor_copy(piece, &from);
    size_t n = (size_t)nn_shape_size(&piece->shape);
    nn_elements_write(piece->data, piece->data, t->shape.dtype, n);
    nn_stream_write(s, piece->data, n * nn_dtype_size(t->shape.dtype));
  }
  return s->error.code;
}

/* Rows at a time through a small block: no second copy of a large tensor. */
nn_status nn_tensor_write(nn_stream *s, const nn_tensor *t) {
  enum { PIECE = 1 << 16 };
  nn_tensor whole = *t, piece;
  if (nn_shape_size(&t->shape) == 0) return s->error.code;
  if (whole.shape.ndim == 0) whole.shape.ndim = 1, whole.shape.dim[0] = whole.stride[0] = 1;
  nn_shape one = whole.shape;
  one.dim[0] = 1;
  int64_t rows = whole.shape.dim[0], step = (int64_t)(PIECE / nn_shape_bytes(&one));
  if (step < 1) step = 1;
  if (step > rows) step = rows;
  one.dim[0] = step;
  void *block = nn_mem_new(s->alloc, nn_shape_bytes(&one));
  if (!block) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  nn_tensor_init(&piece, &one, block);
  rows_write(s, &whole, &piece, rows, step);
  nn_mem_free(s->alloc, block);
  return s->error.code;
}
