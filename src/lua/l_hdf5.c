/* core.hdf5: open(path | name, bytes) gives a file; file:tree() its groups and datasets as tables,
 * file:read(path) a dataset as a tensor. A file that says its checksum is held against it.
 * encode(items) gives the bytes; block(items, with a checksum[, spare]) as a block (lua/behind.h);
 * save(path, items) writes them with their checksum.
 *
 * A node of the tree: {kind = "group" | "dataset", name=, attributes = {name = value}, children =
 * {nodes, sorted}, shape=, dtype=, element=, bytes=}. Items are {kind, path, ...}: {"group", path},
 * {"tensor", path, tensor, "int64"}, {"text", path, name, text}, {"texts", path, name, list},
 * {"integer", path, name, n}.
 */
#include "lua/l_hdf5.h"

#include <string.h>

#include "io/hdf5.h"
#include "io/hdf5_write.h"
#include "lua/behind.h"
#include "lua/control.h"
#include "lua/l_tensor.h"
#include "lua/limits.h"

#define FILE_TYPE "nn.hdf5"

typedef struct file {
  nn_hdf5 *h;
  uint8_t *bytes; /* owned; NULL when a Lua string in user value 1 holds them */
  nn_alloc *alloc;
} file;

static int file_close(lua_State *L) {
  file *f = luaL_checkudata(L, 1, FILE_TYPE);
  nn_hdf5_close(f->h);
  if (f->bytes) nn_mem_free(f->alloc, f->bytes);
  f->h = NULL, f->bytes = NULL;
  return 0;
}

static file *check_file(lua_State *L) {
  file *f = luaL_checkudata(L, 1, FILE_TYPE);
  if (!f->h) nnl_raise(L, "hdf5: the file is closed");
  return f;
}

/* --- reading ------------------------------------------------------------------------------ */

/* A short attribute: a text, a number, or a list of them; nil for other shapes. */
static void push_attribute(lua_State *L, file *f, const nn_hdf5_value *v) {
  nnl_context *c = nnl_context_get(L);
  size_t n = v->shape.ndim ? (size_t)v->shape.dim[0] : 1;
  if (v->shape.ndim > 1 || v->chunks) {
    lua_pushnil(L);
    return;
  }
  if (v->shape.ndim) lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    if (v->is_text) {
      const char *text;
      size_t size;
      nnl_check(L, nn_hdf5_text(f->h, v, i, &text, &size, &c->error), &c->error);
      lua_pushlstring(L, text, size);
    } else {
      double x;
      nnl_check(L, nn_hdf5_number(f->h, v, i, &x, &c->error), &c->error);
      lua_pushnumber(L, x);
    }
    if (v->shape.ndim) lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_shape(lua_State *L, const nn_shape *s) {
  lua_createtable(L, s->ndim, 0);
  for (int i = 0; i < s->ndim; i++) {
    lua_pushinteger(L, (lua_Integer)s->dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void set_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void push_dataset(lua_State *L, const nn_hdf5_object *o) {
  const nn_hdf5_value *v = &o->value;
  set_text(L, "kind", "dataset");
  push_shape(L, &v->shape);
  lua_setfield(L, -2, "shape");
  if (v->is_text) {
    set_text(L, "dtype", "text");
    return;
  }
  set_text(L, "dtype", nn_dtype_name(v->shape.dtype));
  set_text(L, "element", nn_element_name(v->type.kind));
  lua_pushinteger(L, (lua_Integer)nn_shape_bytes(&v->shape));
  lua_setfield(L, -2, "bytes");
}

/* Depth is bounded by the reader's limit. */
static void push_node(lua_State *L, file *f, const nn_hdf5_object *o) {
  luaL_checkstack(L, 8, "hdf5");
  lua_createtable(L, 0, 6);
  set_text(L, "name", o->name);
  lua_createtable(L, 0, (int)o->attributes);
  for (size_t i = 0; i < o->attributes; i++) {
    push_attribute(L, f, &o->attribute[i]);
    lua_setfield(L, -2, o->attribute[i].name);
  }
  lua_setfield(L, -2, "attributes");
  if (o->kind == NN_HDF5_DATASET) {
    push_dataset(L, o);
    return;
  }
  set_text(L, "kind", "group");
  lua_createtable(L, (int)o->children, 0);
  for (size_t i = 0; i < o->children; i++) {
    push_node(L, f, &o->child[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "children");
}

static int file_tree(lua_State *L) {
  file *f = check_file(L);
  push_node(L, f, nn_hdf5_root(f->h));
  return 1;
}

/* read(path): the dataset as a tensor; nil when there is none. */
static int file_read(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  file *f = check_file(L);
  const nn_hdf5_object *o = nn_hdf5_find(nn_hdf5_root(f->h), luaL_checkstring(L, 2));
  if (!o || o->kind != NN_HDF5_DATASET || o->value.is_text) {
    lua_pushnil(L);
    return 1;
  }
  nnl_tensor *t = nnl_push_tensor(L, &o->value.shape);
  nnl_check(L, nn_hdf5_read(f->h, &o->value, t->t.data, &c->error), &c->error);
  return 1;
}

static file *push_file(lua_State *L, nnl_context *c) {
  static const luaL_Reg methods[] = {
      {"tree", file_tree}, {"read", file_read}, {"close", file_close}, {NULL, NULL}};
  file *f = lua_newuserdatauv(L, sizeof *f, 1);
  memset(f, 0, sizeof *f);
  f->alloc = &c->alloc;
  if (luaL_newmetatable(L, FILE_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, file_close);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return f;
}

/* open(path, limits) or open(name, limits, bytes). */
static int l_open(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  lua_settop(L, 3);
  nn_limits limits = nnl_limits(L, 2);
  size_t n;
  const void *bytes = lua_tolstring(L, 3, &n);
  file *f = push_file(L, c);
  if (bytes) {
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, 1);
  } else {
    nn_lua_check_files(L, "load");
    nnl_check(L, nn_file_load(&c->alloc, path, &limits, &f->bytes, &n, &c->error), &c->error);
    bytes = f->bytes;
  }
  nnl_check(L, nn_hdf5_open(&f->h, &c->alloc, path, bytes, n, &limits, &c->error), &c->error);
  nnl_check(L, nn_hdf5_sum_check(f->h, &c->error), &c->error);
  return 1;
}

/* --- writing ------------------------------------------------------------------------------ */

static int writer_gc(lua_State *L) {
  nn_hdf5_writer **w = lua_touserdata(L, 1);
  nn_hdf5_writer_free(*w);
  *w = NULL;
  return 0;
}

static nn_hdf5_writer *push_writer(lua_State *L, nnl_context *c) {
  nn_hdf5_writer **w = nnl_push_owner(L, sizeof *w, "nn.hdf5_writer", writer_gc);
  *w = nn_hdf5_writer_new(&c->alloc);
  if (!*w) nnl_raise(L, "save: out of memory");
  return *w;
}

/* The tensor of the item at `item`; a copy that is made is kept in the table at `keep`. */
static void put_tensor(lua_State *L, nn_hdf5_writer *w, int item, int keep, const char *path) {
  lua_geti(L, item, 3);
  nnl_check_tensor(L, -1);
  nnl_tensor *t = nnl_contiguous(L, lua_gettop(L));
  lua_seti(L, keep, luaL_len(L, keep) + 1);
  lua_geti(L, item, 4);
  const char *as = lua_tostring(L, -1);
  nn_element e = nn_element_of(t->t.shape.dtype);
  if (as && strcmp(as, "int64") == 0) e = NN_ELEMENT_I64;
  nn_hdf5_put_tensor(w, path, &t->t, e);
}

static void put_texts(lua_State *L, nn_hdf5_writer *w, int item, const char *path,
                      const char *name) {
  lua_geti(L, item, 4);
  int list = lua_gettop(L);
  luaL_checktype(L, list, LUA_TTABLE);
  size_t n = (size_t)luaL_len(L, list);
  const char **texts = lua_newuserdatauv(L, sizeof *texts * (n + 1), 0);
  for (size_t k = 0; k < n; k++) {
    lua_geti(L, list, (lua_Integer)k + 1);
    texts[k] = luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  nn_hdf5_put_texts(w, path, name, texts, n);
}

static void put_item(lua_State *L, nn_hdf5_writer *w, int item, int keep) {
  static const char *const kinds[] = {"group", "tensor", "text", "texts", "integer", NULL};
  lua_geti(L, item, 1), lua_geti(L, item, 2);
  int kind = luaL_checkoption(L, -2, NULL, kinds);
  const char *path = luaL_checkstring(L, -1), *name = "";
  if (kind == 0) {
    nn_hdf5_put_group(w, path);
    return;
  } else if (kind == 1) {
    put_tensor(L, w, item, keep, path);
    return;
  }
  lua_geti(L, item, 3);
  name = luaL_checkstring(L, -1);
  if (kind == 3) {
    put_texts(L, w, item, path, name);
    return;
  }
  lua_geti(L, item, 4);
  if (kind == 2) {
    size_t n;
    const char *text = luaL_checklstring(L, -1, &n);
    nn_hdf5_put_text(w, path, name, text, n);
  } else {
    nn_hdf5_put_integer(w, path, name, luaL_checkinteger(L, -1));
  }
}

/* The writer of the items at index i. */
static nn_hdf5_writer *collect(lua_State *L, int i) {
  luaL_checktype(L, i, LUA_TTABLE);
  nn_hdf5_writer *w = push_writer(L, nnl_context_get(L));
  lua_newtable(L);
  int keep = lua_gettop(L);
  lua_Integer n = luaL_len(L, i);
  for (lua_Integer k = 1; k <= n; k++) {
    lua_geti(L, i, k);
    put_item(L, w, lua_gettop(L), keep);
    lua_settop(L, keep);
  }
  return w;
}

static int l_encode(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  uint8_t *bytes;
  size_t n;
  lua_settop(L, 1);
  nn_hdf5_writer *w = collect(L, 1);
  nnl_check(L, nn_hdf5_writer_bytes(w, &bytes, &n, &c->error), &c->error);
  luaL_Buffer b;
  memcpy(luaL_buffinitsize(L, &b, n), bytes, n);
  nn_mem_free(&c->alloc, bytes);
  luaL_pushresultsize(&b, n);
  return 1;
}

static int l_save(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  nn_lua_check_files(L, "save");
  lua_settop(L, 2);
  nn_hdf5_writer *w = collect(L, 2);
  nn_hdf5_put_checksum(w);
  nnl_check(L, nn_hdf5_writer_save(w, path, &c->error), &c->error);
  return 0;
}

/* block(items, with a checksum[, spare]). */
static int l_block(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_stream s;
  lua_settop(L, 3);
  nn_hdf5_writer *w = collect(L, 1);
  nnl_block *b = nnl_push_block(L, c);
  if (lua_toboolean(L, 2)) nn_hdf5_put_checksum(w);
  nnl_block_begin(L, &s, c, 3);
  nn_hdf5_writer_write(w, &s);
  nnl_block_end(L, b, &s, c);
  b->sum_at = (size_t)nn_hdf5_writer_sum_at(w);
  return 1;
}

void l_hdf5_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", l_open},
                                       {"encode", l_encode},
                                       {"save", l_save},
                                       {"block", l_block},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
}
