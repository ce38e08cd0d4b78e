/* Settings of the runtime: threads, the backend of large products, the vector kernels in use. */
#include "lua/l_config.h"

#include "lua/context.h"

static int l_set_threads(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nnl_check(L, nn_pool_resize(c->pool, (int)luaL_checkinteger(L, 1), &c->error), &c->error);
  nnl_check(L, nn_gemm_resized(&c->gemm, &c->error), &c->error);
  return 0;
}

static int l_get_threads(lua_State *L) {
  lua_pushinteger(L, nn_pool_threads(nnl_context_get(L)->pool));
  return 1;
}

static int l_set_gemm_backend(lua_State *L) {
  static const char *const names[] = {"auto", "native", "openblas", NULL};
  nnl_context *c = nnl_context_get(L);
  nn_gemm_backend b = (nn_gemm_backend)luaL_checkoption(L, 1, NULL, names);
  nnl_check(L, nn_gemm_set_backend(&c->gemm, b, &c->error), &c->error);
  return 0;
}

/* gemm_choice(m, n, k): who computes a product of that size. */
static int l_gemm_choice(lua_State *L) {
  char text[128];
  nnl_context *c = nnl_context_get(L);
  lua_pushstring(L, nn_gemm_choice(&c->gemm, luaL_checkinteger(L, 1), luaL_checkinteger(L, 2),
                                   luaL_checkinteger(L, 3), text, sizeof text));
  return 1;
}

/* allocations(): how often C memory was asked for so far, and the bytes in use. */
static int l_allocations(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  lua_pushinteger(L, (lua_Integer)c->alloc.count);
  lua_pushinteger(L, (lua_Integer)c->alloc.used);
  return 2;
}

/* restart_draws(): random layers and functions that run outside plans draw from the start again. */
static int l_restart_draws(lua_State *L) {
  nnl_context_get(L)->draws = 0;
  return 0;
}

/* draws([n]): how many random draws ran outside plans; sets the count. */
static int l_draws(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  if (!lua_isnoneornil(L, 1)) c->draws = (uint32_t)luaL_checkinteger(L, 1);
  lua_pushinteger(L, c->draws);
  return 1;
}

void l_config_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"set_threads", l_set_threads},
                                       {"get_threads", l_get_threads},
                                       {"set_gemm_backend", l_set_gemm_backend},
                                       {"gemm_choice", l_gemm_choice},
                                       {"allocations", l_allocations},
                                       {"restart_draws", l_restart_draws},
                                       {"draws", l_draws},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
