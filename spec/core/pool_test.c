/* Checks the pool: every chunk runs once whatever the number of threads, jobs follow each other
 * closely, a job inside a job runs on its caller, and idle workers use no processor time. Prints
 * TAP, exits with 1 when a line says "not ok".
 */
#include "core/pool.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int failed, count;

static void ok(int good, const char *what) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, what);
  failed |= !good;
}

#define CHUNKS 97
typedef struct tally {
  nn_pool *pool; /* for a job inside the job, or NULL */
  int ran[CHUNKS];
} tally;

static void run_once(void *arg, int64_t i) { ((tally *)arg)->ran[i]++; }

static void run_inner(void *arg, int64_t i) {
  tally inner = {0};
  tally *t = arg;
  nn_pool_run(t->pool, run_once, &inner, 5);
  t->ran[i] += inner.ran[0] && inner.ran[4] && !inner.ran[5];
}

static int all_once(nn_pool *p, nn_job job, int64_t n) {
  tally t = {.pool = p};
  nn_pool_run(p, job, &t, n);
  for (int64_t i = 0; i < CHUNKS; i++)
    if (t.ran[i] != (i < n)) return 0;
  return 1;
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(void) {
  nn_alloc alloc;
  nn_error e;
  nn_pool *p;
  char text[80];
  nn_alloc_init(&alloc, NULL, NULL, 0);
  ok(all_once(NULL, run_once, CHUNKS), "no pool: on the caller");
  ok(nn_pool_new(&alloc, -1, &p, &e) == NN_ERR_ARGUMENT && !p &&
         strcmp(e.text, "pool: -1 threads, expected 0 to 256") == 0,
     "a negative number of threads is refused");
  ok(nn_pool_new(&alloc, 0, &p, &e) == NN_OK && nn_pool_threads(p) >= 1,
     "0: the machine's threads");
  for (int threads = 1; threads <= 8; threads += threads < 4 ? 1 : 4) {
    int good = nn_pool_resize(p, threads, &e) == NN_OK && nn_pool_threads(p) == threads;
    for (int round = 0; round < 2000; round++) good &= all_once(p, run_once, round % (CHUNKS + 1));
    snprintf(text, sizeof text, "%d threads: each chunk once", threads);
    ok(good, text);
  }
  ok(all_once(p, run_inner, CHUNKS), "a job inside a job");
  struct timespec pause = {0, 50 * 1000 * 1000};
  nanosleep(&pause, NULL);
  double before = cpu_seconds();
  pause.tv_nsec = 200 * 1000 * 1000;
  nanosleep(&pause, NULL);
  ok(cpu_seconds() - before < 0.02, "idle workers sleep");
  nn_pool_free(p);
  ok(alloc.used == 0, "all memory is given back");
  printf("1..%d\n", count);
  return failed;
}
