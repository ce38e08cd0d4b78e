/* What may end a long run from outside: an interrupt, a cancellation, a deadline.
 *
 * The host sets the flags (from a signal handler or another thread); a run looks at them once a
 * step. An interrupt is a wish that `fit` answers by ending in good order; a cancellation and a
 * deadline are errors.
 */
#ifndef NN_CORE_CONTROL_H
#define NN_CORE_CONTROL_H

#include <stdatomic.h>

#include "core/status.h"

typedef enum nn_stop { NN_STOP_NONE, NN_STOP_INTERRUPT, NN_STOP_TIME, NN_STOP_CANCEL } nn_stop;

/* All zero is the start. */
typedef struct nn_control {
  atomic_int interrupted; /* set by the host, cleared when the outermost run ends */
  atomic_int cancelled;   /* set by the host, cleared when its next call begins */
  atomic_int runs;        /* runs under way: nested calls of fit, evaluate, predict */
  double deadline;        /* on nn_control_now's clock; 0: none */
  int sandbox;            /* no files for scripts */
} nn_control;

double nn_control_now(void); /* seconds on a clock that only goes forward */

/* What was asked for; the graver wins. */
nn_stop nn_control_check(const nn_control *c);

/* As an error: NN_OK for none and for an interrupt, NN_ERR_STOPPED for a cancellation, NN_ERR_LIMIT
 * for a deadline. */
nn_status nn_control_poll(const nn_control *c, nn_error *e);

#endif
