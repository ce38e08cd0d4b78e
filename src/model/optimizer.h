/* Optimizers: one update of all trainable variables, as Keras 3.15 orders it.
 *
 * A step is loss scale, accumulation, clipping, weight decay, the rule, the moving average, and the
 * counter, in that order; it allocates nothing. Gradients, slots, averages and accumulators are
 * flat blocks of one arena in which each variable ("segment") is padded to 16 floats, so that the
 * kernels need masks at the variables alone. The step reads the gradients and may use their memory
 * as scratch: after it they hold nothing that matters. A rule that looks at each element alone can
 * be applied earlier, to pieces of a gradient that have just been computed: see nn_opt_begin.
 *
 * Work is cut into parts that depend on the shapes only, and sums are added by parts in order: any
 * number of threads and every instruction set give the same bits.
 */
#ifndef NN_MODEL_OPTIMIZER_H
#define NN_MODEL_OPTIMIZER_H

#include "core/gemm.h"
#include "core/tensor.h"

#define NN_OPT_SLOTS 4

typedef enum nn_opt_kind {
  NN_OPT_SGD, NN_OPT_RMSPROP, NN_OPT_ADAGRAD, NN_OPT_ADADELTA, NN_OPT_ADAM, NN_OPT_ADAMAX,
  NN_OPT_NADAM, NN_OPT_FTRL, NN_OPT_LION, NN_OPT_LAMB, NN_OPT_ADAFACTOR, NN_OPT_MUON,
  NN_OPT_SCHEDULE_FREE, NN_OPT_KINDS
} nn_opt_kind;

/* Every number that any rule takes, named as in Keras; a rule reads its own. Zero (NaN where noted)
 * switches an option off. */
typedef struct nn_opt_hyper {
  double momentum, rho, beta_1, beta_2, epsilon, initial_accumulator_value;
  double learning_rate_power, l1_regularization_strength, l2_regularization_strength,
      l2_shrinkage_regularization_strength, beta;            /* Ftrl */
  double beta_2_decay, epsilon_1, epsilon_2, clip_threshold; /* Adafactor */
  double adam_beta_1, adam_beta_2, adam_weight_decay, adam_lr_ratio, muon_a, muon_b, muon_c,
      rms_rate; /* Muon; rms_rate NaN = none */
  double warmup_steps;
  double nesterov, centered, amsgrad, ns_steps; /* flags and a count */
  double weight_decay, clipnorm, clipvalue, global_clipnorm;
  double use_ema, ema_momentum, ema_overwrite_frequency;
  double loss_scale_factor, gradient_accumulation_steps;
} nn_opt_hyper;

/* One trainable variable. The slots are, by index:
 *   SGD momentum · RMSprop velocity, momentum, average_gradient · Adagrad accumulator ·
 *   Adadelta accumulated_grad, accumulated_delta_var · Adam, AdamW momentum, velocity,
 *   velocity_hat · Adamax momentum, norm · Nadam, Lamb momentum, velocity · Ftrl accumulator,
 *   linear · Lion momentum · Adafactor r, c, velocity · Muon momentum, velocity (for Adam) ·
 *   ScheduleFreeAdamW momentum (z), velocity */
typedef struct nn_opt_seg {
  float *w;                  /* borrowed: the variable's own storage */
  float *g;                  /* arena: its gradient */
  float *slot[NN_OPT_SLOTS]; /* arena; NULL where the rule has none */
  float *ema, *accumulator;  /* arena or NULL */
  float *squares;            /* owned or NULL: what stands for g * g, see nn_opt_squares */
  size_t n;
  nn_shape shape;
  size_t slot_size[NN_OPT_SLOTS]; /* elements (0: none, or the scalar that Keras keeps unused) */
  int decay;                 /* weight decay applies */
  int by_squares;            /* the next steps find `squares` filled */
  int has_grad;              /* 0: there is no gradient this time, the variable is left alone */
  int alt;                   /* Muon: Adam's rule for this one */
  float mul, div;            /* the gradient of this step is g * mul / div: loss scale, clipping */
  nn_gemm_taker taker;       /* applies the rule to pieces of the gradient, see nn_opt_begin */
  struct nn_opt *owner;
} nn_opt_seg;

/* What `nn_opt_build` is told of a variable. */
typedef struct nn_opt_var {
  float *w; /* borrowed: stays where it is as long as the optimizer lives */
  nn_shape shape;
  int decay, alt;
} nn_opt_var;

/* Elements of one segment: `rows` runs of n, from element `at` on, `ld` apart. */
typedef struct nn_opt_part {
  int seg;
  size_t at, n, rows, ld;
} nn_opt_part;

/* beta^t, by a chain that depends on t alone (so that a resumed run has the same bits). */
typedef struct nn_opt_power {
  double base, value;
  int64_t t;
} nn_opt_power;

/* The numbers of one step and the kernel of its rule (model/optimizer_step.c). */
typedef struct nn_opt_numbers nn_opt_numbers;

typedef struct nn_opt {
  nn_alloc *alloc; /* borrowed */
  nn_pool *pool;   /* borrowed, may be NULL */
  nn_gemm *gemm;   /* borrowed; Muon alone needs it */
  nn_opt_kind kind;
  nn_opt_hyper hyper;
  int n_seg;
  nn_opt_seg *seg;     /* owned */
  int64_t iterations;  /* calls so far, as Keras counts them (micro-steps) */
  float scalar;        /* Nadam's u_product */
  float *arena;        /* owned: gradients first, one flat block, then slots and the rest */
  size_t flat;         /* floats of one flat block, padding included */
  float *scratch;      /* arena: Muon's products */
  int64_t n_part, n_chunk;
  nn_opt_part *part;   /* owned */
  int64_t *chunk;      /* owned: first part of each chunk, n_chunk + 1 */
  float *sums;         /* owned: one a part */
  nn_opt_power power[3];
  nn_opt_numbers *now; /* owned: of the step that was begun */
  int begun;
  int pieces; /* taking gradients in pieces is possible, and pays */
} nn_opt;

/* kind: Keras's class name in any case ("adam", "AdamW"). The hyperparameters get Keras's defaults;
 * change them with nn_opt_set before nn_opt_build. */
nn_status nn_opt_init(nn_opt *o, const char *kind, nn_alloc *a, nn_pool *p, nn_gemm *g,
                      nn_error *e);
/* Sets a hyperparameter by its Keras name; NN_ERR_ARGUMENT when there is no such name. */
nn_status nn_opt_set(nn_opt *o, const char *name, double value, nn_error *e);
/* Makes the arena for n variables. To be called once. */
nn_status nn_opt_build(nn_opt *o, int n, const nn_opt_var *vars, nn_error *e);
/* Whether the rule and its options look at each element alone, and once: then pieces of a gradient
 * can be taken before the others are there. */
int nn_opt_takes(const nn_opt *o);
/* Where nn_opt_takes: fixes the numbers of the next step. Until that step, the gradients of segment
 * i may be given to seg[i].taker instead of being left in seg[i].g; the step leaves alone what was
 * taken. The bits are the same. */
void nn_opt_begin(nn_opt *o, double learning_rate);
/* One call of Keras's `apply`: gradients are in seg[i].g, or taken. The learning rate is that of
 * nn_opt_begin where the step was begun. */
void nn_opt_step(nn_opt *o, double learning_rate);
/* Memory for the sums of squares of an embedding's gradient, which Keras's rules take in place of
 * the square of the sum; NULL where clipping or accumulation adds the gradient up first, or where
 * there is no memory. Used while seg[i].by_squares is set. */
float *nn_opt_squares(nn_opt *o, int i);
/* The completed updates: iterations divided by the accumulation steps. */
int64_t nn_opt_updates(const nn_opt *o);
void nn_opt_clear(nn_opt *o);

#endif
