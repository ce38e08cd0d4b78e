/* The element-wise part of the optimizers, one table an instruction set (see core/vec.h).
 *
 * A kernel takes many parts of many segments in one call. Each rule has three forms: the plain one,
 * one that applies weight decay to each weight as it is loaded, and one that also scales and clips
 * each gradient.
 */
#ifndef NN_MODEL_OPTIMIZER_KERNELS_H
#define NN_MODEL_OPTIMIZER_KERNELS_H

#include "core/real.h"
#include "model/optimizer.h"

/* A rule with the options that change its loop. */
typedef enum nn_opt_rule {
  NN_RULE_SGD, NN_RULE_MOMENTUM, NN_RULE_NESTEROV,
  NN_RULE_RMSPROP, NN_RULE_RMSPROP_M, NN_RULE_RMSPROP_C, NN_RULE_RMSPROP_CM,
  NN_RULE_ADAGRAD, NN_RULE_ADADELTA, NN_RULE_ADAM, NN_RULE_AMSGRAD, NN_RULE_ADAMAX, NN_RULE_NADAM,
  NN_RULE_FTRL, NN_RULE_FTRL_POWER, NN_RULE_LION, NN_RULE_SCHEDULE_FREE,
  NN_RULE_LAMB,    /* m, v; the direction r replaces g, w stays (but for weight decay) */
  NN_RULE_MUON,    /* m; the direction replaces g, w stays */
  NN_RULE_PREPARE, /* g scaled and clipped in place, w decayed: nothing else */
  NN_RULES
} nn_opt_rule;

typedef enum nn_opt_form { NN_FORM_PLAIN, NN_FORM_DECAY, NN_FORM_FULL, NN_FORMS } nn_opt_form;

/* The numbers of one step, as Keras rounds them. */
typedef struct nn_opt_coef {
  float lr;
  float decay[2];       /* weight decay, for alt = 0 and 1 */
  float decay_lr;       /* its learning rate */
  float clip;           /* clipvalue, infinity = none */
  float mu;             /* momentum, or beta 2 where it decays a slot directly */
  float b1, b2;         /* 1 - beta_1, 1 - beta_2 (or rho) */
  float alpha, eps;
  float c[6];           /* a rule's own */
  double power;         /* Ftrl: -learning_rate_power */
} nn_opt_coef;

typedef void (*nn_opt_kernel)(const nn_opt_coef *c, const nn_opt_seg *seg, const nn_opt_part *part,
                              int64_t n);

struct nn_opt_numbers {
  nn_opt_coef coef;
  nn_opt_form form;
  nn_opt_rule rule;
  nn_opt_kernel kernel;
};

typedef struct nn_opt_kernels {
  nn_opt_kernel rule[NN_FORMS][NN_RULES];
  /* ema = m ema + (1 - m) w */
  void (*average)(float *ema, const float *w, float m, size_t n);
  /* Adafactor on a matrix (rows, cols): sums of g^2 + eps over each row, and over each column. */
  void (*square_sums)(float *row, float *col, const float *g, float eps, size_t rows, size_t cols);
  /* v = r col, g = g / sqrt(v) on one row */
  void (*factored)(float *g, float *v, const float *col, float r, size_t n);
  /* v = keep v + (1 - keep) (g^2 + eps), g = g / sqrt(v) */
  void (*unfactored)(float *g, float *v, float keep, float eps, size_t n);
} nn_opt_kernels;

/* The table for this CPU and an optimizer of `flat` elements: follows nn_kernels_force. */
const nn_opt_kernels *nn_opt_kernels_get(size_t flat);

extern const nn_opt_kernels nn_opt_kernels_avx512, nn_opt_kernels_avx512y, nn_opt_kernels_avx2,
    nn_opt_kernels_neon, nn_opt_kernels_portable;

#endif
