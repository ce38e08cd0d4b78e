/* W1's step as one pass through registers and some kilobytes. A layer's five units (two outputs)
 * stand in one vector of eight lanes, the bias is one more row of the weights. Rows are read where
 * they lie in the data set, so nothing is gathered; the next batch's are prefetched meanwhile.
 *
 *   h1 = relu(x W1)   h2 = relu(h1 W2)   z = h2 W3        a row at a time, eight rows in flight
 *   dz = (p - y) / rows: of two classes one number and its negative
 *   dh2 = dz W3'      dh1 = dh2 W2'      dW = sum over rows of input (a scalar) times d
 */
#include "limit_tiny.h"

#include <math.h>
#include <string.h>

enum { IN = 39, UNITS = 5, ROWS = 32, W2 = IN + 1, W3 = W2 + UNITS + 1, ALL = W3 + UNITS + 1 };

typedef float vec __attribute__((vector_size(32)));
typedef int mask __attribute__((vector_size(32)));

typedef struct tiny {
  vec w[ALL], m[ALL], v[ALL], g[ALL]; /* rows of W1, its bias, W2, its bias, W3, its bias */
  vec h1[ROWS], h2[ROWS], d[ROWS];
  const float *x[ROWS];
  float dz[ROWS];
} tiny;

int tiny_fits(const net *s) {
  const settings *t = s->set;
  return t->layers == 3 && t->width[0] == IN && t->width[1] == UNITS && t->width[2] == UNITS &&
         t->width[3] == 2 && t->batch <= ROWS && t->softmax && t->adam;
}

static void spread(vec *out, const float *w, const float *bias, int in, int units) {
  for (int i = 0; i <= in; i++)
    for (int j = 0; j < units; j++) out[i][j] = i < in ? w[i * units + j] : bias[j];
}

static void pack(tiny *t, const net *s) {
  memset(t, 0, sizeof *t);
  spread(t->w, s->weight[0], s->bias[0], IN, UNITS);
  spread(t->w + W2, s->weight[1], s->bias[1], UNITS, UNITS);
  spread(t->w + W3, s->weight[2], s->bias[2], UNITS, 2);
}

static inline vec positive(vec x, vec y) { return (vec)((mask)y & (x > 0)); }

static void first_layer(tiny *t) {
  for (int r = 0; r < ROWS; r += 8) {
    vec sum[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) sum[i] = t->w[IN];
    for (int k = 0; k < IN; k++) {
      vec w = t->w[k];
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) sum[i] += t->x[r + i][k] * w;
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) t->h1[r + i] = positive(sum[i], sum[i]);
  }
}

static inline vec layer(const vec *w, const float *x) {
  vec sum = w[UNITS];
#pragma GCC unroll 5
  for (int k = 0; k < UNITS; k++) sum += x[k] * w[k];
  return sum;
}

static void upper_layers(tiny *t) {
  for (int r = 0; r < ROWS; r++) {
    vec h = layer(t->w + W2, (const float *)&t->h1[r]);
    t->h2[r] = positive(h, h);
  }
  for (int r = 0; r < ROWS; r++) {
    vec z = layer(t->w + W3, (const float *)&t->h2[r]);
    t->dz[r] = z[1] - z[0];
  }
}

/* dz, from the difference of the outputs, becomes the gradient of output 0 (minus that of 1). */
static void loss(tiny *t, net *s, const int32_t *index, int rows) {
  float sign[ROWS], sum = 0, right = 0, scale = 1.0f / (float)rows;
  for (int r = 0; r < ROWS; r++) sign[r] = r < rows ? 2.0f * (float)s->label[index[r]] - 1 : 0;
#pragma omp simd reduction(+ : sum, right)
  for (int r = 0; r < ROWS; r++) {
    float to_label = t->dz[r] * sign[r], e = expf(-to_label);
    sum += logf(1 + e) * (sign[r] * sign[r]);
    right += to_label >= 0 ? sign[r] * sign[r] : 0;
    t->dz[r] = sign[r] * scale * e / (1 + e);
  }
  s->loss += (double)sum;
  s->right += (int)right;
}

/* Gradients of a small layer's weights: rows of x times d. */
static void small_weights(vec *g, const vec *x, const vec *d) {
  vec sum[UNITS + 1] = {{0}};
  for (int r = 0; r < ROWS; r++) {
    const float *a = (const float *)&x[r];
#pragma GCC unroll 5
    for (int k = 0; k < UNITS; k++) sum[k] += a[k] * d[r];
    sum[UNITS] += d[r];
  }
  memcpy(g, sum, sizeof sum);
}

static void backward_upper(tiny *t) {
  vec sides = {1, -1}, column = {0}, turned[UNITS];
  for (int k = 0; k < UNITS; k++) column[k] = t->w[W3 + k][0] - t->w[W3 + k][1];
  for (int r = 0; r < ROWS; r++) t->d[r] = t->dz[r] * sides;
  small_weights(t->g + W3, t->h2, t->d);
  for (int r = 0; r < ROWS; r++) t->d[r] = positive(t->h2[r], t->dz[r] * column);
  small_weights(t->g + W2, t->h1, t->d);
  for (int j = 0; j < UNITS; j++)
    for (int k = 0; k < 8; k++) turned[j][k] = k < UNITS ? t->w[W2 + k][j] : 0;
  for (int r = 0; r < ROWS; r++) {
    const float *a = (const float *)&t->d[r];
    vec sum = a[0] * turned[0];
#pragma GCC unroll 4
    for (int j = 1; j < UNITS; j++) sum += a[j] * turned[j];
    t->d[r] = positive(t->h1[r], sum);
  }
}

#define HALF ((IN + 1) / 2) /* accumulators that fit into the registers */

static void first_weights(tiny *t) {
  vec low[HALF] = {{0}}, high[HALF] = {{0}};
  for (int r = 0; r < ROWS; r++) {
    vec d = t->d[r];
    const float *x = t->x[r];
#pragma GCC unroll 20
    for (int k = 0; k < HALF; k++) low[k] += x[k] * d;
  }
  for (int r = 0; r < ROWS; r++) {
    vec d = t->d[r];
    const float *x = t->x[r] + HALF;
#pragma GCC unroll 19
    for (int k = 0; k < IN - HALF; k++) high[k] += x[k] * d;
    high[IN - HALF] += d;
  }
  memcpy(t->g, low, sizeof low);
  memcpy(t->g + HALF, high, sizeof high);
}

static void update(tiny *t, float rate) {
  float *restrict w = (float *)t->w, *restrict m = (float *)t->m, *restrict v = (float *)t->v;
  const float *restrict g = (const float *)t->g;
  for (int i = 0; i < ALL * 8; i++) {
    m[i] += (g[i] - m[i]) * 0.1f;
    v[i] += (g[i] * g[i] - v[i]) * 0.001f;
    w[i] -= rate * m[i] / (sqrtf(v[i]) + 1e-7f);
  }
}

static void prefetch(const net *s, const int32_t *index) {
  const int32_t *end = s->order + s->set->rows;
  if (end - index > ROWS) end = index + ROWS;
  for (; index < end; index++)
    for (int at = 0; at < IN; at += 16) __builtin_prefetch(s->x + (size_t)*index * IN + at);
}

void tiny_step(net *s, const int32_t *index, int rows) {
  tiny *t = s->tiny_state;
  if (!s->tiny_ready) pack(t, s);
  s->tiny_ready = 1;
  for (int r = 0; r < ROWS; r++) t->x[r] = s->x + (size_t)index[r < rows ? r : 0] * IN;
  prefetch(s, index + rows);
  first_layer(t);
  upper_layers(t);
  loss(t, s, index, rows);
  backward_upper(t);
  first_weights(t);
  update(t, adam_rate(s));
}

size_t tiny_bytes(void) { return sizeof(tiny); }
