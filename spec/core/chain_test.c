/* Checks the passes over chains of narrow layers bit for bit against the same layers one by one, as
 * nn_gemm_* and sum_rows compute them: every table of this CPU, random widths, rows and
 * activations, rows in any order. Prints TAP, exits with 1 when a line says "not ok".
 */
#include "core/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"

static int failed, count;

static void ok(int good, const char *what) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, what);
  failed |= !good;
}

static uint64_t random_state = 88172645463325252u;
static int64_t random_upto(int64_t n) {
  random_state ^= random_state << 13, random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return 1 + (int64_t)((random_state >> 33) % (uint64_t)n);
}
static float *random_array(int64_t n) {
  float *x = malloc((size_t)n * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = (float)random_upto(20001) / 10001.0f - 1;
  return x;
}
static int same(const float *a, const float *b, int64_t n) {
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

typedef struct net {
  nn_chain c;
  nn_gemm gemm;
  float *data;       /* 50 rows of the first input */
  int64_t order[50]; /* which of them the batch has */
  float *x;          /* the batch, gathered */
  float *h[NN_CHAIN_LAYERS], *dw[NN_CHAIN_LAYERS], *dbias[NN_CHAIN_LAYERS];
  void *arena;
} net;

static void slope(nn_act act, float *d, const float *y, int64_t n) {
  const nn_kernels *k = nn_kernels_get();
  if (act == NN_ACT_RELU) k->relu_grad(d, d, y, 0, (size_t)n);
  if (act == NN_ACT_SIGMOID) k->sigmoid_grad(d, d, y, 0, (size_t)n);
  if (act == NN_ACT_TANH) k->tanh_grad(d, d, y, 0, (size_t)n);
}

static void make(net *s) {
  nn_chain *c = &s->c;
  int64_t in = random_upto(random_upto(4) > 1 ? 45 : 200);
  memset(s, 0, sizeof *s);
  nn_gemm_init(&s->gemm, NULL, NULL);
  c->n = (int)random_upto(4), c->rows = random_upto(50), c->backward = 1;
  s->data = random_array(50 * in), s->x = malloc((size_t)(c->rows * in) * sizeof *s->x);
  for (int64_t r = 0; r < c->rows; r++) {
    s->order[r] = random_upto(50) - 1;
    memcpy(s->x + r * in, s->data + s->order[r] * in, (size_t)in * sizeof *s->x);
  }
  for (int i = 0; i < c->n; i++) {
    int64_t units = random_upto(8);
    nn_chain_layer *l = &c->layer[i];
    *l = (nn_chain_layer){in, units, (nn_act)(random_upto(4) - 1), random_array(in * units),
                          random_upto(4) > 1 ? random_array(units) : NULL, NULL, NULL};
    if (random_upto(5) > 1) l->dw = random_array(in * units);
    if (l->bias) l->dbias = random_array(units);
    s->h[i] = random_array(c->rows * units);
    s->dw[i] = random_array(in * units), s->dbias[i] = random_array(units);
    in = units;
  }
  c->y = random_array(c->rows * in), c->dy = random_array(c->rows * in);
  s->arena = aligned_alloc(64, (nn_chain_bytes(c) + 63) / 64 * 64);
  memset(s->arena, 0, nn_chain_bytes(c));
  nn_chain_place(c, s->arena);
  for (int64_t r = 0; r < c->padded; r++)
    c->x[r] = s->data + s->order[r < c->rows ? r : 0] * c->layer[0].in;
}

static void drop(net *s) {
  for (int i = 0; i < s->c.n; i++) {
    const nn_chain_layer *l = &s->c.layer[i];
    float *owned[] = {(float *)(uintptr_t)l->w, (float *)(uintptr_t)l->bias, l->dw, l->dbias,
                      s->h[i], s->dw[i], s->dbias[i]};
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
  }
  free(s->data), free(s->x), free(s->c.y), free((float *)(uintptr_t)s->c.dy), free(s->arena);
}

/* The same, layer by layer; whether all agrees. */
static int agrees(net *s) {
  const nn_chain *c = &s->c;
  int good = 1;
  for (int i = 0; i < c->n; i++) {
    const nn_chain_layer *l = &c->layer[i];
    nn_gemm_nn(&s->gemm, c->rows, l->units, l->in, i ? s->h[i - 1] : s->x, l->in, l->w, l->units, 0,
               l->bias, l->act, s->h[i], l->units);
  }
  const nn_chain_layer *last = &c->layer[c->n - 1];
  int64_t size = c->rows * last->units;
  good &= same(c->y, s->h[c->n - 1], size);
  float *d = malloc((size_t)size * sizeof *d);
  memcpy(d, c->dy, (size_t)size * sizeof *d);
  slope(last->act, d, c->y, size);
  for (int i = c->n - 1; i >= 0; i--) {
    const nn_chain_layer *l = &c->layer[i];
    nn_gemm_tn(&s->gemm, l->in, l->units, c->rows, i ? s->h[i - 1] : s->x, l->in, d, l->units, 0,
               s->dw[i], l->units);
    nn_kernels_get()->sum_rows(s->dbias[i], d, 0, (size_t)c->rows, (size_t)l->units);
    if (l->dw) good &= same(l->dw, s->dw[i], l->in * l->units);
    if (l->dbias) good &= same(l->dbias, s->dbias[i], l->units);
    if (!i) break;
    float *below = malloc((size_t)(c->rows * l->in) * sizeof *below);
    nn_gemm_nt(&s->gemm, c->rows, l->in, l->units, d, l->units, l->w, l->units, 0, below, l->in);
    slope(c->layer[i - 1].act, below, s->h[i - 1], c->rows * l->in);
    free(d);
    d = below;
  }
  free(d);
  return good;
}

static void check(const char *table) {
  char text[80];
  int good = 1;
  if (!nn_kernels_force(table)) {
    printf("# this CPU lacks %s\n", table);
    return;
  }
  for (int round = 0; round < 3000 && good; round++) {
    net s;
    make(&s);
    nn_chain_forward(&s.c);
    nn_chain_backward(&s.c);
    good &= agrees(&s);
    drop(&s);
  }
  snprintf(text, sizeof text, "%s: the bits of single layers", table);
  ok(good, text);
}

int main(void) {
  const char *const tables[] = {"portable", "neon", "avx2", "avx512"};
  ok(nn_chain_takes(32, 39, 5) && !nn_chain_takes(32, 39, 9) && !nn_chain_takes(0, 39, 5) &&
         !nn_chain_takes(INT64_MAX, 39, 5) && !nn_chain_takes(1, INT64_MAX, 8),
     "takes narrow layers of any size that is small");
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) check(tables[i]);
  printf("1..%d\n", count);
  return failed;
}
