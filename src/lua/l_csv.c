/* core.io.csv and csv_reader: files of comma-separated cells as columns. */
#include "lua/l_csv.h"

#include <string.h>

#include "io/csv_ahead.h"
#include "lua/control.h"
#include "lua/l_column.h"
#include "lua/l_tensor.h"

/* A text option stays alive: its table holds it during the call. */
static const char *text_field(lua_State *L, int t, const char *name) {
  lua_getfield(L, t, name);
  const char *s = lua_tostring(L, -1);
  lua_pop(L, 1);
  return s;
}

static void char_field(lua_State *L, int t, const char *name, char *out) {
  lua_getfield(L, t, name);
  if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
    *out = 0;
  } else if (!lua_isnil(L, -1)) {
    size_t n;
    const char *s = lua_tolstring(L, -1, &n);
    if (!s || n > 1) nnl_raise(L, "csv: %s is not one character", name);
    *out = s && n ? s[0] : 0;
  }
  lua_pop(L, 1);
}

/* A list of strings as an array that the stack keeps alive. */
static const char *const *list_field(lua_State *L, int t, const char *name, size_t *count) {
  lua_getfield(L, t, name);
  if (lua_isnil(L, -1)) return NULL;
  if (!lua_istable(L, -1))
    nnl_raise(L, "csv: %s is %s, expected a list", name, luaL_typename(L, -1));
  *count = (size_t)luaL_len(L, -1);
  const char **list = lua_newuserdatauv(L, sizeof(char *) * (*count + 1), 0);
  for (size_t k = 0; k < *count; k++) {
    lua_geti(L, -2, (lua_Integer)k + 1);
    list[k] = lua_tostring(L, -1);
    if (!list[k]) nnl_raise(L, "csv: %s[%d] is not text", name, (int)k + 1);
    lua_pop(L, 1);
  }
  return list;
}

static void types_field(lua_State *L, int t, nn_csv_options *o) {
  lua_getfield(L, t, "types");
  if (lua_isnil(L, -1)) return;
  size_t n = 0;
  int types = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, types); lua_pop(L, 1)) n++;
  nn_csv_declared *list = lua_newuserdatauv(L, sizeof *list * (n + 1), 0);
  n = 0;
  for (lua_pushnil(L); lua_next(L, types); lua_pop(L, 1)) {
    const char *type = lua_tostring(L, -1);
    if (lua_type(L, -2) != LUA_TSTRING || !type ||
        (strcmp(type, "number") != 0 && strcmp(type, "text") != 0))
      nnl_raise(L, "csv: types maps a column's name to 'number' or 'text'");
    list[n].name = lua_tostring(L, -2);
    list[n++].type = type && type[0] == 'n' ? NN_CSV_NUMBER : NN_CSV_TEXT;
  }
  o->types = list, o->types_count = n;
}

static void read_options(lua_State *L, int t, nn_csv_options *o) {
  nn_csv_options_init(o);
  if (!lua_istable(L, t)) return;
  char_field(L, t, "delimiter", &o->delimiter);
  char_field(L, t, "quote", &o->quote);
  char_field(L, t, "decimal", &o->decimal);
  char_field(L, t, "thousands", &o->thousands);
  o->comment = text_field(L, t, "comment");
  lua_getfield(L, t, "header");
  if (!lua_isnil(L, -1)) o->header = lua_toboolean(L, -1);
  lua_getfield(L, t, "trim");
  o->trim = lua_toboolean(L, -1);
  lua_pop(L, 2);
  o->names = list_field(L, t, "names", &o->names_count);
  o->na = list_field(L, t, "na", &o->na_count);
  types_field(L, t, o);
}

/* The parsed table as a userdata, so that an error while Lua values are made frees it. */
static int table_gc(lua_State *L) {
  nn_csv_clear(lua_touserdata(L, 1));
  return 0;
}

static nn_csv_table *push_table(lua_State *L) {
  nn_csv_table *t = lua_newuserdatauv(L, sizeof *t, 1);
  memset(t, 0, sizeof *t);
  if (luaL_newmetatable(L, "nn.csv_table")) {
    lua_pushcfunction(L, table_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return t;
}

/* The texts of a column as codes: list 1 has each text once. */
static void push_texts(lua_State *L, const nn_csv_column *c, size_t rows) {
  nnl_column *out = nnl_push_column(L, rows, 1);
  int at = lua_gettop(L);
  lua_newtable(L); /* at + 1: texts */
  lua_newtable(L); /* at + 2: text -> code */
  int32_t codes = 0;
  for (size_t r = 0; r < rows; r++) {
    if (c->missing[r]) continue;
    lua_pushlstring(L, c->pool + c->start[r], c->start[r + 1] - c->start[r]);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, at + 2) == LUA_TNIL) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, at + 1, ++codes);
      lua_pushvalue(L, -2);
      lua_pushinteger(L, codes);
      lua_rawset(L, at + 2);
      out->code[r] = codes;
    } else {
      out->code[r] = (int32_t)lua_tointeger(L, -1);
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  lua_setiuservalue(L, at, 1);
}

/* {name=, type=, values=column} */
static void push_column(lua_State *L, const nn_csv_column *c, size_t rows) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, c->type == NN_CSV_NUMBER ? "number" : "text");
  lua_setfield(L, -2, "type");
  if (c->type == NN_CSV_TEXT) push_texts(L, c, rows);
  else memcpy(nnl_push_column(L, rows, 0)->number, c->number, rows * sizeof(double));
  lua_setfield(L, -2, "values");
}

/* Pushes the number of rows and the list of columns. */
static int push_columns(lua_State *L, const nn_csv_table *t) {
  lua_pushinteger(L, (lua_Integer)t->rows);
  lua_createtable(L, (int)t->columns, 0);
  for (size_t k = 0; k < t->columns; k++) {
    push_column(L, &t->column[k], t->rows);
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
  return 2;
}

/* csv(path, options[, text]): rows, columns. With text that is parsed; path names it in errors. */
static int l_csv(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  size_t n;
  lua_settop(L, 3);
  const char *text = lua_tolstring(L, 3, &n);
  if (!text) nn_lua_check_files(L, "csv");
  nn_csv_table *t = push_table(L);
  nn_csv_options o;
  read_options(L, 2, &o);
  nn_status s = text ? nn_csv_parse(t, &c->alloc, path, text, n, &o, NULL, &c->error)
                     : nn_csv_load(t, &c->alloc, path, &o, NULL, &c->error);
  nnl_check(L, s, &c->error);
  push_columns(L, t);
  nn_csv_clear(t);
  return 2;
}

/* --- in portions -------------------------------------------------------------------------- */

static int reader_gc(lua_State *L) {
  nn_csv_ahead_close(luaL_checkudata(L, 1, "nn.csv_reader"));
  return 0;
}

/* next(reader): rows, columns; 0 rows at the end. */
static int reader_next(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_csv_ahead *r = luaL_checkudata(L, 1, "nn.csv_reader");
  if (!r->reader) nnl_raise(L, "csv: the reader is closed");
  nn_csv_table *t = push_table(L);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1); /* the reader's allocator holds the table's memory */
  nnl_check(L, nn_csv_ahead_next(r, t, &c->error), &c->error);
  push_columns(L, t);
  nn_csv_clear(t);
  return 2;
}

/* What the options at stack index 2 and behind point at lives as long as the reader at index 3. */
static void keep_options(lua_State *L) {
  int top = lua_gettop(L);
  lua_newtable(L);
  for (int k = 2; k <= top; k++) {
    if (k == 3) continue;
    lua_pushvalue(L, k);
    lua_rawseti(L, -2, k);
  }
  lua_setiuservalue(L, 3, 1);
}

/* csv_reader(path, options, rows[, threaded]): a reader with next() and close(), of portions of
 * `rows` rows, the next one parsed by a thread. The options must not change. */
static int l_csv_reader(lua_State *L) {
  static const luaL_Reg methods[] = {{"__gc", reader_gc},
                                     {"__close", reader_gc},
                                     {"close", reader_gc},
                                     {"next", reader_next},
                                     {NULL, NULL}};
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  lua_Integer rows = luaL_checkinteger(L, 3);
  int threaded = lua_toboolean(L, 4);
  nn_lua_check_files(L, "csv");
  if (rows < 1) nnl_raise(L, "csv: %d rows, expected 1 or more", (int)rows);
  lua_settop(L, 2);
  nn_csv_ahead *r = lua_newuserdatauv(L, sizeof *r, 1); /* 3 */
  memset(r, 0, sizeof *r);
  if (luaL_newmetatable(L, "nn.csv_reader")) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, 3);
  nn_csv_options o;
  read_options(L, 2, &o);
  keep_options(L);
  nnl_check(L, nn_csv_ahead_open(r, path, &o, (size_t)rows, threaded, c->alloc.limit, &c->error),
            &c->error);
  lua_settop(L, 3);
  return 1;
}

void l_csv_open(lua_State *L) {
  lua_pushcfunction(L, l_csv);
  lua_setfield(L, -2, "csv");
  lua_pushcfunction(L, l_csv_reader);
  lua_setfield(L, -2, "csv_reader");
}
