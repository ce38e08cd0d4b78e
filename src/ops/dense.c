/* dense: y = act(x kernel + bias) over the last axis of x, one product with its epilogue.
 *   inputs: x (..., k), kernel (k, n), and maybe bias (n); attrs.i[0]: an nn_act
 * Backward with p = dy act'(y), which y alone gives: dx = p kernel', dkernel = x' p, dbias = sum of
 * p's rows.
 */
#include "ops/block.h"
#include "ops/ops.h"

typedef struct sizes {
  int64_t m, n, k; /* rows, units, inputs */
} sizes;

static sizes sizes_of(const nn_shape *const *in) {
  sizes s = {.n = in[1]->dim[1], .k = in[1]->dim[0], .m = 1};
  for (int i = 0; i < in[0]->ndim - 1; i++) s.m *= in[0]->dim[i];
  return s;
}

static nn_status dense_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  char x[160], w[160];
  if (n_in < 2 || n_in > 3)
    return nn_fail(e, NN_ERR_ARGUMENT, "dense: %d inputs, expected 2 or 3", n_in);
  if (a->i[0] < NN_ACT_LINEAR || a->i[0] > NN_ACT_TANH)
    return nn_fail(e, NN_ERR_ARGUMENT, "dense: there is no fused activation %d", (int)a->i[0]);
  if (in[1]->ndim != 2 || in[1]->dtype != NN_F32)
    return nn_fail(e, NN_ERR_SHAPE, "dense: kernel %s, expected two float32 dimensions",
                   nn_shape_text(in[1], w, sizeof w));
  if (in[0]->ndim < 1 || in[0]->dim[in[0]->ndim - 1] != in[1]->dim[0])
    return nn_fail(e, NN_ERR_SHAPE, "dense: input %s and kernel %s do not fit",
                   nn_shape_text(in[0], x, sizeof x), nn_shape_text(in[1], w, sizeof w));
  if (n_in == 3 && (nn_shape_size(in[2]) != in[1]->dim[1] || in[2]->dtype != NN_F32))
    return nn_fail(e, NN_ERR_SHAPE, "dense: bias %s, expected (%lld)",
                   nn_shape_text(in[2], w, sizeof w), (long long)in[1]->dim[1]);
  *out = *in[0];
  out->dtype = NN_F32;
  out->dim[out->ndim - 1] = in[1]->dim[1];
  return NN_OK;
}

/* Scratch: x as float32 where it is not, then p. */
static size_t dense_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  sizes s = sizes_of(in);
  size_t p = a->i[0] == NN_ACT_LINEAR ? 0 : nn_size_mul((size_t)(s.m * s.n), sizeof(float));
  return nn_size_add(nn_input_f32_bytes(in[0]), p);
}

static nn_status dense_reserve(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_run *run,
                               nn_error *e) {
  (void)a, (void)n_in;
  sizes s = sizes_of(in);
  nn_status r = nn_gemm_reserve(run->gemm, s.m, s.n, s.k, e);
  if (r == NN_OK) r = nn_gemm_reserve(run->gemm, s.k, s.n, s.m, e);
  if (r == NN_OK) r = nn_gemm_reserve(run->gemm, s.m, s.k, s.n, e);
  return r;
}

static void dense_forward(nn_call *c) {
  sizes s = sizes_of(c->in_shape);
  const float *x = nn_input_f32(c, 0, c->scratch), *bias = c->n_in == 3 ? c->in[2] : NULL;
  nn_gemm_nn(c->run->gemm, s.m, s.n, s.k, x, s.k, c->in[1], s.n, 0, bias, (nn_act)c->attrs->i[0],
             c->out[0], s.n);
}

/* dy act'(y) into p, or dy itself. */
static const float *through_activation(const nn_call *c, float *p, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  const float *dy = c->dout[0], *y = c->out[0];
  switch (c->attrs->i[0]) {
    case NN_ACT_RELU: k->relu_grad(p, dy, y, 0, (size_t)n); return p;
    case NN_ACT_SIGMOID: k->sigmoid_grad(p, dy, y, 0, (size_t)n); return p;
    case NN_ACT_TANH: k->tanh_grad(p, dy, y, 0, (size_t)n); return p;
    default: return dy;
  }
}

static void dense_backward(nn_call *c) {
  sizes s = sizes_of(c->in_shape);
  nn_gemm *g = c->run->gemm;
  char *scratch = c->scratch;
  float *room = (float *)(void *)(scratch + nn_input_f32_bytes(c->in_shape[0]));
  const float *p = through_activation(c, room, s.m * s.n);
  if (c->n_in == 3 && c->din[2]) nn_sum_rows(c->din[2], p, c->accumulate[2], s.m, s.n);
  if (c->din[0]) /* first: whoever takes the kernel's gradient may change the kernel */
    nn_gemm_nt(g, s.m, s.k, s.n, p, s.n, c->in[1], s.n, c->accumulate[0], c->din[0], s.k);
  if (!c->din[1]) return;
  const float *x = nn_input_f32(c, 0, c->scratch);
  if (c->taker && nn_gemm_tn_taken(g, s.k, s.n, s.m, x, s.k, p, s.n, c->din[1], c->taker)) return;
  nn_gemm_tn(g, s.k, s.n, s.m, x, s.k, p, s.n, c->accumulate[1], c->din[1], s.n);
}

const nn_op nn_op_dense = {.name = "dense", .n_in = -1, .n_out = 1,
                           .flags = NN_OP_USES_Y | NN_OP_GIVES, .shape = dense_shape,
                           .forward = dense_forward,
                           .backward = dense_backward, .scratch = dense_scratch,
                           .reserve = dense_reserve};
