#include <string.h>

#include "model/plan_parts.h"

static size_t padded(size_t bytes) { return ((bytes + 63) & ~(size_t)63) + 64; }

static const nn_shape **shapes_of(nn_graph *g, const nn_node *n, const nn_shape **buf) {
  for (int i = 0; i < n->n_in; i++) buf[i] = &g->values[g->edges[n->first_in + i]].shape;
  return buf;
}

/* --- which nodes belong to the plan ------------------------------------------------------- */

static void mark_needed(nn_graph *g, const nn_plan_spec *spec, nn_plan_marks *m) {
  for (int i = 0; i < spec->n_outputs; i++) m->need[spec->outputs[i]] = 1;
  if (spec->loss >= 0) m->need[spec->loss] = 1;
  for (int i = g->n_nodes - 1; i >= 0; i--) {
    nn_node *n = &g->nodes[i];
    int used = spec->keep_effects && (n->op->flags & NN_OP_EFFECT);
    for (int k = 0; k < n->n_out; k++) used |= m->need[n->first_out + k];
    if (!used) continue;
    for (int k = 0; k < n->n_out; k++) m->need[n->first_out + k] = 1;
    for (int k = 0; k < n->n_in; k++) {
      m->need[g->edges[n->first_in + k]] = 1;
      m->uses[g->edges[n->first_in + k]]++;
    }
  }
}

static int is_needed(const nn_node *n, const nn_plan_marks *m) { return m->need[n->first_out]; }

static void mark_gradients(nn_graph *g, nn_plan_spec *spec, nn_plan_marks *m) {
  for (int i = 0; i < spec->n_wants; i++) m->below[spec->wants[i].value] = 1;
  for (int i = 0; i < g->n_nodes; i++) {
    nn_node *n = &g->nodes[i];
    if (!is_needed(n, m) || !n->op->backward) continue;
    int any = 0;
    for (int k = 0; k < n->n_in; k++) any |= m->below[g->edges[n->first_in + k]];
    for (int k = 0; any && k < n->n_out; k++)
      if (g->values[n->first_out + k].shape.dtype == NN_F32) m->below[n->first_out + k] = 1;
  }
  if (spec->loss < 0 || !m->below[spec->loss]) return;
  m->flow[spec->loss] = 1;
  for (int i = g->n_nodes - 1; i >= 0; i--) {
    nn_node *n = &g->nodes[i];
    int any = 0;
    for (int k = 0; k < n->n_out; k++) any |= m->flow[n->first_out + k];
    if (!any || !n->op->backward) continue;
    for (int k = 0; k < n->n_in; k++) {
      int v = g->edges[n->first_in + k];
      if (m->below[v] && g->values[v].shape.dtype == NN_F32) m->flow[v] = 1;
    }
  }
}

/* --- memory ------------------------------------------------------------------------------- */

/* Gives offsets first (base NULL), then pointers: run twice with the same order. */
typedef struct layout {
  char *base;
  size_t at;
} layout;

static void *take(layout *l, size_t bytes) {
  void *p = l->base ? l->base + l->at : NULL;
  l->at = nn_size_add(l->at, padded(bytes));
  return p;
}

static float *want_of(const nn_plan *p, int value) {
  for (int i = 0; i < p->n_wants; i++)
    if (p->wants[i].value == value) return p->wants[i].grad;
  return NULL;
}

static int aliases(nn_graph *g, const nn_value *v) {
  return v->kind == NN_VALUE_RESULT && (g->nodes[v->node].op->flags & NN_OP_ALIAS) &&
         g->nodes[v->node].op->n_out == 1;
}

static int alias_source(nn_graph *g, const nn_value *v) {
  return g->edges[g->nodes[v->node].first_in];
}

static void place_data(nn_plan *p, const nn_plan_marks *m, layout *l) {
  nn_graph *g = p->graph;
  for (int v = 0; v < g->n_values; v++) {
    nn_value *value = &g->values[v];
    if (value->data) {
      p->data[v] = value->data;
    } else if (value->kind == NN_VALUE_INPUT || m->need[v]) {
      int same = aliases(g, value) &&
                 g->values[alias_source(g, value)].shape.dtype == value->shape.dtype;
      p->data[v] = same ? p->data[alias_source(g, value)] : take(l, nn_shape_bytes(&value->shape));
    }
  }
}

/* A reshape's input whose only consumer it is shares the gradient's memory with the output. */
static int shares_gradient(nn_graph *g, const nn_value *v, const nn_plan_marks *m) {
  int src = aliases(g, v) ? alias_source(g, v) : -1;
  return src >= 0 && m->uses[src] == 1 && g->values[src].kind == NN_VALUE_RESULT;
}

static void place_gradients(nn_plan *p, const nn_plan_marks *m, layout *l) {
  nn_graph *g = p->graph;
  for (int v = g->n_values - 1; v >= 0; v--) {
    if (!m->flow[v]) continue;
    if (!p->grad[v]) {
      float *want = want_of(p, v);
      p->grad[v] = want ? want : take(l, nn_shape_bytes(&g->values[v].shape));
    }
    if (!shares_gradient(g, &g->values[v], m)) continue;
    int src = alias_source(g, &g->values[v]);
    if (m->flow[src] && !want_of(p, src)) p->grad[src] = p->grad[v];
  }
}

/* --- calls -------------------------------------------------------------------------------- */

static size_t table_bytes(const nn_node *n) {
  size_t in = (size_t)n->n_in, out = (size_t)n->n_out;
  return (in * 3 + out * 3) * sizeof(void *) + ((in + 15) & ~(size_t)7);
}

static void *carve(char **at, size_t bytes) {
  void *p = *at;
  *at += bytes;
  return p;
}

static void fill_call(nn_plan *p, nn_step *s, nn_node *n, char **tables) {
  nn_graph *g = p->graph;
  size_t in = (size_t)n->n_in, out = (size_t)n->n_out, ptr = sizeof(void *);
  const nn_shape **in_shape = carve(tables, in * ptr), **out_shape = carve(tables, out * ptr);
  void **din_data = carve(tables, in * ptr), **out_data = carve(tables, out * ptr);
  float **din = carve(tables, in * ptr), **dout = carve(tables, out * ptr);
  unsigned char *accumulate = carve(tables, (in + 15) & ~(size_t)7);
  for (size_t k = 0; k < in; k++) {
    int v = g->edges[n->first_in + (int)k];
    in_shape[k] = &g->values[v].shape;
    din_data[k] = p->data[v];
    din[k] = NULL;
    accumulate[k] = 0;
  }
  for (size_t k = 0; k < out; k++) {
    int v = n->first_out + (int)k;
    out_shape[k] = &g->values[v].shape;
    out_data[k] = p->data[v];
    dout[k] = p->grad[v];
  }
  s->op = n->op;
  s->call = (nn_call){.attrs = &n->attrs, .n_in = n->n_in, .n_out = n->n_out, .in_shape = in_shape,
                      .out_shape = out_shape, .in = din_data, .out = out_data, .din = din,
                      .dout = dout, .accumulate = accumulate, .run = p->run};
}

static void resolve_call(nn_plan *p, nn_step *s, nn_node *n, void *saved, void *scratch) {
  nn_graph *g = p->graph;
  for (int k = 0; k < n->n_in; k++)
    ((void **)s->call.in)[k] = p->data[g->edges[n->first_in + k]];
  for (int k = 0; k < n->n_out; k++) {
    ((void **)s->call.out)[k] = p->data[n->first_out + k];
    ((float **)s->call.dout)[k] = p->grad[n->first_out + k];
  }
  s->call.saved = n->saved ? n->saved : saved;
  s->call.scratch = scratch;
}

/* Decides which gradients each step writes, from the last step back; the first write of a value
 * overwrites, later ones add. */
static void route_gradients(nn_plan *p, const nn_plan_marks *m, const int *node_of,
                            unsigned char *written) {
  nn_graph *g = p->graph;
  p->n_back = 0;
  for (int i = p->n_steps - 1; i >= 0; i--) {
    nn_step *s = &p->steps[i];
    nn_node *n = &g->nodes[node_of[i]];
    int flows = 0, wanted = 0;
    for (int k = 0; k < n->n_out; k++) {
      int v = n->first_out + k;
      if (m->flow[v] && !written[v]) ((float **)s->call.dout)[k] = NULL;
      flows |= m->flow[v] && written[v];
    }
    if (!flows || !s->op->backward) continue;
    for (int k = 0; k < n->n_in; k++) {
      int v = g->edges[n->first_in + k];
      if (!m->flow[v]) continue;
      if (p->grad[v] == s->call.dout[0]) { /* a shared reshape: already there */
        written[v] = 1;
        continue;
      }
      ((float **)s->call.din)[k] = p->grad[v];
      ((unsigned char *)s->call.accumulate)[k] = written[v];
      written[v] = 1;
      wanted = 1;
    }
    if (wanted) p->back[p->n_back++] = s;
  }
}

/* --- building ----------------------------------------------------------------------------- */

static size_t saved_bytes(nn_graph *g, nn_node *n, const nn_shape **buf) {
  if (n->saved || !n->op->saved) return 0;
  return n->op->saved(&n->attrs, n->n_in, shapes_of(g, n, buf));
}

static size_t scratch_bytes(nn_graph *g, nn_node *n, const nn_shape **buf) {
  return n->op->scratch ? n->op->scratch(&n->attrs, n->n_in, shapes_of(g, n, buf)) : 0;
}

static size_t lay_out(nn_plan *p, const nn_plan_marks *m, const int *node_of,
                      const nn_shape **buf) {
  nn_graph *g = p->graph;
  layout l = {.base = p->arena, .at = 0};
  memset(p->grad, 0, sizeof(float *) * (size_t)g->n_values);
  place_data(p, m, &l);
  p->seed = take(&l, sizeof(float));
  if (p->loss >= 0) p->grad[p->loss] = p->seed;
  place_gradients(p, m, &l);
  size_t scratch = 0;
  for (int i = 0; i < p->n_steps; i++) {
    size_t want = scratch_bytes(g, &g->nodes[node_of[i]], buf);
    if (want > scratch) scratch = want;
  }
  void *scratch_at = take(&l, scratch);
  for (int i = 0; i < p->n_steps; i++) {
    nn_node *n = &g->nodes[node_of[i]];
    size_t bytes = saved_bytes(g, n, buf);
    void *saved = bytes ? take(&l, bytes) : NULL;
    if (p->arena) resolve_call(p, &p->steps[i], n, saved, scratch_at);
  }
  return l.at;
}

static nn_status reserve_all(nn_plan *p, const int *node_of, const nn_shape **buf, nn_error *e) {
  for (int i = 0; i < p->n_steps; i++) {
    nn_node *n = &p->graph->nodes[node_of[i]];
    if (!n->op->reserve) continue;
    nn_status s = n->op->reserve(&n->attrs, n->n_in, shapes_of(p->graph, n, buf), p->run, e);
    if (s != NN_OK) return s;
  }
  return NN_OK;
}

static int max_inputs(const nn_graph *g) {
  int most = 1;
  for (int i = 0; i < g->n_nodes; i++)
    if (g->nodes[i].n_in > most) most = g->nodes[i].n_in;
  return most;
}

/* Everything that building needs and the finished plan does not. */
typedef struct workspace {
  nn_plan_marks m;
  int *node_of;
  unsigned char *written;
  const nn_shape **shapes;
  void *block;
} workspace;

static int workspace_new(workspace *w, nn_alloc *a, nn_graph *g) {
  size_t nv = (size_t)g->n_values + 1, nn = (size_t)g->n_nodes + 1;
  size_t ints = (nv + nn) * sizeof(int), ptrs = (size_t)max_inputs(g) * sizeof(void *);
  char *at = w->block = nn_mem_new(a, ptrs + ints + nv * 4);
  if (!at) return 0;
  w->shapes = carve(&at, ptrs);
  w->m.uses = carve(&at, nv * sizeof(int));
  w->node_of = carve(&at, nn * sizeof(int));
  w->m.need = carve(&at, nv);
  w->m.below = carve(&at, nv);
  w->m.flow = carve(&at, nv);
  w->written = carve(&at, nv);
  return 1;
}

static int copy_spec(nn_plan *p, const nn_plan_spec *spec) {
  p->n_inputs = spec->n_inputs, p->n_outputs = spec->n_outputs, p->n_wants = spec->n_wants;
  p->inputs = nn_mem_new(p->alloc, sizeof(int) * (size_t)spec->n_inputs);
  p->outputs = nn_mem_new(p->alloc, sizeof(int) * (size_t)spec->n_outputs);
  p->wants = nn_mem_new(p->alloc, sizeof(nn_want) * (size_t)spec->n_wants);
  p->own = nn_mem_new(p->alloc, sizeof(void *) * (size_t)spec->n_inputs);
  if (!p->inputs || !p->outputs || !p->wants || !p->own) return 0;
  if (spec->n_inputs) memcpy(p->inputs, spec->inputs, sizeof(int) * (size_t)spec->n_inputs);
  if (spec->n_outputs) memcpy(p->outputs, spec->outputs, sizeof(int) * (size_t)spec->n_outputs);
  if (spec->n_wants) memcpy(p->wants, spec->wants, sizeof(nn_want) * (size_t)spec->n_wants);
  return 1;
}

static int new_tables(nn_plan *p, workspace *w) {
  nn_graph *g = p->graph;
  size_t bytes = 0;
  for (int i = 0; i < g->n_nodes; i++) {
    if (!is_needed(&g->nodes[i], &w->m)) continue;
    w->node_of[p->n_steps++] = i;
    bytes += table_bytes(&g->nodes[i]);
  }
  p->steps = nn_mem_new(p->alloc, sizeof(nn_step) * (size_t)p->n_steps);
  p->back = nn_mem_new(p->alloc, sizeof(nn_step *) * (size_t)p->n_steps);
  p->tables = nn_mem_new(p->alloc, bytes);
  p->data = nn_mem_new(p->alloc, sizeof(void *) * (size_t)g->n_values);
  p->grad = nn_mem_new(p->alloc, sizeof(float *) * (size_t)g->n_values);
  return p->steps && p->back && p->tables && p->data && p->grad;
}

static nn_status build(nn_plan *p, workspace *w, nn_plan_spec *spec, nn_error *e) {
  nn_graph *g = p->graph;
  mark_needed(g, spec, &w->m);
  mark_gradients(g, spec, &w->m);
  p->loss = spec->loss >= 0 && w->m.flow[spec->loss] ? spec->loss : -1;
  if (!copy_spec(p, spec) || !new_tables(p, w)) return nn_fail(e, NN_ERR_MEMORY, "out of memory");
  nn_status s = reserve_all(p, w->node_of, w->shapes, e);
  if (s != NN_OK) return s;
  p->arena_bytes = lay_out(p, &w->m, w->node_of, w->shapes);
  p->arena = nn_mem_new(p->alloc, p->arena_bytes);
  if (!p->arena)
    return nn_fail(e, NN_ERR_MEMORY, "no memory for a plan of %zu bytes", p->arena_bytes);
  char *tables = p->tables;
  for (int i = 0; i < p->n_steps; i++)
    fill_call(p, &p->steps[i], &g->nodes[w->node_of[i]], &tables);
  lay_out(p, &w->m, w->node_of, w->shapes);
  for (int i = 0; i < p->n_inputs; i++) p->own[i] = p->data[p->inputs[i]];
  if (p->loss >= 0) w->written[p->loss] = 1;
  route_gradients(p, &w->m, w->node_of, w->written);
  for (int i = 0; i < p->n_wants; i++)
    spec->wants[i].reached = p->wants[i].reached = w->written[p->wants[i].value];
  s = nn_plan_fuse(p, &w->m, w->node_of, e);
  return s == NN_OK ? nn_plan_find_givers(p, e) : s;
}

nn_status nn_plan_build(nn_alloc *a, nn_graph *g, nn_run *run, nn_plan_spec *spec, nn_plan **out,
                        nn_error *e) {
  workspace w = {.block = NULL};
  nn_plan *p = nn_mem_new(a, sizeof *p);
  if (!p || !workspace_new(&w, a, g)) {
    nn_mem_free(a, p);
    return nn_fail(e, NN_ERR_MEMORY, "out of memory");
  }
  p->alloc = a, p->graph = g, p->run = run;
  nn_status s = build(p, &w, spec, e);
  nn_mem_free(a, w.block);
  if (s != NN_OK) {
    nn_plan_free(p);
    return s;
  }
  *out = p;
  return NN_OK;
}

void nn_plan_free(nn_plan *p) {
  if (!p) return;
  for (int i = 0; i < p->n_chains; i++) nn_dense_chain_free(p->chains[i]);
  void *owned[] = {p->steps, p->order, p->back, p->givers, p->chains, p->fed, p->tables, p->data,
                   p->grad, p->arena, p->inputs, p->outputs, p->own, p->wants};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) nn_mem_free(p->alloc, owned[i]);
  nn_mem_free(p->alloc, p);
}

/* --- running ------------------------------------------------------------------------------ */

void *nn_plan_input(nn_plan *p, int i) { return p->own[i]; }

int nn_plan_n_inputs(const nn_plan *p) { return p->n_inputs; }
int nn_plan_n_outputs(const nn_plan *p) { return p->n_outputs; }

const nn_shape *nn_plan_input_shape(const nn_plan *p, int i) {
  return &p->graph->values[p->inputs[i]].shape;
}

void nn_plan_set_input(nn_plan *p, int i, void *data) {
  int v = p->inputs[i];
  void *old = p->data[v], *now = data ? data : p->own[i];
  if (old == now) return;
  for (int k = 0; k < p->graph->n_values; k++)
    if (p->data[k] == old) p->data[k] = now;
  for (int s = 0; s < p->n_steps; s++) {
    nn_call *c = &p->steps[s].call;
    for (int k = 0; k < c->n_in; k++)
      if (c->in[k] == old) ((void **)c->in)[k] = now;
    for (int k = 0; k < c->n_out; k++)
      if (c->out[k] == old) ((void **)c->out)[k] = now;
  }
}

int nn_plan_feed(nn_plan *p, int i, const float *rows, const int32_t *index, int64_t ahead) {
  if (!p->fed[i]) return 0;
  nn_dense_chain_feed(p->fed[i], rows, index, ahead);
  return 1;
}

void *nn_plan_output(nn_plan *p, int i, const nn_shape **shape) {
  if (shape) *shape = &p->graph->values[p->outputs[i]].shape;
  return p->data[p->outputs[i]];
}

void nn_plan_forward(nn_plan *p) {
  for (int i = 0; i < p->n_order; i++) p->order[i]->op->forward(&p->order[i]->call);
}

void nn_plan_backward(nn_plan *p, float scale) {
  *p->seed = scale;
  for (int i = 0; i < p->n_back; i++) p->back[i]->op->backward(&p->back[i]->call);
  for (int i = 0; i < p->n_wants; i++)
    if (!p->wants[i].reached)
      memset(p->wants[i].grad, 0, nn_shape_bytes(&p->graph->values[p->wants[i].value].shape));
}

size_t nn_plan_bytes(const nn_plan *p) { return p->arena_bytes; }
