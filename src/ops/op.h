/* What an op is: a few small functions in one file and one line in the op table.
 *
 * Ops see contiguous row-major arrays alone; strided views are copied before they come here.
 * `shape` checks the inputs and infers the outputs (it may fail; its text starts with the op's name
 * and says wanted and got). `forward` and `backward` cannot fail: what data alone can show (a token
 * id outside its table) is reported with nn_fault and a safe value is written.
 *
 * backward: dout[i] is the gradient of output i (float32). For every input i with din[i] != NULL it
 * computes the gradient, and writes it when accumulate[i] is 0, adds it when it is 1. Integer
 * inputs never get one. An op without backward is not differentiable: gradients stop there.
 */
#ifndef NN_OPS_OP_H
#define NN_OPS_OP_H

#include "core/gemm.h"
#include "core/kernels.h"
#include "core/rng.h"
#include "core/tensor.h"

#define NN_MAX_ATTRS 40

/* The op's plain arguments; which index means what is said at each op's definition. */
typedef struct nn_attrs {
  int64_t i[NN_MAX_ATTRS];
  double f[8];
} nn_attrs;

/* What is shared by all ops that run in one runtime. */
typedef struct nn_run {
  nn_gemm *gemm;
  nn_pool *pool;
  uint64_t seed;    /* of the model or process: random ops add their own stream (an attribute) */
  uint64_t step;    /* completed steps: addresses random draws */
  int fault;        /* set by nn_fault */
  nn_error *error;  /* borrowed: filled by the first fault */
} nn_run;

typedef struct nn_call {
  const nn_attrs *attrs;
  int n_in, n_out;
  const nn_shape *const *in_shape;
  const nn_shape *const *out_shape;
  void *const *in;  /* arrays of the inputs */
  void *const *out; /* arrays of the outputs */
  void *saved;      /* `saved` bytes, kept from forward to backward */
  void *scratch;    /* `scratch` bytes, of this call alone */
  nn_run *run;
  /* backward only */
  float *const *din;         /* NULL where no gradient is wanted */
  float *const *dout;        /* NULL where nothing flows into that output */
  const uint8_t *accumulate; /* one an input */
  nn_gemm_taker *taker;      /* NULL, or what takes the gradient of input 1 where the op can give it
                              * in pieces; input 1 itself changes then as it is taken */
} nn_call;

enum {
  NN_OP_ALIAS = 1,   /* output 0 is input 0 with another shape; forward need not copy when equal */
  NN_OP_EFFECT = 2,  /* writes into a variable: never removed as unused */
  NN_OP_RANDOM = 4,  /* reads run->seed, run->step and attrs.i[0] (its stream) */
  NN_OP_USES_Y = 8,  /* backward reads out[] */
  NN_OP_INPLACE = 16, /* forward works with out[0] == in[0]; backward reads neither input value */
  NN_OP_GIVES = 32,   /* backward knows the call's `taker` */
  NN_OP_LATE = 64     /* backward may find a fault that forward did not */
};

typedef struct nn_op {
  const char *name;
  int n_in;   /* -1: any number, 0 included where the op's shape function allows it */
  int n_out;
  unsigned flags;
  nn_status (*shape)(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_shape *out,
                     nn_error *e);
  void (*forward)(nn_call *c);
  void (*backward)(nn_call *c); /* NULL: not differentiable */
  /* Bytes of c->saved and c->scratch; NULL = none. */
  size_t (*saved)(const nn_attrs *a, int n_in, const nn_shape *const *in);
  size_t (*scratch)(const nn_attrs *a, int n_in, const nn_shape *const *in);
  /* Called once before the op runs with these shapes: nn_gemm_reserve and the like. NULL = none. */
  nn_status (*reserve)(const nn_attrs *a, int n_in, const nn_shape *const *in, nn_run *run,
                       nn_error *e);
} nn_op;

/* The op of that name, NULL when there is none. */
const nn_op *nn_op_find(const char *name);
const nn_op *nn_op_at(int i); /* i-th of the table, NULL past the end */

/* Records that data is out of range; the first text is kept. */
void nn_fault(nn_run *r, const char *fmt, ...) NN_PRINTF(2, 3);

#endif
