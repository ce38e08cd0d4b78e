/* Rows of two numbers: two classes are the smallest classifier, and its step is worth few loops.
 * Where two vectors of rows are left, their first numbers stand in one and their second in another
 * (v_unpair): the larger's power is known to be 1. The last rows are lane and neighbour in one.
 */
typedef struct two {
  vf a, b;
} two;

NN_INLINE two load_two(const float *p) {
  two x = {v_load(p), v_load(p + VW)};
  v_unpair(&x.a, &x.b);
  return x;
}
NN_INLINE void store_two(float *p, two x) {
  v_pair(&x.a, &x.b);
  v_store(p, x.a);
  v_store(p + VW, x.b);
}

/* x less the larger of the two; gives the power of the smaller one. */
NN_INLINE vf powers_of_two(two *x) {
  vf top = v_max(x->a, x->b);
  x->a = v_sub(x->a, top), x->b = v_sub(x->b, top);
  return m_exp(v_add(x->a, x->b)); /* one of them is 0, unless it is NaN */
}
NN_INLINE two logs_of_two(two x) {
  vf e = powers_of_two(&x), sum = m_log(v_add(v_set(1), e));
  return (two){v_sub(x.a, sum), v_sub(x.b, sum)};
}
NN_INLINE two softmax_of_two(two x) {
  vf e = powers_of_two(&x), sum = v_add(v_set(1), e);
  vm first = v_lt(x.a, x.b); /* is smaller */
  return (two){v_div(v_sel(first, e, v_set(1)), sum), v_div(v_sel(first, v_set(1), e), sum)};
}

NN_INLINE vf softmax_pairs(vf x, int logs) {
  vf top = v_max(x, v_swap_pairs(x)), d = v_sub(x, top), e = m_exp(d);
  vf sum = v_add(e, v_swap_pairs(e));
  return logs ? v_sub(d, m_log(sum)) : v_div(e, sum);
}

static void softmax_two(float *y, const float *x, size_t rows, int logs) {
  size_t n = 2 * rows, i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW)
    store_two(y + i, logs ? logs_of_two(load_two(x + i)) : softmax_of_two(load_two(x + i)));
  for (; i + VW <= n; i += VW) v_store(y + i, softmax_pairs(v_load(x + i), logs));
  if (i < n) v_store_n(y + i, softmax_pairs(v_load_n(x + i, n - i), logs), n - i);
}

/* -log p times the target, 0 where the target is 0 */
NN_INLINE vf loss_part(vf log_p, vf t) {
  vf part = v_mul(t, v_sub(v_zero(), log_p));
  return v_sel(v_ne(t, v_zero()), part, v_zero());
}
/* 0 + own + the neighbour's, in each lane. */
NN_INLINE vf loss_pairs(vf log_p, vf t) {
  vf part = loss_part(log_p, t);
  return v_add(v_add(v_zero(), part), v_swap_pairs(part));
}

static void k_crossentropy_pairs(float *loss, float *p, const float *z, const float *t,
                                 size_t rows) {
  size_t n = 2 * rows, i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW) {
    two log_p = logs_of_two(load_two(z + i)), target = load_two(t + i);
    store_two(p + i, (two){m_exp(log_p.a), m_exp(log_p.b)});
    vf own = v_add(v_zero(), loss_part(log_p.a, target.a));
    v_store_unpaired(loss + i / 2, v_add(own, loss_part(log_p.b, target.b)));
  }
  for (; i + VW <= n; i += VW) {
    vf log_p = softmax_pairs(v_load(z + i), 1);
    v_store(p + i, m_exp(log_p));
    v_store_even(loss + i / 2, loss_pairs(log_p, v_load(t + i)));
  }
  if (i < n) {
    float last[VW];
    vf log_p = softmax_pairs(v_load_n(z + i, n - i), 1);
    v_store_n(p + i, m_exp(log_p), n - i);
    v_store_even(last, loss_pairs(log_p, v_load_n(t + i, n - i)));
    memcpy(loss + i / 2, last, (n - i) / 2 * sizeof *last);
  }
}

/* (p sum(t) - t) dl */
NN_INLINE vf gradient_pairs(vf p, vf t, vf dl) {
  vf total = v_add(t, v_swap_pairs(t));
  return v_mul(v_sub(v_mul(p, total), t), dl);
}

static void k_crossentropy_pairs_grad(float *dz, const float *p, const float *t, const float *dl,
                                      size_t rows) {
  size_t n = 2 * rows, i = 0;
  for (; i + VW <= n; i += VW)
    v_store(dz + i, gradient_pairs(v_load(p + i), v_load(t + i), v_twice(dl + i / 2)));
  if (i < n) {
    float last[VW] = {0};
    memcpy(last, dl + i / 2, (n - i) / 2 * sizeof *last);
    vf g = gradient_pairs(v_load_n(p + i, n - i), v_load_n(t + i, n - i), v_twice(last));
    v_store_n(dz + i, g, n - i);
  }
}
