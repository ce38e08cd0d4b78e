/* The plan userdata, for the bindings that run plans. */
#ifndef NN_LUA_PLAN_H
#define NN_LUA_PLAN_H

#include "lua/context.h"
#include "model/plan.h"

#define NNL_PLAN "nn.Plan"

typedef struct nnl_plan {
  nn_plan *plan; /* owned */
} nnl_plan;

nnl_plan *nnl_check_plan(lua_State *L, int i);
/* Raises what an op reported while it ran (data out of range). */
void nnl_check_fault(lua_State *L);
/* Adds the methods that train and predict over many batches to the table on the top. */
void l_train_methods(lua_State *L);

#endif
