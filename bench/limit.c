/* The limit: the training step of each workload written in C by hand, with nothing around it. The
 * products and vector functions are the runtime's own kernels; what is measured beside nnlua is
 * therefore what its graph, plan, metrics and Lua cost. limit_tiny.c writes W1's step out as one
 * pass: beside it one sees what general kernels cost there.
 *
 *   limit FOLDER W1|W2|W3|W4|I1|S1     a peer as bench/peers/run.py wants it
 *   limit FOLDER W1 one-pass           the same with the step of limit_tiny.c
 *   limit peak                         GFLOP/s of fused multiply-adds, one thread and all
 *
 * FOLDER holds what bench/peers/export.lua wrote. Threads and backend are tried
 * at the start; the fastest is taken. A batch is gathered from shuffled rows, bias and relu are
 * fused into the products, the optimizer is one loop over one flat vector.
 */
#include "limit.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/rng.h"
#include "limit_tiny.h"

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- The optimizer, cut into chunks for the threads ------------------------------------------ */

#define CHUNK 32768

typedef struct update {
  net *s;
  float alpha;
} update;

static void adam_chunk(void *arg, int64_t chunk) {
  const update *u = arg;
  size_t from = (size_t)chunk * CHUNK, to = from + CHUNK;
  if (to > u->s->flat) to = u->s->flat;
  float *restrict w = u->s->w, *restrict m = u->s->m, *restrict v = u->s->v;
  const float *restrict g = u->s->g;
  for (size_t i = from; i < to; i++) {
    m[i] += (g[i] - m[i]) * 0.1f;
    v[i] += (g[i] * g[i] - v[i]) * 0.001f;
    w[i] -= u->alpha * m[i] / (sqrtf(v[i]) + 1e-7f);
  }
}

static void momentum_chunk(void *arg, int64_t chunk) {
  const update *u = arg;
  size_t from = (size_t)chunk * CHUNK, to = from + CHUNK;
  if (to > u->s->flat) to = u->s->flat;
  float *restrict w = u->s->w, *restrict m = u->s->m;
  const float *restrict g = u->s->g;
  for (size_t i = from; i < to; i++) {
    m[i] = 0.9f * m[i] - 0.01f * g[i];
    w[i] += m[i];
  }
}

static void apply_gradients(net *s) {
  update u = {s, adam_rate(s)};
  nn_pool_run(s->pool, s->set->adam ? adam_chunk : momentum_chunk, &u,
              (int64_t)((s->flat + CHUNK - 1) / CHUNK));
}

/* --- Forward and backward -------------------------------------------------------------------- */

static void forward(net *s, const float *x, int rows) {
  int last = s->set->layers - 1;
  for (int i = 0; i <= last; i++) {
    int in = s->set->width[i], out = s->set->width[i + 1];
    nn_gemm_nn(&s->gemm, rows, out, in, i ? s->y[i - 1] : x, in, s->weight[i], out, 0, s->bias[i],
               i == last ? NN_ACT_LINEAR : NN_ACT_RELU, s->y[i], out);
  }
  if (s->set->softmax)
    s->k->softmax(s->y[last], s->y[last], (size_t)rows, (size_t)s->set->width[last + 1]);
}

/* Cross-entropy of probabilities p, which become the gradient of the mean loss. */
static void softmax_loss(net *s, const int32_t *index, int rows) {
  int n = s->set->width[s->set->layers];
  float *p = s->y[s->set->layers - 1], scale = 1.0f / (float)rows;
  double sum = 0;
  for (int r = 0; r < rows; r++, p += n) {
    int label = s->label[index[r]];
    sum -= (double)logf(p[label] > 1e-7f ? p[label] : 1e-7f);
    s->right += p[label] >= s->k->max_value(p, (size_t)n);
    p[label] -= 1;
  }
  p -= (size_t)rows * (size_t)n;
  s->k->mul_scalar(p, p, scale, (size_t)rows * (size_t)n);
  s->loss += sum;
}

static void squared_loss(net *s, const int32_t *index, int rows) {
  float *p = s->y[s->set->layers - 1], scale = 2.0f / (float)rows;
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    float d = p[r] - s->target[index[r]];
    sum += (double)(d * d);
    p[r] = d * scale;
  }
  s->loss += sum;
}

/* y[last] holds the gradient of the last layer's sums; below, dy is made from the layer above. */
static void backward(net *s, const float *x, int rows) {
  float *d = s->y[s->set->layers - 1];
  for (int i = s->set->layers - 1; i >= 0; i--) {
    int in = s->set->width[i], out = s->set->width[i + 1];
    nn_gemm_tn(&s->gemm, in, out, rows, i ? s->y[i - 1] : x, in, d, out, 0,
               s->g + (s->weight[i] - s->w), out);
    s->k->sum_rows(s->g + (s->bias[i] - s->w), d, 0, (size_t)rows, (size_t)out);
    if (!i) break;
    nn_gemm_nt(&s->gemm, rows, in, out, d, out, s->weight[i], out, 0, s->d[i - 1], in);
    s->k->relu_grad(s->d[i - 1], s->d[i - 1], s->y[i - 1], 0, (size_t)rows * (size_t)in);
    d = s->d[i - 1];
  }
}

typedef struct rows_job {
  net *s;
  const int32_t *index;
  int rows;
} rows_job;

#define GATHER 16 /* rows a chunk */

static void gather_chunk(void *arg, int64_t i) {
  const rows_job *j = arg;
  int n = j->s->set->width[0], from = (int)i * GATHER;
  int rows = j->rows - from < GATHER ? j->rows - from : GATHER;
  j->s->k->gather_rows(j->s->batch + (size_t)from * (size_t)n, j->s->x, j->index + from,
                       (size_t)rows, (size_t)n);
}

static void gather(net *s, const int32_t *index, int rows) {
  rows_job j = {s, index, rows};
  if (rows * s->set->width[0] > 32768)
    nn_pool_run(s->pool, gather_chunk, &j, (rows + GATHER - 1) / GATHER);
  else
    s->k->gather_rows(s->batch, s->x, index, (size_t)rows, (size_t)s->set->width[0]);
}

static void step(net *s, const int32_t *index, int rows) {
  gather(s, index, rows);
  forward(s, s->batch, rows);
  if (s->set->softmax)
    softmax_loss(s, index, rows);
  else
    squared_loss(s, index, rows);
  backward(s, s->batch, rows);
  apply_gradients(s);
}

/* --- Epochs ---------------------------------------------------------------------------------- */

static void epoch(net *s, int limit) {
  int rows = s->set->rows, batch = s->set->batch;
  nn_rng rng = {1, 1, (uint64_t)++s->epochs};
  nn_rng_permutation(&rng, (size_t)rows, s->order);
  s->loss = 0, s->right = 0;
  for (int at = 0, n = 0; at < rows && n < limit; at += batch, n++)
    (s->tiny ? tiny_step : step)(s, s->order + at, rows - at < batch ? rows - at : batch);
}

static double train(net *s, int epochs, int limit) {
  double start = now();
  for (int i = 0; i < epochs; i++) epoch(s, limit);
  return now() - start;
}

/* --- Choosing -------------------------------------------------------------------------------- */

static void choose(net *s, int threads, int backend, int tiny) {
  nn_pool_resize(s->pool, threads, NULL);
  nn_gemm_set_backend(&s->gemm, backend ? NN_GEMM_OPENBLAS : NN_GEMM_NATIVE, NULL);
  net_reserve(s);
  s->tiny = tiny;
  snprintf(s->mode, sizeof s->mode, "%s, %d thread%s",
           tiny ? "one pass" : backend ? "OpenBLAS" : "native kernels", threads,
           threads > 1 ? "s" : "");
}

/* Seconds of something short, in the mode that is set. */
typedef double (*trial)(net *s);

static double trial_train(net *s) {
  double least = 1e9, start = now();
  do {
    double t = train(s, 1, 40);
    if (t < least) least = t;
  } while (now() - start < 0.05);
  return least;
}

static void choose_best(net *s, trial f) {
  int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), best_threads = 1, best_backend = 0;
  double least = 1e9;
  for (int mode = 0; mode < 4; mode++) {
    int threads = mode & 1 ? cpus : 1, backend = mode >> 1;
    choose(s, threads, backend, 0);
    f(s);
    double t = f(s);
    if (t < least) least = t, best_threads = threads, best_backend = backend;
  }
  choose(s, best_threads, best_backend, 0);
}

/* --- Commands -------------------------------------------------------------------------------- */

static int wait_for_round(void) {
  char line[64];
  return fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0;
}

static void ready(const net *s) {
  printf("{\"ready\":true,\"version\":\"C\",\"mode\":\"%s\"}\n", s->mode);
  fflush(stdout);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void serve_training(net *s, int one_pass) {
  if (one_pass)
    choose(s, 1, 0, 1);
  else
    choose_best(s, trial_train);
  for (ready(s); wait_for_round(); fflush(stdout)) {
    double t[1000], start = now();
    int n = 0;
    do {
      net_reset(s);
      t[n++] = train(s, s->set->epochs, 1 << 30);
    } while (now() - start < 0.2 && n < 1000);
    qsort(t, (size_t)n, sizeof *t, by_value);
    printf("{\"seconds\":%.9f,\"loss\":%.9g,\"accuracy\":%.6f}\n", t[n / 2],
           s->loss / s->set->rows, (double)s->right / s->set->rows);
  }
}

static double trial_one(net *s) {
  double start = now();
  for (int i = 0; i < 200; i++) forward(s, s->x + i % 4 * s->set->width[0], 1);
  return now() - start;
}

static double trial_many(net *s) {
  double start = now();
  forward(s, s->x, s->set->rows < 1024 ? s->set->rows : 1024);
  return now() - start;
}

static void serve_inference(net *s) {
  char one[64];
  static double t[2000];
  choose_best(s, trial_one);
  snprintf(one, sizeof one, "%s", s->mode);
  int threads = nn_pool_threads(s->pool), blas = s->gemm.backend == NN_GEMM_OPENBLAS;
  choose_best(s, trial_many);
  int many_threads = nn_pool_threads(s->pool), many_blas = s->gemm.backend == NN_GEMM_OPENBLAS;
  for (ready(s); wait_for_round(); fflush(stdout)) {
    choose(s, threads, blas, 0);
    for (int i = 0; i < 2000; i++) {
      double start = now();
      forward(s, s->x, 1);
      t[i] = now() - start;
    }
    qsort(t, 2000, sizeof *t, by_value);
    double p50 = t[1000], p99 = t[1980];
    choose(s, many_threads, many_blas, 0);
    for (int i = 0; i < 20; i++) t[i] = trial_many(s);
    qsort(t, 20, sizeof *t, by_value);
    printf("{\"p50\":%.9f,\"p99\":%.9f,\"rows_a_second\":%.1f}\n", p50, p99,
           (s->set->rows < 1024 ? s->set->rows : 1024) / t[10]);
  }
}

/* Zeros through one step of W1's model: what a process costs before it has done anything. */
static void first_step(void) {
  static settings set = {.rows = 32, .batch = 32, .epochs = 1, .adam = 1, .softmax = 1,
                         .layers = 3, .width = {39, 5, 5, 2}};
  net s;
  net_empty(&s, &set);
  train(&s, 1, 1);
  puts("{\"step\":true}");
  fflush(stdout);
  getchar(); /* alive while its memory is read */
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "peak")) return peak();
  if (argc < 3) return 2;
  if (!strcmp(argv[2], "S1")) return first_step(), 0;
  static settings set;
  net s;
  int inference = !strcmp(argv[2], "I1");
  if (!net_load(&s, &set, argv[1], inference ? "W2" : argv[2])) {
    fprintf(stderr, "limit: cannot read %s from %s\n", argv[2], argv[1]);
    return 1;
  }
  if (inference)
    serve_inference(&s);
  else
    serve_training(&s, argc > 3 && tiny_fits(&s));
  return 0;
}
