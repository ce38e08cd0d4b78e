/* core.io.spill: tensors put aside in a file without a name, and mapped again. */
#include "lua/l_spill.h"

#include <string.h>

#include "io/spill.h"
#include "lua/control.h"
#include "lua/l_tensor.h"

#define NNL_SPILL "nn.spill"

static nn_spill *check_spill(lua_State *L) {
  nn_spill *s = luaL_checkudata(L, 1, NNL_SPILL);
  if (s->fd < 0) nnl_raise(L, "spill: the file is closed");
  return s;
}

static int spill_close(lua_State *L) {
  nn_spill_close(luaL_checkudata(L, 1, NNL_SPILL));
  return 0;
}

/* nil, message for what the outside world decides. */
static int push_failure(lua_State *L, const nnl_context *c) {
  luaL_pushfail(L);
  lua_pushstring(L, c->error.text);
  return 2;
}

/* write(spill, tensor): its place; nil, message where the disk takes no more. */
static int spill_write(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_spill *s = check_spill(L);
  nnl_tensor *t = nnl_check_tensor(L, 2);
  uint64_t at;
  if (!nn_tensor_is_contiguous(&t->t)) nnl_raise(L, "spill: the tensor is not contiguous");
  if (nn_spill_write(s, &t->t, &at, &c->error)) return push_failure(L, c);
  lua_pushinteger(L, (lua_Integer)at);
  return 1;
}

static int map_gc(lua_State *L) {
  nn_map_close(lua_touserdata(L, 1));
  return 0;
}

/* map(spill, place, shape, dtype): a tensor over the file, which never sees what is assigned. */
static int spill_map(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_spill *s = check_spill(L);
  uint64_t at = (uint64_t)luaL_checkinteger(L, 2);
  nn_shape shape;
  nnl_check_shape(L, 3, &shape, "spill");
  shape.dtype = (nn_dtype)nnl_opt_dtype(L, 4, NN_F32);
  nn_map *m = nnl_push_owner(L, sizeof *m, "nn.spill_map", map_gc);
  nnl_hurry_collector(L, nn_shape_bytes(&shape)); /* which does not see a mapping's size */
  nn_status st = nn_spill_map(s, m, at, &shape, &c->error);
  if (st == NN_ERR_MEMORY) {
    lua_gc(L, LUA_GCCOLLECT);
    st = nn_spill_map(s, m, at, &shape, &c->error);
  }
  nnl_check(L, st, &c->error);
  nnl_push_view(L, -1, &m->shape, m->data);
  return 1;
}

/* spill(folder): a new file there; nil, message where none can be made. */
static int l_spill(lua_State *L) {
  static const luaL_Reg methods[] = {{"__gc", spill_close},  {"__close", spill_close},
                                     {"close", spill_close}, {"write", spill_write},
                                     {"map", spill_map},     {NULL, NULL}};
  nnl_context *c = nnl_context_get(L);
  const char *folder = luaL_checkstring(L, 1);
  nn_lua_check_files(L, "spill");
  nn_spill *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (nn_spill){-1, 0};
  if (luaL_newmetatable(L, NNL_SPILL)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  return nn_spill_open(s, folder, &c->error) ? push_failure(L, c) : 1;
}

void l_spill_open(lua_State *L) {
  lua_pushcfunction(L, l_spill);
  lua_setfield(L, -2, "spill");
}
