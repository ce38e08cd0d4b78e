/* core.about(): what this build is and what it runs on, in one line. */
#include "lua/l_about.h"

#include "core/kernels.h"
#include "core/version.h"
#include "lua/context.h"

/* A product of this many rows and columns is a large one: it shows the backend that counts. */
#define LARGE 1024

/* "nnlua 0.1.0, Lua 5.4.4, kernels avx2, products native avx2 on 2 threads" */
int l_about(lua_State *L) {
  char products[96];
  nnl_context *c = nnl_context_get(L);
  lua_pushfstring(L, "nnlua %s, %s, kernels %s, products %s on %d threads", NN_VERSION, LUA_RELEASE,
                  nn_kernels_get()->name,
                  nn_gemm_choice(&c->gemm, LARGE, LARGE, LARGE, products, sizeof products),
                  nn_pool_threads(c->pool));
  return 1;
}
