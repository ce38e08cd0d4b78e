/* What metrics keep running, in one pass over a batch and without a gradient:
 *
 *   track_mean(total, count, values[, weights])  two variables () are added to:
 *     total += sum w v, count += sum w; w is 1 without weights, a scalar, or of the values' shape
 *   confusion_counts(labels, predictions, thresholds (T)[, weights]) -> (4, T) or (4, T, L)
 *     the rows count true positives, false positives, true negatives, false negatives.
 *     attrs.i[0] 0: positive is a prediction above the threshold, and a label that is not 0
 *                1: thresholds evenly spaced in [0, 1] with ends moved out, by buckets
 *                2: as 1 with the ends as they are: a prediction of 0 is positive nowhere
 *     attrs.i[1] 1: one count for each of the L columns
 *   confusion_matrix(class ids, predicted ids[, weights]) -> (C, C) int32, C = attrs.i[0]
 *     attrs.i[1] 1: rows of class attrs.i[2] are left out, as are ids outside 0 .. C - 1
 *
 * Sums are in double. Buckets: prediction p belongs to ceil(p (T - 1)) - 1, all thresholds up to
 * that one lie below it, so counts are sums over the buckets from a threshold's own on.
 */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

static nn_status mismatch(const char *op, const nn_shape *a, const nn_shape *b, nn_error *e) {
  char s[160], t[160];
  return nn_fail(e, NN_ERR_SHAPE, "%s: shapes %s and %s do not fit", op,
                 nn_shape_text(a, s, sizeof s), nn_shape_text(b, t, sizeof t));
}

static double element(const nn_call *c, int input, int64_t at) {
  return nn_element(c->in[input], c->in_shape[input]->dtype, at);
}

/* --- track_mean ----------------------------------------------------------------------------- */

static nn_status mean_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)a;
  if (n_in != 3 && n_in != 4)
    return nn_fail(e, NN_ERR_ARGUMENT, "track_mean: %d inputs, expected 3 or 4", n_in);
  for (int i = 0; i < 2; i++)
    if (nn_shape_size(in[i]) != 1 || in[i]->dtype != NN_F32)
      return nn_fail(e, NN_ERR_SHAPE, "track_mean: total and count are float32 scalars");
  if (n_in == 4 && nn_shape_size(in[3]) != 1 && !nn_shape_same(in[2], in[3]))
    return mismatch("track_mean", in[2], in[3], e);
  *out = *in[0];
  return NN_OK;
}

static void add_weighted(const nn_call *c, int64_t n, double *total, double *count) {
  int one = nn_shape_size(c->in_shape[3]) == 1;
  double w = one ? element(c, 3, 0) : 0;
  for (int64_t i = 0; i < n; i++) {
    if (!one) w = element(c, 3, i);
    *total += (float)(w * element(c, 2, i));
    *count += w;
  }
}

/* Four sums side by side, for each addition waits for the one before. */
static void add_plain(const nn_call *c, int64_t n, double *total) {
  double sum[4] = {0};
  float buf[NN_BLOCK];
  for (int64_t at = 0; at < n; at += NN_BLOCK) {
    int64_t m = n - at < NN_BLOCK ? n - at : NN_BLOCK;
    const float *x = nn_array_f32(c->in[2], c->in_shape[2]->dtype, at, m, buf);
    int64_t i = 0;
    for (; i + 4 <= m; i += 4)
      for (int k = 0; k < 4; k++) sum[k] += x[i + k];
    for (; i < m; i++) sum[0] += x[i];
  }
  *total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void mean_forward(nn_call *c) {
  int64_t n = nn_shape_size(c->in_shape[2]);
  double total = 0, count = 0;
  if (c->n_in == 4)
    add_weighted(c, n, &total, &count);
  else
    add_plain(c, n, &total), count = (double)n;
  *(float *)c->in[0] += (float)total;
  *(float *)c->in[1] += (float)count;
}

const nn_op nn_op_track_mean = {.name = "track_mean", .n_in = -1, .n_out = 1,
                                .flags = NN_OP_EFFECT | NN_OP_ALIAS, .shape = mean_shape,
                                .forward = mean_forward};

/* --- confusion_counts ----------------------------------------------------------------------- */

static nn_status counts_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                              nn_error *e) {
  if (n_in != 3 && n_in != 4)
    return nn_fail(e, NN_ERR_ARGUMENT, "confusion_counts: %d inputs, expected 3 or 4", n_in);
  if (!nn_shape_same(in[0], in[1])) return mismatch("confusion_counts", in[0], in[1], e);
  if (n_in == 4 && !nn_shape_same(in[1], in[3]))
    return mismatch("confusion_counts", in[1], in[3], e);
  if (in[2]->ndim != 1 || in[2]->dtype != NN_F32 || in[2]->dim[0] < 1)
    return nn_fail(e, NN_ERR_SHAPE, "confusion_counts: thresholds are a float32 list");
  if (a->i[1] && in[1]->ndim < 1)
    return nn_fail(e, NN_ERR_SHAPE, "confusion_counts: predictions have no columns");
  *out = (nn_shape){.dtype = NN_F32, .ndim = 2, .dim = {4, in[2]->dim[0]}};
  if (a->i[1]) out->ndim = 3, out->dim[2] = in[1]->dim[in[1]->ndim - 1];
  return NN_OK;
}

typedef struct counting {
  const nn_call *c;
  int64_t n, n_thresholds, n_labels;
  const float *thresholds;
  double *positive; /* (T, L) each: sums of positive and of negative labels above a threshold */
  double *negative;
  double *all_positive, *all_negative; /* (L) */
} counting;

static size_t counts_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  size_t labels = a->i[1] ? (size_t)in[1]->dim[in[1]->ndim - 1] : 1;
  return sizeof(double) * 2 * ((size_t)in[2]->dim[0] + 1) * labels;
}

/* The element's weight on the positive and on the negative side. */
static void sides(const counting *k, int64_t i, double *yes, double *no) {
  double w = k->c->n_in == 4 ? element(k->c, 3, i) : 1, t = element(k->c, 0, i);
  if (k->c->attrs->i[0] == 0) t = t != 0;
  *yes = w * t, *no = w * (1 - t);
}

static void count_each(const counting *k) {
  for (int64_t i = 0; i < k->n; i++) {
    int64_t label = i % k->n_labels;
    float p = (float)element(k->c, 1, i);
    double yes, no;
    sides(k, i, &yes, &no);
    k->all_positive[label] += yes, k->all_negative[label] += no;
    for (int64_t t = 0; t < k->n_thresholds; t++) {
      if (!(p > k->thresholds[t])) continue;
      k->positive[t * k->n_labels + label] += yes;
      k->negative[t * k->n_labels + label] += no;
    }
  }
}

static void count_buckets(const counting *k) {
  float last = (float)(k->n_thresholds - 1);
  for (int64_t i = 0; i < k->n; i++) {
    int64_t label = i % k->n_labels;
    float p = (float)element(k->c, 1, i);
    double yes, no;
    sides(k, i, &yes, &no);
    k->all_positive[label] += yes, k->all_negative[label] += no;
    if (isnan(p)) continue;
    p = p < 0 ? 0 : p > 1 ? 1 : p;
    int64_t bucket = (int64_t)ceilf(p * last) - 1;
    if (bucket < 0 && k->c->attrs->i[0] == 2) continue;
    if (bucket < 0) bucket = 0;
    k->positive[bucket * k->n_labels + label] += yes;
    k->negative[bucket * k->n_labels + label] += no;
  }
  for (int64_t at = (k->n_thresholds - 1) * k->n_labels - 1; at >= 0; at--) {
    k->positive[at] += k->positive[at + k->n_labels];
    k->negative[at] += k->negative[at + k->n_labels];
  }
}

static void counts_forward(nn_call *c) {
  int64_t n_thresholds = c->in_shape[2]->dim[0];
  int64_t labels = c->attrs->i[1] ? c->out_shape[0]->dim[2] : 1, size = n_thresholds * labels;
  memset(c->scratch, 0, counts_scratch(c->attrs, c->n_in, c->in_shape));
  double *at = c->scratch;
  counting k = {.c = c, .n = nn_shape_size(c->in_shape[1]), .n_thresholds = n_thresholds,
                .n_labels = labels, .thresholds = c->in[2], .positive = at, .negative = at + size,
                .all_positive = at + 2 * size, .all_negative = at + 2 * size + labels};
  if (c->attrs->i[0])
    count_buckets(&k);
  else
    count_each(&k);
  float *out = c->out[0];
  for (int64_t i = 0; i < size; i++) {
    out[i] = (float)k.positive[i];
    out[size + i] = (float)k.negative[i];
    out[2 * size + i] = (float)(k.all_negative[i % labels] - k.negative[i]);
    out[3 * size + i] = (float)(k.all_positive[i % labels] - k.positive[i]);
  }
}

const nn_op nn_op_confusion_counts = {.name = "confusion_counts", .n_in = -1, .n_out = 1,
                                      .shape = counts_shape, .forward = counts_forward,
                                      .scratch = counts_scratch};

/* --- confusion_matrix ----------------------------------------------------------------------- */

static nn_status matrix_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                              nn_error *e) {
  if (n_in != 2 && n_in != 3)
    return nn_fail(e, NN_ERR_ARGUMENT, "confusion_matrix: %d inputs, expected 2 or 3", n_in);
  for (int i = 1; i < n_in; i++)
    if (nn_shape_size(in[0]) != nn_shape_size(in[i]))
      return mismatch("confusion_matrix", in[0], in[i], e);
  *out = (nn_shape){.dtype = NN_I32, .ndim = 2, .dim = {a->i[0], a->i[0]}};
  return nn_shape_check(out, e);
}

static int is_class(const nn_call *c, double id) {
  return id >= 0 && id < (double)c->attrs->i[0] &&
         !(c->attrs->i[1] && id == (double)c->attrs->i[2]);
}

static void matrix_forward(nn_call *c) {
  int64_t n = nn_shape_size(c->in_shape[0]), classes = c->attrs->i[0];
  int32_t *out = c->out[0];
  memset(out, 0, nn_shape_bytes(c->out_shape[0]));
  for (int64_t i = 0; i < n; i++) {
    double t = element(c, 0, i), p = element(c, 1, i);
    int ignored = c->attrs->i[1] && t == (double)c->attrs->i[2];
    if (ignored || !is_class(c, t) || !(p >= 0 && p < (double)classes)) continue;
    out[(int64_t)t * classes + (int64_t)p] += c->n_in == 3 ? (int32_t)element(c, 2, i) : 1;
  }
}

const nn_op nn_op_confusion_matrix = {.name = "confusion_matrix", .n_in = -1, .n_out = 1,
                                      .shape = matrix_shape, .forward = matrix_forward};
