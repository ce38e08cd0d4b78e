/* embedding: rows of a table by token. Inputs: table (n, d), tokens (any shape of integers from 0),
 * and maybe the table again as one line of n d numbers, whose "gradient" is the sum of the squares
 * of the rows' gradients. Output: tokens' shape + (d). Tokens outside are reported and give zeros.
 *   dtable[token] = the sum of dy over the places of the token; dsquares = the sum of dy^2
 * Keras on TensorFlow squares the gradient of an embedding place by place, before the places of a
 * token are added up: its optimizers with second moments (Adam, RMSprop ...) see the sum of
 * squares, not the square of the sum. The third input is how an optimizer asks for it.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/index.h"
#include "ops/ops.h"

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)a;
  char text[160];
  if (n_in < 2 || n_in > 3)
    return nn_fail(e, NN_ERR_ARGUMENT, "embedding: %d inputs, expected 2 or 3", n_in);
  if (in[0]->ndim != 2 || in[0]->dtype != NN_F32)
    return nn_fail(e, NN_ERR_SHAPE, "embedding: table %s, expected two float32 dimensions",
                   nn_shape_text(in[0], text, sizeof text));
  if (n_in == 3 && (in[2]->ndim != 1 || in[2]->dim[0] != nn_shape_size(in[0])))
    return nn_fail(e, NN_ERR_SHAPE, "embedding: the third input is not the table as a line");
  if (in[1]->ndim == NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "embedding: tokens %s have too many dimensions",
                   nn_shape_text(in[1], text, sizeof text));
  *out = *in[1];
  out->dtype = NN_F32;
  out->dim[out->ndim++] = in[0]->dim[1];
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "embedding");
}

static int64_t place(const nn_call *c, int64_t k) {
  int64_t token = nn_index_read(c->in[1], c->in_shape[1]->dtype, k);
  return nn_index_place(token, c->in_shape[0]->dim[0], NN_TOKENS);
}

static void copy_rows(void *arg, int64_t from, int64_t to) {
  nn_call *c = arg;
  size_t d = (size_t)c->in_shape[0]->dim[1];
  for (int64_t k = from; k < to; k++) {
    int64_t at = place(c, k);
    float *y = (float *)c->out[0] + (size_t)k * d;
    if (at < 0) memset(y, 0, d * sizeof *y);
    else memcpy(y, (const float *)c->in[0] + (size_t)at * d, d * sizeof *y);
  }
}

/* Before threads start, so that the first token outside is the one that is named. */
static void check_tokens(nn_call *c, int64_t m) {
  for (int64_t k = 0; k < m; k++) {
    if (place(c, k) >= 0) continue;
    nn_index_fault(c->run, "embedding", c->in[1], c->in_shape[1], k, c->in_shape[0]->dim[0],
                   NN_TOKENS);
    return;
  }
}

static void forward(nn_call *c) {
  int64_t m = nn_shape_size(c->in_shape[1]), d = c->in_shape[0]->dim[1];
  check_tokens(c, m);
  nn_ranges_run(c->run, m, NN_RANGE / (d + 1) + 1, copy_rows, c);
}

static void backward(nn_call *c) {
  const nn_kernels *k = nn_kernels_get();
  int64_t m = nn_shape_size(c->in_shape[1]), d = c->in_shape[0]->dim[1];
  float *dx = c->din[0], *squares = c->n_in == 3 ? c->din[2] : NULL;
  size_t bytes = nn_shape_bytes(c->in_shape[0]);
  if (bytes == 0) return;
  if (dx && !c->accumulate[0]) memset(dx, 0, bytes);
  if (squares && !c->accumulate[2]) memset(squares, 0, bytes);
  for (int64_t r = 0; r < m; r++) {
    int64_t at = place(c, r);
    const float *dy = c->dout[0] + r * d;
    if (at < 0) continue;
    if (dx) k->add(dx + at * d, dx + at * d, dy, (size_t)d);
    for (int64_t i = 0; squares && i < d; i++) squares[at * d + i] += dy[i] * dy[i];
  }
}

const nn_op nn_op_embedding = {.name = "embedding", .n_in = -1, .n_out = 1, .shape = shape,
                               .forward = forward, .backward = backward};
