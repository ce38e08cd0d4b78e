/* Random arrays. Without inputs: the shape stands in the attributes; the `_like` ones take it, and
 * nothing else, from their input.
 *
 * attrs.i = {stream, mode, seed, step, dtype, ndim, dims (6..13), low, high}, attrs.f = {a, b}.
 * Where the numbers come from (mode): 0: the run's seed and step; 1: the given seed and step, the
 * same numbers at every run; 2: the given seed and the run's step.
 *
 *   random_uniform           [a, b)
 *   random_normal            mean a, deviation b
 *   random_truncated_normal  the same, cut at two deviations
 *   random_integers          low <= v < high (int32)
 *   random_permutation       of dims[0] numbers (int32), counting from `low`
 */
#include "ops/block.h"
#include "ops/ops.h"

enum { STREAM, MODE, SEED, STEP, DTYPE, NDIM, DIMS, LOW = 14, HIGH = 15 };

static nn_rng source(const nn_call *c) {
  const int64_t *i = c->attrs->i;
  nn_rng r = {.stream = (uint32_t)i[STREAM]};
  r.seed = i[MODE] == 0 ? c->run->seed : (uint64_t)i[SEED];
  r.step = i[MODE] == 1 ? (uint64_t)i[STEP] : c->run->step;
  return r;
}

static nn_status read_shape(const char *op, const nn_attrs *a, nn_dtype t, nn_shape *out,
                            nn_error *e) {
  if (a->i[NDIM] < 0 || a->i[NDIM] > NN_MAX_DIMS)
    return nn_fail(e, NN_ERR_SHAPE, "%s: %lld dimensions, at most %d are possible", op,
                   (long long)a->i[NDIM], NN_MAX_DIMS);
  out->dtype = t, out->ndim = (int)a->i[NDIM];
  for (int k = 0; k < out->ndim; k++) out->dim[k] = a->i[DIMS + k];
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "%s", op);
}

static nn_status float_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  if (n_in == 0) return read_shape("random", a, NN_F32, out, e);
  *out = *in[0];
  out->dtype = NN_F32;
  return NN_OK;
}

/* A range of the array, by any of the generators: number i is a pure function of i. */
typedef void (*generator)(const nn_rng *r, uint64_t first, size_t n, float a, float b, float *out);

typedef struct job {
  generator f;
  nn_rng rng;
  float a, b, *y;
} job;

static void fill_range(void *arg, int64_t from, int64_t to) {
  const job *j = arg;
  j->f(&j->rng, (uint64_t)from, (size_t)(to - from), j->a, j->b, j->y + from);
}

static void fill(nn_call *c, generator f) {
  job j = {f, source(c), (float)c->attrs->f[0], (float)c->attrs->f[1], c->out[0]};
  nn_ranges_run(c->run, nn_shape_size(c->out_shape[0]), 0, fill_range, &j);
}

static void uniform_forward(nn_call *c) { fill(c, nn_rng_uniform); }
static void normal_forward(nn_call *c) { fill(c, nn_rng_normal); }
static void truncated_forward(nn_call *c) { fill(c, nn_rng_truncated_normal); }

#define FLOAT_OP(op, inputs, f)                                                             \
  const nn_op nn_op_random_##op = {.name = "random_" #op, .n_in = inputs, .n_out = 1,       \
                                   .flags = NN_OP_RANDOM, .shape = float_shape, .forward = f};
FLOAT_OP(uniform, 0, uniform_forward)
FLOAT_OP(normal, 0, normal_forward)
FLOAT_OP(truncated_normal, 0, truncated_forward)
FLOAT_OP(uniform_like, 1, uniform_forward)
FLOAT_OP(normal_like, 1, normal_forward)

static nn_status integers_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                nn_shape *out, nn_error *e) {
  (void)n_in, (void)in;
  long long low = a->i[LOW], high = a->i[HIGH];
  if (low >= high)
    return nn_fail(e, NN_ERR_ARGUMENT, "randint: minval is %lld and maxval %lld, expected more",
                   low, high);
  if (low < INT32_MIN || high > INT32_MAX)
    return nn_fail(e, NN_ERR_ARGUMENT, "randint: %lld to %lld is beyond int32", low, high);
  return read_shape("randint", a, NN_I32, out, e);
}

static void integers_forward(nn_call *c) {
  nn_rng r = source(c);
  nn_rng_randint(&r, 0, (size_t)nn_shape_size(c->out_shape[0]), (int32_t)c->attrs->i[LOW],
                 (int32_t)c->attrs->i[HIGH], c->out[0]);
}

const nn_op nn_op_random_integers = {.name = "random_integers", .n_in = 0, .n_out = 1,
                                     .flags = NN_OP_RANDOM, .shape = integers_shape,
                                     .forward = integers_forward};

static nn_status permutation_shape(const nn_attrs *a, int n_in, const nn_shape *const *in,
                                   nn_shape *out, nn_error *e) {
  (void)n_in, (void)in;
  if (a->i[NDIM] != 1 || a->i[DIMS] > INT32_MAX)
    return nn_fail(e, NN_ERR_SHAPE, "shuffle: expected one dimension of at most %d", INT32_MAX);
  return read_shape("shuffle", a, NN_I32, out, e);
}

static void permutation_forward(nn_call *c) {
  nn_rng r = source(c);
  int32_t *y = c->out[0];
  int64_t n = c->out_shape[0]->dim[0];
  nn_rng_permutation(&r, (size_t)n, y);
  for (int64_t k = 0; k < n; k++) y[k] += (int32_t)c->attrs->i[LOW];
}

const nn_op nn_op_random_permutation = {.name = "random_permutation", .n_in = 0, .n_out = 1,
                                        .flags = NN_OP_RANDOM, .shape = permutation_shape,
                                        .forward = permutation_forward};
