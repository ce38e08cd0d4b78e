/* core.json: decode(text[, name[, limits]]) and encode(value[, spaced]).
 *
 * null is core.json.null (a light userdata). Empty arrays are marked (as by core.json.array), so
 * that they are written as [] again; an unmarked table without entries is {}. core.json.ordered
 * {{key, value}, ...} writes an object's members in that order; others are written sorted by key.
 */
#include "lua/l_json.h"

#include <string.h>

#include "io/json.h"
#include "lua/context.h"
#include "lua/limits.h"

static const char array_key = 'a', ordered_key = 'o';

static int doc_gc(lua_State *L) {
  nn_json_clear(lua_touserdata(L, 1));
  return 0;
}

/* Depth is bounded by the parser's limit. */
static void push_value(lua_State *L, const nn_json *j) {
  luaL_checkstack(L, 4, "json");
  lua_Integer i = 0;
  switch (j->kind) {
    case NN_JSON_NULL: lua_pushlightuserdata(L, NULL); break;
    case NN_JSON_BOOLEAN: lua_pushboolean(L, j->boolean); break;
    case NN_JSON_INTEGER: lua_pushinteger(L, j->as.integer); break;
    case NN_JSON_NUMBER: lua_pushnumber(L, j->as.number); break;
    case NN_JSON_STRING: lua_pushlstring(L, j->as.string, j->size); break;
    case NN_JSON_ARRAY:
      lua_createtable(L, (int)j->size, 0);
      for (const nn_json *c = j->first; c; c = c->next) {
        push_value(L, c);
        lua_rawseti(L, -2, ++i);
      }
      if (i == 0) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
        lua_setmetatable(L, -2);
      }
      break;
    case NN_JSON_OBJECT:
      lua_createtable(L, 0, (int)j->size);
      for (const nn_json *c = j->first; c; c = c->next) {
        lua_pushlstring(L, c->key, c->key_size);
        push_value(L, c);
        lua_rawset(L, -3);
      }
      break;
  }
}

static int l_json_decode(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n), *name = luaL_optstring(L, 2, "json");
  nn_json_doc *d = nnl_push_owner(L, sizeof *d, "nn.json_doc", doc_gc);
  nn_limits limits = nnl_limits(L, 3);
  nnl_check(L, nn_json_parse(d, &c->alloc, name, text, n, &limits, &c->error), &c->error);
  push_value(L, d->root);
  nn_json_clear(d);
  return 1;
}

/* --- writing ------------------------------------------------------------------------------ */

static int stream_gc(lua_State *L) {
  nn_stream_close(lua_touserdata(L, 1));
  return 0;
}

static int same_metatable(lua_State *L, const char *key) {
  if (!lua_getmetatable(L, -1)) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

static void write_value(lua_State *L, nn_json_writer *w, int depth);

static void write_member(lua_State *L, nn_json_writer *w, int depth) {
  size_t n;
  if (lua_type(L, -2) != LUA_TSTRING)
    nnl_raise(L, "json: a key is %s, expected a string", luaL_typename(L, -2));
  const char *key = lua_tolstring(L, -2, &n);
  nn_json_key(w, key, n);
  write_value(L, w, depth);
}

static void write_ordered(lua_State *L, nn_json_writer *w, int depth) {
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, -1, i);
    lua_geti(L, -1, 1), lua_geti(L, -2, 2);
    write_member(L, w, depth);
    lua_pop(L, 3);
  }
}

/* Keys sorted by bytes: the list of keys is sorted with table.sort. */
static void write_sorted(lua_State *L, nn_json_writer *w, int depth) {
  lua_Integer n = 0;
  int t = lua_gettop(L);
  lua_newtable(L);
  int keys = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      nnl_raise(L, "json: a table mixes positions and names");
    lua_pushvalue(L, -2);
    lua_rawseti(L, keys, ++n);
  }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, keys);
  lua_call(L, 1, 0);
  lua_pop(L, 1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, keys, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, t);
    write_member(L, w, depth);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static void write_table(lua_State *L, nn_json_writer *w, int depth) {
  int ordered = same_metatable(L, &ordered_key), array = same_metatable(L, &array_key);
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  if (!ordered && (array || n > 0)) {
    nn_json_begin(w, NN_JSON_ARRAY);
    for (lua_Integer i = 1; i <= n; i++) {
      lua_rawgeti(L, -1, i);
      write_value(L, w, depth + 1);
      lua_pop(L, 1);
    }
    nn_json_end(w, NN_JSON_ARRAY);
    return;
  }
  nn_json_begin(w, NN_JSON_OBJECT);
  if (ordered) write_ordered(L, w, depth + 1);
  else write_sorted(L, w, depth + 1);
  nn_json_end(w, NN_JSON_OBJECT);
}

static void write_value(lua_State *L, nn_json_writer *w, int depth) {
  size_t n;
  if (depth > 200) nnl_raise(L, "json: nested deeper than 200");
  luaL_checkstack(L, 12, "json");
  switch (lua_type(L, -1)) {
    case LUA_TLIGHTUSERDATA:
    case LUA_TNIL: nn_json_write_null(w); break;
    case LUA_TBOOLEAN: nn_json_write_boolean(w, lua_toboolean(L, -1)); break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1)) nn_json_write_integer(w, lua_tointeger(L, -1));
      else nn_json_write_number(w, lua_tonumber(L, -1));
      break;
    case LUA_TSTRING: {
      const char *s = lua_tolstring(L, -1, &n);
      nn_json_write_string(w, s, n);
      break;
    }
    case LUA_TTABLE: write_table(L, w, depth); break;
    default: nnl_raise(L, "json: a %s cannot be written", luaL_typename(L, -1));
  }
}

static int l_json_encode(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  int flags = lua_toboolean(L, 2) ? NN_JSON_SPACED | NN_JSON_ASCII : 0;
  lua_settop(L, 1);
  nn_stream *s = nnl_push_owner(L, sizeof *s, "nn.json_stream", stream_gc);
  nnl_check(L, nn_stream_grow(s, &c->alloc, "json", &c->error), &c->error);
  nn_json_writer w;
  nn_json_writer_init(&w, s, flags);
  lua_pushvalue(L, 1);
  write_value(L, &w, 0);
  if (s->error.code != NN_OK) nnl_check(L, s->error.code, &s->error);
  lua_pushlstring(L, (const char *)s->buffer, s->fill);
  nn_stream_close(s);
  return 1;
}

static int l_json_mark(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setmetatable(L, 1);
  return 1;
}

/* array(t) and ordered(t) mark a table and return it. */
static void add_mark(lua_State *L, const char *name, const char *key) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  lua_pushcclosure(L, l_json_mark, 1);
  lua_setfield(L, -2, name);
}

void l_json_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"decode", l_json_decode}, {"encode", l_json_encode}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  add_mark(L, "array", &array_key);
  add_mark(L, "ordered", &ordered_key);
}
