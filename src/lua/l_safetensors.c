/* core.safetensors: load(path[, limits]) and save(path, list, metadata); block(list, metadata
 * [, spare]) gives the bytes as a block, see lua/behind.h. Metadata under the name of io/checksum.h
 * is filled in. */
#include "lua/l_safetensors.h"

#include <string.h>

#include "io/safetensors.h"
#include "lua/behind.h"
#include "lua/control.h"
#include "lua/l_tensor.h"
#include "lua/limits.h"

static int file_gc(lua_State *L) {
  nn_safetensors_close(lua_touserdata(L, 1));
  return 0;
}

static nn_safetensors *push_file(lua_State *L) {
  return nnl_push_owner(L, sizeof(nn_safetensors), "nn.safetensors", file_gc);
}

static void push_metadata(lua_State *L, const nn_safetensors *f) {
  lua_newtable(L);
  for (const nn_json *c = f->metadata ? f->metadata->first : NULL; c; c = c->next) {
    lua_pushlstring(L, c->key, c->key_size);
    lua_pushlstring(L, c->as.string, c->size);
    lua_rawset(L, -3);
  }
}

/* load(path[, limits]): {name = tensor}, metadata as {key = text}. */
static int l_load(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  nn_limits limits = nnl_limits(L, 2);
  nn_lua_check_files(L, "load");
  lua_settop(L, 2);
  nn_safetensors *f = push_file(L);
  nnl_check(L, nn_safetensors_open(f, &c->alloc, path, &limits, &c->error), &c->error);
  lua_newtable(L);
  for (size_t k = 0; k < f->count; k++) {
    const nn_safetensors_entry *e = &f->entry[k];
    nnl_tensor *t = nnl_push_tensor(L, &e->shape);
    nnl_check(L, nn_safetensors_read(f, e, t->t.data, &c->error), &c->error);
    lua_setfield(L, -2, e->name);
  }
  push_metadata(L, f);
  nn_safetensors_close(f);
  return 2;
}

static nn_text_pair *read_metadata(lua_State *L, int i, size_t *pairs) {
  *pairs = 0;
  if (!lua_istable(L, i)) return NULL;
  for (lua_pushnil(L); lua_next(L, i); lua_pop(L, 1)) ++*pairs;
  nn_text_pair *list = lua_newuserdatauv(L, sizeof *list * (*pairs + 1), 0);
  size_t k = 0;
  for (lua_pushnil(L); lua_next(L, i); lua_pop(L, 1), k++) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      nnl_raise(L, "save: metadata holds texts by name");
    list[k].key = lua_tostring(L, -2);
    list[k].value = lua_tolstring(L, -1, &list[k].value_size);
  }
  return list;
}

/* save(path, {{name, tensor}, ...}[, metadata]): replaces the file atomically. */
static int l_save(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  size_t count, pairs;
  nn_lua_check_files(L, "save");
  lua_settop(L, 3);
  nn_named_tensor *list = nnl_named_tensors(L, 2, &count);
  nn_text_pair *metadata = read_metadata(L, 3, &pairs);
  nn_status s = nn_safetensors_save(&c->alloc, path, list, count, metadata, pairs, &c->error);
  nnl_check(L, s, &c->error);
  return 0;
}

/* block({{name, tensor}, ...}, metadata[, spare]). */
static int l_block(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  size_t count, pairs;
  nn_stream stream;
  lua_settop(L, 3);
  nn_named_tensor *list = nnl_named_tensors(L, 1, &count);
  nn_text_pair *metadata = read_metadata(L, 2, &pairs);
  nnl_block *b = nnl_push_block(L, c);
  nnl_block_begin(L, &stream, c, 3);
  nn_safetensors_write(&stream, list, count, metadata, pairs, &b->sum_at);
  nnl_block_end(L, b, &stream, c);
  return 1;
}

void l_safetensors_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"load", l_load}, {"save", l_save}, {"block", l_block}, {NULL, NULL}};
  luaL_newlib(L, functions);
}
