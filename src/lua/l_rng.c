/* core.rng: random tensors addressed by (seed, stream, step), and permutations. The same address
 * gives the same numbers, whatever was drawn before.
 */
#include "lua/l_rng.h"

#include "core/rng.h"
#include "lua/l_tensor.h"

static nn_rng read_address(lua_State *L, int i) {
  nn_rng r = {(uint64_t)luaL_checkinteger(L, i), (uint32_t)luaL_optinteger(L, i + 1, 0),
              (uint64_t)luaL_optinteger(L, i + 2, 0)};
  return r;
}

typedef void (*draw)(const nn_rng *r, uint64_t first, size_t n, float a, float b, float *out);

/* name(shape, a, b, seed[, stream[, step]]) */
static int draw_floats(lua_State *L, const char *name, draw f) {
  nn_shape s;
  nnl_check_shape(L, 1, &s, name);
  float a = (float)luaL_checknumber(L, 2), b = (float)luaL_checknumber(L, 3);
  nn_rng r = read_address(L, 4);
  nnl_tensor *u = nnl_push_tensor(L, &s);
  f(&r, 0, (size_t)nn_shape_size(&s), a, b, u->t.data);
  return 1;
}

/* uniform(shape, lo, hi, ...): lo <= v < hi. */
static int l_rng_uniform(lua_State *L) { return draw_floats(L, "uniform", nn_rng_uniform); }

/* normal(shape, mean, stddev, ...) */
static int l_rng_normal(lua_State *L) { return draw_floats(L, "normal", nn_rng_normal); }

/* truncated_normal(shape, mean, stddev, ...): resampled within two standard deviations. */
static int l_rng_truncated_normal(lua_State *L) {
  return draw_floats(L, "truncated_normal", nn_rng_truncated_normal);
}

/* randint(shape, lo, hi, ...): int32, lo <= v < hi. */
static int l_rng_randint(lua_State *L) {
  nn_shape s;
  nnl_check_shape(L, 1, &s, "randint");
  lua_Integer lo = luaL_checkinteger(L, 2), hi = luaL_checkinteger(L, 3);
  if (lo < INT32_MIN || hi > INT32_MAX || lo >= hi)
    nnl_raise(L, "randint: the range is %lld to %lld, expected minval below maxval, both int32",
              (long long)lo, (long long)hi);
  nn_rng r = read_address(L, 4);
  s.dtype = NN_I32;
  nnl_tensor *u = nnl_push_tensor(L, &s);
  nn_rng_randint(&r, 0, (size_t)nn_shape_size(&s), (int32_t)lo, (int32_t)hi, u->t.data);
  return 1;
}

/* permutation(n, seed, stream, step[, into]): the numbers 0 .. n-1 in random order, int32. */
static int l_rng_permutation(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  if (n < 0 || n > INT32_MAX)
    nnl_raise(L, "permutation: n is %lld, expected 0 to 2147483647", (long long)n);
  nn_rng r = read_address(L, 2);
  nn_shape s = {.dtype = NN_I32, .ndim = 1, .dim = {n}};
  nnl_tensor *u;
  if (lua_isnoneornil(L, 5)) {
    u = nnl_push_tensor(L, &s);
  } else {
    u = nnl_check_tensor(L, 5);
    if (!u->t.data || u->read_only || u->t.shape.dtype != NN_I32 ||
        !nn_shape_same(&u->t.shape, &s) || !nn_tensor_is_contiguous(&u->t))
      nnl_raise(L, "permutation: into is no contiguous int32 tensor of %lld numbers",
                (long long)n);
    lua_settop(L, 5);
  }
  nn_rng_permutation(&r, (size_t)n, u->t.data);
  return 1;
}

void l_rng_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"uniform", l_rng_uniform},
                                       {"normal", l_rng_normal},
                                       {"truncated_normal", l_rng_truncated_normal},
                                       {"randint", l_rng_randint},
                                       {"permutation", l_rng_permutation},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "rng");
}
