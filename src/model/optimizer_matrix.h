/* The rules that look at a whole variable, and what they share with the step. */
#ifndef NN_MODEL_OPTIMIZER_MATRIX_H
#define NN_MODEL_OPTIMIZER_MATRIX_H

#include "model/optimizer_kernels.h"

/* A kernel, or a function, over all parts on all threads. */
void nn_opt_run_kernel(nn_opt *o, nn_opt_kernel kernel, const nn_opt_coef *c);
void nn_opt_run_each(nn_opt *o, void (*each)(nn_opt *o, const nn_opt_part *p, float x), float x);
/* Sums of squares of each part into o->sums. */
void nn_opt_sum_gradients(nn_opt *o);
void nn_opt_sum_weights(nn_opt *o);
/* The sum over the parts of segment `seg`, of which *part is the first; moves *part on. */
double nn_opt_next_sum(const nn_opt *o, int64_t *part, int seg);

/* w -= lr ratio r, r being in the gradients. */
void nn_opt_finish_lamb(nn_opt *o, float lr);
void nn_opt_run_adafactor(nn_opt *o, const nn_opt_kernels *k, float lr, int64_t t);
/* Each segment by its own rule, with the numbers for it. */
void nn_opt_run_muon(nn_opt *o, const nn_opt_kernels *k, const nn_opt_coef *muon,
                     const nn_opt_coef *adam, nn_opt_form form);

#endif
