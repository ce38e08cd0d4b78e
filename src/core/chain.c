/* What the chains of all instruction sets share. */
#include "core/chain.h"

#include "core/gemm_native.h"

#define MOST (256 * 1024) /* multiplications of a layer: above, packing and threads pay */

int nn_chain_takes(int64_t rows, int64_t in, int64_t units) {
  return units >= 1 && units <= NN_CHAIN_UNITS && in >= 1 && rows >= 1 && rows <= MOST &&
         in <= MOST && rows * in * units <= MOST;
}

static size_t padded(int64_t rows) { return ((size_t)rows + 15) / 16 * 16; }

size_t nn_chain_bytes(const nn_chain *c) {
  size_t square = padded(c->rows) * 8 * sizeof(float);
  return square * (2 * (size_t)c->n + 2) + padded(c->rows) * sizeof(float *);
}

void nn_chain_place(nn_chain *c, void *arena) {
  size_t square = padded(c->rows) * 8;
  c->padded = (int64_t)padded(c->rows);
  c->turned = arena;
  c->by_rows = c->turned + square * (size_t)c->n;
  c->d[0] = c->by_rows + square * (size_t)c->n;
  c->d[1] = c->d[0] + square;
  c->x = (const float **)(void *)(c->d[1] + square);
}

void nn_chain_forward(const nn_chain *c) { nn_gemm_table(NN_CHAIN_UNITS)->chain_forward(c); }

void nn_chain_backward(const nn_chain *c) { nn_gemm_table(NN_CHAIN_UNITS)->chain_backward(c); }
