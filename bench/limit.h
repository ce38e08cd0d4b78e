/* What the files of the hand-written step share: a network as flat vectors, and its loading. */
#ifndef NN_BENCH_LIMIT_H
#define NN_BENCH_LIMIT_H

#include <stdio.h>
#include <stdlib.h>

#include "core/gemm.h"
#include "core/kernels.h"

#define MAX_LAYERS 8

typedef struct settings {
  int rows, batch, epochs, adam, softmax, layers;
  int width[MAX_LAYERS + 1]; /* columns, then the width of each layer */
} settings;

typedef struct net {
  const settings *set;
  const nn_kernels *k;
  nn_alloc alloc;
  nn_pool *pool;
  nn_gemm gemm;
  float *x, *target;   /* data: rows, and numbers to reach */
  int32_t *label;      /* or the class of each row */
  size_t flat;         /* numbers in each of the next five */
  float *w, *g, *m, *v, *first;
  float *weight[MAX_LAYERS], *bias[MAX_LAYERS]; /* inside w */
  float *batch, *y[MAX_LAYERS], *d[MAX_LAYERS];
  int32_t *order;
  double loss, beta1, beta2; /* beta: powers so far */
  int right, epochs;
  int tiny, tiny_ready; /* the step as one pass, and whether its state holds the weights */
  void *tiny_state;
  char mode[64];
} net;

double now(void);
/* Adam's step size after one more step. */
float adam_rate(net *s);
/* First weights, empty slots. */
void net_reset(net *s);
/* Packing memory for the threads and backend that are set. */
void net_reserve(net *s);
/* Buffers for `set`, all data and weights zero. */
void net_empty(net *s, const settings *set);
/* Reads FOLDER/NAME.spec and the arrays; 0 when something is missing. */
int net_load(net *s, settings *set, const char *folder, const char *name);
/* Prints the peak as JSON; gives the exit status. */
int peak(void);

#endif
