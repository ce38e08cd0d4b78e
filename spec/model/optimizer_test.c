/* The optimizers: Keras's small fixtures, Adam against double precision, the same bits on every
 * instruction set and any number of threads, resuming, memory. Keras's own numbers for every rule
 * are in spec/optimizers_spec.lua.
 */
#include "model/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels.h"
#include "support/tap.h"

static const char *const kinds[] = {
    "SGD",    "RMSprop", "Adagrad", "Adadelta", "Adam",      "AdamW", "Adamax",
    "Nadam",  "Ftrl",    "Lion",    "Lamb",     "Adafactor", "Muon",  "ScheduleFreeAdamW",
};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static float noise(uint32_t *s) {
  *s = *s * 1664525u + 1013904223u;
  return (float)(int32_t)*s * 0x1p-31f;
}

/* --- one weight, as in the fixtures ---------------------------------------------------------- */

typedef struct setting {
  const char *name;
  double value;
} setting;

typedef struct rig {
  nn_alloc alloc;
  nn_pool *pool;
  nn_gemm gemm;
  nn_opt opt;
  float *w[8];
  int n;
} rig;

static void set_up(rig *r, const char *kind, const setting *s, int threads) {
  memset(r, 0, sizeof *r);
  nn_alloc_init(&r->alloc, NULL, NULL, 0);
  if (nn_pool_new(&r->alloc, threads, &r->pool, NULL) != NN_OK) abort();
  nn_gemm_init(&r->gemm, &r->alloc, r->pool);
  nn_gemm_set_backend(&r->gemm, NN_GEMM_NATIVE, NULL);
  if (nn_opt_init(&r->opt, kind, &r->alloc, r->pool, &r->gemm, NULL) != NN_OK) abort();
  for (; s && s->name; s++)
    if (nn_opt_set(&r->opt, s->name, s->value, NULL) != NN_OK) abort();
}

static nn_status add_variables(rig *r, int n, const nn_shape *shapes) {
  nn_opt_var vars[8];
  uint32_t seed = 7;
  r->n = n;
  for (int i = 0; i < n; i++) {
    size_t size = (size_t)nn_shape_size(&shapes[i]);
    r->w[i] = nn_mem_new(&r->alloc, (size + 16) * sizeof(float));
    for (size_t j = 0; j < size; j++) r->w[i][j] = noise(&seed);
    vars[i] = (nn_opt_var){r->w[i], shapes[i], i != 1, i == 3};
  }
  return nn_opt_build(&r->opt, n, vars, NULL);
}

static void tear_down(rig *r, const char *what) {
  nn_opt_clear(&r->opt);
  for (int i = 0; i < r->n; i++) nn_mem_free(&r->alloc, r->w[i]);
  nn_gemm_clear(&r->gemm);
  nn_pool_free(r->pool);
  if (r->alloc.used) tap_ok(0, "%s", what);
}

/* w after each gradient of the list. */
static void run_one(const setting *s, double lr, float w0, const float *g, int n, float *w,
                    float *average) {
  rig r;
  nn_shape one = {.dtype = NN_F32, .ndim = 1, .dim = {1}};
  set_up(&r, "SGD", s, 1);
  add_variables(&r, 1, &one);
  r.w[0][0] = w0;
  for (int i = 0; i < n; i++) {
    r.opt.seg[0].g[0] = g[i];
    nn_opt_step(&r.opt, lr);
    w[i] = r.w[0][0];
    if (average) average[i] = r.opt.seg[0].ema[0];
  }
  tear_down(&r, "memory of a fixture is given back");
}

static void fixtures(void) {
  float w[4], a[4];
  run_one((setting[]){{"use_ema", 1}, {"ema_momentum", 0.5}, {0}}, 1, 0,
          (float[]){-1, -1, -1}, 3, w, a);
  tap_ok(w[2] == 3 && a[0] == 1 && a[1] == 1.5f && a[2] == 2.25f, "the average follows");
  run_one((setting[]){{"gradient_accumulation_steps", 2}, {0}}, 1, 0, (float[]){-1, -2, -3, -4}, 4,
          w, NULL);
  tap_ok(w[0] == 0 && w[1] == 1.5f && w[2] == 1.5f && w[3] == 5, "gradients are accumulated");
  run_one((setting[]){{"weight_decay", 0.5}, {0}}, 0.1, 1, (float[]){1}, 1, w, NULL);
  tap_ok(fabsf(w[0] - 0.85f) < 1e-7f, "weights decay before the update");
  run_one((setting[]){{"loss_scale_factor", 4}, {0}}, 1, 0, (float[]){-8}, 1, w, NULL);
  tap_ok(w[0] == 2, "the loss scale is taken out");
  run_one((setting[]){{"clipvalue", 0.5}, {0}}, 1, 0, (float[]){-8, NAN}, 2, w, NULL);
  tap_ok(w[0] == 0.5f && isnan(w[1]), "values are clipped, NaN stays");
}

static void clipping(void) {
  const char *const names[] = {"clipnorm", "global_clipnorm"};
  nn_shape two = {.dtype = NN_F32, .ndim = 1, .dim = {2}};
  for (int k = 0; k < 2; k++) {
    rig r;
    set_up(&r, "SGD", (setting[]){{names[k], 1}, {0}}, 1);
    add_variables(&r, 1, &two);
    r.w[0][0] = r.w[0][1] = 0;
    r.opt.seg[0].g[0] = 3, r.opt.seg[0].g[1] = 4;
    nn_opt_step(&r.opt, 1);
    tap_ok(fabsf(r.w[0][0] + 0.6f) < 1e-6f && fabsf(r.w[0][1] + 0.8f) < 1e-6f, "%s", names[k]);
    tear_down(&r, "memory is given back");
  }
}

/* --- several variables ----------------------------------------------------------------------- */

static const nn_shape some[] = {
    {NN_F32, 2, {39, 5}},  {NN_F32, 1, {5}},     {NN_F32, 2, {7, 19}},
    {NN_F32, 2, {33, 9}},  {NN_F32, 3, {3, 4, 5}}, {NN_F32, 0, {0}},
};
static const nn_shape large[] = {{NN_F32, 2, {150, 130}}, {NN_F32, 1, {50021}}};

static void gradients(rig *r, uint32_t seed) {
  for (int i = 0; i < r->n; i++)
    for (size_t j = 0; j < r->opt.seg[i].n; j++) r->opt.seg[i].g[j] = noise(&seed);
}

static uint64_t hash(const rig *r) {
  uint64_t h = 1469598103934665603u;
  for (int i = 0; i < r->n; i++)
    for (size_t j = 0; j < r->opt.seg[i].n; j++) {
      uint32_t bits;
      memcpy(&bits, &r->w[i][j], 4);
      h = (h ^ bits) * 1099511628211u;
    }
  return h;
}

/* Which options are on, by number. */
static const setting options[][4] = {
    {{0}},
    {{"weight_decay", 0.01}, {"amsgrad", 1}, {"momentum", 0.9}, {0}},
    {{"clipnorm", 0.5}, {"use_ema", 1}, {"centered", 1}, {0}},
    {{"global_clipnorm", 1}, {"gradient_accumulation_steps", 3}, {"nesterov", 1}, {0}},
    {{"clipvalue", 0.3}, {"loss_scale_factor", 3}, {"learning_rate_power", -0.7}, {0}},
};
#define OPTIONS ((int)(sizeof options / sizeof *options))

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Gives the gradients of all matrices in pieces, which leaves nothing for the step to read. */
static int give_early(rig *r) {
  int given = 0;
  if (!nn_opt_takes(&r->opt)) return 0;
  nn_opt_begin(&r->opt, 0.01);
  for (int i = 0; i < r->n; i++) {
    nn_opt_seg *s = &r->opt.seg[i];
    const int64_t *d = s->shape.dim;
    if (s->shape.ndim != 2 || !s->has_grad) continue;
    for (int64_t row = 0; row < d[0]; row += 4)
      for (int64_t col = 0, n; col < d[1]; col += n) {
        n = least(col % 3 == 0 ? 37 : 2, d[1] - col);
        s->taker.take(s->taker.arg, row * d[1] + col, least(4, d[0] - row), n);
      }
    for (size_t j = 0; j < s->n; j++) s->g[j] = NAN;
    s->taker.taken = 1, given++;
  }
  return given;
}

static int early, given; /* whether `trained` gives gradients early, and how many it gave */

static uint64_t trained(const char *kind, int option, const char *isa, int threads, int n,
                        const nn_shape *shapes, int steps) {
  rig r;
  if (!nn_kernels_force(isa)) return 0;
  set_up(&r, kind, options[option], threads);
  add_variables(&r, n, shapes);
  r.opt.seg[n - 1].has_grad = 0;
  for (int s = 0; s < steps; s++) {
    if (s == 2) r.opt.seg[n - 1].has_grad = 1;
    gradients(&r, (uint32_t)s + 1);
    if (early) given += give_early(&r);
    nn_opt_step(&r.opt, 0.01);
  }
  uint64_t h = hash(&r);
  tear_down(&r, kind);
  nn_kernels_force(NULL);
  return h;
}

static void same_bits(void) {
  const char *const isas[] = {"avx512", "avx2", "neon"};
  for (int k = 0; k < KINDS; k++) {
    int good = 1;
    for (int o = 0; o < OPTIONS; o++) {
      uint64_t want = trained(kinds[k], o, "portable", 1, 6, some, 7);
      uint64_t big = trained(kinds[k], o, "portable", 1, 2, large, 3);
      for (int i = 0; i < 3; i++) {
        uint64_t h = trained(kinds[k], o, isas[i], 1, 6, some, 7);
        uint64_t b = trained(kinds[k], o, isas[i], 1 + i, 2, large, 3);
        good &= (h == 0 || h == want) && (b == 0 || b == big);
      }
      good &= trained(kinds[k], o, NULL, 4, 2, large, 3) == big;
    }
    tap_ok(good, "%s: same bits on every table and thread count", kinds[k]);
  }
}

static void same_bits_early(void) {
  const char *const isas[] = {"portable", "avx512", "avx2", "neon"};
  for (int k = 0; k < KINDS; k++) {
    int good = 1;
    given = 0;
    for (int o = 0; o < OPTIONS; o++)
      for (int i = 0; i < 4; i++) {
        early = 0;
        uint64_t want = trained(kinds[k], o, isas[i], 1, 6, some, 7);
        uint64_t big = trained(kinds[k], o, isas[i], 1, 2, large, 3);
        early = 1;
        good &= trained(kinds[k], o, isas[i], 1, 6, some, 7) == want;
        good &= trained(kinds[k], o, isas[i], 2, 2, large, 3) == big;
      }
    early = 0;
    int whole = !strcmp(kinds[k], "Lamb") || !strcmp(kinds[k], "Adafactor") ||
                !strcmp(kinds[k], "Muon");
    tap_ok(good && (given > 0) == !whole, "%s: same bits from gradients in pieces", kinds[k]);
  }
}

/* A run that is interrupted after `at` steps and goes on with another object has the same bits. */
static void resuming(void) {
  rig a, b;
  int good = 1;
  for (int at = 61; at < 68; at++) {
    set_up(&a, "Adam", NULL, 1), set_up(&b, "Adam", NULL, 1);
    add_variables(&a, 6, some), add_variables(&b, 6, some);
    for (int s = 0; s < 140; s++) {
      if (s == at) {
        for (int i = 0; i < 6; i++) {
          memcpy(b.w[i], a.w[i], a.opt.seg[i].n * sizeof(float));
          for (int k = 0; k < 2; k++)
            memcpy(b.opt.seg[i].slot[k], a.opt.seg[i].slot[k], a.opt.seg[i].n * sizeof(float));
        }
        b.opt.iterations = a.opt.iterations;
      }
      gradients(&a, (uint32_t)s), nn_opt_step(&a.opt, 0.01);
      if (s >= at) gradients(&b, (uint32_t)s), nn_opt_step(&b.opt, 0.01);
    }
    good &= hash(&a) == hash(&b);
    tear_down(&a, "memory"), tear_down(&b, "memory");
  }
  tap_ok(good, "a resumed Adam has the same bits");
}

/* Adam in double; the bound allows each of 300 steps (at most lr = 0.01 wide) an error of 1e-5 of
 * itself: 1 - beta_2^t is taken from a float, and loses digits while t is small. */
static void adam_in_double(void) {
  rig r;
  double m[33 * 9] = {0}, v[33 * 9] = {0}, w[33 * 9], worst = 0;
  set_up(&r, "Adam", NULL, 1);
  add_variables(&r, 1, &some[3]);
  for (int j = 0; j < 33 * 9; j++) w[j] = r.w[0][j];
  for (int s = 1; s <= 300; s++) {
    gradients(&r, (uint32_t)s);
    for (int j = 0; j < 33 * 9; j++) {
      double g = r.opt.seg[0].g[j];
      m[j] += (g - m[j]) * 0.1, v[j] += (g * g - v[j]) * 0.001;
      double mh = m[j] / (1 - pow(0.9, s)), vh = v[j] / (1 - pow(0.999, s));
      w[j] -= 0.01 * mh / (sqrt(vh) + 1e-7 / sqrt(1 - pow(0.999, s)));
    }
    nn_opt_step(&r.opt, 0.01);
  }
  for (int j = 0; j < 33 * 9; j++) worst = fmax(worst, fabs(w[j] - r.w[0][j]));
  tap_ok(worst < 300 * 0.01 * 1e-5, "Adam follows double precision");
  tear_down(&r, "memory");
}

/* --- memory and errors ----------------------------------------------------------------------- */

static void no_allocation(void) {
  int good = 1;
  for (int k = 0; k < KINDS; k++) {
    rig r;
    set_up(&r, kinds[k], options[2], 2);
    add_variables(&r, 6, some);
    gradients(&r, 1), nn_opt_step(&r.opt, 0.01);
    uint64_t count = r.alloc.count;
    gradients(&r, 2), nn_opt_step(&r.opt, 0.01);
    good &= r.alloc.count == count;
    tear_down(&r, kinds[k]);
  }
  tap_ok(good, "a step allocates nothing");
}

static void out_of_memory(void) {
  int refused = 0, built = 0;
  for (size_t limit = 8000; limit < 80000 && !built; limit += 1500) {
    rig r;
    nn_opt_var vars[6];
    set_up(&r, "Adam", NULL, 1);
    for (int i = 0; i < 6; i++) {
      r.w[i] = nn_mem_new(&r.alloc, ((size_t)nn_shape_size(&some[i]) + 16) * sizeof(float));
      vars[i] = (nn_opt_var){r.w[i], some[i], 1, 0};
    }
    r.n = 6, r.alloc.limit = r.alloc.used + limit;
    nn_status s = nn_opt_build(&r.opt, 6, vars, NULL);
    refused += s == NN_ERR_MEMORY, built += s == NN_OK;
    tear_down(&r, "memory of a refused build is given back");
  }
  tap_ok(refused > 0 && built == 1, "a build that finds no memory says so");
}

static void errors(void) {
  nn_alloc a;
  nn_error e;
  nn_opt o;
  nn_alloc_init(&a, NULL, NULL, 0);
  tap_ok(nn_opt_init(&o, "adamm", &a, NULL, NULL, &e) == NN_ERR_ARGUMENT, "an unknown kind");
  tap_ok(nn_opt_init(&o, "rmsPROP", &a, NULL, NULL, &e) == NN_OK && o.kind == NN_OPT_RMSPROP,
     "a kind in any case");
  tap_ok(nn_opt_set(&o, "rhoo", 1, &e) == NN_ERR_ARGUMENT, "an unknown hyperparameter");
  nn_opt_clear(&o);
}

int main(void) {
  fixtures();
  clipping();
  adam_in_double();
  resuming();
  same_bits();
  same_bits_early();
  no_allocation();
  out_of_memory();
  errors();
  return tap_done();
}
