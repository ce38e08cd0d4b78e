/* Rows of two numbers side by side in a vector, lane and neighbour: two classes are the smallest
 * classifier, and a step of it is worth few loops.
 */
NN_INLINE vf softmax_pairs(vf x, int logs) {
  vf top = v_max(x, v_swap_pairs(x)), d = v_sub(x, top), e = m_exp(d);
  vf sum = v_add(e, v_swap_pairs(e));
  return logs ? v_sub(d, m_log(sum)) : v_div(e, sum);
}

static void softmax_two(float *y, const float *x, size_t rows, int logs) {
  size_t n = 2 * rows, i = 0;
  for (; i + VW <= n; i += VW) v_store(y + i, softmax_pairs(v_load(x + i), logs));
  if (i < n) v_store_n(y + i, softmax_pairs(v_load_n(x + i, n - i), logs), n - i);
}

/* -log p times the target, 0 where the target is 0; and 0 + own + the neighbour's, in each lane. */
NN_INLINE vf loss_pairs(vf log_p, vf t) {
  vf part = v_mul(t, v_sub(v_zero(), log_p));
  part = v_sel(v_ne(t, v_zero()), part, v_zero());
  return v_add(v_add(v_zero(), part), v_swap_pairs(part));
}

static void k_crossentropy_pairs(float *loss, float *p, const float *z, const float *t,
                                 size_t rows) {
  size_t n = 2 * rows, i = 0;
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
