/* The pool: one open job at a time. One word says its number, whether it may still be joined and
 * how many workers are in it; a worker joins by adding itself, so a job is opened, joined and
 * closed without a lock. The lock is for those who sleep.
 *
 * The chunks are dealt in equal runs, a share a thread. A thread works through its own share first
 * and then helps with the others': equal jobs in a row thus find their operands in the cache of
 * their core (products of 1,024 rows gain 8 % on two cores, November 2026), and nobody waits for a
 * thread that sleeps.
 *
 * A worker that comes late finds the job closed and sleeps again, so the caller waits only for
 * chunks that somebody has begun. Before it sleeps a worker (and a caller before it waits) looks
 * for some microseconds (LOOK): the products of one training step follow each other faster than a
 * thread wakes.
 */
#define _GNU_SOURCE
#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/control.h"
#include "core/fpmode.h"

#define MAX_THREADS 256
/* How long one looks before one sleeps, in seconds: longer than the pieces of a small job. Waking
 * takes longer than they do, and one that came too late once would come too late ever after. */
#define LOOK 60e-6
#define STAYS 256 /* jobs a worker stays where it has moved to */
#define WORKER_STACK (512 * 1024)

/* What belongs to one thread; number 0 is the caller's. */
typedef struct seat {
  struct nn_pool *pool; /* borrowed */
  pthread_t thread;     /* of a worker that was started */
  int number;
  int stays; /* jobs before it may move again */
  _Alignas(64) atomic_llong taken; /* chunks of its share that somebody has claimed */
} seat;

/* The word: the number of the job, a bit while it may be joined, the workers in it. */
#define OPEN ((uint64_t)1 << 31)
#define WORKERS (OPEN - 1)
#define JOB(word) ((word) >> 32)

struct nn_pool {
  nn_alloc *alloc; /* borrowed */
  seat *seats;     /* owned: one for each thread, `started` workers are running */
  int threads, started;
  atomic_int busy; /* a job runs: another caller works alone */
  /* written before the job opens, read by those who joined it */
  nn_job job;
  void *arg;
  int64_t n;
  int cpu;        /* of the caller, -1 = unknown */
  nn_fpmode mode; /* the caller's: the same bits on every thread */
  _Alignas(64) atomic_uint_fast64_t word;
  atomic_int stop, sleepers, caller_sleeps;
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

typedef struct looking {
  double until;
  int turns;
} looking;

/* A pause between two looks; 0 when it is time to sleep. */
static int look(looking *w) {
  relax();
  if (++w->turns & 31) return 1;
  double now = nn_control_now();
  if (w->until == 0) w->until = now + LOOK;
  return now < w->until;
}

static void claim(nn_pool *p, int self, nn_job job, void *arg, int64_t n) {
  for (int k = 0; k < p->threads; k++) {
    int64_t share = self + k < p->threads ? self + k : self + k - p->threads;
    int64_t from = n * share / p->threads, size = n * (share + 1) / p->threads - from;
    atomic_llong *taken = &p->seats[share].taken;
    for (;;) {
      if (atomic_load_explicit(taken, memory_order_relaxed) >= size) break;
      int64_t i = atomic_fetch_add_explicit(taken, 1, memory_order_relaxed);
      if (i >= size) break;
      job(arg, from + i);
    }
  }
}

/* Whether the word shows a worker that served job `seen` last something to do. */
static int is_news(nn_pool *p, uint64_t word, uint64_t seen) {
  return ((word & OPEN) && JOB(word) != seen) || atomic_load(&p->stop);
}

/* Waits for news: looking, then asleep. */
static void await(nn_pool *p, uint64_t seen) {
  for (looking w = {0}; look(&w);)
    if (is_news(p, atomic_load_explicit(&p->word, memory_order_relaxed), seen)) return;
  pthread_mutex_lock(&p->lock);
  atomic_fetch_add(&p->sleepers, 1); /* before the word is read: open_job does it the other way */
  while (!is_news(p, atomic_load(&p->word), seen)) pthread_cond_wait(&p->wake, &p->lock);
  atomic_fetch_sub(&p->sleepers, 1);
  pthread_mutex_unlock(&p->lock);
}

/* The system likes to put a thread that is woken beside the one that woke it. There the two would
 * take turns while another core idles, and for short jobs that stays so: the worker moves away. */
static void make_way(seat *s, int caller) {
#if defined(__linux__)
  cpu_set_t all, others;
  if (s->stays > 0 || caller < 0 || sched_getcpu() != caller) {
    s->stays -= s->stays > 0;
    return;
  }
  s->stays = STAYS;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return;
  others = all;
  CPU_CLR(caller, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof all, &all);
#else
  (void)s, (void)caller;
#endif
}

static int this_cpu(void) {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

/* The last worker in a closed job wakes the caller. */
static void leave(nn_pool *p) {
  uint64_t before = atomic_fetch_sub(&p->word, 1);
  if ((before & OPEN) || (before & WORKERS) != 1 || !atomic_load(&p->caller_sleeps)) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_signal(&p->done);
  pthread_mutex_unlock(&p->lock);
}

static void *worker(void *arg) {
  seat *s = arg;
  nn_pool *p = s->pool;
  uint64_t seen = 0;
  while (!atomic_load(&p->stop)) {
    uint64_t word = atomic_load(&p->word);
    if (!is_news(p, word, seen)) {
      await(p, seen);
    } else if ((word & OPEN) && atomic_compare_exchange_strong(&p->word, &word, word + 1)) {
      seen = JOB(word);
      nn_fpmode_set(p->mode);
      make_way(s, p->cpu);
      claim(p, s->number, p->job, p->arg, p->n);
      leave(p);
    }
  }
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
  for (seat *s = &p->seats[p->started + 1]; p->started < p->threads - 1; s++, p->started++)
    if (pthread_create(&s->thread, &attr, worker, s) != 0) break;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
}

static void wake_sleepers(nn_pool *p) {
  if (!atomic_load(&p->sleepers)) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
}

static void stop_workers(nn_pool *p) {
  atomic_store(&p->stop, 1);
  wake_sleepers(p);
  for (int i = 1; i <= p->started; i++) pthread_join(p->seats[i].thread, NULL);
  p->started = 0;
  atomic_store(&p->stop, 0);
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
  seat *seats = nn_mem_new(p->alloc, sizeof *seats * (size_t)threads);
  if (!seats) return nn_fail(e, NN_ERR_MEMORY, "pool: no memory for %d threads", threads);
  stop_workers(p);
  nn_mem_free(p->alloc, p->seats);
  for (int i = 0; i < threads; i++) seats[i].pool = p, seats[i].number = i;
  p->seats = seats;
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
  nn_mem_free(p->alloc, p->seats);
  nn_mem_free(p->alloc, p);
}

int nn_pool_threads(const nn_pool *p) { return p ? p->threads : 1; }

static void open_job(nn_pool *p, nn_job job, void *arg, int64_t n) {
  for (int i = 0; i < p->threads; i++)
    atomic_store_explicit(&p->seats[i].taken, 0, memory_order_relaxed);
  p->job = job, p->arg = arg, p->n = n, p->mode = nn_fpmode_get();
  p->cpu = this_cpu();
  uint64_t number = JOB(atomic_load_explicit(&p->word, memory_order_relaxed)) + 1;
  atomic_exchange(&p->word, number << 32 | OPEN);
  wake_sleepers(p);
}

/* No worker may join any more; waits for those that did. */
static void close_job(nn_pool *p) {
  atomic_fetch_and(&p->word, ~OPEN);
  for (looking w = {0}; look(&w);)
    if (!(atomic_load_explicit(&p->word, memory_order_acquire) & WORKERS)) return;
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->caller_sleeps, 1);
  while (atomic_load(&p->word) & WORKERS) pthread_cond_wait(&p->done, &p->lock);
  atomic_store(&p->caller_sleeps, 0);
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
  claim(p, 0, job, arg, n);
  close_job(p);
  atomic_store(&p->busy, 0);
}
