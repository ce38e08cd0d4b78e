/* What the io tests share: the files beside the checkout, JSON cases, a folder for what is written,
 * and an allocator whose k-th call fails. */
#ifndef NN_SPEC_IO_SHARED_H
#define NN_SPEC_IO_SHARED_H

#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/tensor.h"
#include "io/json.h"
#include "io/stream.h"
#include "support/tap.h"

/* ../shared, or the folder that NNLUA_SHARED names; NULL when it is not there. */
static inline const char *shared_root(void) {
  const char *root = getenv("NNLUA_SHARED");
  if (!root) root = "../shared";
  return access(root, R_OK) == 0 ? root : NULL;
}

enum { PATH_ROOM = 2048 };

static inline const char *path_in(char out[PATH_ROOM], const char *folder, const char *file) {
  snprintf(out, PATH_ROOM, "%.1000s/%.1000s", folder, file);
  return out;
}

/* A JSON file; 0 and a failed check when it cannot be read. */
static inline int json_load(nn_alloc *a, nn_json_doc *d, const char *path) {
  nn_error e = {NN_OK, ""};
  uint8_t *bytes = NULL;
  size_t n = 0;
  nn_status st = nn_file_load(a, path, NULL, &bytes, &n, &e);
  if (!st) st = nn_json_parse(d, a, path, bytes, n, NULL, &e);
  nn_mem_free(a, bytes);
  if (st) tap_ok(0, "%s: %s", path, e.text);
  return st == NN_OK;
}

/* Numbers of cases: "NaN", "Infinity" and "-Infinity" are texts there, null is missing. */
static inline double case_number(const nn_json *j) {
  double v = NAN;
  const char *text = nn_json_text(j);
  if (text && strcmp(text, "Infinity") == 0) return INFINITY;
  if (text && strcmp(text, "-Infinity") == 0) return -INFINITY;
  nn_json_double(j, &v);
  return v;
}

typedef struct failing {
  long left; /* calls until one fails */
} failing;

static inline void *failing_realloc(void *ud, void *p, size_t old_size, size_t size) {
  failing *f = ud;
  (void)old_size;
  if (size == 0) {
    free(p);
    return NULL;
  }
  return f->left-- == 0 ? NULL : realloc(p, size);
}

/* Runs `work` with every allocation failing once: an error of memory each time, nothing leaked,
 * until it succeeds. */
static inline void each_allocation_fails(nn_status (*work)(nn_alloc *), const char *what) {
  int bad = 0;
  long k = 0;
  for (nn_status st = NN_ERR_MEMORY; st && k < 5000; k++) {
    failing f = {k};
    nn_alloc a;
    nn_alloc_init(&a, failing_realloc, &f, 0);
    st = work(&a);
    bad += (st && st != NN_ERR_MEMORY) || a.used != 0;
  }
  tap_ok(bad == 0 && k > 1 && k < 5000, "%s: each of %ld allocations failed once", what, k - 1);
}

#endif
