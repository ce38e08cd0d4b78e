/* `require "nnlua"`: puts the library's searcher into package.searchers and loads the module.
 *
 * Modules named nnlua or nnlua.* come from the folder in NNLUA_PATH (a source checkout's lua/)
 * where they are there, else from the binary. Their chunks are named "@nnlua/..." in both cases, by
 * which error messages skip the library's own frames.
 */
#include "host/module.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/embedded.h"
#include "lua/core.h"
#include "nnlua.h"

/* Their addresses are registry keys: our searcher, and the environment of library chunks. */
static const char searcher_key = 0, environment_key = 0;

static int compare_module(const void *name, const void *row) {
  return strcmp(name, ((const nn_embedded *)row)->module);
}

static const nn_embedded *find_embedded(const char *name) {
  return bsearch(name, nn_embedded_modules, nn_embedded_count, sizeof *nn_embedded_modules,
                 compare_module);
}

/* A lua_Reader over a FILE; `block` lives as long as the load. */
typedef struct file_reader {
  FILE *file; /* owned by load_file */
  char block[4096];
} file_reader;

static const char *read_block(lua_State *L, void *ud, size_t *size) {
  file_reader *r = ud;
  (void)L;
  *size = fread(r->block, 1, sizeof r->block, r->file);
  return *size ? r->block : NULL;
}

/* Pushes the compiled file under our chunk name, or the compiler's message (status != LUA_OK).
 * -1: no such file, nothing pushed. lua_load does not raise, so the file is always closed. */
static int load_file(lua_State *L, const char *path, const char *chunk) {
  file_reader r;
  r.file = fopen(path, "rb");
  if (!r.file) return -1;
  int status = lua_load(L, read_block, &r, chunk, "t");
  fclose(r.file);
  return status;
}

/* Tries folder/a/b.lua and folder/a/b/init.lua for module a.b. 1: pushed the chunk and its path. */
static int load_from_folder(lua_State *L, const char *folder, const char *name) {
  static const char *const endings[] = {".lua", "/init.lua"};
  const char *stem = luaL_gsub(L, name, ".", "/");
  for (size_t i = 0; i < 2; i++) {
    const char *path = lua_pushfstring(L, "%s/%s%s", folder, stem, endings[i]);
    const char *chunk = lua_pushfstring(L, "@%s%s", stem, endings[i]);
    int status = load_file(L, path, chunk);
    if (status > LUA_OK) lua_error(L);
    if (status == LUA_OK) {
      lua_pushstring(L, path);
      return 1;
    }
    lua_pop(L, 2);
  }
  return 0;
}

/* Gives a chunk the library's environment (its only upvalue), where there is one. */
static void set_environment(lua_State *L, int chunk) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key) == LUA_TNIL) lua_pop(L, 1);
  else if (!lua_setupvalue(L, chunk, 1)) lua_pop(L, 1);
}

void nn_host_set_environment(lua_State *L) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

/* Lua's own note of its release, where the Lua that runs us shows it. */
extern const char lua_ident[] __attribute__((weak));

static int is_our_release(void) {
  static const char mark[] = "$LuaVersion: ";
  size_t n = strlen(nn_embedded_release);
  return lua_ident && strncmp(lua_ident, mark, sizeof mark - 1) == 0 &&
         strncmp(lua_ident + sizeof mark - 1, nn_embedded_release, n) == 0 &&
         (lua_ident[sizeof mark - 1 + n] == ' ' || lua_ident[sizeof mark - 1 + n] == '\0');
}

static int load_embedded(lua_State *L, const nn_embedded *m) {
  if (is_our_release()) {
    const char *code = (const char *)m->code;
    if (luaL_loadbufferx(L, code, m->code_size, m->chunk, "b") == LUA_OK) return LUA_OK;
    lua_pop(L, 1);
  }
  return luaL_loadbufferx(L, m->text, m->size, m->chunk, "t");
}

/* Upvalue 1: the folder of NNLUA_PATH, or nil. */
static int l_search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *folder = lua_tostring(L, lua_upvalueindex(1));
  if (strncmp(name, "nnlua", 5) != 0 || (name[5] != '\0' && name[5] != '.')) return 0;
  if (folder && load_from_folder(L, folder, name)) {
    set_environment(L, lua_gettop(L) - 1);
    return 2;
  }
  const nn_embedded *m = find_embedded(name);
  if (!m) {
    lua_pushfstring(L, "no module '%s' in the nnlua library", name);
    return 1;
  }
  if (load_embedded(L, m) != LUA_OK) return lua_error(L);
  set_environment(L, lua_gettop(L));
  lua_pushstring(L, m->chunk + 1);
  return 2;
}

static void push_folder(lua_State *L) {
  int no_environment = lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV") != LUA_TNIL &&
                       lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_pushstring(L, no_environment ? NULL : getenv("NNLUA_PATH")); /* NULL pushes nil */
}

/* package.searchers: ours stands second, after the preloaded modules. */
static void insert_searcher(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) != LUA_TTABLE ||
      lua_getfield(L, -1, "searchers") != LUA_TTABLE)
    luaL_error(L, "nnlua: this Lua state has no 'package' library");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &searcher_key);
  lua_seti(L, -2, 2);
  lua_pop(L, 3);
}

void nn_host_install(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &searcher_key) == LUA_TNIL) {
    push_folder(L);
    lua_pushcclosure(L, l_search, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &searcher_key);
    insert_searcher(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_nnlua_core);
    lua_setfield(L, -2, "nnlua.core");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

NNLUA_API int luaopen_nnlua(lua_State *L) {
  luaL_checkversion(L);
  nn_host_install(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &searcher_key);
  lua_pushliteral(L, "nnlua");
  lua_call(L, 1, 2);
  if (!lua_isfunction(L, -2)) return luaL_error(L, "nnlua: %s", lua_tostring(L, -2));
  lua_pushliteral(L, "nnlua");
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  return 1;
}
