/* Making an optimizer: names, defaults, the arena. The step is in optimizer_step.c. */
#include "model/optimizer_kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define PART 16384 /* elements of a part, and of a chunk of small ones: a few microseconds' work */
#define PAD(n) (((n) + 15) & ~(size_t)15)
#define STAGGER 80 /* floats between the blocks, so that equal places do not share a cache set */
/* Elements from which on taking gradients in pieces pays (5 to 9 % of a step): weights, gradients
 * and slots then exceed the caches, and a pass over them at the end waits for memory. */
#define MANY 2500000
#define PAGE 1024 /* floats: addresses that differ by as much meet in the first-level cache */

/* --- names ----------------------------------------------------------------------------------- */

typedef struct kind_row {
  const char *name;
  nn_opt_kind kind;
} kind_row;

static const kind_row kinds[] = {
    {"sgd", NN_OPT_SGD},           {"rmsprop", NN_OPT_RMSPROP},
    {"adagrad", NN_OPT_ADAGRAD},   {"adadelta", NN_OPT_ADADELTA},
    {"adam", NN_OPT_ADAM},         {"adamw", NN_OPT_ADAM},
    {"adamax", NN_OPT_ADAMAX},     {"nadam", NN_OPT_NADAM},
    {"ftrl", NN_OPT_FTRL},         {"lion", NN_OPT_LION},
    {"lamb", NN_OPT_LAMB},         {"adafactor", NN_OPT_ADAFACTOR},
    {"muon", NN_OPT_MUON},         {"schedulefreeadamw", NN_OPT_SCHEDULE_FREE},
};

typedef struct hyper_row {
  const char *name;
  size_t offset;
} hyper_row;

#define ROW(field) {#field, offsetof(nn_opt_hyper, field)}
static const hyper_row hypers[] = {
    ROW(momentum), ROW(rho), ROW(beta_1), ROW(beta_2), ROW(epsilon),
    ROW(initial_accumulator_value), ROW(learning_rate_power), ROW(l1_regularization_strength),
    ROW(l2_regularization_strength), ROW(l2_shrinkage_regularization_strength), ROW(beta),
    ROW(beta_2_decay), ROW(epsilon_1), ROW(epsilon_2), ROW(clip_threshold), ROW(adam_beta_1),
    ROW(adam_beta_2), ROW(adam_weight_decay), ROW(adam_lr_ratio), ROW(muon_a), ROW(muon_b),
    ROW(muon_c), ROW(rms_rate), ROW(warmup_steps), ROW(nesterov), ROW(centered), ROW(amsgrad),
    ROW(ns_steps), ROW(weight_decay), ROW(clipnorm), ROW(clipvalue),
    ROW(global_clipnorm), ROW(use_ema), ROW(ema_momentum), ROW(ema_overwrite_frequency),
    ROW(loss_scale_factor), ROW(gradient_accumulation_steps),
};

static int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int same_name(const char *a, const char *b) {
  while (*a && lower(*a) == lower(*b)) a++, b++;
  return lower(*a) == lower(*b);
}

static void set_defaults(nn_opt_hyper *h, nn_opt_kind kind, int adamw) {
  *h = (nn_opt_hyper){.beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, .rho = 0.9,
                      .initial_accumulator_value = 0.1, .learning_rate_power = -0.5,
                      .beta_2_decay = -0.8, .epsilon_1 = 1e-30, .epsilon_2 = 1e-3,
                      .clip_threshold = 1, .adam_beta_1 = 0.9,
                      .adam_beta_2 = 0.999, .adam_weight_decay = 0.004, .adam_lr_ratio = 1,
                      .muon_a = 3.4445, .muon_b = -4.775, .muon_c = 2.0315, .rms_rate = 0.2,
                      .nesterov = kind == NN_OPT_MUON, .ns_steps = 5, .ema_momentum = 0.99};
  if (kind == NN_OPT_ADADELTA) h->rho = 0.95;
  if (kind == NN_OPT_LION) h->beta_2 = 0.99;
  if (kind == NN_OPT_MUON) h->momentum = 0.95;
  if (kind == NN_OPT_MUON || adamw) h->weight_decay = 0.004;
  if (kind == NN_OPT_SCHEDULE_FREE) h->epsilon = 1e-8;
}

nn_status nn_opt_init(nn_opt *o, const char *kind, nn_alloc *a, nn_pool *p, nn_gemm *g,
                      nn_error *e) {
  memset(o, 0, sizeof *o);
  o->alloc = a, o->pool = p, o->gemm = g;
  o->scalar = 1;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!same_name(kind, kinds[i].name)) continue;
    o->kind = kinds[i].kind;
    set_defaults(&o->hyper, o->kind, same_name(kind, "adamw"));
    return NN_OK;
  }
  return nn_fail(e, NN_ERR_ARGUMENT, "optimizer: unknown kind '%.40s'", kind);
}

nn_status nn_opt_set(nn_opt *o, const char *name, double value, nn_error *e) {
  for (size_t i = 0; i < sizeof hypers / sizeof *hypers; i++) {
    if (strcmp(name, hypers[i].name) != 0) continue;
    memcpy((char *)&o->hyper + hypers[i].offset, &value, sizeof value);
    return NN_OK;
  }
  return nn_fail(e, NN_ERR_ARGUMENT, "optimizer: unknown hyperparameter '%.40s'", name);
}

/* --- slots ----------------------------------------------------------------------------------- */

/* How many elements slot i of this segment has: 0 where the rule has none. */
static size_t slot_size(const nn_opt *o, const nn_opt_seg *s, int i) {
  const nn_opt_hyper *h = &o->hyper;
  const int nd = s->shape.ndim;
  int has = 0;
  switch (o->kind) {
    case NN_OPT_SGD: has = i == 0 && h->momentum != 0; break;
    case NN_OPT_RMSPROP:
      has = i == 0 || (i == 1 && h->momentum > 0) || (i == 2 && h->centered != 0);
      break;
    case NN_OPT_ADAGRAD:
    case NN_OPT_LION: has = i == 0; break;
    case NN_OPT_ADAM: has = i < 2 || (i == 2 && h->amsgrad != 0); break;
    case NN_OPT_MUON: has = i == 0 || (i == 1 && s->alt); break;
    case NN_OPT_ADAFACTOR:
      if (i < 2 && nd < 2) return 1; /* Keras keeps an unused scalar */
      if (i < 2) return s->n / (size_t)(s->n ? s->shape.dim[i == 0 ? nd - 1 : nd - 2] : 1);
      has = i == 2;
      break;
    default: has = i < 2; break;
  }
  return has ? s->n : 0;
}

static void fill(float *x, float v, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = v;
}

static void start_slots(const nn_opt *o, nn_opt_seg *s) {
  if (o->kind == NN_OPT_ADAGRAD || o->kind == NN_OPT_FTRL)
    fill(s->slot[0], (float)o->hyper.initial_accumulator_value, PAD(s->n));
  if (o->kind == NN_OPT_SCHEDULE_FREE) memcpy(s->slot[0], s->w, s->n * sizeof *s->w);
}

/* --- the arena ------------------------------------------------------------------------------- */

/* Gives the next n floats of the arena, padded; with base NULL it only counts. */
static float *take(float *base, size_t *at, size_t n) {
  float *p = base ? base + *at : NULL;
  *at = nn_size_add(*at, PAD(n));
  return p;
}

/* The next n floats for a variable's own array, number `which` of 1 to 4. Where gradients come in
 * pieces, it begins an eighth of a page further than the weights and than the others: pieces that
 * are used together then do not meet, where loads would wait for stores to another array (up to 5
 * times as slow). */
static float *take_apart(const nn_opt *o, const nn_opt_seg *s, float *base, size_t *at, size_t n,
                         int which) {
  if (o->pieces && !base) *at = nn_size_add(*at, PAGE);
  if (o->pieces && base) {
    size_t here = (uintptr_t)(base + *at) / sizeof(float), w = (uintptr_t)s->w / sizeof(float);
    *at += (w + (size_t)which * (PAGE / 8) - here) % PAGE / 16 * 16;
  }
  return take(base, at, n);
}

static int muon_rank(const nn_opt_seg *s) { return s->shape.ndim == 2 && !s->alt; }

/* Floats that a variable's rule wants: Newton-Schulz two small squares and a copy of the matrix,
 * Adafactor the sums of rows and columns. */
static size_t scratch_of(const nn_opt *o, const nn_opt_seg *s) {
  const int64_t *d = s->shape.dim;
  if (o->kind == NN_OPT_ADAFACTOR && s->shape.ndim >= 2)
    return (size_t)(d[s->shape.ndim - 1] + d[s->shape.ndim - 2]);
  if (o->kind != NN_OPT_MUON || !muon_rank(s)) return 0;
  size_t k = (size_t)(d[0] < d[1] ? d[0] : d[1]);
  return nn_size_add(nn_size_mul(2, PAD(nn_size_mul(k, k))), PAD(s->n));
}

static size_t scratch_size(const nn_opt *o) {
  size_t most = 0;
  for (int i = 0; i < o->n_seg; i++) {
    size_t want = scratch_of(o, &o->seg[i]);
    most = want > most ? want : most;
  }
  return most;
}

/* Lays everything out; called with base NULL for the size, then with the arena. */
static size_t lay_out(nn_opt *o, float *base) {
  size_t at = 0;
  const nn_opt_hyper *h = &o->hyper;
  for (int i = 0; i < o->n_seg; i++) {
    nn_opt_seg *s = &o->seg[i];
    s->g = take_apart(o, s, base, &at, s->n, 4);
  }
  o->flat = at;
  at = nn_size_add(at, STAGGER);
  for (int k = 0; k < NN_OPT_SLOTS; k++) {
    for (int i = 0; i < o->n_seg; i++) {
      nn_opt_seg *s = &o->seg[i];
      s->slot_size[k] = slot_size(o, s, k);
      if (s->slot_size[k]) s->slot[k] = take_apart(o, s, base, &at, s->slot_size[k], k + 1);
    }
    at = nn_size_add(at, STAGGER);
  }
  for (int i = 0; i < o->n_seg; i++)
    if (h->use_ema != 0) o->seg[i].ema = take(base, &at, o->seg[i].n);
  at = nn_size_add(at, STAGGER);
  for (int i = 0; i < o->n_seg; i++)
    if (h->gradient_accumulation_steps > 1)
      o->seg[i].accumulator = take(base, &at, o->seg[i].n);
  at = nn_size_add(at, STAGGER);
  o->scratch = take(base, &at, scratch_size(o));
  return nn_size_add(at, 16);
}

static nn_status no_memory(nn_error *e) {
  return nn_fail(e, NN_ERR_MEMORY, "optimizer: not enough memory for its variables");
}

/* Cuts the segments into parts, and gathers small parts into chunks. */
static nn_status cut(nn_opt *o, nn_error *e) {
  size_t n = 0;
  for (int i = 0; i < o->n_seg; i++) n += (o->seg[i].n + PART - 1) / PART;
  o->part = nn_mem_new(o->alloc, nn_size_mul(n, sizeof *o->part));
  o->chunk = nn_mem_new(o->alloc, nn_size_mul(n + 1, sizeof *o->chunk));
  o->sums = nn_mem_new(o->alloc, nn_size_mul(n, sizeof *o->sums));
  if (!o->part || !o->chunk || !o->sums) return no_memory(e);
  size_t filled = 0;
  for (int i = 0; i < o->n_seg; i++) {
    for (size_t at = 0; at < o->seg[i].n; at += PART) {
      size_t left = o->seg[i].n - at, len = left < PART ? left : PART;
      if (o->n_part == 0 || filled + len > PART) o->chunk[o->n_chunk++] = o->n_part, filled = 0;
      o->part[o->n_part++] = (nn_opt_part){i, at, len, 1, 0};
      filled += len;
    }
  }
  o->chunk[o->n_chunk] = o->n_part;
  return NN_OK;
}

static nn_status reserve_products(nn_opt *o, nn_error *e) {
  for (int i = 0; o->kind == NN_OPT_MUON && i < o->n_seg; i++) {
    const nn_opt_seg *s = &o->seg[i];
    if (!muon_rank(s)) continue;
    if (!o->gemm) return nn_fail(e, NN_ERR_ARGUMENT, "Muon: matrix products are not available");
    int64_t r = s->shape.dim[0], c = s->shape.dim[1], k = r < c ? r : c;
    nn_status st = nn_gemm_reserve(o->gemm, k, k, r > c ? r : c, e);
    if (st == NN_OK) st = nn_gemm_reserve(o->gemm, r, c, k, e);
    if (st != NN_OK) return st;
  }
  return NN_OK;
}

nn_status nn_opt_build(nn_opt *o, int n, const nn_opt_var *vars, nn_error *e) {
  if (o->seg) return nn_fail(e, NN_ERR_ARGUMENT, "optimizer: it is already built");
  o->seg = nn_mem_new(o->alloc, nn_size_mul((size_t)n, sizeof *o->seg));
  if (!o->seg) return no_memory(e);
  o->n_seg = n;
  size_t total = 0;
  for (int i = 0; i < n; i++) {
    nn_opt_seg *s = &o->seg[i];
    s->w = vars[i].w, s->shape = vars[i].shape;
    s->n = (size_t)nn_shape_size(&s->shape);
    s->decay = vars[i].decay, s->alt = o->kind == NN_OPT_MUON && vars[i].alt;
    s->has_grad = 1, s->mul = s->div = 1;
    s->owner = o;
    total += s->n;
  }
  o->pieces = total >= MANY && nn_opt_takes(o);
  size_t bytes = nn_size_mul(lay_out(o, NULL), sizeof(float));
  o->arena = nn_mem_new(o->alloc, bytes);
  o->now = nn_mem_new(o->alloc, sizeof *o->now);
  if (!o->arena || !o->now) return no_memory(e);
  lay_out(o, o->arena);
  for (int i = 0; i < n; i++) start_slots(o, &o->seg[i]);
  nn_status s = cut(o, e);
  return s == NN_OK ? reserve_products(o, e) : s;
}

float *nn_opt_squares(nn_opt *o, int i) {
  const nn_opt_hyper *h = &o->hyper;
  nn_opt_seg *s = &o->seg[i];
  if (h->clipnorm > 0 || h->clipvalue > 0 || h->global_clipnorm > 0) return NULL;
  if (h->gradient_accumulation_steps > 1) return NULL;
  if (!s->squares) s->squares = nn_mem_new(o->alloc, nn_size_mul(PAD(s->n), sizeof(float)));
  return s->squares;
}

void nn_opt_clear(nn_opt *o) {
  if (!o->alloc) return;
  for (int i = 0; o->seg && i < o->n_seg; i++) nn_mem_free(o->alloc, o->seg[i].squares);
  nn_mem_free(o->alloc, o->seg);
  nn_mem_free(o->alloc, o->arena);
  nn_mem_free(o->alloc, o->part);
  nn_mem_free(o->alloc, o->chunk);
  nn_mem_free(o->alloc, o->sums);
  nn_mem_free(o->alloc, o->now);
  memset(o, 0, sizeof *o);
}
