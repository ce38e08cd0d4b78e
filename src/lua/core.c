#include "lua/core.h"

#include "lua/behind.h"
#include "lua/control.h"
#include "lua/l_about.h"
#include "lua/l_column.h"
#include "lua/l_config.h"
#include "lua/l_data.h"
#include "lua/l_hash.h"
#include "lua/l_hdf5.h"
#include "lua/l_json.h"
#include "lua/l_logs.h"
#include "lua/l_onnx.h"
#include "lua/l_optimizer.h"
#include "lua/l_rng.h"
#include "lua/l_safetensors.h"
#include "lua/l_sys.h"
#include "lua/l_tensor.h"
#include "lua/l_zip.h"

int luaopen_nnlua_core(lua_State *L) {
  lua_newtable(L);
  nn_lua_control_register(L); /* run_begin, check_files */
  lua_pushcfunction(L, l_about);
  lua_setfield(L, -2, "about");
  l_tensor_open(L);
  l_graph_open(L);
  l_graph_list_open(L);
  l_apply_open(L);
  l_plan_open(L);
  l_config_open(L);
  l_hash_open(L);
  l_logs_open(L);
  l_rng_open(L);
  l_column_open(L);
  l_data_open(L);
  lua_setfield(L, -2, "io");
  l_json_open(L);
  lua_setfield(L, -2, "json");
  l_safetensors_open(L);
  lua_setfield(L, -2, "safetensors");
  l_hdf5_open(L);
  lua_setfield(L, -2, "hdf5");
  l_onnx_open(L);
  lua_setfield(L, -2, "onnx");
  l_zip_open(L);
  lua_setfield(L, -2, "zip");
  l_behind_open(L);
  lua_setfield(L, -2, "behind");
  l_sys_open(L);
  lua_setfield(L, -2, "sys");
  l_optimizer_open(L);
  lua_setfield(L, -2, "optimizer");
  return 1;
}
