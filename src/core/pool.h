/* A pool of sleeping worker threads that claim chunks of a job.
 *
 * The chunks of a job depend on its shapes only, never on the number of threads, and each chunk
 * writes its own outputs, so results have the same bits with any number of threads. The caller
 * works too; workers claim chunks from atomic counters and sleep when there are none (threads
 * that spin collapse beside other busy processes).
 */
#ifndef NN_CORE_POOL_H
#define NN_CORE_POOL_H

#include "core/alloc.h"
#include "core/status.h"

typedef struct nn_pool nn_pool;

/* Runs chunk `i` (0 <= i < n) of a job. Must not fail and must not call the pool again. */
typedef void (*nn_job)(void *arg, int64_t i);

/* threads: the caller included; 0 = as many as the machine has. Threads start at the first job. */
nn_status nn_pool_new(nn_alloc *a, int threads, nn_pool **out, nn_error *e);
void nn_pool_free(nn_pool *p); /* joins the workers; NULL is allowed */
int nn_pool_threads(const nn_pool *p);
nn_status nn_pool_resize(nn_pool *p, int threads, nn_error *e);
/* Runs all n chunks and returns when they are done. p NULL, n = 1 or one thread: on the caller. */
void nn_pool_run(nn_pool *p, nn_job job, void *arg, int64_t n);

#endif
