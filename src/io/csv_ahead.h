/* A CSV file in portions, the next one parsed by a thread while the caller works on the last.
 *
 * The thread's memory comes from an allocator of its own (the host's is not asked from two
 * threads), capped at `limit` bytes. Without a thread, or where none can be made, portions are
 * parsed when they are asked for. The result is the same.
 */
#ifndef NN_IO_CSV_AHEAD_H
#define NN_IO_CSV_AHEAD_H

#include <pthread.h>

#include "io/csv.h"

typedef struct nn_csv_ahead {
  nn_alloc alloc;        /* of the reader and its tables */
  nn_csv_reader *reader; /* owned; the thread's while it runs */
  size_t rows;           /* of a portion */
  int threaded, running, ended;
  pthread_t thread;
  nn_csv_table table;    /* owned: the portion that the thread parses */
  nn_status status;      /* the thread's result */
  nn_error error;
} nn_csv_ahead;

/* `a` must not move while it is open. Options are borrowed as in nn_csv_open. */
nn_status nn_csv_ahead_open(nn_csv_ahead *a, const char *path, const nn_csv_options *o,
                            size_t rows, int threaded, size_t limit, nn_error *e);
/* The next portion, to be cleared while *a is there; 0 rows at the end. */
nn_status nn_csv_ahead_next(nn_csv_ahead *a, nn_csv_table *t, nn_error *e);
void nn_csv_ahead_close(nn_csv_ahead *a); /* waits for the thread; also a zeroed or closed one */

#endif
