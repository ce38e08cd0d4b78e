/* Files of data: core.io.csv, npy, idx, save_npy. Paths raise in a sandbox. */
#include "lua/l_data.h"

#include <string.h>

#include "io/csv.h"
#include "io/idx.h"
#include "io/npy.h"
#include "lua/control.h"
#include "lua/l_tensor.h"

/* --- csv ---------------------------------------------------------------------------------- */

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
    *out = n ? s[0] : 0;
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
    list[n++].type = type[0] == 'n' ? NN_CSV_NUMBER : NN_CSV_TEXT;
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
  nn_csv_table *t = lua_newuserdatauv(L, sizeof *t, 0);
  memset(t, 0, sizeof *t);
  if (luaL_newmetatable(L, "nn.csv_table")) {
    lua_pushcfunction(L, table_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return t;
}

/* {name=, type=, values={..}}: a missing cell is false. */
static void push_column(lua_State *L, const nn_csv_column *c, size_t rows) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, c->type == NN_CSV_NUMBER ? "number" : "text");
  lua_setfield(L, -2, "type");
  lua_createtable(L, (int)rows, 0);
  for (size_t r = 0; r < rows; r++) {
    if (c->missing[r]) lua_pushboolean(L, 0);
    else if (c->type == NN_CSV_NUMBER) lua_pushnumber(L, c->number[r]);
    else lua_pushlstring(L, c->pool + c->start[r], c->start[r + 1] - c->start[r]);
    lua_rawseti(L, -2, (lua_Integer)r + 1);
  }
  lua_setfield(L, -2, "values");
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
  lua_pushinteger(L, (lua_Integer)t->rows);
  lua_createtable(L, (int)t->columns, 0);
  for (size_t k = 0; k < t->columns; k++) {
    push_column(L, &t->column[k], t->rows);
    lua_rawseti(L, -2, (lua_Integer)k + 1);
  }
  return 2;
}

/* --- npy, idx ----------------------------------------------------------------------------- */

static int l_npy(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_lua_check_files(L, "npy");
  nn_stream s;
  nn_npy h;
  nnl_check(L, nn_stream_open(&s, &c->alloc, luaL_checkstring(L, 1), &c->error), &c->error);
  nn_status status = nn_npy_header(&s, &h, NULL);
  if (status != NN_OK) {
    c->error = s.error;
    nn_stream_close(&s);
    nnl_check(L, status, &c->error);
  }
  nn_stream_close(&s);
  nnl_tensor *t = nnl_push_tensor(L, &h.shape);
  nnl_check(L, nn_stream_open(&s, &c->alloc, luaL_checkstring(L, 1), &c->error), &c->error);
  nn_npy_header(&s, &h, NULL);
  status = nn_npy_read(&s, &h, t->t.data);
  c->error = s.error;
  nn_stream_close(&s);
  nnl_check(L, status, &c->error);
  return 1;
}

static int l_save_npy(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_lua_check_files(L, "save_npy");
  const char *path = luaL_checkstring(L, 1);
  lua_settop(L, 2);
  nnl_coerce(L, 2, -1);
  nnl_tensor *t = nnl_contiguous(L, 2);
  nn_stream s;
  nnl_check(L, nn_stream_create(&s, &c->alloc, path, &c->error), &c->error);
  nn_status status = nn_npy_write(&s, &t->t);
  c->error = s.error;
  if (status == NN_OK) status = nn_stream_commit(&s, &c->error);
  nn_stream_close(&s);
  nnl_check(L, status, &c->error);
  return 0;
}

static int idx_gc(lua_State *L) {
  nn_idx_close(lua_touserdata(L, 1));
  return 0;
}

static int l_idx(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_lua_check_files(L, "idx");
  const char *path = luaL_checkstring(L, 1);
  nn_idx *f = lua_newuserdatauv(L, sizeof *f, 0);
  memset(f, 0, sizeof *f);
  if (luaL_newmetatable(L, "nn.idx")) {
    lua_pushcfunction(L, idx_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  nnl_check(L, nn_idx_open(f, &c->alloc, path, NULL, &c->error), &c->error);
  nnl_tensor *t = nnl_push_tensor(L, &f->shape);
  nnl_check(L, nn_idx_read(f, t->t.data, &c->error), &c->error);
  nn_idx_close(f);
  return 1;
}

void l_data_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"csv", l_csv}, {"npy", l_npy}, {"idx", l_idx}, {"save_npy", l_save_npy}, {NULL, NULL}};
  luaL_newlib(L, functions);
}
