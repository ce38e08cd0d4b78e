/* Files of data: core.io.npy, idx, map_npy, map_idx, save_npy. Paths raise in a sandbox. */
#include "lua/l_data.h"

#include <string.h>

#include "io/idx.h"
#include "io/map.h"
#include "io/npy.h"
#include "lua/control.h"
#include "lua/l_csv.h"
#include "lua/l_spill.h"
#include "lua/l_tensor.h"

static int stream_gc(lua_State *L) {
  nn_stream_close(lua_touserdata(L, 1));
  return 0;
}

static nn_stream *push_stream(lua_State *L) {
  return nnl_push_owner(L, sizeof(nn_stream), "nn.stream", stream_gc);
}

static int l_npy(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  nn_lua_check_files(L, "npy");
  nn_npy h;
  nn_stream *s = push_stream(L);
  nnl_check(L, nn_stream_open(s, &c->alloc, luaL_checkstring(L, 1), &c->error), &c->error);
  nnl_check(L, nn_npy_header(s, &h, NULL), &s->error);
  nnl_tensor *t = nnl_push_tensor(L, &h.shape);
  nnl_check(L, nn_npy_read(s, &h, t->t.data), &s->error);
  nn_stream_close(s);
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
  nn_idx *f = nnl_push_owner(L, sizeof *f, "nn.idx", idx_gc);
  nnl_check(L, nn_idx_open(f, &c->alloc, path, NULL, &c->error), &c->error);
  nnl_tensor *t = nnl_push_tensor(L, &f->shape);
  nnl_check(L, nn_idx_read(f, t->t.data, &c->error), &c->error);
  nn_idx_close(f);
  return 1;
}

/* --- mapped files ------------------------------------------------------------------------- */

static int map_gc(lua_State *L) {
  nn_map_close(lua_touserdata(L, 1));
  return 0;
}

typedef nn_status (*map_fn)(nn_map *m, nn_alloc *a, const char *path, nn_error *e);

/* A read-only tensor over the file, which stays mapped as long as a view of it lives. */
static int map_file(lua_State *L, const char *name, map_fn open) {
  nnl_context *c = nnl_context_get(L);
  nn_lua_check_files(L, name);
  const char *path = luaL_checkstring(L, 1);
  nn_map *m = nnl_push_owner(L, sizeof *m, "nn.map", map_gc);
  nnl_check(L, open(m, &c->alloc, path, &c->error), &c->error);
  nnl_push_view(L, -1, &m->shape, m->data)->read_only = 1;
  return 1;
}

static int l_map_npy(lua_State *L) { return map_file(L, "npy", nn_map_npy); }

static int l_map_idx(lua_State *L) { return map_file(L, "idx", nn_map_idx); }

void l_data_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"npy", l_npy},
                                       {"idx", l_idx},
                                       {"map_npy", l_map_npy},
                                       {"map_idx", l_map_idx},
                                       {"save_npy", l_save_npy},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  l_csv_open(L);
  l_spill_open(L);
}
