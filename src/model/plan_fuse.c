/* Which steps of a plan are fused: chains of narrow dense layers. A layer belongs to the chain of
 * the one below when nobody else reads what lies between, and its gradient, where one flows, is
 * nobody else's business either. The chain stands in the last one's place: all it needs is there
 * by then, and nothing between can depend on it.
 */
#include "model/plan_parts.h"
#include "ops/ops.h"

typedef struct fusing {
  nn_plan *p;
  const nn_plan_marks *m;
  const int *node_of;
  unsigned char *has_back, *gone; /* one a step */
} fusing;

static int input_value(const fusing *f, int i) {
  return f->p->graph->edges[f->p->graph->nodes[f->node_of[i]].first_in];
}

static int output_value(const fusing *f, int i) {
  return f->p->graph->nodes[f->node_of[i]].first_out;
}

/* The values of a tape are there already: its plan runs backward alone. */
static int is_narrow(const fusing *f, int i) {
  const nn_step *s = &f->p->steps[i];
  return !f->gone[i] && s->op == &nn_op_dense && !f->p->graph->values[output_value(f, i)].data &&
         nn_dense_chain_takes(&s->call);
}

static int is_private(const fusing *f, int value) {
  const nn_plan *p = f->p;
  for (int i = 0; i < p->n_outputs; i++)
    if (p->outputs[i] == value) return 0;
  for (int i = 0; i < p->n_wants; i++)
    if (p->wants[i].value == value) return 0;
  return f->m->uses[value] == 1 && value != p->loss;
}

/* The step that continues the chain after step i, -1 = none. */
static int next_link(const fusing *f, int i) {
  int value = output_value(f, i);
  if (!is_private(f, value)) return -1;
  for (int k = i + 1; k < f->p->n_steps; k++) {
    if (f->p->graph->nodes[f->node_of[k]].n_in < 1 || input_value(f, k) != value) continue;
    const nn_step *s = &f->p->steps[k];
    int flows = s->call.din[0] != NULL;
    return is_narrow(f, k) && f->has_back[k] == f->has_back[i] && flows == f->has_back[i] ? k : -1;
  }
  return -1;
}

/* The chain from step i on: its length, its steps in `links`. */
static int follow(const fusing *f, int i, int *links) {
  int n = 0;
  for (; i >= 0 && n < NN_CHAIN_LAYERS; i = next_link(f, i)) links[n++] = i;
  return n;
}

static nn_status fuse_from(fusing *f, int i, nn_error *e) {
  int links[NN_CHAIN_LAYERS];
  const nn_call *calls[NN_CHAIN_LAYERS];
  nn_plan *p = f->p;
  int n = follow(f, i, links);
  for (int k = 0; k < n; k++) calls[k] = &p->steps[links[k]].call;
  nn_dense_chain *c = nn_dense_chain_new(p->alloc, calls, n);
  if (!c) return nn_fail(e, NN_ERR_MEMORY, "out of memory");
  p->chains[p->n_chains++] = c;
  for (int k = 0; k < n; k++) f->gone[links[k]] = k < n - 1 ? 1 : 2;
  nn_step *last = &p->steps[links[n - 1]];
  last->op = &nn_op_dense_chain;
  last->call.saved = c;
  int x = input_value(f, i);
  for (int k = 0; k < p->n_inputs; k++)
    if (p->inputs[k] == x && is_private(f, x) && p->graph->values[x].shape.ndim == 2) p->fed[k] = c;
  return NN_OK;
}

/* The orders without the steps that are part of another. */
static void close_ranks(const fusing *f) {
  nn_plan *p = f->p;
  int n = 0;
  for (int i = 0; i < p->n_steps; i++)
    if (f->gone[i] != 1) p->order[p->n_order++] = &p->steps[i];
  for (int i = 0; i < p->n_back; i++)
    if (f->gone[p->back[i] - p->steps] != 1) p->back[n++] = p->back[i];
  p->n_back = n;
}

nn_status nn_plan_fuse(nn_plan *p, const nn_plan_marks *m, const int *node_of, nn_error *e) {
  size_t n = (size_t)p->n_steps;
  fusing f = {p, m, node_of, nn_mem_new(p->alloc, 2 * n), NULL};
  nn_status s = NN_OK;
  p->order = nn_mem_new(p->alloc, sizeof(nn_step *) * n);
  p->chains = nn_mem_new(p->alloc, sizeof(nn_dense_chain *) * n);
  p->fed = nn_mem_new(p->alloc, sizeof(nn_dense_chain *) * (size_t)p->n_inputs);
  if (!f.has_back || !p->order || !p->chains || !p->fed) {
    nn_mem_free(p->alloc, f.has_back);
    return nn_fail(e, NN_ERR_MEMORY, "out of memory");
  }
  f.gone = f.has_back + n;
  for (int i = 0; i < p->n_back; i++) f.has_back[p->back[i] - p->steps] = 1;
  for (int i = 0; i < p->n_steps && s == NN_OK; i++)
    if (is_narrow(&f, i) && !p->steps[i].call.din[0]) s = fuse_from(&f, i, e);
  close_ranks(&f);
  nn_mem_free(p->alloc, f.has_back);
  return s;
}
