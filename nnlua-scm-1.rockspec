rockspec_format = "3.0"
package = "nnlua"
version = "scm-1"

-- `luarocks make` in a checkout builds and installs the module; `make install` the program too.
source = {url = "git+file://."}

description = {
  summary = "Train neural networks from Lua, the way Keras does",
  detailed = [[
    Layers, losses, optimizers, metrics and callbacks with the names, defaults and numbers of Keras,
    over a runtime in C that needs nothing but the C library and zlib.]],
  license = "MIT",
}

supported_platforms = {"unix"}

dependencies = {"lua >= 5.4, < 5.5"}

external_dependencies = {ZLIB = {header = "zlib.h"}}

build = {
  type = "make",
  build_target = "module",
  build_variables = {LUA_CFLAGS = "-I$(LUA_INCDIR)", BOOTSTRAP = "0"},
  install_pass = false,
  install = {lib = {nnlua = "build/module/nnlua.so"}},
}
