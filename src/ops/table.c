/* The op table: finding ops, and faults that data alone can show. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"

static const nn_op *const table[] = {
#define NN_OP(name) &nn_op_##name,
#include "ops/list.h"
#undef NN_OP
};

enum { N_OPS = sizeof table / sizeof *table };

const nn_op *nn_op_at(int i) { return i >= 0 && i < N_OPS ? table[i] : NULL; }

const nn_op *nn_op_find(const char *name) {
  int lo = 0, hi = N_OPS;
  while (lo < hi) {
    int mid = (lo + hi) / 2, order = strcmp(name, table[mid]->name);
    if (order == 0) return table[mid];
    if (order < 0)
      hi = mid;
    else
      lo = mid + 1;
  }
  return NULL;
}

void nn_fault(nn_run *r, const char *fmt, ...) {
  if (r->fault) return;
  r->fault = 1;
  if (!r->error) return;
  r->error->code = NN_ERR_DATA;
  va_list args;
  va_start(args, fmt);
  vsnprintf(r->error->text, sizeof r->error->text, fmt, args);
  va_end(args);
}
