/* OpenBLAS as a backend: looked for when it is first wanted, through dlopen, so that programs that
 * never need it do not pay for loading it (some 7 ms and 3 MB).
 *
 * It is held to one thread: its own threads change the bits with their number and share one lock.
 * Instead C is cut along its longer side into pieces that depend on the shape only, one call each.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/gemm_native.h"

enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };
#define PIECE (12 * 1024 * 1024) /* multiplications in a piece, at least */
#define MAX_PIECES 16

typedef void (*sgemm_fn)(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);

typedef struct openblas {
  sgemm_fn sgemm;
  char name[96];
} openblas;

static void *open_library(void) {
  static const char *const names[] = {"libopenblas.so.0", "libopenblas.so", "libopenblas.0.dylib",
                                      "libopenblas.dylib"};
  void *lib = NULL;
  for (size_t i = 0; !lib && i < sizeof names / sizeof *names; i++)
    lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  return lib;
}

/* dlsym gives a data pointer; C has no cast from it to a function. */
static int find(void *lib, const char *name, void *function, size_t size) {
  void *p = dlsym(lib, name);
  memcpy(function, &p, size);
  return p != NULL;
}

static nn_status load(openblas *o, nn_error *e) {
  void (*set_threads)(int) = NULL;
  char *(*config)(void) = NULL, *(*core)(void) = NULL;
  void *lib = open_library();
  if (!lib) return nn_fail(e, NN_ERR_IO, "openblas: no libopenblas.so.0 on this system");
  int found = find(lib, "cblas_sgemm", &o->sgemm, sizeof o->sgemm);
  found &= find(lib, "openblas_set_num_threads", &set_threads, sizeof set_threads);
  if (found) {
    set_threads(1);
    find(lib, "openblas_get_config", &config, sizeof config);
    find(lib, "openblas_get_corename", &core, sizeof core);
    snprintf(o->name, sizeof o->name, "%.24s (%.32s)", config ? config() : "OpenBLAS",
             core ? core() : "?");
  }
  dlclose(lib); /* stays loaded: RTLD_NODELETE */
  return found ? NN_OK : nn_fail(e, NN_ERR_IO, "openblas: libopenblas.so.0 has no cblas_sgemm");
}

nn_status nn_gemm_blas_open(nn_gemm *g, nn_error *e) {
  if (g->openblas) return NN_OK;
  openblas *o = nn_mem_new(g->alloc, sizeof *o);
  if (!o) return nn_fail(e, NN_ERR_MEMORY, "openblas: no memory");
  nn_status s = load(o, e);
  if (s != NN_OK) {
    nn_mem_free(g->alloc, o);
    return s;
  }
  g->openblas = o;
  return NN_OK;
}

const char *nn_gemm_blas_name(const nn_gemm *g) {
  return g->openblas ? ((const openblas *)g->openblas)->name : NULL;
}

typedef struct pieces {
  const openblas *o;
  const nn_product *p;
  int64_t rows, cols; /* of a piece; one of them is all */
} pieces;

static void start_at_bias(const nn_product *p, int64_t rows, int64_t cols, int64_t j0, float *c) {
  for (int64_t i = 0; i < rows; i++)
    memcpy(c + i * p->ldc, p->bias + j0, (size_t)cols * sizeof *c);
}

static void compute_piece(void *arg, int64_t i) {
  const pieces *s = arg;
  const nn_product *p = s->p;
  int64_t i0 = s->rows < p->m ? i * s->rows : 0, j0 = s->cols < p->n ? i * s->cols : 0;
  int64_t rows = p->m - i0 < s->rows ? p->m - i0 : s->rows;
  int64_t cols = p->n - j0 < s->cols ? p->n - j0 : s->cols;
  float *c = p->c + i0 * p->ldc + j0;
  if (p->bias) start_at_bias(p, rows, cols, j0, c);
  s->o->sgemm(ROW_MAJOR, p->acs == 1 ? AS_IS : TRANSPOSED, p->bt ? TRANSPOSED : AS_IS, (int)rows,
              (int)cols, (int)p->k, 1, p->a + i0 * p->ars,
              (int)(p->acs == 1 ? p->ars : p->acs), p->b + (p->bt ? j0 * p->ldb : j0),
              (int)p->ldb, p->bias || p->add ? 1.0f : 0.0f, c, (int)p->ldc);
}

int nn_gemm_blas(nn_gemm *g, const nn_product *p) {
  if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX || p->ldb > INT_MAX || p->ldc > INT_MAX ||
      p->ars > INT_MAX || p->acs > INT_MAX)
    return 0;
  int64_t n = p->m * p->n * p->k / PIECE, along = p->m > p->n ? p->m : p->n;
  n = n < 1 ? 1 : n > MAX_PIECES ? MAX_PIECES : n;
  pieces s = {g->openblas, p, p->m, p->n};
  int64_t size = ((along + n - 1) / n + 31) / 32 * 32;
  if (size < along) *(p->m > p->n ? &s.rows : &s.cols) = size;
  nn_pool_run(g->pool, compute_piece, &s, (along + size - 1) / size);
  return 1;
}
