#include "model/dense_chain.h"

struct nn_dense_chain {
  nn_alloc *alloc;      /* borrowed */
  const nn_call *first; /* borrowed: its input is read anew each time, for it may be set */
  nn_chain chain;
  void *memory; /* owned */
  /* rows of the next pass, NULL = the input */
  const float *rows;
  const int32_t *index;
  int64_t ahead;
  /* rows of the batch after it that are still to be asked for */
  const float *base;
  const int32_t *next, *next_end;
};

#define MOST_ROWS 128 /* sum_rows adds more of them in another order */

static int64_t rows_of(const nn_shape *x) {
  int64_t m = 1;
  for (int i = 0; i < x->ndim - 1; i++) m *= x->dim[i];
  return m;
}

int nn_dense_chain_takes(const nn_call *c) {
  int64_t rows = rows_of(c->in_shape[0]);
  for (int i = 0; i < c->n_in; i++)
    if (c->accumulate[i]) return 0;
  return c->in_shape[0]->dtype == NN_F32 && rows <= MOST_ROWS &&
         nn_chain_takes(rows, c->in_shape[1]->dim[0], c->in_shape[1]->dim[1]);
}

static nn_chain_layer layer_of(const nn_call *c) {
  return (nn_chain_layer){
      .in = c->in_shape[1]->dim[0], .units = c->in_shape[1]->dim[1],
      .act = (nn_act)c->attrs->i[0], .w = c->in[1], .bias = c->n_in == 3 ? c->in[2] : NULL,
      .dw = c->din[1], .dbias = c->n_in == 3 ? c->din[2] : NULL};
}

nn_dense_chain *nn_dense_chain_new(nn_alloc *a, const nn_call *const *calls, int n) {
  nn_dense_chain *c = nn_mem_new(a, sizeof *c);
  if (!c) return NULL;
  c->alloc = a, c->first = calls[0];
  c->chain.n = n;
  c->chain.rows = rows_of(calls[0]->in_shape[0]);
  for (int i = 0; i < n; i++) c->chain.layer[i] = layer_of(calls[i]);
  c->chain.y = calls[n - 1]->out[0];
  c->chain.dy = calls[n - 1]->dout[0];
  for (int i = 0; i < n; i++) c->chain.backward |= calls[i]->din[1] || calls[i]->dout[0];
  c->memory = nn_mem_new(a, nn_chain_bytes(&c->chain));
  if (!c->memory) {
    nn_dense_chain_free(c);
    return NULL;
  }
  nn_chain_place(&c->chain, c->memory);
  return c;
}

void nn_dense_chain_free(nn_dense_chain *c) {
  nn_mem_free(c->alloc, c->memory);
  nn_mem_free(c->alloc, c);
}

void nn_dense_chain_feed(nn_dense_chain *c, const float *rows, const int32_t *index,
                         int64_t ahead) {
  c->rows = rows, c->index = index, c->ahead = ahead;
}

/* Up to n rows of the next batch, so that they have come when it is their turn. A processor waits
 * when it has asked for some dozens of lines, so a step asks twice, and multiplies in between. */
static void ask_for(nn_dense_chain *c, int64_t n) {
  const int64_t size = c->chain.layer[0].in;
  for (; n > 0 && c->next < c->next_end; n--) {
    const float *row = c->base + *c->next++ * size;
    for (int64_t k = 0; k < size && k < 256; k += 16) __builtin_prefetch(row + k);
    __builtin_prefetch(row + size - 1);
  }
}

static void ask_from_here(nn_dense_chain *c) {
  c->base = c->rows;
  c->next = c->index + c->chain.rows;
  c->next_end = c->next + (c->ahead < c->chain.rows ? c->ahead : c->chain.rows);
  ask_for(c, c->chain.backward ? c->chain.rows / 2 : c->chain.rows);
}

static void find_rows(nn_dense_chain *c) {
  int64_t size = c->chain.layer[0].in;
  const float *base = c->rows ? c->rows : c->first->in[0];
  for (int64_t r = 0; r < c->chain.rows; r++)
    c->chain.x[r] = base + (c->rows && c->index ? c->index[r] : r) * size;
  for (int64_t r = c->chain.rows; r < c->chain.padded; r++) c->chain.x[r] = c->chain.x[0];
  c->next = c->next_end = NULL;
  if (c->rows && c->index) ask_from_here(c);
  c->rows = NULL;
}

static void chain_forward(nn_call *call) {
  nn_dense_chain *c = call->saved;
  find_rows(c);
  nn_chain_forward(&c->chain);
}

static void chain_backward(nn_call *call) {
  nn_dense_chain *c = call->saved;
  ask_for(c, c->chain.rows);
  nn_chain_backward(&c->chain);
}

const nn_op nn_op_dense_chain = {.name = "dense_chain", .forward = chain_forward,
                                 .backward = chain_backward};
