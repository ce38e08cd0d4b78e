#include "core/control.h"

#include <time.h>

double nn_control_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

nn_stop nn_control_check(const nn_control *c) {
  if (atomic_load_explicit(&c->cancelled, memory_order_relaxed)) return NN_STOP_CANCEL;
  if (c->deadline > 0 && nn_control_now() > c->deadline) return NN_STOP_TIME;
  if (atomic_load_explicit(&c->interrupted, memory_order_relaxed)) return NN_STOP_INTERRUPT;
  return NN_STOP_NONE;
}

nn_status nn_control_poll(const nn_control *c, nn_error *e) {
  switch (nn_control_check(c)) {
    case NN_STOP_CANCEL: return nn_fail(e, NN_ERR_STOPPED, "cancelled by the host");
    case NN_STOP_TIME: return nn_fail(e, NN_ERR_LIMIT, "the host's time limit is over");
    default: return NN_OK;
  }
}
