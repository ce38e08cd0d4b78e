/* Tensor userdata: making, indexing, views, conversion to and from Lua tables. */
#include "lua/l_tensor.h"

#include <limits.h>
#include <string.h>

#include "lua/l_graph.h"

static nnl_tensor *new_header(lua_State *L, size_t extra) {
  nnl_tensor *u = lua_newuserdatauv(L, sizeof *u + extra, 1);
  memset(u, 0, sizeof *u);
  u->value = -1;
  luaL_setmetatable(L, NNL_TENSOR);
  return u;
}

enum { SMALL = 1 << 16 }; /* tensors up to this many bytes are not charged */
enum { LARGE = 1 << 20 }; /* from this many bytes on the collector is hurried */

static void charge(lua_State *L, size_t bytes) {
  nnl_context *c = nnl_context_get(L);
  if (!c->tensors_capped) return;
  if (bytes > c->tensors_left)
    nnl_raise(L, "a tensor of %zu bytes is more than a file may ask for", bytes);
  c->tensors_left -= bytes;
}

/* within_budget(bytes, f, ...): f(...), whose tensors may take so many bytes in all. */
static int l_within_budget(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  lua_Integer bytes = luaL_checkinteger(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int capped = c->tensors_capped;
  size_t left = c->tensors_left;
  c->tensors_capped = 1, c->tensors_left = bytes > 0 ? (size_t)bytes : 0;
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  c->tensors_capped = capped, c->tensors_left = left;
  if (status != LUA_OK) return lua_error(L);
  return lua_gettop(L) - 1;
}

void nnl_hurry_collector(lua_State *L, size_t bytes) {
  lua_gc(L, LUA_GCSTEP, bytes >> 10 < INT_MAX ? (int)(bytes >> 10) : INT_MAX);
}

nnl_tensor *nnl_push_tensor(lua_State *L, const nn_shape *s) {
  nn_error e;
  nnl_check(L, nn_shape_check(s, &e), &e);
  size_t bytes = nn_shape_bytes(s);
  if (bytes > SMALL) charge(L, bytes);
  if (bytes >= LARGE) nnl_hurry_collector(L, bytes);
  nnl_tensor *u = new_header(L, bytes + 2 * NN_ALIGN);
  char *at = (char *)(u + 1);
  at += (size_t)(-(intptr_t)at) & (NN_ALIGN - 1);
  nn_mem_large_pages(at, bytes);
  memset(at, 0, bytes + NN_ALIGN);
  nn_tensor_init(&u->t, s, at);
  return u;
}

nnl_tensor *nnl_push_strided(lua_State *L, int owner, const nn_tensor *t) {
  owner = lua_absindex(L, owner);
  nnl_tensor *u = new_header(L, 0);
  nnl_tensor *of = nnl_to_tensor(L, owner);
  u->t = *t;
  u->read_only = of && of->read_only;
  lua_pushvalue(L, owner);
  lua_setiuservalue(L, -2, 1);
  return u;
}

nnl_tensor *nnl_push_view(lua_State *L, int owner, const nn_shape *s, void *data) {
  nn_tensor t;
  nn_tensor_init(&t, s, data);
  return nnl_push_strided(L, owner, &t);
}

nnl_tensor *nnl_to_tensor(lua_State *L, int i) { return luaL_testudata(L, i, NNL_TENSOR); }

nnl_tensor *nnl_check_tensor(lua_State *L, int i) {
  nnl_tensor *u = nnl_to_tensor(L, i);
  if (!u) nnl_raise(L, "expected a tensor, got %s", luaL_typename(L, i));
  return u;
}

static nnl_tensor *check_real(lua_State *L, int i) {
  nnl_tensor *u = nnl_check_tensor(L, i);
  if (!u->t.data)
    nnl_raise(L, "a traced tensor has no values yet: this function reads or branches on values; "
                 "write it with nn.ops, or compile with run_eagerly=true");
  return u;
}

static nnl_tensor *check_writable(lua_State *L, int i) {
  nnl_tensor *u = check_real(L, i);
  if (u->read_only)
    nnl_raise(L, "the tensor lies in a mapped file and is read only; change a copy (t:clone())");
  return u;
}

int nnl_opt_dtype(lua_State *L, int i, int otherwise) {
  if (lua_isnoneornil(L, i)) return otherwise;
  const char *name = luaL_checkstring(L, i);
  int d = nn_dtype_find(name);
  if (d < 0) nnl_raise(L, "unknown dtype '%s', expected float32, int32 or uint8", name);
  return d;
}

void nnl_check_shape(lua_State *L, int i, nn_shape *s, const char *what) {
  s->ndim = 0;
  s->dtype = NN_F32;
  if (lua_isinteger(L, i)) {
    s->ndim = 1;
    s->dim[0] = lua_tointeger(L, i);
  } else {
    if (!lua_istable(L, i)) nnl_raise(L, "%s: expected a shape, got %s", what, luaL_typename(L, i));
    lua_Integer n = luaL_len(L, i);
    if (n > NN_MAX_DIMS)
      nnl_raise(L, "%s: %d dimensions, at most %d are possible", what, (int)n, NN_MAX_DIMS);
    for (int k = 0; k < (int)n; k++) {
      lua_geti(L, i, k + 1);
      int ok;
      s->dim[k] = lua_tointegerx(L, -1, &ok);
      if (!ok)
        nnl_raise(L, "%s: dimension %d is %s, expected an integer", what, k + 1,
                  luaL_tolstring(L, -1, NULL));
      lua_pop(L, 1);
    }
    s->ndim = (int)n;
  }
  nn_error e;
  if (nn_shape_check(s, &e) != NN_OK) nnl_raise(L, "%s: %s", what, e.text);
}

nnl_tensor *nnl_contiguous(lua_State *L, int i) {
  nnl_tensor *u = nnl_to_tensor(L, i);
  if (!u->t.data || nn_tensor_is_contiguous(&u->t)) return u;
  nnl_tensor *copy = nnl_push_tensor(L, &u->t.shape);
  nn_tensor_copy(&copy->t, &u->t);
  lua_replace(L, i);
  return copy;
}

/* --- module functions --------------------------------------------------------------------- */

/* new(data[, dtype]): a fresh tensor of a number, nested tables or another tensor. */
static int l_tensor_new(lua_State *L) {
  nnl_tensor *src = nnl_to_tensor(L, 1);
  if (!src) {
    int dtype = nnl_opt_dtype(L, 2, -1);
    lua_settop(L, 1);
    nnl_coerce(L, 1, dtype);
    src = nnl_check_tensor(L, 1);
    if (!src->is_variable && (dtype < 0 || (int)src->t.shape.dtype == dtype)) {
      lua_settop(L, 1);
      return 1;
    }
    lua_pushnil(L);
  }
  src = check_real(L, 1);
  nn_shape s = src->t.shape;
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 2, s.dtype);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  nn_tensor_copy(&u->t, &src->t);
  return 1;
}

/* full(shape, value[, dtype]) */
static int l_tensor_full(lua_State *L) {
  nn_shape s;
  nnl_check_shape(L, 1, &s, "full");
  double v = luaL_checknumber(L, 2);
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 3, NN_F32);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  int64_t n = nn_shape_size(&s);
  for (int64_t k = 0; v != 0 && k < n; k++) nn_tensor_set(&u->t, k, v);
  return 1;
}

/* arange(n, start, step[, dtype]): start + step * k for k = 0 .. n-1. */
static int l_tensor_arange(lua_State *L) {
  nn_shape s = {.ndim = 1, .dim = {luaL_checkinteger(L, 1)}};
  double start = luaL_checknumber(L, 2), step = luaL_checknumber(L, 3);
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 4, NN_F32);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  for (int64_t k = 0; k < s.dim[0]; k++) nn_tensor_set(&u->t, k, start + step * (double)k);
  return 1;
}

/* astype(t, dtype): always a new tensor. */
static int l_tensor_astype(lua_State *L) {
  nnl_tensor *src = check_real(L, 1);
  nn_shape s = src->t.shape;
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 2, s.dtype);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  nn_tensor_copy(&u->t, &src->t);
  return 1;
}

/* copy(dst, src): src's elements into dst; the shapes must be equal. */
static int l_tensor_copy_into(lua_State *L) {
  nnl_tensor *dst = check_writable(L, 1);
  lua_settop(L, 2);
  nnl_coerce(L, 2, -1);
  nnl_tensor *src = check_real(L, 2);
  if (!nn_shape_same(&dst->t.shape, &src->t.shape)) {
    char a[NNL_SHAPE_TEXT], b[NNL_SHAPE_TEXT];
    nnl_raise(L, "copy: got shape %s, expected %s", nn_shape_text(&src->t.shape, a, sizeof a),
              nn_shape_text(&dst->t.shape, b, sizeof b));
  }
  nn_tensor_copy(&dst->t, &src->t);
  lua_settop(L, 1);
  return 1;
}

static int64_t check_position(lua_State *L, int64_t at, int64_t n, int dim) {
  int64_t k = at < 0 ? at + n : at - 1;
  if (at == 0 || k < 0 || k >= n)
    nnl_raise(L, "tensor: index %lld of dimension %d, expected 1 to %lld", (long long)at, dim,
              (long long)n);
  return k;
}

/* view(t, ranges): ranges[d] = {first, last[, step]}, inclusive; nil or absent: all of d. */
static int l_tensor_view(lua_State *L) {
  nnl_tensor *u = check_real(L, 1);
  nn_tensor v = u->t;
  char *data = v.data;
  for (int d = 0; d < v.shape.ndim; d++) {
    lua_geti(L, 2, d + 1);
    if (lua_istable(L, -1)) {
      int64_t n = v.shape.dim[d], step = 1;
      lua_geti(L, -1, 1), lua_geti(L, -2, 2), lua_geti(L, -3, 3);
      int64_t last = luaL_optinteger(L, -2, n);
      int64_t first = luaL_optinteger(L, -3, 1);
      int empty = first > INT64_MIN && last == first - 1;
      int64_t a = empty ? 0 : check_position(L, first, n, d + 1);
      int64_t b = empty ? -1 : check_position(L, last, n, d + 1);
      step = luaL_optinteger(L, -1, 1);
      if (step < 1) nnl_raise(L, "slice: step is %lld, expected 1 or more", (long long)step);
      lua_pop(L, 3);
      data += (size_t)(a * v.stride[d]) * nn_dtype_size(v.shape.dtype);
      v.shape.dim[d] = b < a ? 0 : (b - a) / step + 1;
      if (v.shape.dim[d] > 1) v.stride[d] *= step;
    } else if (!lua_isnil(L, -1)) {
      nnl_raise(L, "slice: range %d is %s, expected {first, last}", d + 1, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
  }
  v.data = data;
  nnl_push_strided(L, 1, &v);
  return 1;
}

/* permute(t, dims): a view with its dimensions in another order (1-based). */
static int l_tensor_permute(lua_State *L) {
  nnl_tensor *u = check_real(L, 1);
  nn_tensor v = u->t;
  int seen[NN_MAX_DIMS] = {0}, n = u->t.shape.ndim;
  if (luaL_len(L, 2) != n)
    nnl_raise(L, "transpose: %d axes, the tensor has %d", (int)luaL_len(L, 2), n);
  for (int d = 0; d < n; d++) {
    lua_geti(L, 2, d + 1);
    int64_t from = check_position(L, luaL_checkinteger(L, -1), n, d + 1);
    if (seen[from]++) nnl_raise(L, "transpose: axis %d is named twice", (int)from + 1);
    v.shape.dim[d] = u->t.shape.dim[from];
    v.stride[d] = u->t.stride[from];
    lua_pop(L, 1);
  }
  nnl_push_strided(L, 1, &v);
  return 1;
}

/* reshape(t, shape): a view where the memory allows it, else a copy. */
static int l_tensor_reshape(lua_State *L) {
  nnl_tensor *u = check_real(L, 1);
  nn_shape s;
  nnl_check_shape(L, 2, &s, "reshape");
  s.dtype = u->t.shape.dtype;
  if (nn_shape_size(&s) != nn_shape_size(&u->t.shape)) {
    char a[NNL_SHAPE_TEXT], b[NNL_SHAPE_TEXT];
    nnl_raise(L, "reshape: %lld numbers of shape %s do not fill %s",
              (long long)nn_shape_size(&u->t.shape), nn_shape_text(&u->t.shape, a, sizeof a),
              nn_shape_text(&s, b, sizeof b));
  }
  u = nnl_contiguous(L, 1);
  nnl_push_view(L, 1, &s, u->t.data);
  return 1;
}

static void push_element(lua_State *L, const nn_tensor *t, int64_t offset) {
  double v = nn_tensor_get(t, offset);
  if (t->shape.dtype == NN_F32) lua_pushnumber(L, v);
  else lua_pushinteger(L, (lua_Integer)v);
}

static int l_tensor_item(lua_State *L) {
  nnl_tensor *u = check_real(L, 1);
  if (nn_shape_size(&u->t.shape) != 1) {
    char a[NNL_SHAPE_TEXT];
    nnl_raise(L, "item: the tensor has shape %s, expected one element",
              nn_shape_text(&u->t.shape, a, sizeof a));
  }
  push_element(L, &u->t, 0);
  return 1;
}

static void push_table(lua_State *L, const nn_tensor *t, int dim, int64_t offset) {
  if (dim == t->shape.ndim) {
    push_element(L, t, offset);
    return;
  }
  luaL_checkstack(L, 4, "totable");
  lua_createtable(L, (int)t->shape.dim[dim], 0);
  for (int64_t k = 0; k < t->shape.dim[dim]; k++) {
    push_table(L, t, dim + 1, offset + k * t->stride[dim]);
    lua_seti(L, -2, k + 1);
  }
}

static int l_tensor_totable(lua_State *L) {
  push_table(L, &check_real(L, 1)->t, 0, 0);
  return 1;
}

/* tobytes(t): the elements in row-major order, little-endian as in memory. */
static int l_tensor_tobytes(lua_State *L) {
  check_real(L, 1);
  nnl_tensor *u = nnl_contiguous(L, 1);
  lua_pushlstring(L, u->t.data, nn_shape_bytes(&u->t.shape));
  return 1;
}

/* frombytes(string, shape, dtype) */
static int l_tensor_frombytes(lua_State *L) {
  size_t n;
  nn_shape s;
  const char *bytes = luaL_checklstring(L, 1, &n);
  nnl_check_shape(L, 2, &s, "frombytes");
  s.dtype = (nn_dtype)nnl_opt_dtype(L, 3, NN_F32);
  if (nn_shape_bytes(&s) != n)
    nnl_raise(L, "frombytes: %zu bytes, expected %zu", n, nn_shape_bytes(&s));
  memcpy(nnl_push_tensor(L, &s)->t.data, bytes, n);
  return 1;
}

/* mark_variable(t): t is the storage of a variable from now on. */
static int l_tensor_mark_variable(lua_State *L) {
  nnl_tensor *u = check_writable(L, 1);
  if (!nn_tensor_is_contiguous(&u->t))
    nnl_raise(L, "a view with gaps cannot be a variable; use a copy (t:clone())");
  u->is_variable = 1;
  lua_settop(L, 1);
  return 1;
}

/* --- metamethods -------------------------------------------------------------------------- */

static void push_shape(lua_State *L, const nn_shape *s) {
  lua_createtable(L, s->ndim, 0);
  for (int k = 0; k < s->ndim; k++) {
    lua_pushinteger(L, s->dim[k]);
    lua_seti(L, -2, k + 1);
  }
}

static int push_field(lua_State *L, nnl_tensor *u, const char *key) {
  if (strcmp(key, "shape") == 0) push_shape(L, &u->t.shape);
  else if (strcmp(key, "ndim") == 0) lua_pushinteger(L, u->t.shape.ndim);
  else if (strcmp(key, "dtype") == 0) lua_pushstring(L, nn_dtype_name(u->t.shape.dtype));
  else if (strcmp(key, "size") == 0) lua_pushinteger(L, nn_shape_size(&u->t.shape));
  else return 0;
  return 1;
}

/* t[i]: a number for a 1-d tensor, else a view one dimension down; nil one past the end. */
static int index_number(lua_State *L, nnl_tensor *u) {
  nn_tensor v = u->t;
  int64_t at = lua_tointeger(L, 2);
  if (v.shape.ndim == 0) nnl_raise(L, "tensor: a scalar cannot be indexed; use item()");
  if (at == v.shape.dim[0] + 1) return 0;
  int64_t k = check_position(L, at, v.shape.dim[0], 1);
  if (v.shape.ndim == 1) {
    push_element(L, &v, k * v.stride[0]);
    return 1;
  }
  v.data = (char *)v.data + (size_t)(k * v.stride[0]) * nn_dtype_size(v.shape.dtype);
  v.shape.ndim--;
  memmove(v.shape.dim, v.shape.dim + 1, sizeof(int64_t) * (size_t)v.shape.ndim);
  memmove(v.stride, v.stride + 1, sizeof(int64_t) * (size_t)v.shape.ndim);
  nnl_push_strided(L, 1, &v);
  return 1;
}

/* Whether an op on the tensor is recorded: then t[i] is an op too, or gradients would stop. */
static int is_recorded(lua_State *L, const nnl_tensor *u) {
  nnl_context *c = nnl_context_get(L);
  if (c->mode == NNL_EAGER) return 0;
  return u->is_variable || (u->value >= 0 && u->graph == c->graph->serial);
}

static int is_past_end(lua_State *L, const nnl_tensor *u) {
  return u->t.shape.ndim > 0 && lua_tointeger(L, 2) == u->t.shape.dim[0] + 1;
}

static int tensor_index(lua_State *L) {
  nnl_tensor *u = nnl_check_tensor(L, 1);
  if (lua_type(L, 2) == LUA_TSTRING) {
    if (push_field(L, u, lua_tostring(L, 2))) return 1;
  } else if (lua_isinteger(L, 2)) {
    if (u->t.data && !is_recorded(L, u)) return index_number(L, u);
    if (is_past_end(L, u)) return 0;
  }
  /* methods: a Lua table in upvalue 1 ("__item" serves numbers on recorded tensors) */
  if (lua_type(L, 2) != LUA_TSTRING) {
    if (!lua_isinteger(L, 2))
      nnl_raise(L, "tensor: index is %s, expected an integer", luaL_tolstring(L, 2, NULL));
    lua_getfield(L, lua_upvalueindex(1), "__item");
    lua_pushvalue(L, 1), lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_gettable(L, lua_upvalueindex(1));
  return 1;
}

static int tensor_newindex(lua_State *L) {
  nnl_tensor *u = check_writable(L, 1);
  if (!lua_isinteger(L, 2)) nnl_raise(L, "tensor: only elements can be assigned");
  if (u->t.shape.ndim == 0) nnl_raise(L, "tensor: a scalar cannot be indexed");
  nn_tensor v = u->t;
  int64_t k = check_position(L, lua_tointeger(L, 2), v.shape.dim[0], 1);
  v.data = (char *)v.data + (size_t)(k * v.stride[0]) * nn_dtype_size(v.shape.dtype);
  v.shape.ndim--;
  memmove(v.shape.dim, v.shape.dim + 1, sizeof(int64_t) * (size_t)v.shape.ndim);
  memmove(v.stride, v.stride + 1, sizeof(int64_t) * (size_t)v.shape.ndim);
  if (v.shape.ndim == 0 && lua_type(L, 3) == LUA_TNUMBER) {
    nn_tensor_set(&v, 0, lua_tonumber(L, 3));
    return 0;
  }
  nnl_coerce(L, 3, -1);
  nn_tensor src = check_real(L, 3)->t;
  nn_shape all;
  int fits = nn_shape_broadcast(&v.shape, &src.shape, &all) && nn_shape_same(&all, &v.shape);
  if (!fits) {
    char a[NNL_SHAPE_TEXT], b[NNL_SHAPE_TEXT];
    nnl_raise(L, "tensor: cannot put shape %s into %s", nn_shape_text(&src.shape, a, sizeof a),
              nn_shape_text(&v.shape, b, sizeof b));
  }
  nn_tensor wide = src;
  wide.shape = v.shape, wide.shape.dtype = src.shape.dtype;
  for (int d = 0; d < v.shape.ndim; d++) {
    int from = src.shape.ndim - v.shape.ndim + d;
    wide.stride[d] = from >= 0 && src.shape.dim[from] > 1 ? src.stride[from] : 0;
  }
  nn_tensor_copy(&v, &wide);
  return 0;
}

static int tensor_len(lua_State *L) {
  nnl_tensor *u = nnl_check_tensor(L, 1);
  if (u->t.shape.ndim == 0) nnl_raise(L, "tensor: a scalar has no length");
  lua_pushinteger(L, u->t.shape.dim[0]);
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", l_tensor_new},           {"full", l_tensor_full},
    {"within_budget", l_within_budget},
    {"arange", l_tensor_arange},     {"astype", l_tensor_astype},
    {"copy", l_tensor_copy_into},    {"view", l_tensor_view},
    {"permute", l_tensor_permute},   {"reshape", l_tensor_reshape},
    {"item", l_tensor_item},         {"totable", l_tensor_totable},
    {"tobytes", l_tensor_tobytes},   {"frombytes", l_tensor_frombytes},
    {"mark_variable", l_tensor_mark_variable},
    {NULL, NULL}};

void l_tensor_open(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  l_tensor_query_open(L);
  luaL_newmetatable(L, NNL_TENSOR);
  lua_newtable(L); /* methods, filled by the library's Lua half */
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "methods");
  lua_pushcclosure(L, tensor_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, tensor_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, tensor_len);
  lua_setfield(L, -2, "__len");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "tensor_metatable");
  lua_pop(L, 1);
}
