/* Which gradients of a plan may be taken in pieces while it runs backward. */
#include "model/plan_parts.h"

/* How many steps read these data. */
static int readers(const nn_plan *p, const void *data) {
  int n = 0;
  for (int i = 0; i < p->n_steps; i++)
    for (int k = 0; k < p->steps[i].call.n_in; k++) n += p->steps[i].call.in[k] == data;
  return n;
}

static int is_output(const nn_plan *p, const void *data) {
  for (int i = 0; i < p->n_outputs; i++)
    if (p->data[p->outputs[i]] == data) return 1;
  return 0;
}

/* The one step that writes the gradient, NULL where there are more. */
static nn_step *writer(const nn_plan *p, const float *grad, int *input) {
  nn_step *found = NULL;
  for (int i = 0; i < p->n_back; i++)
    for (int k = 0; k < p->back[i]->call.n_in; k++) {
      if (p->back[i]->call.din[k] != grad) continue;
      if (found) return NULL;
      found = p->back[i], *input = k;
    }
  return found;
}

int nn_plan_take(nn_plan *p, const float *grad, nn_gemm_taker *t) {
  int input = 0;
  nn_step *s = writer(p, grad, &input);
  if (!s || input != 1 || !(s->op->flags & NN_OP_GIVES) || s->call.accumulate[1]) return 0;
  if (readers(p, s->call.in[1]) != 1 || is_output(p, s->call.in[1])) return 0;
  for (int i = 0; t && i < p->n_back; i++) /* a fault must leave the weights as they were */
    if (p->back[i]->op->flags & NN_OP_LATE) return 0;
  s->call.taker = t;
  return 1;
}
