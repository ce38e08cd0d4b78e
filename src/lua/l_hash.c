/* Hashing: strings into bins, for the preprocessing layers; bytes to their SHA-256. */
#include "lua/l_hash.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "core/hash.h"
#include "core/sha256.h"
#include "io/stream.h"
#include "lua/control.h"
#include "lua/l_tensor.h"

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

/* sha256({text or tensor, ...}): 64 hexadecimal digits over all their bytes. */
static int l_sha256(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  nn_sha256 h;
  char hex[65];
  nn_sha256_init(&h);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer k = 1; k <= count; k++) {
    lua_settop(L, 1);
    lua_geti(L, 1, k);
    if (lua_type(L, 2) == LUA_TSTRING) {
      size_t n;
      const char *s = lua_tolstring(L, 2, &n);
      nn_sha256_add(&h, s, n);
    } else {
      nnl_check_tensor(L, 2);
      const nnl_tensor *t = nnl_contiguous(L, 2);
      if (!t->t.data) nnl_raise(L, "sha256: a traced tensor has no values yet");
      nn_sha256_add(&h, t->t.data, nn_shape_bytes(&t->t.shape));
    }
  }
  nn_sha256_hex(&h, hex);
  lua_pushstring(L, hex);
  return 1;
}

/* crc32({text or tensor, ...}): 8 hexadecimal digits over all their bytes, at memory's speed. */
static int l_crc32(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  uLong sum = crc32_z(0, NULL, 0);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer k = 1; k <= count; k++) {
    lua_settop(L, 1);
    lua_geti(L, 1, k);
    if (lua_type(L, 2) == LUA_TSTRING) {
      size_t n;
      const char *s = lua_tolstring(L, 2, &n);
      sum = crc32_z(sum, (const Bytef *)s, n);
    } else {
      nnl_check_tensor(L, 2);
      const nnl_tensor *t = nnl_contiguous(L, 2);
      sum = crc32_z(sum, (const Bytef *)t->t.data, nn_shape_bytes(&t->t.shape));
    }
  }
  char hex[16];
  snprintf(hex, sizeof hex, "%08lx", (unsigned long)sum);
  lua_pushstring(L, hex);
  return 1;
}

/* sha256_file(path): digits and size in bytes; nil and a message when it cannot be read. */
static int l_sha256_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  nn_lua_check_files(L, "sha256_file");
  nn_error e;
  uint64_t length;
  int fd = nn_file_open(path, &length, &e);
  if (fd < 0) {
    lua_pushnil(L);
    lua_pushstring(L, e.text);
    return 2;
  }
  nn_sha256 h;
  char hex[65], bytes[16384];
  ssize_t n;
  nn_sha256_init(&h);
  while ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) nn_sha256_add(&h, bytes, (size_t)n);
  int code = n < 0 ? errno : 0;
  close(fd);
  if (code) {
    errno = code;
    return luaL_fileresult(L, 0, path);
  }
  lua_Integer size = (lua_Integer)h.size;
  nn_sha256_hex(&h, hex);
  lua_pushstring(L, hex);
  lua_pushinteger(L, size);
  return 2;
}

void l_hash_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"hash_bin", l_hash_bin},
                                       {"cross_bin", l_cross_bin},
                                       {"sha256", l_sha256},
                                       {"sha256_file", l_sha256_file},
                                       {"crc32", l_crc32},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
