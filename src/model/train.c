#include "model/train.h"

#include <string.h>

#include "core/fpmode.h"

/* --- rows in ------------------------------------------------------------------------------ */

static void convert_row(float *out, const nn_feed *f, int64_t row) {
  int64_t n = f->row_size;
  if (f->dtype == NN_U8) {
    const uint8_t *x = (const uint8_t *)f->rows + row * n;
    for (int64_t k = 0; k < n; k++) out[k] = x[k];
  } else {
    const int32_t *x = (const int32_t *)f->rows + row * n;
    for (int64_t k = 0; k < n; k++) out[k] = (float)x[k];
  }
}

static void feed_rows(const nn_train_job *j, int input, int64_t at) {
  const nn_feed *f = &j->feeds[input];
  const nn_shape *s = nn_plan_input_shape(j->plan, input);
  char *out = nn_plan_input(j->plan, input);
  size_t bytes = (size_t)f->row_size * nn_dtype_size(f->dtype);
  if (f->dtype == NN_F32 && s->dtype == NN_F32 &&
      nn_plan_feed(j->plan, input, (const float *)f->rows + (j->order ? 0 : at * f->row_size),
                   j->order ? j->order + at : NULL, j->first + j->steps * j->batch - at - j->batch))
    return;
  if (f->dtype == s->dtype && !j->order) {
    memcpy(out, (const char *)f->rows + (size_t)at * bytes, bytes * (size_t)j->batch);
  } else if (f->dtype == s->dtype && nn_dtype_size(f->dtype) == 4) {
    nn_kernels_get()->gather_rows((float *)(void *)out, f->rows, j->order + at, (size_t)j->batch,
                                  (size_t)f->row_size);
  } else if (f->dtype == s->dtype) {
    for (int64_t k = 0; k < j->batch; k++)
      memcpy(out + (size_t)k * bytes, (const char *)f->rows + (size_t)j->order[at + k] * bytes,
             bytes);
  } else if (s->dtype == NN_F32) {
    for (int64_t k = 0; k < j->batch; k++)
      convert_row((float *)(void *)out + k * f->row_size, f, j->order ? j->order[at + k] : at + k);
  } else {
    nn_shape row = {.dtype = f->dtype, .ndim = 1, .dim = {f->row_size}};
    nn_tensor dst, src;
    for (int64_t k = 0; k < j->batch; k++) {
      int64_t from = j->order ? j->order[at + k] : at + k;
      nn_tensor_init(&src, &row, (char *)f->rows + (size_t)from * bytes);
      nn_tensor_init(&dst, &row, out + (size_t)(k * f->row_size) * nn_dtype_size(s->dtype));
      dst.shape.dtype = s->dtype;
      nn_tensor_copy(&dst, &src);
    }
  }
}

/* --- rows out ----------------------------------------------------------------------------- */

static void collect(const nn_train_job *j, int n_outputs, int64_t step) {
  for (int i = 0; i < n_outputs; i++) {
    const nn_shape *s;
    const void *data = nn_plan_output(j->plan, i, &s);
    size_t bytes = nn_shape_bytes(s);
    memcpy((char *)j->sinks[i].rows + (size_t)step * bytes, data, bytes);
  }
}

/* --- the loop ----------------------------------------------------------------------------- */

/* The clock is looked at often enough to be 1 ms late at most, and not at every tiny step. */
typedef struct watch {
  double last;
  int64_t every, left;
} watch;

static int time_is_up(watch *w, double until) {
  if (until == 0 || --w->left > 0) return 0;
  double now = nn_control_now();
  if (now - w->last < 0.0005) w->every = w->every < 1024 ? w->every * 2 : 1024;
  else if (now - w->last > 0.001) w->every = w->every > 1 ? w->every / 2 : 1;
  w->last = now, w->left = w->every;
  return now >= until;
}

/* Has the plan give gradients to the optimizer in pieces where both can; `give` 0: no longer. */
static int share_gradients(const nn_train_job *j, int give) {
  int any = 0;
  if (!j->opt || !j->opt->pieces || !nn_opt_takes(j->opt)) return 0;
  for (int i = 0; i < j->opt->n_seg; i++) {
    nn_opt_seg *s = &j->opt->seg[i];
    if (s->has_grad && s->shape.ndim == 2)
      any |= nn_plan_take(j->plan, s->g, give ? &s->taker : NULL);
  }
  return any;
}

static void one_step(const nn_train_job *j, int n_in, int early, int64_t step) {
  for (int i = 0; i < n_in; i++) feed_rows(j, i, j->first + step * j->batch);
  nn_plan_forward(j->plan);
  if ((!j->opt && !j->update) || j->run->fault) return;
  double lr = j->lr[j->n_lr > 1 ? step : 0];
  if (early) nn_opt_begin(j->opt, lr);
  nn_plan_backward(j->plan, j->loss_scale);
  if (j->run->fault) return;
  if (j->opt) {
    nn_opt_step(j->opt, lr);
  } else {
    *j->rate = (float)lr;
    nn_plan_forward(j->update);
    *j->count += 1;
  }
  if (j->after) nn_plan_forward(j->after);
}

static nn_status run_steps(const nn_train_job *j, int early, int64_t *done, nn_stop *why) {
  int n_in = nn_plan_n_inputs(j->plan), n_out = j->sinks ? nn_plan_n_outputs(j->plan) : 0;
  watch w = {.last = 0, .every = 1, .left = 1};
  *why = NN_STOP_NONE;
  j->run->fault = 0;
  for (*done = 0; *done < j->steps; ++*done) {
    one_step(j, n_in, early, *done);
    if (j->run->fault) return NN_ERR_DATA;
    collect(j, n_out, *done);
    j->run->step++;
    if ((*why = nn_control_check(j->control)) != NN_STOP_NONE || time_is_up(&w, j->until)) {
      ++*done;
      break;
    }
  }
  return NN_OK;
}

nn_status nn_train_run(const nn_train_job *j, int64_t *done, nn_stop *why) {
  nn_fpmode before = nn_fpmode_flush();
  nn_status s = run_steps(j, share_gradients(j, 1), done, why);
  share_gradients(j, 0);
  nn_fpmode_set(before);
  return s;
}
