/* core.column: columns of cells for nn.data's tables. A cell is a number, a text, or false where it
 * is missing; `c[i]` reads one, `#c` counts them.
 */
#include "lua/l_column.h"

#include <math.h>

#include "io/column.h"
#include "lua/l_tensor.h"

#define NNL_COLUMN "nn.Column"

nnl_column *nnl_push_column(lua_State *L, size_t rows, int text) {
  size_t cell = text ? sizeof(int32_t) : sizeof(double);
  if (rows > INT32_MAX) nnl_raise(L, "column: %zu rows, at most 2147483647 are possible", rows);
  nnl_column *c = lua_newuserdatauv(L, sizeof *c + rows * cell, 1);
  *c = (nnl_column){.rows = rows, .text = text};
  luaL_setmetatable(L, NNL_COLUMN);
  if (text) c->code = (int32_t *)(c + 1);
  else c->number = (double *)(c + 1);
  for (size_t i = 0; i < rows; i++) {
    if (text) c->code[i] = 0;
    else c->number[i] = NAN;
  }
  return c;
}

nnl_column *nnl_check_column(lua_State *L, int i) { return luaL_checkudata(L, i, NNL_COLUMN); }

static nnl_column *check_numbers(lua_State *L, int i) {
  nnl_column *c = nnl_check_column(L, i);
  if (c->text) nnl_raise(L, "column: expected numbers, got text");
  return c;
}

static void share_texts(lua_State *L, int from) {
  lua_getiuservalue(L, from, 1);
  lua_setiuservalue(L, -2, 1);
}

/* Pushes cell i (from 0); `texts` is the index of the list of texts. */
static void push_cell(lua_State *L, const nnl_column *c, size_t i, int texts) {
  if (c->text) {
    if (c->code[i]) lua_rawgeti(L, texts, c->code[i]);
    else lua_pushboolean(L, 0);
  } else if (isnan(c->number[i])) {
    lua_pushboolean(L, 0);
  } else {
    lua_pushnumber(L, c->number[i]);
  }
}

static int column_index(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || (size_t)i > c->rows) return 0;
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  push_cell(L, c, (size_t)i - 1, 3);
  return 1;
}

static int column_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)nnl_check_column(L, 1)->rows);
  return 1;
}

static int l_column_is_text(lua_State *L) {
  lua_pushboolean(L, nnl_check_column(L, 1)->text);
  return 1;
}

/* list(column): all cells. */
static int l_column_list(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_createtable(L, (int)c->rows, 0);
  for (size_t i = 0; i < c->rows; i++) {
    push_cell(L, c, i, 2);
    lua_rawseti(L, 3, (lua_Integer)i + 1);
  }
  return 1;
}

/* 1 when a cell of list 1 is text; raises where one is no cell at all. */
static int has_text(lua_State *L, size_t n) {
  int text = 0;
  for (size_t i = 0; i < n; i++) {
    int type = lua_rawgeti(L, 1, (lua_Integer)i + 1);
    int missing = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
    if (type != LUA_TNUMBER && type != LUA_TSTRING && !missing)
      nnl_raise(L, "row %d is %s, expected a number, a text, or false where it is missing",
                (int)i + 1, type == LUA_TBOOLEAN ? "true" : luaL_typename(L, -1));
    lua_pop(L, 1);
    text |= type == LUA_TSTRING;
  }
  return text;
}

/* of(list, rows): numbers, or text as soon as one cell is text. */
static int l_column_of(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t n = (size_t)luaL_checkinteger(L, 2);
  lua_settop(L, 1);
  nnl_column *c = nnl_push_column(L, n, has_text(L, n));
  lua_newtable(L);              /* 3: texts */
  lua_newtable(L);              /* 4: text -> code */
  int32_t codes = 0;
  for (size_t i = 0; i < n; i++) {
    int type = lua_rawgeti(L, 1, (lua_Integer)i + 1);
    if (type == LUA_TNUMBER && !c->text) c->number[i] = lua_tonumber(L, -1);
    if (c->text && (type == LUA_TNUMBER || type == LUA_TSTRING)) {
      lua_tostring(L, -1);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, 4) == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, 3, ++codes);
        lua_pushvalue(L, -2);
        lua_pushinteger(L, codes);
        lua_rawset(L, 4);
        c->code[i] = codes;
      } else {
        c->code[i] = (int32_t)lua_tointeger(L, -1);
      }
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, 3);
  if (c->text) lua_setiuservalue(L, 2, 1);
  lua_settop(L, 2);
  return 1;
}

static void copy_cell(nnl_column *to, size_t i, const nnl_column *from, size_t k) {
  if (from->text) to->code[i] = from->code[k];
  else to->number[i] = from->number[k];
}

/* take(column, rows): the rows of a list of numbers from 1. */
static int l_column_take(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t n = (size_t)luaL_len(L, 2);
  nnl_column *out = nnl_push_column(L, n, c->text);
  share_texts(L, 1);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    lua_Integer k = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (k < 1 || (size_t)k > c->rows)
      nnl_raise(L, "row %lld, the table has rows 1 to %d", (long long)k, (int)c->rows);
    copy_cell(out, i, c, (size_t)k - 1);
  }
  return 1;
}

/* slice(column, first, last): rows from 1, both included. */
static int l_column_slice(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  if (first < 1 || last > (lua_Integer)c->rows || last < first - 1)
    nnl_raise(L, "rows %lld to %lld, the table has rows 1 to %d", (long long)first,
              (long long)last, (int)c->rows);
  size_t n = (size_t)(last - first + 1);
  nnl_column *out = nnl_push_column(L, n, c->text);
  share_texts(L, 1);
  for (size_t i = 0; i < n; i++) copy_cell(out, i, c, (size_t)first - 1 + i);
  return 1;
}

/* Appends the value at the top of the stack to list 2 unless set 3 has it; pops it. */
static void add_new(lua_State *L, lua_Integer *count) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, 3) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_rawseti(L, 2, ++*count);
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, 3);
  }
  lua_pop(L, 2);
}

/* categories(column): the different cells as they come, and whether one is missing. */
static int l_column_categories(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  int missing = 0;
  lua_Integer count = 0;
  lua_settop(L, 1);
  lua_newtable(L); /* 2 */
  lua_newtable(L); /* 3 */
  lua_getiuservalue(L, 1, 1);
  size_t texts = c->text ? (size_t)luaL_len(L, 4) : 0;
  char *seen = lua_newuserdatauv(L, texts + 1, 0);
  for (size_t k = 0; k <= texts; k++) seen[k] = 0;
  for (size_t i = 0; i < c->rows; i++) {
    if (c->text ? c->code[i] == 0 : isnan(c->number[i])) {
      missing = 1;
    } else if (!c->text || !seen[c->code[i]]) {
      if (c->text) seen[c->code[i]] = 1;
      push_cell(L, c, i, 4);
      add_new(L, &count);
    }
  }
  lua_settop(L, 2);
  lua_pushboolean(L, missing);
  return 2;
}

/* The number that table 2 has for the value on the top (popped), else `otherwise`. */
static double number_for(lua_State *L, double otherwise) {
  if (lua_rawget(L, 2) != LUA_TNIL) otherwise = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return otherwise;
}

/* lookup(column, {value = number}, otherwise): numbers; missing cells get `otherwise` too. */
static int l_column_lookup(lua_State *L) {
  nnl_column *c = nnl_check_column(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  double otherwise = luaL_checknumber(L, 3);
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  nnl_column *out = nnl_push_column(L, c->rows, 0);
  if (c->text) {
    size_t texts = (size_t)luaL_len(L, 3);
    double *to = lua_newuserdatauv(L, (texts + 1) * sizeof *to, 0);
    to[0] = otherwise;
    for (size_t k = 1; k <= texts; k++) {
      lua_rawgeti(L, 3, (lua_Integer)k);
      to[k] = number_for(L, otherwise);
    }
    for (size_t i = 0; i < c->rows; i++) out->number[i] = to[c->code[i]];
    lua_pop(L, 1);
    return 1;
  }
  for (size_t i = 0; i < c->rows; i++) {
    if (isnan(c->number[i])) {
      out->number[i] = otherwise;
      continue;
    }
    lua_Integer whole;
    if (lua_numbertointeger(c->number[i], &whole) && (lua_Number)whole == c->number[i])
      lua_pushinteger(L, whole);
    else
      lua_pushnumber(L, c->number[i]);
    out->number[i] = number_for(L, otherwise);
  }
  return 1;
}

/* fit(column): {fill=, mean=, sd=, zero_one=}, see io/column.h. */
static int l_column_fit(lua_State *L) {
  nnl_column *c = check_numbers(L, 1);
  nn_column_fit f = nn_column_fit_of(c->number, c->rows);
  lua_createtable(L, 0, 4);
  lua_pushnumber(L, f.fill);
  lua_setfield(L, -2, "fill");
  lua_pushnumber(L, f.mean);
  lua_setfield(L, -2, "mean");
  lua_pushnumber(L, f.sd);
  lua_setfield(L, -2, "sd");
  lua_pushboolean(L, f.zero_one);
  lua_setfield(L, -2, "zero_one");
  return 1;
}

/* scale(column, fill, mean, sd) */
static int l_column_scale(lua_State *L) {
  nnl_column *c = check_numbers(L, 1);
  double fill = luaL_checknumber(L, 2), mean = luaL_checknumber(L, 3), sd = luaL_checknumber(L, 4);
  nnl_column *out = nnl_push_column(L, c->rows, 0);
  nn_column_scale(out->number, c->number, c->rows, fill, mean, sd);
  return 1;
}

/* pack({column, ...}, rows, dtype): a tensor (rows, columns); or nil, column, row of the first
 * missing cell. */
static int l_column_pack(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  nn_shape s = {.dtype = (nn_dtype)nnl_opt_dtype(L, 3, NN_F32), .ndim = 2,
                .dim = {luaL_checkinteger(L, 2), luaL_len(L, 1)}};
  const double **cells = lua_newuserdatauv(L, sizeof *cells * (size_t)(s.dim[1] + 1), 0);
  for (int64_t k = 0; k < s.dim[1]; k++) {
    lua_rawgeti(L, 1, k + 1);
    nnl_column *c = check_numbers(L, -1);
    if ((int64_t)c->rows != s.dim[0])
      nnl_raise(L, "column %d has %d rows, expected %d", (int)k + 1, (int)c->rows, (int)s.dim[0]);
    cells[k] = c->number;
    lua_pop(L, 1);
  }
  int64_t column, row;
  if (nn_columns_pack(&nnl_push_tensor(L, &s)->t, cells, &column, &row)) return 1;
  lua_pushnil(L);
  lua_pushinteger(L, column + 1);
  lua_pushinteger(L, row + 1);
  return 3;
}

void l_column_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"__index", column_index}, {"__len", column_len}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"of", l_column_of},
                                       {"is_text", l_column_is_text},
                                       {"list", l_column_list},
                                       {"take", l_column_take},
                                       {"slice", l_column_slice},
                                       {"categories", l_column_categories},
                                       {"lookup", l_column_lookup},
                                       {"fit", l_column_fit},
                                       {"scale", l_column_scale},
                                       {"pack", l_column_pack},
                                       {NULL, NULL}};
  luaL_newmetatable(L, NNL_COLUMN);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "column");
}
