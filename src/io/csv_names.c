/* Unique column names. The second `x` becomes `x.1`, the third `x.2`, skipping any that the file
 * itself uses, as pandas does. Sorting keeps it O(n log n) for any file; two made names can only be
 * equal when name and number are, so made names need no look-up among themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/csv_scan.h"

typedef struct named {
  const char *name;
  size_t index;
} named;

static int by_name_then_index(const void *a, const void *b) {
  const named *x = a, *y = b;
  int c = strcmp(x->name, y->name);
  return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

enum { SUFFIX = 24 };

/* Bytes for every name and, where it repeats, its suffix. */
static size_t pool_size(const named *sorted, size_t count) {
  size_t n = 1;
  for (size_t i = 0; i < count; i++) {
    int again = i > 0 && strcmp(sorted[i - 1].name, sorted[i].name) == 0;
    n = nn_size_add(n, strlen(sorted[i].name) + 1 + (again ? SUFFIX : 0));
  }
  return n;
}

static void assign(const char **out, char *pool, const named *sorted, size_t count) {
  size_t number = 0;
  for (size_t i = 0; i < count; i++) {
    const char *name = sorted[i].name;
    size_t n = strlen(name);
    int again = i > 0 && strcmp(sorted[i - 1].name, name) == 0;
    memcpy(pool, name, n + 1);
    if (!again) number = 0;
    named made = {pool, 0};
    while (again) {
      snprintf(pool + n, SUFFIX, ".%zu", ++number);
      again = bsearch(&made, sorted, count, sizeof *sorted, by_name) != NULL;
    }
    out[sorted[i].index] = pool;
    pool += strlen(pool) + 1;
  }
}

nn_status csv_names_unique(nn_alloc *a, const char **out, char **pool, const char *const *names,
                           size_t count, nn_error *e) {
  named *sorted = nn_mem_new(a, nn_size_mul(count, sizeof *sorted));
  *pool = NULL;
  if (sorted) {
    for (size_t i = 0; i < count; i++) sorted[i] = (named){names[i], i};
    qsort(sorted, count, sizeof *sorted, by_name_then_index);
    *pool = nn_mem_new(a, pool_size(sorted, count));
  }
  if (*pool) assign(out, *pool, sorted, count);
  nn_mem_free(a, sorted);
  return *pool ? NN_OK : nn_fail(e, NN_ERR_MEMORY, "csv: out of memory for the column names");
}
