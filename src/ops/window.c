#include "ops/window.h"

static nn_status check(const nn_window *w, const char *op, int k, int64_t after, nn_error *e) {
  const char *what = w->stride[k] < 1       ? "stride"
                     : w->dilation[k] < 1   ? "dilation"
                     : w->before[k] < 0     ? "padding"
                     : after < 0            ? "padding"
                     : w->size[k] < 1       ? "window"
                                            : NULL;
  if (what) return nn_fail(e, NN_ERR_ARGUMENT, "%s: a %s is out of range", op, what);
  return NN_OK;
}

nn_status nn_window_init(nn_window *w, const char *op, const nn_attrs *a, const nn_shape *x,
                         const int64_t *size, nn_error *e) {
  int axes = (int)a->i[NN_W_AXES];
  if (axes < 1 || axes > 3)
    return nn_fail(e, NN_ERR_ARGUMENT, "%s: %d axes, expected 1 to 3", op, axes);
  if (x->ndim != axes + 2)
    return nn_fail(e, NN_ERR_SHAPE, "%s: input has %d dimensions, expected %d", op, x->ndim,
                   axes + 2);
  w->axes = axes, w->n = x->dim[0], w->c = x->dim[axes + 1];
  for (int k = 0; k < 3; k++) {
    int i = k - (3 - axes); /* the axis that stands in slot k */
    int64_t after = i < 0 ? 0 : a->i[NN_W_AFTER + i];
    w->in[k] = i < 0 ? 1 : x->dim[1 + i];
    w->size[k] = i < 0 ? 1 : size[i];
    w->stride[k] = i < 0 ? 1 : a->i[NN_W_STRIDE + i];
    w->dilation[k] = i < 0 ? 1 : a->i[NN_W_DILATION + i];
    w->before[k] = i < 0 ? 0 : a->i[NN_W_BEFORE + i];
    nn_status s = check(w, op, k, after, e);
    if (s != NN_OK) return s;
    int64_t wide = (w->size[k] - 1) * w->dilation[k] + 1;
    int64_t room = w->in[k] + w->before[k] + after - wide;
    if (room < 0)
      return nn_fail(e, NN_ERR_SHAPE, "%s: a window of %lld does not fit in %lld elements", op,
                     (long long)wide, (long long)(w->in[k] + w->before[k] + after));
    w->out[k] = room / w->stride[k] + 1;
  }
  return NN_OK;
}

void nn_window_shape(const nn_window *w, int64_t channels, nn_shape *out) {
  out->dtype = NN_F32, out->ndim = w->axes + 2;
  out->dim[0] = w->n;
  for (int i = 0; i < w->axes; i++) out->dim[1 + i] = w->out[3 - w->axes + i];
  out->dim[w->axes + 1] = channels;
}

int64_t nn_window_positions(const nn_window *w) {
  return w->n * w->out[0] * w->out[1] * w->out[2];
}

int64_t nn_window_at(const nn_window *w, int64_t p, int64_t at[3]) {
  for (int k = 2; k >= 0; k--) {
    at[k] = p % w->out[k] * w->stride[k] - w->before[k];
    p /= w->out[k];
  }
  return p;
}
