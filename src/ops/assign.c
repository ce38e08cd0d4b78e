/* assign, assign_add: write a value (broadcast to it, converted) into a variable, the first input.
 * The output is the variable.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status check(const char *name, const nn_shape *const *in, nn_shape *out, nn_error *e) {
  nn_shape both;
  *out = *in[0];
  if (nn_shape_broadcast(in[0], in[1], &both) && nn_shape_same(&both, in[0])) return NN_OK;
  char a[160], b[160];
  return nn_fail(e, NN_ERR_SHAPE, "%s: a value %s for a variable %s", name,
                 nn_shape_text(in[1], a, sizeof a), nn_shape_text(in[0], b, sizeof b));
}

static nn_status assign_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  return check("assign", in, out, e);
}

static nn_status assign_add_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                  nn_shape *out, nn_error *e) {
  (void)a, (void)n_in;
  return check("assign_add", in, out, e);
}

/* Element by element: variables that are not float32 are small. */
static void write_any(const nn_call *c, int add) {
  nn_tensor to, from;
  nn_tensor_init(&to, c->in_shape[0], c->in[0]);
  nn_tensor_init(&from, c->in_shape[1], c->in[1]);
  nn_spread s;
  nn_spread_init(&s, c->in[1], c->in_shape[1], c->in_shape[0]);
  int64_t size = nn_shape_size(c->in_shape[0]);
  int32_t buf[NN_BLOCK];
  float fbuf[NN_BLOCK];
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t n = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    int floats = s.dtype == NN_F32;
    const float *f = floats ? nn_spread_f32(&s, at, n, fbuf) : NULL;
    const int32_t *v = floats ? NULL : nn_spread_i32(&s, at, n, buf);
    for (int64_t i = 0; i < n; i++)
      nn_tensor_set(&to, at + i,
                    (floats ? (double)f[i] : v[i]) + (add ? nn_tensor_get(&to, at + i) : 0));
  }
}

static void write_floats(const nn_call *c, int add) {
  nn_spread s;
  float *to = c->in[0], buf[NN_BLOCK];
  nn_spread_init(&s, c->in[1], c->in_shape[1], c->in_shape[0]);
  int64_t size = nn_shape_size(c->in_shape[0]);
  for (int64_t at = 0; at < size; at += NN_BLOCK) {
    int64_t n = size - at < NN_BLOCK ? size - at : NN_BLOCK;
    nn_put(to + at, nn_spread_f32(&s, at, n, buf), add, n);
  }
}

static void write_value(const nn_call *c, int add) {
  if (c->in_shape[0]->dtype == NN_F32)
    write_floats(c, add);
  else
    write_any(c, add);
}

static void assign_forward(nn_call *c) { write_value(c, 0); }
static void assign_add_forward(nn_call *c) { write_value(c, 1); }

const nn_op nn_op_assign = {.name = "assign", .n_in = 2, .n_out = 1,
                            .flags = NN_OP_EFFECT | NN_OP_ALIAS, .shape = assign_shape,
                            .forward = assign_forward};
const nn_op nn_op_assign_add = {.name = "assign_add", .n_in = 2, .n_out = 1,
                                .flags = NN_OP_EFFECT | NN_OP_ALIAS, .shape = assign_add_shape,
                                .forward = assign_add_forward};
