#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Before each block stands this header; `raw` is what the host's function gave. */
typedef struct mem_head {
  void *raw;
  size_t raw_size, size;
} mem_head;

static void *libc_realloc(void *ud, void *ptr, size_t old_size, size_t size) {
  (void)ud, (void)old_size;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

void nn_alloc_init(nn_alloc *a, nn_realloc_fn fn, void *ud, size_t limit) {
  memset(a, 0, sizeof *a);
  a->fn = fn ? fn : libc_realloc;
  a->ud = ud;
  a->limit = limit;
}

static mem_head *head_of(void *p) { return (mem_head *)p - 1; }

void nn_mem_large_pages(void *p, size_t n) {
#ifdef MADV_HUGEPAGE
  const uintptr_t page = (uintptr_t)2 << 20;
  if (n < 2 * page) return;
  uintptr_t skipped = (uintptr_t)(-(intptr_t)p) & (page - 1);
  madvise((char *)p + skipped, (n - skipped) & ~(page - 1), MADV_HUGEPAGE); /* a wish */
#else
  (void)p, (void)n;
#endif
}

void *nn_mem_dirty(nn_alloc *a, size_t n) {
  size_t raw_size = nn_size_add(n, sizeof(mem_head) + NN_ALIGN);
  if (raw_size == SIZE_MAX || (a->limit && (raw_size > a->limit || a->used > a->limit - raw_size)))
    return NULL;
  char *raw = a->fn(a->ud, NULL, 0, raw_size);
  if (!raw) return NULL;
  nn_mem_large_pages(raw, raw_size);
  uintptr_t at = ((uintptr_t)raw + sizeof(mem_head) + NN_ALIGN - 1) & ~(uintptr_t)(NN_ALIGN - 1);
  void *p = raw + (at - (uintptr_t)raw);
  mem_head *h = head_of(p);
  h->raw = raw, h->raw_size = raw_size, h->size = n;
  a->used += raw_size;
  a->count++;
  if (a->used > a->peak) a->peak = a->used;
  return p;
}

void *nn_mem_new(nn_alloc *a, size_t n) {
  void *p = nn_mem_dirty(a, n);
  if (p) memset(p, 0, n);
  return p;
}

void *nn_mem_resize(nn_alloc *a, void *p, size_t n) {
  void *q = nn_mem_new(a, n);
  if (q && p) {
    size_t old = head_of(p)->size;
    memcpy(q, p, old < n ? old : n);
    nn_mem_free(a, p);
  }
  return q;
}

void nn_mem_free(nn_alloc *a, void *p) {
  if (!p) return;
  mem_head *h = head_of(p);
  a->used -= h->raw_size;
  a->fn(a->ud, h->raw, h->raw_size, 0);
}

size_t nn_size_mul(size_t a, size_t b) {
  return b && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

size_t nn_size_add(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }
