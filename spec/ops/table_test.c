/* The op table: sorted, so that every op is found by its name, and complete. */
#include "ops/op.h"
#include "support/tap.h"

int main(void) {
  int n = 0, sorted = 1, found = 1, complete = 1;
  for (; nn_op_at(n); n++) {
    const nn_op *op = nn_op_at(n);
    if (n && strcmp(nn_op_at(n - 1)->name, op->name) >= 0) sorted = 0;
    if (nn_op_find(op->name) != op) found = 0;
    if (!op->shape || !op->forward || op->n_in < -1 || op->n_out < 1) complete = 0;
  }
  tap_ok(n > 0, "there are ops");
  tap_ok(sorted, "the table is in the order of strcmp");
  tap_ok(found, "every op is found by its name");
  tap_ok(complete, "every op has a shape and a forward function");
  tap_ok(!nn_op_find("no such op") && !nn_op_at(-1) && !nn_op_at(n), "nothing else is found");

  nn_error error = {.code = NN_OK};
  nn_run run = {.error = &error};
  nn_fault(&run, "token %d", 9);
  nn_fault(&run, "token %d", 10);
  tap_ok(run.fault && error.code == NN_ERR_DATA, "a fault is recorded");
  tap_same("token 9", error.text, "the first text is kept");
  return tap_done();
}
