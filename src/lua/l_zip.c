/* core.zip: open(path, limits) gives an archive: archive:names() lists {name, size}, archive:read
 * (name) gives a member's bytes, nil when there is none; lua/behind.h writes archives.
 * core.zip.npz(path[, limits[, bytes]]) gives {name = tensor}, and save_npz(path,
 * {{name, tensor}, ...}) writes them.
 */
#include "lua/l_zip.h"

#include <string.h>

#include "io/npz.h"
#include "io/zip.h"
#include "lua/control.h"
#include "lua/l_tensor.h"
#include "lua/limits.h"

#define ZIP_TYPE "nn.zip"

static int zip_close(lua_State *L) {
  nn_zip **z = luaL_checkudata(L, 1, ZIP_TYPE);
  nn_zip_close(*z);
  *z = NULL;
  return 0;
}

static nn_zip *check_zip(lua_State *L) {
  nn_zip **z = luaL_checkudata(L, 1, ZIP_TYPE);
  if (!*z) nnl_raise(L, "zip: the archive is closed");
  return *z;
}

static int zip_names(lua_State *L) {
  nn_zip *z = check_zip(L);
  size_t n = nn_zip_count(z);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_createtable(L, 2, 0);
    lua_pushstring(L, nn_zip_name(z, i));
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)nn_zip_size(z, i));
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int zip_read(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_zip *z = check_zip(L);
  size_t i, n;
  uint8_t *bytes;
  luaL_Buffer b;
  if (!nn_zip_find(z, luaL_checkstring(L, 2), &i)) {
    lua_pushnil(L);
    return 1;
  }
  char *room = luaL_buffinitsize(L, &b, (size_t)nn_zip_size(z, i)); /* raises before the block */
  nnl_check(L, nn_zip_read(z, i, &bytes, &n, &c->error), &c->error);
  memcpy(room, bytes, n);
  nn_mem_free(&c->alloc, bytes);
  luaL_pushresultsize(&b, n);
  return 1;
}

/* open(path, limits). */
static int l_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"names", zip_names}, {"read", zip_read}, {"close", zip_close}, {NULL, NULL}};
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  nn_lua_check_files(L, "load");
  lua_settop(L, 2);
  nn_limits limits = nnl_limits(L, 2);
  nn_zip **z = lua_newuserdatauv(L, sizeof *z, 0);
  *z = NULL;
  if (luaL_newmetatable(L, ZIP_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, zip_close);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  nnl_check(L, nn_zip_open(z, &c->alloc, path, &limits, &c->error), &c->error);
  return 1;
}

/* --- npz ---------------------------------------------------------------------------------- */

static int npz_gc(lua_State *L) {
  nn_npz_close(lua_touserdata(L, 1));
  return 0;
}

/* npz(path[, limits[, bytes]]): {name = tensor}. */
static int l_npz(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  lua_settop(L, 3);
  nn_limits limits = nnl_limits(L, 2);
  size_t n;
  const char *bytes = lua_tolstring(L, 3, &n);
  if (!bytes) nn_lua_check_files(L, "load");
  nn_npz *f = nnl_push_owner(L, sizeof *f, "nn.npz", npz_gc);
  nnl_check(L, bytes ? nn_npz_open_memory(f, &c->alloc, path, bytes, n, &limits, &c->error)
                     : nn_npz_open(f, &c->alloc, path, &limits, &c->error), &c->error);
  lua_createtable(L, 0, (int)f->count);
  for (size_t i = 0; i < f->count; i++) {
    nnl_check(L, nn_npz_load(f, i, &c->error), &c->error);
    nnl_tensor *t = nnl_push_tensor(L, &f->npy.shape);
    nnl_check(L, nn_npz_read(f, t->t.data, &c->error), &c->error);
    lua_setfield(L, -2, f->name[i]);
  }
  nn_npz_close(f);
  return 1;
}

static int l_save_npz(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  size_t count;
  nn_lua_check_files(L, "save");
  lua_settop(L, 2);
  nn_named_tensor *list = nnl_named_tensors(L, 2, &count);
  nnl_check(L, nn_npz_save(&c->alloc, path, list, count, &c->error), &c->error);
  return 0;
}

void l_zip_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", l_open},
                                       {"npz", l_npz},
                                       {"save_npz", l_save_npz},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
}
