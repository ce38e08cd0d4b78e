#include "model/graph.h"

#include <string.h>

void nn_graph_init(nn_graph *g, nn_alloc *a) {
  memset(g, 0, sizeof *g);
  g->alloc = a;
}

void nn_graph_clear(nn_graph *g) {
  nn_mem_free(g->alloc, g->nodes);
  nn_mem_free(g->alloc, g->values);
  nn_mem_free(g->alloc, g->edges);
  nn_graph_init(g, g->alloc);
}

/* Makes room for `more` items behind `count`; the array doubles. */
static int grow(nn_alloc *a, void **items, int *cap, int count, int more, size_t size) {
  if (count + more <= *cap) return 1;
  int want = *cap ? *cap * 2 : 32;
  while (want < count + more) want *= 2;
  void *p = nn_mem_resize(a, *items, (size_t)want * size);
  if (!p) return 0;
  *items = p;
  *cap = want;
  return 1;
}

int nn_graph_add_value(nn_graph *g, nn_value_kind kind, const nn_shape *s, void *data) {
  if (!grow(g->alloc, (void **)&g->values, &g->cap_values, g->n_values, 1, sizeof(nn_value)))
    return -1;
  nn_value *v = &g->values[g->n_values];
  v->shape = *s;
  v->kind = kind;
  v->node = v->out = -1;
  v->data = data;
  return g->n_values++;
}

int nn_graph_add_node(nn_graph *g, const nn_op *op, const nn_attrs *attrs, int n_in, const int *in,
                      const nn_shape *out) {
  nn_alloc *a = g->alloc;
  if (!grow(a, (void **)&g->nodes, &g->cap_nodes, g->n_nodes, 1, sizeof(nn_node)) ||
      !grow(a, (void **)&g->edges, &g->cap_edges, g->n_edges, n_in, sizeof(int)) ||
      !grow(a, (void **)&g->values, &g->cap_values, g->n_values, op->n_out, sizeof(nn_value)))
    return -1;
  nn_node *node = &g->nodes[g->n_nodes];
  memset(node, 0, sizeof *node);
  node->op = op;
  node->attrs = *attrs;
  node->n_in = n_in, node->n_out = op->n_out;
  node->first_in = g->n_edges, node->first_out = g->n_values;
  if (n_in) memcpy(g->edges + g->n_edges, in, (size_t)n_in * sizeof(int));
  g->n_edges += n_in;
  for (int i = 0; i < op->n_out; i++) {
    int v = nn_graph_add_value(g, NN_VALUE_RESULT, &out[i], NULL);
    g->values[v].node = g->n_nodes, g->values[v].out = i;
  }
  g->n_nodes++;
  return node->first_out;
}

nn_status nn_op_infer(const nn_op *op, const nn_attrs *attrs, int n_in, const nn_shape *const *in,
                      nn_shape *out, nn_error *e) {
  if (op->n_in >= 0 && n_in != op->n_in)
    return nn_fail(e, NN_ERR_ARGUMENT, "%s: %d inputs, expected %d", op->name, n_in, op->n_in);
  memset(out, 0, sizeof(nn_shape) * (size_t)op->n_out);
  nn_status s = op->shape(attrs, n_in, in, out, e);
  for (int i = 0; s == NN_OK && i < op->n_out; i++) s = nn_shape_check(&out[i], e);
  return s;
}
