/* The pool: one open job at a time, guarded by one mutex; chunks are claimed without it.
 *
 * A worker that wakes late finds the job closed and sleeps again, so the caller waits only for
 * chunks that somebody has begun. Before it sleeps a worker (and a caller before it waits) looks
 * for a few microseconds: the products of one training step follow each other faster than a
 * thread wakes.
 */
#define _GNU_SOURCE
#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define MAX_THREADS 256
#define SPINS 600 /* some 10 microseconds */
#define WORKER_STACK (512 * 1024)

struct nn_pool {
  nn_alloc *alloc;    /* borrowed */
  pthread_t *workers; /* owned: threads - 1 of them, `started` are running */
  int threads, started;
  atomic_int busy; /* a job runs: another caller works alone */
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  /* under the lock */
  int stop, open, active;
  nn_job job;
  void *arg;
  int64_t n;
  /* also read without it */
  atomic_uint round; /* counts jobs, and the order to stop */
  atomic_int working;
  _Alignas(64) atomic_llong next; /* the next chunk to claim */
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void claim(nn_pool *p, nn_job job, void *arg, int64_t n) {
  for (;;) {
    int64_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
    if (i >= n) return;
    job(arg, i);
  }
}

/* Waits for a round after `seen`; called with the lock held, which it gives up meanwhile. */
static void wait_round(nn_pool *p, unsigned seen) {
  if (atomic_load_explicit(&p->round, memory_order_relaxed) == seen) {
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < SPINS && atomic_load_explicit(&p->round, memory_order_relaxed) == seen; i++)
      relax();
    pthread_mutex_lock(&p->lock);
  }
  while (atomic_load_explicit(&p->round, memory_order_relaxed) == seen)
    pthread_cond_wait(&p->wake, &p->lock);
}

static void *worker(void *arg) {
  nn_pool *p = arg;
  unsigned seen = 0;
  pthread_mutex_lock(&p->lock);
  for (;;) {
    if (p->stop) break;
    if (p->open) {
      nn_job job = p->job;
      void *job_arg = p->arg;
      int64_t n = p->n;
      seen = atomic_load_explicit(&p->round, memory_order_relaxed);
      p->active++;
      atomic_store_explicit(&p->working, p->active, memory_order_relaxed);
      pthread_mutex_unlock(&p->lock);
      claim(p, job, job_arg, n);
      pthread_mutex_lock(&p->lock);
      p->active--;
      atomic_store_explicit(&p->working, p->active, memory_order_release);
      if (p->active == 0) pthread_cond_signal(&p->done);
    } else {
      seen = atomic_load_explicit(&p->round, memory_order_relaxed);
    }
    wait_round(p, seen);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

/* Starts the missing workers, with all signals blocked: they belong to the host's threads. When the
 * system gives no more threads the job runs on those there are. */
static void start_workers(nn_pool *p) {
  sigset_t all, old;
  pthread_attr_t attr;
  if (p->started == p->threads - 1 || pthread_attr_init(&attr) != 0) return;
  pthread_attr_setstacksize(&attr, WORKER_STACK);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  while (p->started < p->threads - 1 &&
         pthread_create(&p->workers[p->started], &attr, worker, p) == 0)
    p->started++;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
}

static void next_round(nn_pool *p) {
  atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
  pthread_cond_broadcast(&p->wake);
}

static void stop_workers(nn_pool *p) {
  pthread_mutex_lock(&p->lock);
  p->stop = 1;
  next_round(p);
  pthread_mutex_unlock(&p->lock);
  for (int i = 0; i < p->started; i++) pthread_join(p->workers[i], NULL);
  p->started = 0;
  p->stop = 0;
}

static int machine_threads(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : (int)n;
}

nn_status nn_pool_resize(nn_pool *p, int threads, nn_error *e) {
  if (threads < 0 || threads > MAX_THREADS)
    return nn_fail(e, NN_ERR_ARGUMENT, "pool: %d threads, expected 0 to %d", threads, MAX_THREADS);
  if (threads == 0) threads = machine_threads();
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  if (threads == p->threads) return NN_OK;
  pthread_t *ids = nn_mem_new(p->alloc, sizeof *ids * (size_t)threads);
  if (!ids) return nn_fail(e, NN_ERR_MEMORY, "pool: no memory for %d threads", threads);
  stop_workers(p);
  nn_mem_free(p->alloc, p->workers);
  p->workers = ids;
  p->threads = threads;
  return NN_OK;
}

nn_status nn_pool_new(nn_alloc *a, int threads, nn_pool **out, nn_error *e) {
  nn_pool *p = nn_mem_new(a, sizeof *p);
  *out = NULL;
  if (!p) return nn_fail(e, NN_ERR_MEMORY, "pool: no memory");
  p->alloc = a;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  pthread_cond_init(&p->done, NULL);
  nn_status s = nn_pool_resize(p, threads, e);
  if (s != NN_OK) {
    nn_pool_free(p);
    return s;
  }
  *out = p;
  return NN_OK;
}

void nn_pool_free(nn_pool *p) {
  if (!p) return;
  stop_workers(p);
  pthread_cond_destroy(&p->done);
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->lock);
  nn_mem_free(p->alloc, p->workers);
  nn_mem_free(p->alloc, p);
}

int nn_pool_threads(const nn_pool *p) { return p ? p->threads : 1; }

static void open_job(nn_pool *p, nn_job job, void *arg, int64_t n) {
  pthread_mutex_lock(&p->lock);
  p->job = job, p->arg = arg, p->n = n;
  atomic_store_explicit(&p->next, 0, memory_order_relaxed);
  p->open = 1;
  next_round(p);
  pthread_mutex_unlock(&p->lock);
}

/* No worker may join any more; waits for those that did. */
static void close_job(nn_pool *p) {
  for (int i = 0; i < SPINS && atomic_load_explicit(&p->working, memory_order_acquire); i++)
    relax();
  pthread_mutex_lock(&p->lock);
  p->open = 0;
  while (p->active > 0) pthread_cond_wait(&p->done, &p->lock);
  pthread_mutex_unlock(&p->lock);
}

void nn_pool_run(nn_pool *p, nn_job job, void *arg, int64_t n) {
  int idle = 0;
  if (!p || n <= 1 || p->threads == 1 || !atomic_compare_exchange_strong(&p->busy, &idle, 1)) {
    for (int64_t i = 0; i < n; i++) job(arg, i);
    return;
  }
  start_workers(p);
  open_job(p, job, arg, n);
  claim(p, job, arg, n);
  close_job(p);
  atomic_store(&p->busy, 0);
}
