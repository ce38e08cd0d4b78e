/* matmul as NumPy has it: the last two axes are matrices, those before broadcast; a vector stands
 * for a row (first input) or a column (second). Many matrices times one are a single product.
 * Backward: da = dy b', db = a' dy; what was broadcast collects the sum over its uses.
 */
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

typedef struct product {
  int64_t m, n, k, batch;
  nn_shape outer;      /* batch axes of the output */
  nn_shape outer_a, outer_b;
} product;

static void batch_axes(const nn_shape *s, nn_shape *outer) {
  *outer = *s;
  outer->ndim = s->ndim > 2 ? s->ndim - 2 : 0;
}

static int product_init(product *p, const nn_shape *a, const nn_shape *b) {
  p->m = a->ndim > 1 ? a->dim[a->ndim - 2] : 1;
  p->k = a->dim[a->ndim - 1];
  p->n = b->ndim > 1 ? b->dim[b->ndim - 1] : 1;
  batch_axes(a, &p->outer_a), batch_axes(b, &p->outer_b);
  p->outer.dtype = NN_F32;
  if (!nn_shape_broadcast(&p->outer_a, &p->outer_b, &p->outer)) return 0;
  p->batch = nn_shape_size(&p->outer);
  if (p->outer_b.ndim == 0 || nn_shape_size(&p->outer_b) == 1) {
    if (nn_shape_size(&p->outer_a) == p->batch) p->m *= p->batch, p->batch = 1;
  }
  return 1;
}

static nn_status matmul_shape(const nn_attrs *attrs, int n_in, const nn_shape *const *in,
                              nn_shape *out, nn_error *e) {
  (void)attrs, (void)n_in;
  const nn_shape *a = in[0], *b = in[1];
  char ta[160], tb[160];
  product p;
  int fits = a->ndim > 0 && b->ndim > 0 &&
             a->dim[a->ndim - 1] == b->dim[b->ndim > 1 ? b->ndim - 2 : 0] && product_init(&p, a, b);
  if (!fits)
    return nn_fail(e, NN_ERR_SHAPE, "matmul: the shapes %s and %s do not fit",
                   nn_shape_text(a, ta, sizeof ta), nn_shape_text(b, tb, sizeof tb));
  *out = p.outer;
  out->dtype = nn_dtype_join(a->dtype, b->dtype);
  if (a->ndim > 1) out->dim[out->ndim++] = a->dim[a->ndim - 2];
  if (b->ndim > 1) out->dim[out->ndim++] = b->dim[b->ndim - 1];
  return NN_OK;
}

static size_t matmul_scratch(const nn_attrs *attrs, int n_in, const nn_shape *const *in) {
  (void)attrs, (void)n_in;
  return nn_size_add(nn_input_f32_bytes(in[0]), nn_input_f32_bytes(in[1]));
}

static nn_status matmul_reserve(const nn_attrs *attrs, int n_in, const nn_shape *const *in,
                                nn_run *run, nn_error *e) {
  (void)attrs, (void)n_in;
  product p;
  product_init(&p, in[0], in[1]);
  nn_status r = nn_gemm_reserve(run->gemm, p.m, p.n, p.k, e);
  if (r == NN_OK) r = nn_gemm_reserve(run->gemm, p.k, p.n, p.m, e);
  if (r == NN_OK) r = nn_gemm_reserve(run->gemm, p.m, p.k, p.n, e);
  return r;
}

/* Which matrix of an input belongs to matrix i of the output. */
static int64_t matrix_at(const nn_shape *outer_in, const nn_shape *outer, int64_t i) {
  int64_t at = 0, step = 1;
  for (int k = 1; k <= outer->ndim; k++) {
    int64_t n = outer->dim[outer->ndim - k], here = i % n;
    int64_t m = k <= outer_in->ndim ? outer_in->dim[outer_in->ndim - k] : 1;
    if (m > 1) at += here * step;
    step *= m, i /= n;
  }
  return at;
}

typedef struct operands {
  product p;
  const float *a, *b;
} operands;

static operands operands_of(const nn_call *c) {
  operands o;
  char *second = (char *)c->scratch + nn_input_f32_bytes(c->in_shape[0]);
  product_init(&o.p, c->in_shape[0], c->in_shape[1]);
  o.a = nn_input_f32(c, 0, c->scratch);
  o.b = nn_input_f32(c, 1, (float *)(void *)second);
  return o;
}

/* int32 and uint8: sums wrap as int32's do. */
static void integer_product(const nn_call *c, const product *p, int64_t i, int64_t ia, int64_t ib) {
  nn_tensor a, b;
  nn_tensor_init(&a, c->in_shape[0], c->in[0]);
  nn_tensor_init(&b, c->in_shape[1], c->in[1]);
  int32_t *y = (int32_t *)c->out[0] + i * p->m * p->n;
  for (int64_t r = 0; r < p->m; r++)
    for (int64_t j = 0; j < p->n; j++) {
      int64_t sum = 0;
      for (int64_t k = 0; k < p->k; k++)
        sum += (int64_t)nn_tensor_get(&a, (ia * p->m + r) * p->k + k) *
               (int64_t)nn_tensor_get(&b, (ib * p->k + k) * p->n + j);
      y[r * p->n + j] = (int32_t)sum;
    }
}

static void matmul_forward(nn_call *c) {
  int floats = c->out_shape[0]->dtype == NN_F32;
  operands o = {.a = NULL, .b = NULL};
  if (floats)
    o = operands_of(c);
  else
    product_init(&o.p, c->in_shape[0], c->in_shape[1]);
  const product *p = &o.p;
  for (int64_t i = 0; i < p->batch; i++) {
    int64_t ia = matrix_at(&p->outer_a, &p->outer, i), ib = matrix_at(&p->outer_b, &p->outer, i);
    if (floats)
      nn_gemm_nn(c->run->gemm, p->m, p->n, p->k, o.a + ia * p->m * p->k, p->k,
                 o.b + ib * p->k * p->n, p->n, 0, NULL, NN_ACT_LINEAR,
                 (float *)c->out[0] + i * p->m * p->n, p->n);
    else
      integer_product(c, p, i, ia, ib);
  }
}

/* A gradient that several matrices add to begins at 0. */
static int begin(const nn_call *c, int i, int64_t batch, const nn_shape *outer) {
  if (c->accumulate[i] || batch == 1 || nn_shape_size(outer) == batch) return c->accumulate[i];
  memset(c->din[i], 0, nn_shape_bytes(c->in_shape[i]));
  return 1;
}

static void matmul_backward(nn_call *c) {
  operands o = operands_of(c);
  const product *p = &o.p;
  nn_gemm *g = c->run->gemm;
  int add_a = c->din[0] ? begin(c, 0, p->batch, &p->outer_a) : 0;
  int add_b = c->din[1] ? begin(c, 1, p->batch, &p->outer_b) : 0;
  for (int64_t i = 0; i < p->batch; i++) {
    int64_t ia = matrix_at(&p->outer_a, &p->outer, i) * p->m * p->k;
    int64_t ib = matrix_at(&p->outer_b, &p->outer, i) * p->k * p->n;
    const float *dy = c->dout[0] + i * p->m * p->n;
    if (c->din[0])
      nn_gemm_nt(g, p->m, p->k, p->n, dy, p->n, o.b + ib, p->n, add_a, c->din[0] + ia, p->k);
    if (c->din[1])
      nn_gemm_tn(g, p->k, p->n, p->m, o.a + ia, p->k, dy, p->n, add_b, c->din[1] + ib, p->n);
  }
}

const nn_op nn_op_matmul = {.name = "matmul", .n_in = 2, .n_out = 1, .shape = matmul_shape,
                            .forward = matmul_forward, .backward = matmul_backward,
                            .scratch = matmul_scratch, .reserve = matmul_reserve};
