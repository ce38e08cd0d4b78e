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

/* Its gradient of input 1 is a want's, and whole with this step; nobody else reads the input. */
static int may_give(const nn_plan *p, const nn_step *s) {
  const nn_call *c = &s->call;
  int wanted = 0;
  if (!(s->op->flags & NN_OP_GIVES) || !c->din[1] || c->accumulate[1]) return 0;
  for (int i = 0; i < p->n_wants; i++) wanted |= p->wants[i].grad == c->din[1];
  return wanted && readers(p, c->in[1]) == 1 && !is_output(p, c->in[1]);
}

nn_status nn_plan_find_givers(nn_plan *p, nn_error *e) {
  p->givers = nn_mem_new(p->alloc, sizeof(nn_step *) * (size_t)p->n_back);
  if (!p->givers) return nn_fail(e, NN_ERR_MEMORY, "out of memory");
  for (int i = 0; i < p->n_back; i++) /* a fault must leave the weights as they were */
    if (p->back[i]->op->flags & NN_OP_LATE) return NN_OK;
  for (int i = 0; i < p->n_back; i++)
    if (may_give(p, p->back[i])) p->givers[p->n_givers++] = p->back[i];
  return NN_OK;
}

int nn_plan_take(nn_plan *p, const float *grad, nn_gemm_taker *t) {
  for (int i = 0; i < p->n_givers; i++) {
    nn_call *c = &p->givers[i]->call;
    if (c->din[1] != grad) continue;
    c->taker = t;
    return 1;
  }
  return 0;
}
