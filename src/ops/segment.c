/* segment: rows of data (n, ...) gathered by the segment numbers (n), from 0, of a second input.
 * attrs.i = {segments, kind}; kinds: 0 sum, 1 max, 2 min, 3 product. Rows are added in their order.
 * Negative numbers are left out; larger ones are reported. An empty segment holds 0, the lowest
 * float, the highest float, or 1.
 *
 * Gradients: of a sum, dy of the row's segment; of max and min, dy shared evenly between the rows
 * that reach it; of a product, dy times the product of the other rows (zeros are counted apart, so
 * that nothing is divided by 0).
 */
#include <float.h>
#include <string.h>

#include "ops/block.h"
#include "ops/index.h"
#include "ops/ops.h"

enum { SUM, MAX, MIN, PROD };

static nn_status shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                       nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0], *ids = in[1];
  char b[160], d[160];
  if (ids->ndim != 1 || x->ndim < 1 || x->dim[0] != ids->dim[0])
    return nn_fail(e, NN_ERR_SHAPE,
                   "segment: data has shape %s and segment_ids %s, expected one id for each row",
                   nn_shape_text(x, b, sizeof b), nn_shape_text(ids, d, sizeof d));
  if (x->dtype == NN_U8)
    return nn_fail(e, NN_ERR_SHAPE, "segment: data is uint8, expected float32 or int32");
  if (a->i[0] < 0)
    return nn_fail(e, NN_ERR_ARGUMENT, "segment: num_segments is %lld, expected 0 or more",
                   (long long)a->i[0]);
  *out = *x;
  out->dim[0] = a->i[0];
  return nn_shape_check(out, e) == NN_OK ? NN_OK : nn_fail_in(e, "segment");
}

/* The segment of row r, -1 to leave it out. */
static int64_t segment_of(const nn_call *c, int64_t r) {
  int64_t id = nn_index_read(c->in[1], c->in_shape[1]->dtype, r);
  return id < c->attrs->i[0] ? id < 0 ? -1 : id : -1;
}

static void check_ids(nn_call *c) {
  int64_t n = c->in_shape[1]->dim[0];
  for (int64_t r = 0; r < n; r++) {
    int64_t id = nn_index_read(c->in[1], c->in_shape[1]->dtype, r);
    if (id < c->attrs->i[0]) continue;
    nn_fault(c->run, "segment: id %lld at position %lld, expected at most %lld", (long long)id,
             (long long)r + 1, (long long)c->attrs->i[0] - 1);
    return;
  }
}

static int64_t row_size(const nn_call *c) {
  int64_t n = 1;
  for (int i = 1; i < c->in_shape[0]->ndim; i++) n *= c->in_shape[0]->dim[i];
  return n;
}

#define JOIN_ROWS(name, type)                                                      \
  static void name(type *y, const type *x, int64_t n, int64_t kind) {              \
    for (int64_t i = 0; i < n; i++) {                                              \
      if (kind == SUM) y[i] += x[i];                                               \
      else if (kind == MAX) y[i] = x[i] > y[i] ? x[i] : y[i];                      \
      else if (kind == MIN) y[i] = x[i] < y[i] ? x[i] : y[i];                      \
      else y[i] *= x[i];                                                           \
    }                                                                              \
  }
JOIN_ROWS(join_f32, float)
JOIN_ROWS(join_i32, int32_t)

static void fill_empty(nn_call *c, int64_t total) {
  static const float f32[] = {0, -FLT_MAX, FLT_MAX, 1};
  static const int32_t i32[] = {0, INT32_MIN, INT32_MAX, 1};
  int64_t kind = c->attrs->i[1];
  for (int64_t i = 0; i < total; i++) {
    if (c->out_shape[0]->dtype == NN_F32) ((float *)c->out[0])[i] = f32[kind];
    else ((int32_t *)c->out[0])[i] = i32[kind];
  }
}

static void forward(nn_call *c) {
  int64_t m = row_size(c), kind = c->attrs->i[1];
  check_ids(c);
  fill_empty(c, nn_shape_size(c->out_shape[0]));
  for (int64_t r = 0; r < c->in_shape[0]->dim[0]; r++) {
    int64_t s = segment_of(c, r);
    if (s < 0) continue;
    if (c->out_shape[0]->dtype == NN_F32)
      join_f32((float *)c->out[0] + s * m, (const float *)c->in[0] + r * m, m, kind);
    else
      join_i32((int32_t *)c->out[0] + s * m, (const int32_t *)c->in[0] + r * m, m, kind);
  }
}

/* Scratch: for each element of y how many rows reach it (max, min) or are 0 (product), and the
 * product of the rows that are not 0. */
static size_t scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  int64_t total = a->i[0];
  for (int i = 1; i < in[0]->ndim; i++) total *= in[0]->dim[i];
  return a->i[1] == SUM ? 0 : (size_t)total * 2 * sizeof(float);
}

static void count_row(float *count, float *product, const float *x, const float *y, int64_t m,
                      int64_t kind) {
  for (int64_t i = 0; i < m; i++) {
    if (kind != PROD) {
      count[i] += x[i] == y[i];
    } else if (x[i] == 0) {
      count[i]++;
    } else {
      product[i] *= x[i];
    }
  }
}

static void count_all(nn_call *c, float *count, float *product, int64_t m) {
  int64_t total = nn_shape_size(c->out_shape[0]);
  for (int64_t i = 0; i < total; i++) count[i] = 0, product[i] = 1;
  for (int64_t r = 0; r < c->in_shape[0]->dim[0]; r++) {
    int64_t s = segment_of(c, r);
    if (s >= 0)
      count_row(count + s * m, product + s * m, (const float *)c->in[0] + r * m,
                (const float *)c->out[0] + s * m, m, c->attrs->i[1]);
  }
}

/* d y / d x of one element. */
static float slope(float x, float y, float count, float product, int64_t kind) {
  if (kind != PROD) return x == y ? 1 / count : 0;
  if (x == 0) return count == 1 ? product : 0;
  return count == 0 ? product / x : 0;
}

static void backward(nn_call *c) {
  int64_t m = row_size(c), kind = c->attrs->i[1];
  const float *x = c->in[0], *y = c->out[0];
  float *count = c->scratch, *product = count + nn_shape_size(c->out_shape[0]), *dx = c->din[0];
  if (!dx) return;
  if (!c->accumulate[0]) memset(dx, 0, nn_shape_bytes(c->in_shape[0]));
  if (kind != SUM) count_all(c, count, product, m);
  for (int64_t r = 0; r < c->in_shape[0]->dim[0]; r++) {
    int64_t s = segment_of(c, r) * m;
    for (int64_t i = 0; s >= 0 && i < m; i++) {
      float d = kind == SUM ? 1
                            : slope(x[r * m + i], y[s + i], count[s + i], product[s + i], kind);
      dx[r * m + i] += d * c->dout[0][s + i];
    }
  }
}

const nn_op nn_op_segment = {.name = "segment", .n_in = 2, .n_out = 1, .flags = NN_OP_USES_Y,
                             .shape = shape, .forward = forward, .backward = backward,
                             .scratch = scratch};
