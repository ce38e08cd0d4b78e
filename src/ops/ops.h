/* Declares every op of list.h as `extern const nn_op nn_op_<name>`. */
#ifndef NN_OPS_OPS_H
#define NN_OPS_OPS_H

#include "ops/op.h"

#define NN_OP(name) extern const nn_op nn_op_##name;
#include "ops/list.h"
#undef NN_OP

#endif
