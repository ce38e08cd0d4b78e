#include "nnlua.h"
#include "host/module.h"
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include "core/version.h"
const char *nnlua_version(void) { return NN_VERSION; }
