/* A network's memory and its data, for limit.c. */
#include <math.h>
#include <string.h>

#include "limit_tiny.h"

static void *room(size_t bytes) {
  size_t size = (bytes + 127) / 64 * 64;
  void *p = aligned_alloc(64, size);
  if (!p) exit(1);
  memset(p, 0, size);
  return p;
}

static float *floats(size_t n) { return room(n * sizeof(float)); }

float adam_rate(net *s) {
  s->beta1 *= 0.9, s->beta2 *= 0.999;
  return (float)(0.001 * sqrt(1 - s->beta2) / (1 - s->beta1));
}

void net_reset(net *s) {
  memcpy(s->w, s->first, s->flat * sizeof(float));
  memset(s->m, 0, s->flat * sizeof(float));
  memset(s->v, 0, s->flat * sizeof(float));
  s->beta1 = s->beta2 = 1;
  s->epochs = s->tiny_ready = 0;
}

void net_reserve(net *s) {
  const settings *set = s->set;
  int rows = set->batch > 1024 ? set->batch : 1024;
  for (int i = 0; i < set->layers; i++) {
    int in = set->width[i], out = set->width[i + 1];
    nn_gemm_reserve(&s->gemm, rows, out, in, NULL);
    nn_gemm_reserve(&s->gemm, in, out, rows, NULL);
    nn_gemm_reserve(&s->gemm, rows, in, out, NULL);
  }
}

/* The layers' places in the flat vector, each at a multiple of 16. */
static void lay_out(net *s) {
  const settings *set = s->set;
  size_t at = 0, weight[MAX_LAYERS], bias[MAX_LAYERS];
  for (int i = 0; i < set->layers; i++) {
    weight[i] = at, at += ((size_t)set->width[i] * (size_t)set->width[i + 1] + 15) / 16 * 16;
    bias[i] = at, at += ((size_t)set->width[i + 1] + 15) / 16 * 16;
  }
  s->flat = at;
  s->w = floats(at), s->g = floats(at), s->m = floats(at), s->v = floats(at);
  s->first = floats(at);
  for (int i = 0; i < set->layers; i++) {
    s->weight[i] = s->w + weight[i];
    s->bias[i] = s->w + bias[i];
  }
}

/* batch: the rows that the buffers hold, 1024 where a forward pass of so many is wanted. */
static void net_new(net *s, const settings *set, size_t batch) {
  memset(s, 0, sizeof *s);
  s->set = set;
  s->k = nn_kernels_get();
  nn_alloc_init(&s->alloc, NULL, NULL, 0);
  if (nn_pool_new(&s->alloc, 1, &s->pool, NULL) != NN_OK) exit(1);
  nn_gemm_init(&s->gemm, &s->alloc, s->pool);
  lay_out(s);
  s->batch = floats((size_t)set->batch * (size_t)set->width[0]);
  for (int i = 0; i < set->layers; i++) {
    s->y[i] = floats(batch * (size_t)set->width[i + 1]);
    s->d[i] = floats((size_t)set->batch * (size_t)set->width[i + 1]);
  }
  s->order = room((size_t)set->rows * sizeof(int32_t));
  s->tiny_state = room(tiny_bytes());
  s->beta1 = s->beta2 = 1;
}

void net_empty(net *s, const settings *set) {
  net_new(s, set, (size_t)set->batch);
  s->x = floats((size_t)set->rows * (size_t)set->width[0]);
  s->target = floats((size_t)set->rows * (size_t)set->width[set->layers]);
  s->label = room((size_t)set->rows * sizeof(int32_t));
}

/* --- Files ----------------------------------------------------------------------------------- */

/* The n floats of a .npy file (version 1, little-endian float32, C order) into `out`. */
static int read_npy(const char *path, float *out, size_t n) {
  unsigned char head[10];
  FILE *f = fopen(path, "rb");
  if (!f) return 0;
  int ok = fread(head, 1, 10, f) == 10 && !memcmp(head, "\x93NUMPY\x01", 7) &&
           !fseek(f, head[8] + 256 * head[9], SEEK_CUR) && fread(out, sizeof *out, n, f) == n;
  fclose(f);
  return ok;
}

static int read_settings(settings *set, const char *path) {
  char optimizer[32], loss[32];
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  int n = fscanf(f, "%d %d %d %31s %31s", &set->rows, &set->batch, &set->epochs, optimizer, loss);
  if (n == 5) {
    set->adam = !strcmp(optimizer, "adam");
    set->softmax = !strcmp(loss, "softmax");
    for (n = 0; n <= MAX_LAYERS && fscanf(f, "%d", &set->width[n]) == 1;) n++;
    set->layers = n - 1;
  }
  fclose(f);
  return set->layers >= 1;
}

/* The class of each row from its one-hot row. */
static void find_labels(net *s) {
  int n = s->set->width[s->set->layers];
  for (int r = 0; r < s->set->rows; r++)
    for (int j = 0; j < n; j++)
      if (s->target[(size_t)r * (size_t)n + (size_t)j] > 0.5f) s->label[r] = j;
}

static int read_array(const char *folder, const char *name, const char *what, int i, float *out,
                      size_t n) {
  char path[4096], number[16] = "";
  if (i >= 0) snprintf(number, sizeof number, "%d", i + 1);
  snprintf(path, sizeof path, "%s/%s-%s%s.npy", folder, name, what, number);
  return read_npy(path, out, n);
}

int net_load(net *s, settings *set, const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.spec", folder, name);
  if (!read_settings(set, path)) return 0;
  net_new(s, set, set->batch > 1024 ? (size_t)set->batch : 1024);
  size_t rows = (size_t)set->rows, last = (size_t)set->width[set->layers];
  s->x = floats(rows * (size_t)set->width[0]);
  s->target = floats(rows * last);
  s->label = room(rows * sizeof(int32_t));
  int ok = read_array(folder, name, "x", -1, s->x, rows * (size_t)set->width[0]) &&
           read_array(folder, name, "y", -1, s->target, rows * last);
  for (int i = 0; ok && i < set->layers; i++) {
    size_t in = (size_t)set->width[i], out = (size_t)set->width[i + 1];
    ok = read_array(folder, name, "w", i, s->first + (s->weight[i] - s->w), in * out) &&
         read_array(folder, name, "b", i, s->first + (s->bias[i] - s->w), out);
  }
  if (ok && set->softmax) find_labels(s);
  net_reset(s);
  return ok;
}
