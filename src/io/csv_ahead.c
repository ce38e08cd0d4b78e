#include "io/csv_ahead.h"

#include <string.h>

nn_status nn_csv_ahead_open(nn_csv_ahead *a, const char *path, const nn_csv_options *o,
                            size_t rows, int threaded, size_t limit, nn_error *e) {
  memset(a, 0, sizeof *a);
  nn_alloc_init(&a->alloc, NULL, NULL, limit);
  a->rows = rows;
  a->threaded = threaded;
  return nn_csv_open(&a->reader, &a->alloc, path, o, NULL, e);
}

static void parse(nn_csv_ahead *a) {
  a->status = nn_csv_next(a->reader, a->rows, &a->table, &a->error);
}

static void *thread_run(void *p) {
  parse(p);
  return NULL;
}

static void wait(nn_csv_ahead *a) {
  if (a->running) pthread_join(a->thread, NULL);
  a->running = 0;
}

nn_status nn_csv_ahead_next(nn_csv_ahead *a, nn_csv_table *t, nn_error *e) {
  memset(t, 0, sizeof *t);
  if (a->ended) return NN_OK;
  if (a->running) wait(a);
  else parse(a);
  if (a->status) {
    a->ended = 1;
    if (e) *e = a->error;
    return a->status;
  }
  *t = a->table;
  memset(&a->table, 0, sizeof a->table);
  a->ended = t->rows == 0;
  if (a->threaded && !a->ended)
    a->running = pthread_create(&a->thread, NULL, thread_run, a) == 0;
  return NN_OK;
}

void nn_csv_ahead_close(nn_csv_ahead *a) {
  wait(a);
  if (a->table.alloc) nn_csv_clear(&a->table);
  nn_csv_close(a->reader);
  a->reader = NULL; /* the allocator stays: a table given to the caller may still be freed */
  a->ended = 1;
}
