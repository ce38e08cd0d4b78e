/* sort, top_k and searchsorted. Sorting is stable; NaN stands last. Numbers of positions count from
 * attrs' base. Rows along the axis are read as double (which holds every dtype) into scratch, and
 * their places are merge-sorted. */
#include <math.h>
#include <string.h>

#include "ops/block.h"
#include "ops/ops.h"

/* --- sorting one row ------------------------------------------------------------------------- */

/* Scratch of a row of n: keys, places, and room for merging. */
typedef struct row {
  double *key;
  int32_t *place, *room;
  int64_t n;
} row;

static size_t row_bytes(int64_t n) {
  return (size_t)n * (sizeof(double) + 2 * sizeof(int32_t));
}

static row row_in(void *scratch, int64_t n) {
  row r = {.key = scratch, .n = n};
  r.place = (int32_t *)(r.key + n);
  r.room = r.place + n;
  return r;
}

/* Whether key b must stand before key a, which came first. */
static int before(double b, double a, int descending) {
  if (isnan(a) || isnan(b)) return isnan(a) && !isnan(b);
  return descending ? b > a : b < a;
}

static void insert_sorted(const row *r, int64_t from, int64_t to, int descending) {
  for (int64_t i = from + 1; i < to; i++) {
    int32_t p = r->place[i];
    int64_t j = i;
    for (; j > from && before(r->key[p], r->key[r->place[j - 1]], descending); j--)
      r->place[j] = r->place[j - 1];
    r->place[j] = p;
  }
}

static void merge(const row *r, int64_t from, int64_t middle, int64_t to, int descending) {
  int64_t a = from, b = middle, at = from;
  while (a < middle && b < to) {
    int take_b = before(r->key[r->place[b]], r->key[r->place[a]], descending);
    r->room[at++] = r->place[take_b ? b++ : a++];
  }
  while (a < middle) r->room[at++] = r->place[a++];
  while (b < to) r->room[at++] = r->place[b++];
  memcpy(r->place + from, r->room + from, (size_t)(to - from) * sizeof *r->place);
}

enum { RUN = 16 };

static void sort_row(const row *r, int descending) {
  for (int64_t i = 0; i < r->n; i++) r->place[i] = (int32_t)i;
  for (int64_t i = 0; i < r->n; i += RUN)
    insert_sorted(r, i, i + RUN < r->n ? i + RUN : r->n, descending);
  for (int64_t width = RUN; width < r->n; width *= 2)
    for (int64_t i = 0; i + width < r->n; i += 2 * width)
      merge(r, i, i + width, i + 2 * width < r->n ? i + 2 * width : r->n, descending);
}

/* --- sort: x -> sorted x, places (int32). attrs.i = {axis from 0, descending, base} ---------- */

static nn_status sort_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                            nn_error *e) {
  (void)n_in;
  if (a->i[0] < 0 || a->i[0] >= in[0]->ndim) return nn_axis_fail("sort", in[0], a->i[0], e);
  if (in[0]->dim[a->i[0]] > INT32_MAX)
    return nn_fail(e, NN_ERR_LIMIT, "sort: %lld elements along the axis, at most %d are possible",
                   (long long)in[0]->dim[a->i[0]], INT32_MAX);
  out[0] = out[1] = *in[0];
  out[1].dtype = NN_I32;
  return NN_OK;
}

static size_t sort_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)n_in;
  return row_bytes(in[0]->dim[a->i[0]]);
}

/* Reads the row that starts at element `first` with elements `step` apart. */
static void load_row(const row *r, const nn_tensor *x, int64_t first, int64_t step) {
  for (int64_t i = 0; i < r->n; i++) r->key[i] = nn_tensor_get(x, first + i * step);
}

/* Writes the first k of the sorted row. */
static void store_row(const nn_call *c, const row *r, int64_t k, int64_t first, int64_t step,
                      int64_t base) {
  nn_tensor y;
  nn_tensor_init(&y, c->out_shape[0], c->out[0]);
  int32_t *place = (int32_t *)c->out[1] + first;
  for (int64_t i = 0; i < k; i++) {
    nn_tensor_set(&y, first + i * step, r->key[r->place[i]]);
    place[i * step] = r->place[i] + (int32_t)base;
  }
}

static void sort_forward(nn_call *c) {
  nn_lines l = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  row r = row_in(c->scratch, l.n);
  nn_tensor x;
  nn_tensor_init(&x, c->in_shape[0], c->in[0]);
  for (int64_t k = 0; l.n && k < l.outer * l.inner; k++) {
    int64_t first = k / l.inner * l.n * l.inner + k % l.inner;
    load_row(&r, &x, first, l.inner);
    sort_row(&r, (int)c->attrs->i[1]);
    store_row(c, &r, l.n, first, l.inner, c->attrs->i[2]);
  }
}

/* Adds the gradients of the values, k a row, to where they came from. */
static void places_backward(nn_call *c, nn_lines l, int64_t k, int64_t base) {
  const int32_t *place = c->out[1];
  float *dx = c->din[0];
  if (!dx) return;
  if (!c->accumulate[0]) memset(dx, 0, nn_shape_bytes(c->in_shape[0]));
  for (int64_t j = 0; c->dout[0] && j < l.outer * k * l.inner; j++) {
    int64_t outer = j / (k * l.inner), from = place[j] - base;
    dx[(outer * l.n + from) * l.inner + j % l.inner] += c->dout[0][j];
  }
}

static void sort_backward(nn_call *c) {
  nn_lines l = nn_lines_of(c->in_shape[0], (int)c->attrs->i[0]);
  places_backward(c, l, l.n, c->attrs->i[2]);
}

const nn_op nn_op_sort = {.name = "sort", .n_in = 1, .n_out = 2, .flags = NN_OP_USES_Y,
                          .shape = sort_shape, .forward = sort_forward, .backward = sort_backward,
                          .scratch = sort_scratch};

/* --- top_k: the k largest of the last axis, largest first. attrs.i = {k, base} --------------- */

static nn_status top_k_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                             nn_error *e) {
  (void)n_in;
  const nn_shape *x = in[0];
  if (x->ndim == 0) return nn_fail(e, NN_ERR_SHAPE, "top_k: x is a scalar, expected a dimension");
  int64_t n = x->dim[x->ndim - 1];
  if (a->i[0] < 0 || a->i[0] > n)
    return nn_fail(e, NN_ERR_ARGUMENT, "top_k: k is %lld, expected 0 to %lld", (long long)a->i[0],
                   (long long)n);
  out[0] = *x;
  out[0].dim[x->ndim - 1] = a->i[0];
  out[1] = out[0];
  out[1].dtype = NN_I32;
  return NN_OK;
}

static size_t top_k_scratch(const nn_attrs *a, int n_in, const nn_shape *const *in) {
  (void)a, (void)n_in;
  return row_bytes(in[0]->ndim ? in[0]->dim[in[0]->ndim - 1] : 0);
}

/* Keeps the k largest seen so far in order: cheap while k is small. */
static void select_row(const row *r, int64_t k) {
  int64_t held = 0;
  for (int64_t i = 0; i < r->n; i++) {
    int64_t j = held < k ? held++ : k;
    if (j == k && !before(r->key[i], r->key[r->place[k - 1]], 1)) continue;
    if (j == k) j--;
    for (; j > 0 && before(r->key[i], r->key[r->place[j - 1]], 1); j--)
      r->place[j] = r->place[j - 1];
    r->place[j] = (int32_t)i;
  }
}

static void top_k_forward(nn_call *c) {
  const nn_shape *s = c->in_shape[0];
  nn_lines l = nn_lines_of(s, s->ndim - 1);
  row r = row_in(c->scratch, l.n);
  int64_t k = c->attrs->i[0];
  nn_tensor x;
  nn_tensor_init(&x, s, c->in[0]);
  for (int64_t i = 0; k && i < l.outer; i++) {
    load_row(&r, &x, i * l.n, 1);
    if (k <= RUN) select_row(&r, k);
    else sort_row(&r, 1);
    store_row(c, &r, k, i * k, 1, c->attrs->i[1]);
  }
}

static void top_k_backward(nn_call *c) {
  nn_lines l = nn_lines_of(c->in_shape[0], c->in_shape[0]->ndim - 1);
  places_backward(c, l, c->attrs->i[0], c->attrs->i[1]);
}

const nn_op nn_op_top_k = {.name = "top_k", .n_in = 1, .n_out = 2, .flags = NN_OP_USES_Y,
                           .shape = top_k_shape, .forward = top_k_forward,
                           .backward = top_k_backward, .scratch = top_k_scratch};

/* --- searchsorted: how many of the sorted numbers stand before each value ---------------------
 * attrs.i = {right (1: those equal to the value count too), base} */

static nn_status search_shape(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                              nn_error *e) {
  (void)a, (void)n_in;
  if (in[0]->ndim != 1)
    return nn_fail(e, NN_ERR_SHAPE,
                   "searchsorted: the sorted numbers have %d dimensions, expected 1", in[0]->ndim);
  *out = *in[1];
  out->dtype = NN_I32;
  return NN_OK;
}

static void search_forward(nn_call *c) {
  nn_tensor sorted, values;
  nn_tensor_init(&sorted, c->in_shape[0], c->in[0]);
  nn_tensor_init(&values, c->in_shape[1], c->in[1]);
  int64_t n = c->in_shape[0]->dim[0], total = nn_shape_size(c->in_shape[1]);
  int right = (int)c->attrs->i[0];
  int32_t *y = c->out[0];
  for (int64_t k = 0; k < total; k++) {
    double v = nn_tensor_get(&values, k);
    int64_t low = 0, high = n;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      double s = nn_tensor_get(&sorted, middle);
      if (right ? !before(v, s, 0) : before(s, v, 0)) low = middle + 1;
      else high = middle;
    }
    y[k] = (int32_t)(low + c->attrs->i[1]);
  }
}

const nn_op nn_op_searchsorted = {.name = "searchsorted", .n_in = 2, .n_out = 1,
                                  .shape = search_shape, .forward = search_forward};
