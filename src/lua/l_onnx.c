/* core.onnx: open(path[, limits]) gives a file; file:graph() what its graph consists of, file:read
 * (at) a tensor of it.
 *
 * The graph: {nodes =, tensors =, inputs =, outputs =}. A node: {op=, name=, domain=, inputs = {
 * names}, outputs = {names}, attributes = {name = number, text, list of integers or tensor}}. A
 * tensor: {name=, shape=, dtype = as in the file, at = its number}. A value: {name=, shape = sizes,
 * false where one is not known; nil without a shape}.
 */
#include "lua/l_onnx.h"

#include <string.h>

#include "io/onnx.h"
#include "lua/control.h"
#include "lua/l_tensor.h"
#include "lua/limits.h"

#define FILE_TYPE "nn.onnx"

typedef struct file {
  nn_onnx onnx;
  uint8_t *bytes; /* owned */
  nn_alloc *alloc;
} file;

static int file_close(lua_State *L) {
  file *f = luaL_checkudata(L, 1, FILE_TYPE);
  nn_onnx_close(&f->onnx);
  if (f->bytes) nn_mem_free(f->alloc, f->bytes);
  f->bytes = NULL;
  return 0;
}

static file *check_file(lua_State *L) {
  file *f = luaL_checkudata(L, 1, FILE_TYPE);
  if (!f->bytes) nnl_raise(L, "onnx: the file is closed");
  return f;
}

static void set_text(lua_State *L, const char *key, const nn_onnx_text *t) {
  lua_pushlstring(L, t->n ? t->bytes : "", t->n);
  lua_setfield(L, -2, key);
}

static void push_texts(lua_State *L, const nn_onnx_text *t, size_t n) {
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushlstring(L, t[i].n ? t[i].bytes : "", t[i].n);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_sizes(lua_State *L, const int64_t *dim, int n) {
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    if (dim[i] < 0) lua_pushboolean(L, 0);
    else lua_pushinteger(L, (lua_Integer)dim[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_tensor(lua_State *L, const nn_onnx_tensor *t, size_t at) {
  lua_createtable(L, 0, 4);
  set_text(L, "name", &t->name);
  push_sizes(L, t->shape.dim, t->shape.ndim);
  lua_setfield(L, -2, "shape");
  lua_pushstring(L, nn_element_name(t->type.kind));
  lua_setfield(L, -2, "dtype");
  lua_pushinteger(L, (lua_Integer)at);
  lua_setfield(L, -2, "at");
}

static void push_attribute(lua_State *L, const nn_onnx *f, size_t k) {
  const nn_onnx_attribute *a = &f->attribute[k];
  switch (a->kind) {
    case NN_ONNX_FLOAT: lua_pushnumber(L, (lua_Number)a->number); break;
    case NN_ONNX_INTEGER: lua_pushinteger(L, (lua_Integer)a->integer); break;
    case NN_ONNX_TEXT: lua_pushlstring(L, a->text.n ? a->text.bytes : "", a->text.n); break;
    case NN_ONNX_TENSOR: push_tensor(L, &a->tensor, f->tensors + k + 1); break;
    case NN_ONNX_INTEGERS:
      lua_createtable(L, (int)a->count, 0);
      for (size_t i = 0; i < a->count; i++) {
        lua_pushinteger(L, (lua_Integer)f->integer[a->first + i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
      }
      break;
    default: lua_pushboolean(L, 0);
  }
}

static void push_node(lua_State *L, const nn_onnx *f, const nn_onnx_node *n) {
  lua_createtable(L, 0, 6);
  set_text(L, "op", &n->op);
  set_text(L, "name", &n->name);
  set_text(L, "domain", &n->domain);
  push_texts(L, f->text + n->input, n->inputs);
  lua_setfield(L, -2, "inputs");
  push_texts(L, f->text + n->output, n->outputs);
  lua_setfield(L, -2, "outputs");
  lua_createtable(L, 0, (int)n->attributes);
  for (size_t k = n->attribute; k < n->attribute + n->attributes; k++) {
    const nn_onnx_text *name = &f->attribute[k].name;
    lua_pushlstring(L, name->n ? name->bytes : "", name->n);
    push_attribute(L, f, k);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "attributes");
}

static void push_values(lua_State *L, const nn_onnx_value *v, size_t n) {
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_createtable(L, 0, 2);
    set_text(L, "name", &v[i].name);
    if (v[i].has_shape) {
      push_sizes(L, v[i].dim, v[i].ndim);
      lua_setfield(L, -2, "shape");
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static int file_graph(lua_State *L) {
  const nn_onnx *f = &check_file(L)->onnx;
  lua_createtable(L, 0, 4);
  lua_createtable(L, (int)f->nodes, 0);
  for (size_t i = 0; i < f->nodes; i++) {
    push_node(L, f, &f->node[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "nodes");
  lua_createtable(L, (int)f->tensors, 0);
  for (size_t i = 0; i < f->tensors; i++) {
    push_tensor(L, &f->tensor[i], i + 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tensors");
  push_values(L, f->input, f->inputs);
  lua_setfield(L, -2, "inputs");
  push_values(L, f->output, f->outputs);
  lua_setfield(L, -2, "outputs");
  return 1;
}

/* The tensor with that number: initializers first, then those of attributes. */
static const nn_onnx_tensor *tensor_at(lua_State *L, const nn_onnx *f, lua_Integer at) {
  size_t k = (size_t)at - 1;
  if (at >= 1 && k < f->tensors) return &f->tensor[k];
  if (at >= 1 && k - f->tensors < f->attributes &&
      f->attribute[k - f->tensors].kind == NN_ONNX_TENSOR)
    return &f->attribute[k - f->tensors].tensor;
  nnl_raise(L, "onnx: there is no tensor %d", (int)at);
  return NULL;
}

static int file_read(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  file *f = check_file(L);
  const nn_onnx_tensor *t = tensor_at(L, &f->onnx, luaL_checkinteger(L, 2));
  nnl_tensor *out = nnl_push_tensor(L, &t->shape);
  nnl_check(L, nn_onnx_read(&f->onnx, t, out->t.data, &c->error), &c->error);
  return 1;
}

static int l_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"graph", file_graph}, {"read", file_read}, {"close", file_close}, {NULL, NULL}};
  nnl_context *c = nnl_context_get(L);
  const char *path = luaL_checkstring(L, 1);
  nn_limits limits = nnl_limits(L, 2);
  size_t n;
  nn_lua_check_files(L, "load");
  file *f = lua_newuserdatauv(L, sizeof *f, 0);
  memset(f, 0, sizeof *f);
  f->alloc = &c->alloc;
  if (luaL_newmetatable(L, FILE_TYPE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, file_close);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__gc");
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  nnl_check(L, nn_file_load(&c->alloc, path, &limits, &f->bytes, &n, &c->error), &c->error);
  nnl_check(L, nn_onnx_open(&f->onnx, &c->alloc, path, f->bytes, n, &limits, &c->error),
            &c->error);
  return 1;
}

void l_onnx_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", l_open}, {NULL, NULL}};
  luaL_newlib(L, functions);
}
