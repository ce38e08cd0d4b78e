/* The rules lane by lane, compiled once an instruction set as one table NN_TABLE. Each operation of
 * Keras 3.15 (keras/src/optimizers) is one operation here, rounded alike and in the same order: no
 * multiply-add is fused, so that long runs stay on the numbers that Keras prints.
 *
 * A rule takes the constants k, the weights w, the gradient g and the slots at element i; it stores
 * the slots and gives the new weights. Slots are padded, so they are loaded and stored whole,
 * unless other rows lie behind: `lanes` is then fewer than VW.
 */
#define LOAD(s) load_some(slot[s] + i, lanes)
#define STORE(s, x) store_some(slot[s] + i, x, lanes)
#define K(name) v_set(k->name)
/* The gradient squared: summed place by place for an embedding (nn_opt_squares). */
#define SQUARE (slot[4] ? LOAD(4) : v_mul(g, g))
#define RULE_ARGS const nn_opt_coef *k, vf w, vf g, float *const *slot, size_t i, size_t lanes

NN_INLINE vf load_some(const float *p, size_t lanes) {
  return lanes == VW ? v_load(p) : v_load_n(p, lanes);
}
NN_INLINE void store_some(float *p, vf x, size_t lanes) {
  if (lanes == VW) v_store(p, x);
  else v_store_n(p, x, lanes);
}

/* a + (b - a) c */
NN_INLINE vf lerp(vf a, vf b, vf c) { return v_add(a, v_mul(v_sub(b, a), c)); }
/* keep a + other b */
NN_INLINE vf mix(vf keep, vf a, vf other, vf b) { return v_add(v_mul(keep, a), v_mul(other, b)); }

NN_INLINE vf sgd(RULE_ARGS) {
  (void)slot, (void)i, (void)lanes;
  return v_sub(w, v_mul(g, K(lr)));
}

NN_INLINE vf momentum(RULE_ARGS) {
  vf m = v_sub(v_mul(LOAD(0), K(mu)), v_mul(g, K(lr)));
  STORE(0, m);
  return v_add(w, m);
}

NN_INLINE vf nesterov(RULE_ARGS) {
  vf step = v_mul(g, K(lr)), m = v_sub(v_mul(LOAD(0), K(mu)), step);
  STORE(0, m);
  return v_add(w, v_sub(v_mul(m, K(mu)), step));
}

/* c[0] = rho */
NN_INLINE vf rms(RULE_ARGS, int with_m, int centered) {
  vf v = mix(K(c[0]), LOAD(0), K(b2), SQUARE), d = v;
  STORE(0, v);
  if (centered) {
    vf a = mix(K(c[0]), LOAD(2), K(b2), g);
    STORE(2, a);
    d = v_sub(v, v_mul(a, a));
  }
  vf step = v_div(v_mul(K(lr), g), v_sqrt(v_add(d, K(eps))));
  if (with_m) {
    step = v_add(v_mul(K(mu), LOAD(1)), step);
    STORE(1, step);
  }
  return v_sub(w, step);
}
NN_INLINE vf rmsprop(RULE_ARGS) { return rms(k, w, g, slot, i, lanes, 0, 0); }
NN_INLINE vf rmsprop_m(RULE_ARGS) { return rms(k, w, g, slot, i, lanes, 1, 0); }
NN_INLINE vf rmsprop_c(RULE_ARGS) { return rms(k, w, g, slot, i, lanes, 0, 1); }
NN_INLINE vf rmsprop_cm(RULE_ARGS) { return rms(k, w, g, slot, i, lanes, 1, 1); }

NN_INLINE vf adagrad(RULE_ARGS) {
  vf a = v_add(LOAD(0), SQUARE);
  STORE(0, a);
  return v_sub(w, v_div(v_mul(K(lr), g), v_sqrt(v_add(a, K(eps)))));
}

/* c[0] = rho */
NN_INLINE vf adadelta(RULE_ARGS) {
  vf a = mix(K(c[0]), LOAD(0), K(b2), SQUARE), d = LOAD(1);
  vf step = v_div(v_mul(v_sqrt(v_add(d, K(eps))), g), v_sqrt(v_add(a, K(eps))));
  STORE(0, a);
  STORE(1, mix(K(c[0]), d, K(b2), v_mul(step, step)));
  return v_sub(w, v_mul(K(lr), step));
}

/* alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t) */
NN_INLINE vf adam(RULE_ARGS) {
  vf m = lerp(LOAD(0), g, K(b1)), v = lerp(LOAD(1), SQUARE, K(b2));
  STORE(0, m);
  STORE(1, v);
  return v_sub(w, v_div(v_mul(m, K(alpha)), v_add(v_sqrt(v), K(eps))));
}
NN_INLINE vf amsgrad(RULE_ARGS) {
  vf m = lerp(LOAD(0), g, K(b1)), v = lerp(LOAD(1), SQUARE, K(b2));
  vf top = v_max(LOAD(2), v);
  STORE(0, m);
  STORE(1, v);
  STORE(2, top);
  return v_sub(w, v_div(v_mul(m, K(alpha)), v_add(v_sqrt(top), K(eps))));
}

/* c[0] = 1 - beta_1^t, mu = beta_2 */
NN_INLINE vf adamax(RULE_ARGS) {
  vf m = lerp(LOAD(0), g, K(b1)), u = v_max(v_mul(K(mu), LOAD(1)), v_abs(g));
  STORE(0, m);
  STORE(1, u);
  return v_sub(w, v_div(v_mul(K(lr), m), v_mul(K(c[0]), v_add(u, K(eps)))));
}

/* c: u_{t+1}, 1 - P u_{t+1}, 1 - u_t, 1 - P, 1 - beta_2^t */
NN_INLINE vf nadam(RULE_ARGS) {
  vf m = lerp(LOAD(0), g, K(b1)), v = lerp(LOAD(1), SQUARE, K(b2));
  STORE(0, m);
  STORE(1, v);
  vf hat = v_add(v_div(v_mul(K(c[0]), m), K(c[1])), v_div(v_mul(K(c[2]), g), K(c[3])));
  return v_sub(w, v_div(v_mul(hat, K(lr)), v_add(v_sqrt(v_div(v, K(c[4]))), K(eps))));
}

/* x^p in double, rounded: z subtracts two such powers that are nearly equal. */
static vf v_pow(vf x, double p) {
  float t[VW];
  v_store(t, x);
  for (int j = 0; j < VW; j++) t[j] = (float)nn_pow(t[j], p);
  return v_load(t);
}
/* c: 2 shrinkage, l1, 2 L2 */
NN_INLINE vf ftrl_any(RULE_ARGS, int root) {
  vf old = LOAD(0), now = v_add(old, SQUARE), l1 = K(c[1]);
  vf po = root ? v_sqrt(old) : v_pow(old, k->power);
  vf pn = root ? v_sqrt(now) : v_pow(now, k->power);
  vf change = v_sub(v_add(g, v_mul(K(c[0]), w)), v_mul(v_div(v_sub(pn, po), K(lr)), w));
  vf z = v_add(LOAD(1), change), q = v_add(v_div(pn, K(lr)), K(c[2]));
  STORE(0, now);
  STORE(1, z);
  return v_div(v_sub(v_max(v_neg(l1), v_min(l1, z)), z), q);
}
NN_INLINE vf ftrl(RULE_ARGS) { return ftrl_any(k, w, g, slot, i, lanes, 1); }
NN_INLINE vf ftrl_power(RULE_ARGS) { return ftrl_any(k, w, g, slot, i, lanes, 0); }

/* c[0] = beta_1, mu = beta_2 */
NN_INLINE vf lion(RULE_ARGS) {
  vf m = LOAD(0), d = mix(K(c[0]), m, K(b1), g);
  STORE(0, mix(K(mu), m, K(b2), g));
  vf sign = v_sel(v_eq(d, v_zero()), v_zero(), v_with_sign(v_set(1), d));
  return v_sub(w, v_mul(K(lr), v_sel(v_isnan(d), d, sign)));
}

/* c: beta_1, 1 - beta_2^t, 1 / t, 1 - 1 / t; slot 0 is z. The weights are
 * y = (1 - beta_1) z + beta_1 x; x is found again from y. Keras on TensorFlow reads z for that
 * after its update, and so does this. */
NN_INLINE vf schedule_free(RULE_ARGS) {
  vf z = LOAD(0), v = lerp(LOAD(1), SQUARE, K(b2));
  z = v_sub(z, v_div(v_mul(K(lr), g), v_add(v_sqrt(v_div(v, K(c[1]))), K(eps))));
  vf x = v_div(v_sub(w, v_mul(K(b1), z)), K(c[0]));
  STORE(0, z);
  STORE(1, v);
  return mix(K(b1), z, K(c[0]), mix(K(c[3]), x, K(c[2]), z));
}

/* c: 1 - beta_1^t, 1 - beta_2^t. The direction replaces the gradient (slot[3]). */
NN_INLINE vf lamb(RULE_ARGS) {
  vf m = lerp(LOAD(0), g, K(b1)), v = lerp(LOAD(1), SQUARE, K(b2));
  STORE(0, m);
  STORE(1, v);
  STORE(3, v_div(v_div(m, K(c[0])), v_add(v_sqrt(v_div(v, K(c[1]))), K(eps))));
  return w;
}

/* mu = momentum, c[0] = momentum - 1, c[1] = 1: Nesterov's. The direction replaces the gradient. */
NN_INLINE vf muon(RULE_ARGS) {
  vf m = LOAD(0);
  m = v_add(m, v_add(g, v_mul(m, K(c[0]))));
  STORE(0, m);
  STORE(3, v_sel(v_lt(v_zero(), K(c[1])), v_add(g, v_mul(K(mu), m)), m));
  return w;
}

NN_INLINE vf prepare(RULE_ARGS) {
  (void)k;
  STORE(3, g);
  return w;
}

/* g * mul / div, clipped; NaN stays NaN. */
NN_INLINE vf adjust(const nn_opt_coef *k, vf g, vf mul, vf div) {
  g = v_div(v_mul(g, mul), div);
  return v_max(v_neg(K(clip)), v_min(K(clip), g));
}

enum { PLAIN, DECAY, FULL };

/* Elements i .. of a run: `mine` of them are its own, `lanes` may be touched beside the weights. */
#define LANES(rule, form, mine, lanes)                                                         \
  {                                                                                            \
    vf x = load_some(w + i, mine), g = load_some(slot[3] + i, lanes);                          \
    if (form == FULL) g = adjust(k, g, mul, div);                                              \
    if (form != PLAIN) x = v_sub(x, v_mul(v_mul(x, decay), K(decay_lr)));                      \
    store_some(w + i, rule(k, x, g, slot, i, lanes), mine);                                    \
  }

/* The loop of a rule with n_slot slots; slot[3] is the gradient, for those that replace it. */
#define LOOP(rule, n_slot, form)                                                               \
  const nn_opt_coef *k = c;                                                                    \
  for (int64_t p = 0; p < n_part; p++) {                                                       \
    const nn_opt_seg *s = seg + part[p].seg;                                                   \
    const size_t n = part[p].n, last = part[p].rows > 1 ? n % VW : VW;                         \
    if (!s->has_grad || s->taker.taken) continue;                                              \
    vf mul = v_set(s->mul), div = v_set(s->div), decay = v_set(s->decay ? k->decay[s->alt] : 0); \
    for (size_t r = 0, at = part[p].at; r < part[p].rows; r++, at += part[p].ld) {             \
      float *w = s->w + at, *slot[5] = {0, 0, 0, s->g + at, 0};                                \
      if (s->by_squares && form != FULL) slot[4] = s->squares + at;                            \
      for (int j = 0; j < n_slot; j++)                                                         \
        if (s->slot[j]) slot[j] = s->slot[j] + at;                                             \
      size_t i = 0;                                                                            \
      for (; i + VW <= n; i += VW) LANES(rule, form, VW, VW)                                   \
      if (i < n) LANES(rule, form, n - i, last)                                                \
    }                                                                                          \
  }

#define FORM(rule, n_slot, name, form)                                                         \
  static void rule##name(const nn_opt_coef *c, const nn_opt_seg *seg, const nn_opt_part *part, \
                         int64_t n_part) {                                                     \
    LOOP(rule, n_slot, form)                                                                   \
  }
#define RULE(rule, n_slot)            \
  FORM(rule, n_slot, _plain, PLAIN)   \
  FORM(rule, n_slot, _decay, DECAY)   \
  FORM(rule, n_slot, _full, FULL)

RULE(sgd, 0)
RULE(momentum, 1)
RULE(nesterov, 1)
RULE(rmsprop, 1)
RULE(rmsprop_m, 2)
RULE(rmsprop_c, 3)
RULE(rmsprop_cm, 3)
RULE(adagrad, 1)
RULE(adadelta, 2)
RULE(adam, 2)
RULE(amsgrad, 3)
RULE(adamax, 2)
RULE(nadam, 2)
RULE(ftrl, 2)
RULE(ftrl_power, 2)
RULE(lion, 1)
RULE(schedule_free, 2)
RULE(lamb, 2)
RULE(muon, 1)
RULE(prepare, 0)

static void average(float *ema, const float *w, float m, size_t n) {
  vf keep = v_set(m), other = v_set(1 - m);
  size_t i = 0;
  for (; i + VW <= n; i += VW) v_store(ema + i, mix(keep, v_load(ema + i), other, v_load(w + i)));
  if (i < n) {
    vf a = mix(keep, v_load_n(ema + i, n - i), other, v_load_n(w + i, n - i));
    v_store_n(ema + i, a, n - i);
  }
}

static void square_sums(float *row, float *col, const float *g, float eps, size_t rows,
                        size_t cols) {
  memset(col, 0, cols * sizeof *col);
  for (size_t r = 0; r < rows; r++, g += cols) {
    vf s[NN_PARTS];
    for (int v = 0; v < NN_PARTS; v++) s[v] = v_zero();
    for (size_t i = 0; i < cols; i += VW) {
      size_t left = cols - i;
      vf x = left < VW ? v_load_n(g + i, left) : v_load(g + i);
      vf old = left < VW ? v_load_n(col + i, left) : v_load(col + i), q = v_fma(x, x, v_set(eps));
      int lane = (int)(i / VW) % NN_PARTS;
      if (left < VW) v_store_n(col + i, v_add(old, q), left);
      else v_store(col + i, v_add(old, q));
      s[lane] = v_fma(x, x, s[lane]);
    }
    row[r] = fmaf((float)cols, eps, v_tree(s));
  }
}

static void factored(float *g, float *v, const float *col, float r, size_t n) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) {
    vf x = v_mul(v_set(r), v_load(col + i));
    v_store(v + i, x);
    v_store(g + i, v_div(v_load(g + i), v_sqrt(x)));
  }
  if (i < n) {
    vf x = v_mul(v_set(r), v_load_n(col + i, n - i));
    v_store_n(v + i, x, n - i);
    v_store_n(g + i, v_div(v_load_n(g + i, n - i), v_sqrt(x)), n - i);
  }
}

static void unfactored(float *g, float *v, float keep, float eps, size_t n) {
  for (size_t i = 0; i < n; i += VW) { /* padded blocks: the lanes behind n hold nothing */
    vf x = v_load(g + i), q = v_fma(x, x, v_set(eps));
    q = mix(v_set(keep), v_load(v + i), v_set(1 - keep), q);
    v_store(v + i, q);
    v_store(g + i, v_div(x, v_sqrt(q)));
  }
}

#define ALL(form)                                                                               \
  {                                                                                             \
    [NN_RULE_SGD] = sgd##form, [NN_RULE_MOMENTUM] = momentum##form,                             \
    [NN_RULE_NESTEROV] = nesterov##form, [NN_RULE_RMSPROP] = rmsprop##form,                     \
    [NN_RULE_RMSPROP_M] = rmsprop_m##form, [NN_RULE_RMSPROP_C] = rmsprop_c##form,               \
    [NN_RULE_RMSPROP_CM] = rmsprop_cm##form, [NN_RULE_ADAGRAD] = adagrad##form,                 \
    [NN_RULE_ADADELTA] = adadelta##form, [NN_RULE_ADAM] = adam##form,                           \
    [NN_RULE_AMSGRAD] = amsgrad##form, [NN_RULE_ADAMAX] = adamax##form,                         \
    [NN_RULE_NADAM] = nadam##form, [NN_RULE_FTRL] = ftrl##form,                                 \
    [NN_RULE_FTRL_POWER] = ftrl_power##form, [NN_RULE_LION] = lion##form,                       \
    [NN_RULE_SCHEDULE_FREE] = schedule_free##form, [NN_RULE_LAMB] = lamb##form,                 \
    [NN_RULE_MUON] = muon##form, [NN_RULE_PREPARE] = prepare##form,                             \
  }

const nn_opt_kernels NN_TABLE = {
    .rule = {ALL(_plain), ALL(_decay), ALL(_full)}, .average = average,
    .square_sums = square_sums, .factored = factored, .unfactored = unfactored,
};
