/* The standard library's Lua files inside the binary: a table made from lua/nnlua by
 * tools/embed.c, sorted by module name.
 */
#ifndef NN_HOST_EMBEDDED_H
#define NN_HOST_EMBEDDED_H

#include <stddef.h>

typedef struct nn_embedded {
  const char *module; /* "nnlua.layers.dense" */
  const char *chunk;  /* "@nnlua/layers/dense.lua": what error messages and the debugger show */
  const char *text;
  size_t size;
  const unsigned char *code; /* the same as bytecode of the release below */
  size_t code_size;
} nn_embedded;

extern const char nn_embedded_release[]; /* "Lua 5.4.4" */

extern const nn_embedded nn_embedded_modules[]; /* a row of NULLs ends it */
extern const size_t nn_embedded_count;

#endif
