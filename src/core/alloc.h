/* The allocator that all C memory goes through: a realloc-style function of the host (the same
 * signature as lua_Alloc), a count, and a cap. Blocks are 64-byte aligned and zero-filled.
 */
#ifndef NN_CORE_ALLOC_H
#define NN_CORE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* As lua_Alloc: size 0 frees; otherwise resizes `ptr` (or makes a block when ptr is NULL). */
typedef void *(*nn_realloc_fn)(void *ud, void *ptr, size_t old_size, size_t size);

typedef struct nn_alloc {
  nn_realloc_fn fn; /* borrowed: the host's */
  void *ud;         /* borrowed */
  size_t used;      /* bytes live through this allocator */
  size_t peak;      /* largest `used` so far */
  size_t limit;     /* cap in bytes, 0 = none */
  uint64_t count;   /* successful allocations so far */
} nn_alloc;

#define NN_ALIGN 64

/* fn NULL: the C library's realloc and free. */
void nn_alloc_init(nn_alloc *a, nn_realloc_fn fn, void *ud, size_t limit);

/* A zero-filled block of n bytes, aligned to NN_ALIGN; NULL when refused. n = 0 gives a block. */
void *nn_mem_new(nn_alloc *a, size_t n);
/* The same with bytes of any value, for a caller who writes them all. */
void *nn_mem_dirty(nn_alloc *a, size_t n);
/* Grows or shrinks a block, keeping its bytes; new bytes are zero. On failure NULL, p is kept. */
void *nn_mem_resize(nn_alloc *a, void *p, size_t n);
/* Frees a block; NULL is allowed. */
void nn_mem_free(nn_alloc *a, void *p);

/* Asks for large pages below a block that nobody has touched yet, where it is large enough: walks
 * over it then wait less for addresses (2 to 6 % of a product with 16 MB of weights). */
void nn_mem_large_pages(void *p, size_t n);

/* a * b, or SIZE_MAX when it overflows (no allocator gives SIZE_MAX bytes). */
size_t nn_size_mul(size_t a, size_t b);
size_t nn_size_add(size_t a, size_t b);

#endif
