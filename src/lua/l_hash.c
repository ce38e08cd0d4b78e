/* Hashing of strings into bins, for the preprocessing layers. */
#include "lua/l_hash.h"

#include <lauxlib.h>

#include "core/hash.h"
#include "lua/context.h"

static uint64_t check_bins(lua_State *L, int i) {
  lua_Integer n = luaL_checkinteger(L, i);
  if (n < 1) nnl_raise(L, "hash: %d bins, expected 1 or more", (int)n);
  return (uint64_t)n;
}

/* hash_bin(text, bins[, k0, k1]): FarmHash, with a key SipHash-2-4; 0 .. bins - 1. */
static int l_hash_bin(lua_State *L) {
  size_t n;
  const char *s = luaL_checklstring(L, 1, &n);
  uint64_t bins = check_bins(L, 2), h;
  if (lua_isnoneornil(L, 3))
    h = nn_fingerprint64(s, n);
  else
    h = nn_siphash24(s, n, (uint64_t)luaL_checkinteger(L, 3), (uint64_t)luaL_checkinteger(L, 4));
  lua_pushinteger(L, (lua_Integer)(h % bins));
  return 1;
}

/* cross_bin({text or integer, ...}, bins). */
static int l_cross_bin(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  uint64_t bins = check_bins(L, 2), h = NN_CROSS_KEY;
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer k = 1; k <= count; k++) {
    size_t n;
    lua_geti(L, 1, k);
    if (lua_type(L, -1) == LUA_TSTRING) {
      const char *s = lua_tolstring(L, -1, &n);
      h = nn_fingerprint_join(h, nn_fingerprint64(s, n));
    } else {
      h = nn_fingerprint_join(h, (uint64_t)luaL_checkinteger(L, -1));
    }
    lua_pop(L, 1);
  }
  lua_pushinteger(L, (lua_Integer)(h % bins));
  return 1;
}

void l_hash_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"hash_bin", l_hash_bin}, {"cross_bin", l_cross_bin},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
