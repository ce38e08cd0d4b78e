/* Questions about tensors. */
#include "lua/l_tensor.h"

static int l_tensor_same_storage(lua_State *L) {
  lua_pushboolean(L, nnl_check_tensor(L, 1)->t.data == nnl_check_tensor(L, 2)->t.data);
  return 1;
}

static int l_tensor_is_traced(lua_State *L) {
  nnl_tensor *u = nnl_to_tensor(L, 1);
  lua_pushboolean(L, u && !u->t.data);
  return 1;
}

/* same_spec(a, b): equal shapes and dtypes. */
static int l_tensor_same_spec(lua_State *L) {
  const nn_shape *a = &nnl_check_tensor(L, 1)->t.shape, *b = &nnl_check_tensor(L, 2)->t.shape;
  lua_pushboolean(L, a->dtype == b->dtype && nn_shape_same(a, b));
  return 1;
}

static int l_tensor_is_contiguous(lua_State *L) {
  lua_pushboolean(L, nn_tensor_is_contiguous(&nnl_check_tensor(L, 1)->t));
  return 1;
}

/* has_nan(t): whether a float32 tensor holds a NaN. */
static int l_tensor_has_nan(lua_State *L) {
  nnl_check_tensor(L, 1);
  nnl_tensor *u = nnl_contiguous(L, 1);
  int found = 0;
  const float *x = u->t.data;
  int64_t n = x && u->t.shape.dtype == NN_F32 ? nn_shape_size(&u->t.shape) : 0;
  float sum = n ? nn_kernels_get()->sum(x, (size_t)n) : 0;
  if (sum != sum) /* a NaN, or infinities of both signs */
    for (int64_t k = 0; k < n; k++) found |= x[k] != x[k];
  lua_pushboolean(L, found);
  return 1;
}

static int l_tensor_is(lua_State *L) {
  lua_pushboolean(L, nnl_to_tensor(L, 1) != NULL);
  return 1;
}

void l_tensor_query_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"same_storage", l_tensor_same_storage},
                                       {"is_traced", l_tensor_is_traced},
                                       {"same_spec", l_tensor_same_spec},
                                       {"is_contiguous", l_tensor_is_contiguous},
                                       {"has_nan", l_tensor_has_nan},
                                       {"is_tensor", l_tensor_is},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
