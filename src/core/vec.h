/* One float vector type `vf` (VW lanes) an instruction set, and the few operations on it that
 * every instruction set computes with the same bits. A file that compiles kernels for one
 * instruction set defines NN_VEC_AVX512, NN_VEC_AVX512Y (AVX-512 on 8 lanes, for narrow
 * matrices), NN_VEC_AVX2, NN_VEC_NEON or NN_VEC_PORTABLE, includes this file, then the bodies,
 * then core/vec_end.h.
 *
 * From here to vec_end.h all functions are compiled for that instruction set, so system headers
 * and headers with functions of their own are included before.
 *
 *   v_load_n, v_store_n   the first n lanes (0 < n < VW), the others read as 0; no other memory
 *   v_load_fill           the first n lanes (0 <= n < VW), the others `fill`
 *   v_fma(a, b, c)        a * b + c, rounded once;  v_fnma: c - a * b
 *   v_min, v_max          a < b ? a : b and a > b ? a : b: b where either is NaN
 *   vm                    one truth value a lane;  v_sel(m, a, b): a where true
 *   vi                    VW int32 lanes; v_bits / v_float reinterpret
 *   v_tree                adds 16 lanes (16 / VW vectors): i with i + 8, then + 4, + 2, + 1;
 *   v_tree_max            their largest (none of them NaN)
 *   v_pieces(rows, at)    4 lanes each of rows[0], rows[4], ..., from element `at` (VW 4 and 8)
 *   v_twice(p)            p[0], p[0], p[1], p[1], ...;  v_store_even(p, a): lanes 0, 2, 4, ...
 *   v_transpose           VW vectors as a square matrix;  v_transpose4: squares of 4 side by side
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NN_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define NN_UNROLL _Pragma("clang loop unroll(full)")
#define NN_TARGET(isa) \
  _Pragma(NN_TEXT(clang attribute push(__attribute__((target(isa))), apply_to = function)))
#else
#define NN_UNROLL _Pragma("GCC unroll 32")
#define NN_TARGET(isa) _Pragma("GCC push_options") _Pragma(NN_TEXT(GCC target(isa)))
#endif
#define NN_TEXT(...) #__VA_ARGS__

#if defined(NN_VEC_AVX512)
#include <immintrin.h>
NN_TARGET("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#include "core/vec_avx512.h"
#elif defined(NN_VEC_AVX512Y)
#include <immintrin.h>
NN_TARGET("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#include "core/vec_avx2.h"
#elif defined(NN_VEC_AVX2)
#include <immintrin.h>
NN_TARGET("avx2,fma")
#include "core/vec_avx2.h"
#elif defined(NN_VEC_NEON)
#include <arm_neon.h>
#include "core/vec_neon.h"
#else
#include "core/vec_portable.h"
#endif

#define NN_PARTS (16 / VW) /* vectors that hold the 16 partial sums of a reduction */

NN_INLINE vf v_abs(vf a) { return v_float(vi_and(v_bits(a), vi_set(0x7fffffff))); }
NN_INLINE vf v_neg(vf a) { return v_float(vi_xor(v_bits(a), vi_set(INT32_MIN))); }
/* The magnitude of a (which is not negative) with the sign of s. */
NN_INLINE vf v_with_sign(vf a, vf s) {
  return v_float(vi_or(v_bits(a), vi_and(v_bits(s), vi_set(INT32_MIN))));
}
NN_INLINE vm v_gt(vf a, vf b) { return v_lt(b, a); }
NN_INLINE vm v_isnan(vf a) { return v_ne(a, a); }
