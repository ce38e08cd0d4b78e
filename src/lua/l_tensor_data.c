/* Tensors from Lua data: numbers, booleans, nested tables, tables of tensors, objects with a field
 * `tensor`. Ragged tables and elements that are no numbers are errors that say where. */
#include <stdio.h>

#include "lua/l_tensor.h"

static int is_leaf(lua_State *L, int i) {
  return lua_isnumber(L, i) || lua_isboolean(L, i);
}

/* Reads the shape along first elements; numbers, booleans and 0-d or equal tensors end it. */
static void infer_shape(lua_State *L, int i, nn_shape *s) {
  int top = lua_gettop(L);
  luaL_checkstack(L, NN_MAX_DIMS + 4, "tensor");
  lua_pushvalue(L, i);
  s->ndim = 0;
  while (lua_istable(L, -1)) {
    if (s->ndim == NN_MAX_DIMS) nnl_raise(L, "tensor: nested deeper than %d tables", NN_MAX_DIMS);
    s->dim[s->ndim++] = luaL_len(L, -1);
    if (luaL_len(L, -1) == 0) break;
    lua_geti(L, -1, 1);
  }
  nnl_tensor *leaf = nnl_to_tensor(L, -1);
  for (int k = 0; leaf && k < leaf->t.shape.ndim; k++) {
    if (s->ndim == NN_MAX_DIMS) nnl_raise(L, "tensor: more than %d dimensions", NN_MAX_DIMS);
    s->dim[s->ndim++] = leaf->t.shape.dim[k];
  }
  lua_settop(L, top);
}

typedef struct fill {
  nn_tensor *t;
  int64_t at;
  int64_t path[NN_MAX_DIMS]; /* where we are, 1-based */
} fill;

static void bad_value(lua_State *L, const fill *f, int depth) {
  char where[128] = "";
  size_t n = 0;
  for (int k = 0; k < depth && n < sizeof where - 24; k++)
    n += (size_t)snprintf(where + n, sizeof where - n, "[%lld]", (long long)f->path[k]);
  const char *type = luaL_typename(L, -1);
  nnl_raise(L, "tensor: x%s is %s%s, expected a number", where,
            lua_isnil(L, -1) ? "" : "a ", type);
}

static void fill_level(lua_State *L, fill *f, int depth) {
  nn_shape *s = &f->t->shape;
  nnl_tensor *u = nnl_to_tensor(L, -1);
  if (u && u->t.data) {
    nn_tensor part = *f->t;
    part.shape = u->t.shape, part.shape.dtype = s->dtype;
    char *at = (char *)f->t->data + (size_t)f->at * nn_dtype_size(s->dtype);
    nn_tensor_init(&part, &part.shape, at);
    int same = u->t.shape.ndim == s->ndim - depth;
    for (int k = 0; same && k < u->t.shape.ndim; k++)
      same = u->t.shape.dim[k] == s->dim[depth + k];
    if (!same) nnl_raise(L, "tensor: tensors of different shapes cannot be stacked");
    nn_tensor_copy(&part, &u->t);
    f->at += nn_shape_size(&u->t.shape);
    return;
  }
  if (depth == s->ndim) {
    if (lua_type(L, -1) == LUA_TNUMBER) nn_tensor_set(f->t, f->at++, lua_tonumber(L, -1));
    else if (lua_isboolean(L, -1)) nn_tensor_set(f->t, f->at++, lua_toboolean(L, -1));
    else bad_value(L, f, depth);
    return;
  }
  if (!lua_istable(L, -1)) bad_value(L, f, depth);
  int64_t n = luaL_len(L, -1);
  if (n != s->dim[depth]) {
    if (depth == 1)
      nnl_raise(L, "tensor: row %lld has %lld numbers, row 1 has %lld", (long long)f->path[0],
                (long long)n, (long long)s->dim[depth]);
    nnl_raise(L, "tensor: a table of %lld at depth %d, expected %lld", (long long)n, depth + 1,
              (long long)s->dim[depth]);
  }
  for (int64_t k = 1; k <= n; k++) {
    f->path[depth] = k;
    lua_geti(L, -1, k);
    fill_level(L, f, depth + 1);
    lua_pop(L, 1);
  }
}

static nnl_tensor *from_lua(lua_State *L, int i, int dtype) {
  nn_shape s;
  i = lua_absindex(L, i);
  s.dtype = dtype < 0 ? NN_F32 : (nn_dtype)dtype;
  infer_shape(L, i, &s);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  fill f = {.t = &u->t, .at = 0};
  lua_pushvalue(L, i);
  fill_level(L, &f, 0);
  lua_pop(L, 1);
  return u;
}

nnl_tensor *nnl_coerce(lua_State *L, int i, int dtype) {
  nnl_tensor *u = nnl_to_tensor(L, i);
  if (u) return u;
  if (lua_istable(L, i) && luaL_getmetafield(L, i, "__index") != LUA_TNIL) {
    lua_pop(L, 1);
    lua_getfield(L, i, "tensor");
    u = nnl_to_tensor(L, -1);
    if (!u) nnl_raise(L, "expected a tensor, got an object");
  } else if (lua_istable(L, i) || (is_leaf(L, i) && lua_type(L, i) != LUA_TSTRING)) {
    u = from_lua(L, i, dtype);
  } else {
    nnl_raise(L, "expected a tensor, got %s", luaL_typename(L, i));
  }
  lua_replace(L, i);
  return u;
}

