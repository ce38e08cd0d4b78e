/* One step: the numbers of the step in float32 as Keras computes them, then the passes over the
 * parts. Options that are off cost nothing: an Adam step of a small model is one call of a kernel.
 */
#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "model/optimizer_kernels.h"
#include "model/optimizer_matrix.h"

#define SMALL 65536 /* elements below which waking a thread costs more than it saves */
#define TINY 4096   /* elements below which 8 lanes beat 16: roots and divisions bound the loop */

const nn_opt_kernels *nn_opt_kernels_get(size_t flat) {
  static const nn_opt_kernels *const tables[NN_ISA_COUNT] = {
#if defined(__x86_64__)
      [NN_ISA_AVX512] = &nn_opt_kernels_avx512, [NN_ISA_AVX2] = &nn_opt_kernels_avx2,
#elif defined(__aarch64__)
      [NN_ISA_NEON] = &nn_opt_kernels_neon,
#endif
      [NN_ISA_PORTABLE] = &nn_opt_kernels_portable,
  };
  int isa = nn_isa_get();
#if defined(__x86_64__)
  if (isa == NN_ISA_AVX512 && flat < TINY) return &nn_opt_kernels_avx512y;
#else
  (void)flat;
#endif
  return tables[isa];
}

/* --- passes over the parts, on all threads --------------------------------------------------- */

typedef struct pass {
  nn_opt *o;
  nn_opt_kernel kernel;
  const nn_opt_coef *coef;
  const float *follow; /* the averages' momentum: they take the new weights from the cache */
  void (*each)(nn_opt *o, const nn_opt_part *p, float x); /* instead of a kernel */
  float x;
} pass;

static void average(nn_opt *o, const nn_opt_part *p, float m) {
  nn_opt_seg *s = &o->seg[p->seg];
  nn_opt_kernels_get(o->flat)->average(s->ema + p->at, s->w + p->at, m, p->n);
}

static void run_chunk(void *arg, int64_t chunk) {
  const pass *s = arg;
  nn_opt *o = s->o;
  int64_t a = o->chunk[chunk], b = o->chunk[chunk + 1];
  for (int64_t i = a; s->each && i < b; i++) s->each(o, &o->part[i], s->x);
  if (s->kernel) s->kernel(s->coef, o->seg, o->part + a, b - a);
  for (int64_t i = a; s->follow && i < b; i++) average(o, &o->part[i], *s->follow);
}

static void run_pass(pass *s) {
  nn_pool_run(s->o->flat < SMALL ? NULL : s->o->pool, run_chunk, s, s->o->n_chunk);
}

void nn_opt_run_kernel(nn_opt *o, nn_opt_kernel kernel, const nn_opt_coef *c) {
  if (o->flat < SMALL) kernel(c, o->seg, o->part, o->n_part);
  else run_pass(&(pass){.o = o, .kernel = kernel, .coef = c});
}

void nn_opt_run_each(nn_opt *o, void (*each)(nn_opt *o, const nn_opt_part *p, float x), float x) {
  run_pass(&(pass){.o = o, .each = each, .x = x});
}

static void sum_g(nn_opt *o, const nn_opt_part *p, float x) {
  (void)x;
  o->sums[p - o->part] = nn_kernels_get()->sum_squares(o->seg[p->seg].g + p->at, p->n);
}
static void sum_w(nn_opt *o, const nn_opt_part *p, float x) {
  (void)x;
  o->sums[p - o->part] = nn_kernels_get()->sum_squares(o->seg[p->seg].w + p->at, p->n);
}
void nn_opt_sum_gradients(nn_opt *o) { nn_opt_run_each(o, sum_g, 0); }
void nn_opt_sum_weights(nn_opt *o) { nn_opt_run_each(o, sum_w, 0); }

double nn_opt_next_sum(const nn_opt *o, int64_t *part, int seg) {
  double s = 0;
  for (; *part < o->n_part && o->part[*part].seg == seg; ++*part) s += o->sums[*part];
  return s;
}

/* --- steps 2 to 4 of Keras's order ----------------------------------------------------------- */

int64_t nn_opt_updates(const nn_opt *o) {
  double k = o->hyper.gradient_accumulation_steps;
  return k > 1 ? o->iterations / (int64_t)k : o->iterations;
}

static void add_up(nn_opt *o, const nn_opt_part *p, float scale) {
  nn_opt_seg *s = &o->seg[p->seg];
  if (s->has_grad) nn_kernels_get()->axpy(s->accumulator + p->at, scale, s->g + p->at, p->n);
}

/* g = (accumulator + scale g) / steps, accumulator = 0 */
static void give_back(nn_opt *o, const nn_opt_part *p, float scale) {
  nn_opt_seg *s = &o->seg[p->seg];
  float steps = (float)o->hyper.gradient_accumulation_steps;
  if (!s->has_grad) return;
  add_up(o, p, scale);
  for (size_t i = p->at; i < p->at + p->n; i++) s->g[i] = s->accumulator[i] / steps;
  memset(s->accumulator + p->at, 0, p->n * sizeof *s->g);
}

static void set_factors(nn_opt *o, float mul, float div) {
  for (int i = 0; i < o->n_seg; i++) o->seg[i].mul = mul, o->seg[i].div = div;
}

/* Sets each segment's factors; `div`: what the loss scale asks. */
static void clip_norms(nn_opt *o, float div) {
  const nn_opt_hyper *h = &o->hyper;
  float c = (float)(h->clipnorm > 0 ? h->clipnorm : h->global_clipnorm);
  double total = 0;
  int64_t part = 0;
  set_factors(o, 1, div);
  if (!(c > 0)) return;
  nn_opt_sum_gradients(o);
  for (int i = 0; i < o->n_seg; i++) {
    double s = nn_opt_next_sum(o, &part, i);
    float norm = sqrtf((float)s) / div;
    if (h->clipnorm > 0) o->seg[i].mul = c, o->seg[i].div = div * (norm <= c ? c : norm);
    if (o->seg[i].has_grad) total += s;
  }
  if (h->clipnorm > 0) return;
  float norm = sqrtf((float)total) / div;
  set_factors(o, c * fminf(1 / norm, 1 / c) + (norm - norm), div);
}

/* --- step 6: the rule and its numbers -------------------------------------------------------- */

static double power_from(double base, int64_t t) {
  double y = 1;
  for (; t > 0; t >>= 1, base *= base)
    if (t & 1) y *= base;
  return y;
}

/* base^t in float32 (the base rounded first, as Keras has it). Every 64th power is computed by
 * squaring, those between by multiplying on. */
static float power(nn_opt_power *p, double b, int64_t t) {
  double base = (float)b;
  if (p->base != base || t != p->t + 1 || t % 64 == 0) {
    p->value = power_from(base, t / 64 * 64);
    for (int64_t i = 0; i < t % 64; i++) p->value *= base;
  } else {
    p->value *= base;
  }
  p->base = base, p->t = t;
  return (float)p->value;
}

static void adam_numbers(nn_opt *o, nn_opt_coef *c, double b1, double b2, int64_t t) {
  c->b1 = (float)(1 - b1), c->b2 = (float)(1 - b2);
  c->c[0] = 1 - power(&o->power[0], b1, t);
  c->c[1] = 1 - power(&o->power[1], b2, t);
  c->alpha = c->lr * sqrtf(c->c[1]) / c->c[0];
}

static void nadam_numbers(nn_opt *o, nn_opt_coef *c, int64_t t) {
  const float beta = (float)o->hyper.beta_1;
  float now = 1 - 0.5f * power(&o->power[2], 0.96, t);
  float next = beta * (1 - 0.5f * (float)power_from(0.96f, t + 1));
  o->scalar = o->scalar * beta * now;
  adam_numbers(o, c, o->hyper.beta_1, o->hyper.beta_2, t);
  c->b1 = 1 - beta, c->b2 = 1 - (float)o->hyper.beta_2; /* Keras rounds the betas first here */
  c->c[4] = c->c[1];
  c->c[0] = next, c->c[1] = 1 - o->scalar * next;
  c->c[2] = 1 - beta * now, c->c[3] = 1 - o->scalar;
}

static void free_numbers(nn_opt *o, nn_opt_coef *c, int64_t t) {
  const nn_opt_hyper *h = &o->hyper;
  adam_numbers(o, c, h->beta_1, h->beta_2, t);
  if (h->warmup_steps > 0) c->lr *= fminf((float)t / (float)h->warmup_steps, 1);
  c->c[0] = (float)h->beta_1, c->b1 = 1 - c->c[0], c->b2 = 1 - (float)h->beta_2;
  c->c[2] = 1 / (float)t, c->c[3] = 1 - c->c[2];
}

static nn_opt_rule ftrl_numbers(const nn_opt_hyper *h, nn_opt_coef *c) {
  c->power = -(double)(float)h->learning_rate_power;
  c->c[0] = 2 * (float)h->l2_shrinkage_regularization_strength;
  c->c[1] = (float)h->l1_regularization_strength;
  c->c[2] = 2 * ((float)h->l2_regularization_strength + (float)h->beta / (2 * c->lr));
  return c->power == 0.5 ? NN_RULE_FTRL : NN_RULE_FTRL_POWER;
}

static nn_opt_rule choose(nn_opt *o, nn_opt_coef *c, int64_t t) {
  const nn_opt_hyper *h = &o->hyper;
  c->mu = (float)h->momentum, c->eps = (float)h->epsilon;
  switch (o->kind) {
    case NN_OPT_SGD:
      if (h->momentum == 0) return NN_RULE_SGD;
      return h->nesterov != 0 ? NN_RULE_NESTEROV : NN_RULE_MOMENTUM;
    case NN_OPT_RMSPROP:
      c->c[0] = (float)h->rho, c->b2 = (float)(1 - h->rho);
      return (nn_opt_rule)(NN_RULE_RMSPROP + (h->momentum > 0) + 2 * (h->centered != 0));
    case NN_OPT_ADAGRAD: return NN_RULE_ADAGRAD;
    case NN_OPT_ADADELTA:
      c->c[0] = (float)h->rho, c->b2 = (float)(1 - h->rho);
      return NN_RULE_ADADELTA;
    case NN_OPT_ADAM:
      adam_numbers(o, c, h->beta_1, h->beta_2, t);
      return h->amsgrad != 0 ? NN_RULE_AMSGRAD : NN_RULE_ADAM;
    case NN_OPT_ADAMAX:
      adam_numbers(o, c, h->beta_1, h->beta_2, t);
      c->mu = (float)h->beta_2;
      return NN_RULE_ADAMAX;
    case NN_OPT_NADAM: nadam_numbers(o, c, t); return NN_RULE_NADAM;
    case NN_OPT_FTRL: return ftrl_numbers(h, c);
    case NN_OPT_LION:
      c->c[0] = (float)h->beta_1, c->b1 = 1 - c->c[0];
      c->mu = (float)h->beta_2, c->b2 = 1 - c->mu;
      return NN_RULE_LION;
    case NN_OPT_LAMB: adam_numbers(o, c, h->beta_1, h->beta_2, t); return NN_RULE_LAMB;
    case NN_OPT_MUON:
      c->c[0] = (float)(h->momentum - 1), c->c[1] = h->nesterov != 0;
      return NN_RULE_MUON;
    case NN_OPT_SCHEDULE_FREE: free_numbers(o, c, t); return NN_RULE_SCHEDULE_FREE;
    default: return NN_RULE_PREPARE; /* Adafactor */
  }
}

/* Variables that Muon leaves to Adam have Adam's numbers. */
static void step_muon(nn_opt *o, const nn_opt_kernels *k, const nn_opt_coef *c, nn_opt_form form,
                      int64_t t) {
  const nn_opt_hyper *h = &o->hyper;
  nn_opt_coef adam = *c;
  adam.lr *= (float)h->adam_lr_ratio;
  adam_numbers(o, &adam, h->adam_beta_1, h->adam_beta_2, t);
  nn_opt_run_muon(o, k, c, &adam, form);
}

static nn_opt_form form_of(const nn_opt *o, const nn_opt_coef *c, float div) {
  const nn_opt_hyper *h = &o->hyper;
  if (div != 1 || h->clipnorm > 0 || h->global_clipnorm > 0 || h->clipvalue > 0)
    return NN_FORM_FULL;
  return c->decay[0] != 0 || c->decay[1] != 0 ? NN_FORM_DECAY : NN_FORM_PLAIN;
}

static float average_momentum(const nn_opt *o) {
  return nn_opt_updates(o) == 0 ? 0 : (float)o->hyper.ema_momentum;
}

/* The numbers of steps 4 and 6. The gradients still lack the division by `div`. */
static void find_numbers(nn_opt *o, double lr, float div) {
  const nn_opt_hyper *h = &o->hyper;
  nn_opt_numbers *now = o->now;
  nn_opt_coef *c = &now->coef;
  *c = (nn_opt_coef){.lr = (float)lr, .clip = INFINITY, .decay_lr = (float)lr};
  if (h->clipvalue > 0) c->clip = (float)h->clipvalue;
  c->decay[0] = (float)h->weight_decay;
  c->decay[1] = o->kind == NN_OPT_MUON ? (float)h->adam_weight_decay : 0;
  now->form = form_of(o, c, div);
  if (now->form == NN_FORM_FULL) clip_norms(o, div);
  now->rule = choose(o, c, nn_opt_updates(o) + 1);
  now->kernel = nn_opt_kernels_get(o->flat)->rule[now->form][now->rule];
}

static int is_elementwise(const nn_opt *o) {
  return o->kind != NN_OPT_MUON && o->kind != NN_OPT_LAMB && o->kind != NN_OPT_ADAFACTOR;
}

/* Steps 4 to 6. 1: the averages have followed. */
static int update(nn_opt *o) {
  const nn_opt_numbers *now = o->now;
  const nn_opt_kernels *k = nn_opt_kernels_get(o->flat);
  int64_t t = nn_opt_updates(o) + 1;
  if (is_elementwise(o) && o->hyper.use_ema != 0) {
    float m = average_momentum(o);
    run_pass(&(pass){.o = o, .kernel = now->kernel, .coef = &now->coef, .follow = &m});
    return 1;
  }
  if (o->kind == NN_OPT_MUON) step_muon(o, k, &now->coef, now->form, t);
  else if (now->rule != NN_RULE_PREPARE || now->form != NN_FORM_PLAIN)
    nn_opt_run_kernel(o, now->kernel, &now->coef);
  if (o->kind == NN_OPT_LAMB) nn_opt_finish_lamb(o, now->coef.lr);
  if (o->kind == NN_OPT_ADAFACTOR) nn_opt_run_adafactor(o, k, now->coef.lr, t);
  return 0;
}

/* --- parts of gradients that come early ------------------------------------------------------- */

static float loss_scale(const nn_opt *o) {
  return o->hyper.loss_scale_factor > 0 ? (float)o->hyper.loss_scale_factor : 1;
}

int nn_opt_takes(const nn_opt *o) {
  const nn_opt_hyper *h = &o->hyper;
  return is_elementwise(o) && h->use_ema == 0 && !(h->clipnorm > 0) && !(h->global_clipnorm > 0) &&
         !(h->gradient_accumulation_steps > 1);
}

static void take_part(void *arg, int64_t at, int64_t rows, int64_t cols) {
  nn_opt_seg *s = arg;
  nn_opt *o = s->owner;
  nn_opt_part part = {(int)(s - o->seg), (size_t)at, (size_t)cols, (size_t)rows,
                      (size_t)s->shape.dim[1]};
  o->now->kernel(&o->now->coef, o->seg, &part, 1);
}

void nn_opt_begin(nn_opt *o, double learning_rate) {
  find_numbers(o, learning_rate, loss_scale(o));
  for (int i = 0; i < o->n_seg; i++) {
    nn_opt_seg *s = &o->seg[i];
    s->taker = (nn_gemm_taker){.take = take_part, .arg = s, .beside = {s->w}, .n_beside = 1};
    for (int k = 0; k < 2 && s->slot[k]; k++) s->taker.beside[s->taker.n_beside++] = s->slot[k];
  }
  o->begun = 1;
}

/* --- step 7 ---------------------------------------------------------------------------------- */

static void overwrite(nn_opt *o, const nn_opt_part *p, float x) {
  (void)x;
  nn_opt_seg *s = &o->seg[p->seg];
  memcpy(s->w + p->at, s->ema + p->at, p->n * sizeof *s->w);
}

static void follow(nn_opt *o, int followed) {
  int64_t t = nn_opt_updates(o), every = (int64_t)o->hyper.ema_overwrite_frequency;
  if (!followed) nn_opt_run_each(o, average, average_momentum(o));
  if (every > 0 && (t + 1) % every == 0) nn_opt_run_each(o, overwrite, 0);
}

void nn_opt_step(nn_opt *o, double learning_rate) {
  const nn_opt_hyper *h = &o->hyper;
  float div = loss_scale(o);
  int64_t every = (int64_t)h->gradient_accumulation_steps;
  int followed = 0;
  if (every > 1 && (o->iterations + 1) % every != 0) {
    nn_opt_run_each(o, add_up, 1 / div);
  } else {
    if (every > 1) nn_opt_run_each(o, give_back, 1 / div);
    if (!o->begun) find_numbers(o, learning_rate, every > 1 ? 1 : div);
    followed = update(o);
  }
  for (int i = 0; o->begun && i < o->n_seg; i++) o->seg[i].taker.taken = 0;
  o->begun = 0;
  if (h->use_ema != 0) follow(o, followed);
  o->iterations++;
}
