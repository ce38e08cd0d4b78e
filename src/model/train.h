/* Many batches in one call: gather rows, forward, backward, optimizer; or forward alone.
 *
 * Nothing is allocated and no Lua runs between the first and the last step of a call.
 */
#ifndef NN_MODEL_TRAIN_H
#define NN_MODEL_TRAIN_H

#include "core/control.h"
#include "model/optimizer.h"
#include "model/plan.h"

/* Where the rows of one plan input come from: row i begins at rows + i * row_bytes. */
typedef struct nn_feed {
  const void *rows; /* borrowed */
  nn_dtype dtype;   /* converted when the input's differs */
  int64_t row_size; /* elements of a row */
} nn_feed;

/* Where the rows of one plan output go. */
typedef struct nn_sink {
  void *rows; /* borrowed */
} nn_sink;

typedef struct nn_train_job {
  nn_plan *plan;
  nn_opt *opt;    /* NULL: forward only, unless there is `update` */
  nn_plan *update; /* an optimizer as a plan: run on the gradients instead of opt */
  float *rate, *count; /* where `update` reads the learning rate and the updates so far */
  nn_plan *after; /* run after each optimizer step (constraints); NULL = none */
  nn_run *run;
  const nn_feed *feeds; /* one for each plan input */
  const nn_sink *sinks; /* one for each plan output, NULL = outputs are not collected */
  const int32_t *order; /* row numbers, or NULL for first, first + 1, ... */
  int64_t first;        /* position in `order` (or row) of the first batch */
  int64_t batch;        /* rows of a batch: that of the plan's inputs */
  int64_t steps;        /* batches to run */
  const double *lr;     /* learning rates: one for each step, or one for all */
  int64_t n_lr;
  float loss_scale;     /* gradients are those of loss * loss_scale */
  const nn_control *control; /* looked at after every step */
  double until;         /* return after the step that passes it (control's clock); 0 = none */
} nn_train_job;

/* Runs up to job->steps batches. *done: batches completed; *why: what ended it early. A fault (bad
 * data) gives NN_ERR_DATA and leaves the step's update undone. */
nn_status nn_train_run(const nn_train_job *job, int64_t *done, nn_stop *why);

#endif
