/* How the processor treats numbers too small to be normal (below 1.2e-38). Gradients of a model
 * that has learnt its data fall there, and each operation on such a number takes a hundred cycles
 * on many processors: a small network then trains three times slower (measured November 2026). So
 * while ops run, such numbers count as 0, as in TensorFlow; nobody else in the process notices.
 *
 *   nn_fpmode before = nn_fpmode_flush();
 *   ... ops ...
 *   nn_fpmode_set(before);
 *
 * On processors other than x86-64 and 64-bit ARM nothing happens, and the smallest numbers stay.
 */
#ifndef NN_CORE_FPMODE_H
#define NN_CORE_FPMODE_H

#include <stdint.h>

typedef uint64_t nn_fpmode;

#if defined(__x86_64__)
#include <xmmintrin.h>

#define NN_FPMODE_FLUSH 0x8040 /* results to zero, operands as zero */
static inline nn_fpmode nn_fpmode_get(void) { return _mm_getcsr(); }
static inline void nn_fpmode_set(nn_fpmode m) { _mm_setcsr((unsigned)m); }

#elif defined(__aarch64__)

#define NN_FPMODE_FLUSH (UINT64_C(1) << 24)
static inline nn_fpmode nn_fpmode_get(void) {
  uint64_t m;
  __asm__ volatile("mrs %0, fpcr" : "=r"(m));
  return m;
}
static inline void nn_fpmode_set(nn_fpmode m) { __asm__ volatile("msr fpcr, %0" : : "r"(m)); }

#else

#define NN_FPMODE_FLUSH 0
static inline nn_fpmode nn_fpmode_get(void) { return 0; }
static inline void nn_fpmode_set(nn_fpmode m) { (void)m; }

#endif

/* Begins to flush; gives what was before. */
static inline nn_fpmode nn_fpmode_flush(void) {
  nn_fpmode m = nn_fpmode_get();
  nn_fpmode_set(m | NN_FPMODE_FLUSH);
  return m;
}

#endif
