/* one_hot: class ids (from 0, any dtype) to rows of zeros with a single one; all zeros for ids
 * outside. attrs.i = {classes, axis of the classes in the output (from 0), dtype}. */
#include <string.h>

#include "ops/block.h"
#include "ops/index.h"
#include "ops/ops.h"

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  int64_t classes = a->i[0], axis = a->i[1];
  if (classes < 1)
    return nn_fail(e, NN_ERR_ARGUMENT, "one_hot: num_classes is %lld, expected 1 or more",
                   (long long)classes);
  if (x->ndim == NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "one_hot: x has %d dimensions, expected at most %d", x->ndim,
                   NN_MAX_DIMS - 1);
  if (axis < 0 || axis > x->ndim)
    return nn_fail(e, NN_ERR_ARGUMENT, "one_hot: axis %lld, expected 1 to %d", (long long)axis + 1,
                   x->ndim + 1);
  out->dtype = (nn_dtype)a->i[2], out->ndim = x->ndim + 1;
  for (int i = 0, at = 0; i < out->ndim; i++) out->dim[i] = i == axis ? classes : x->dim[at++];
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "one_hot");
}

static void forward(nn_call *c) {
  int64_t classes = c->attrs->i[0], inner = 1, total = nn_shape_size(c->in_shape[0]);
  const nn_shape *x = c->in_shape[0];
  nn_tensor y;
  nn_tensor_init(&y, c->out_shape[0], c->out[0]);
  memset(c->out[0], 0, nn_shape_bytes(c->out_shape[0]));
  for (int64_t i = c->attrs->i[1]; i < x->ndim; i++) inner *= x->dim[i];
  for (int64_t k = 0; k < total; k++) {
    int64_t id = nn_index_read(c->in[0], x->dtype, k);
    if (id < 0 || id >= classes) continue;
    nn_tensor_set(&y, (k / inner * classes + id) * inner + k % inner, 1);
  }
}

const nn_op nn_op_one_hot = {.name = "one_hot", .n_in = 1, .n_out = 1, .shape = shape,
                             .forward = forward};
