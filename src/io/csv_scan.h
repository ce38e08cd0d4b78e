/* The scanner cuts bytes into records of cells; it knows quotes, line ends, comments and blanks
 * around quotes, nothing of types. Private to the CSV reader. */
#ifndef NN_IO_CSV_SCAN_H
#define NN_IO_CSV_SCAN_H

#include "io/csv.h"

typedef struct csv_cell {
  const char *text; /* borrowed: inside the file's bytes, between the quotes */
  size_t n;
  size_t line;      /* physical line where the cell begins */
  int doubled;      /* holds doubled quotes */
} csv_cell;

typedef struct csv_scan {
  nn_alloc *alloc;              /* borrowed */
  const char *name;             /* borrowed: of the file */
  const nn_csv_options *option; /* borrowed */
  const char *start, *end;      /* borrowed: the file's bytes */
  const char *at;               /* next byte */
  const char *zero;             /* the first zero byte, `end` without one */
  size_t line;                  /* physical line of `at` */
  size_t record_line;           /* where the last record began */
  uint8_t stop[256];            /* 1 for bytes that end an unquoted cell */
  csv_cell *cell;               /* owned: of the last record */
  size_t cells, room;           /* cells of the last record; `cell` holds at most `room` */
  size_t max_cells;             /* cells beyond these are counted, not kept */
  size_t limit;                 /* cap for the first record */
  int open_quote;               /* the last error was a quote that is open at `end` */
  char *scratch;                /* owned: a cell without its doubled quotes */
  size_t scratch_room;
  const char *const *column_name; /* borrowed: for errors; NULL before they are known */
  size_t column_names;
} csv_scan;

/* Looks at byte order marks and finds the first zero byte. */
nn_status csv_scan_begin(csv_scan *s, nn_error *e);
/* Finds the first zero byte from s->at on. */
void csv_scan_zero(csv_scan *s);
/* The next record into s->cell; *more = 0 at the end of the file. */
nn_status csv_scan_record(csv_scan *s, int *more, nn_error *e);
void csv_scan_end(csv_scan *s);
/* The cell's bytes with doubled quotes made single, valid until the next call; NULL: no memory. */
const char *csv_cell_text(csv_scan *s, const csv_cell *c, size_t *n);
/* Fails with `file: line L, column C ("name"): ...`. */
nn_status csv_fail_cell(const csv_scan *s, size_t column, size_t line, nn_error *e, const char *fmt,
                        ...) NN_PRINTF(5, 6);
nn_status csv_fail_memory(const csv_scan *s, nn_error *e);

enum { CSV_SHOWN = 64 };
/* A cell as it stands in a message: quoted, control bytes as ?, cut when long. */
const char *csv_shown(char out[CSV_SHOWN], const char *text, size_t n);

static inline int csv_is_blank(char c) { return c == ' ' || c == '\t'; }

/* Cuts blanks off both sides. */
static inline void csv_strip(const char **text, size_t *n) {
  while (*n > 0 && csv_is_blank(**text)) (*text)++, (*n)--;
  while (*n > 0 && csv_is_blank((*text)[*n - 1])) (*n)--;
}

/* Column names made unique in the way of pandas; `names` has `count` pointers into owned memory,
 * returned as one block of bytes in *pool and pointers in `out` (count of them). */
nn_status csv_names_unique(nn_alloc *a, const char **out, char **pool, const char *const *names,
                           size_t count, nn_error *e);

#endif
