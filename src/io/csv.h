/* CSV as columns, strictly: a file either fits the rules below or is an error with its place.
 *
 * - A file is records of cells. Lines end with LF, CRLF or a lone CR; the last needs no end. A line
 *   with nothing on it is skipped, yet counts as a line. Blanks are spaces and tabs.
 * - A cell that begins with the quote runs to the next single quote; a doubled quote stands for
 *   one; delimiters and line ends inside are kept. A quote elsewhere is an ordinary character.
 * - Text is bytes. A UTF-8 byte order mark is dropped; a UTF-16 one and a zero byte are errors.
 * - Every record has as many cells as the first.
 * - A cell is missing when, without blanks around it and whether quoted or not, it is empty, one of
 *   NA N/A n/a #N/A #NA <NA> NULL null NaN nan -NaN -nan None, or one of the option `na`.
 * - A column is a number when every present cell is one (or none is present), otherwise text. A
 *   number too large for a double is an error wherever its column is not declared text.
 *
 * Errors: `file.csv: line 3, column 2 ("age"): "abc" is not a number`. Lines count from 1 as an
 * editor shows them (line ends inside quotes too), columns from 1. On an error no table comes back.
 *
 * One pass fills the columns. A column is taken for numbers until a cell says otherwise; the texts
 * of the cells before it come from a second scan up to the last such row, done once for all
 * columns, so the worst file is scanned twice.
 */
#ifndef NN_IO_CSV_H
#define NN_IO_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/status.h"
#include "io/stream.h"

typedef enum nn_csv_type { NN_CSV_NUMBER, NN_CSV_TEXT } nn_csv_type;

typedef struct nn_csv_declared {
  const char *name; /* borrowed: of a column */
  nn_csv_type type;
} nn_csv_declared;

/* All pointers are borrowed and must live as long as the reader. */
typedef struct nn_csv_options {
  char delimiter;            /* ',' */
  char quote;                /* '"'; 0 = no quoting */
  int header;                /* 1: the first record names the columns */
  const char *const *names;  /* names instead of (header = 1) or without the header's; NULL: none */
  size_t names_count;        /* must be the number of columns */
  const char *const *na;     /* further texts that stand for a missing cell */
  size_t na_count;
  const nn_csv_declared *types; /* columns whose type is said; a name that is none is an error */
  size_t types_count;
  char decimal;              /* '.' */
  char thousands;            /* 0 = none; else a mark before groups of exactly three digits */
  const char *comment;       /* a line that begins with it is skipped; NULL or "" = none */
  int trim;                  /* 1: blanks around text go, also between a delimiter and a quote */
} nn_csv_options;

void nn_csv_options_init(nn_csv_options *o); /* the values above */

/* A column. `missing` has a byte per row, 1 where the cell is missing. A number column has
 * `number` (NaN where missing); a text column's row r is pool[start[r]] up to pool[start[r+1]]
 * (empty where missing), `start` has rows + 1 entries. */
typedef struct nn_csv_column {
  const char *name; /* owned by the table, no zero byte inside; a repeated name got .1, .2 ... */
  nn_csv_type type;
  uint8_t *missing; /* owned */
  double *number;   /* owned; NULL in a text column */
  size_t *start;    /* owned; NULL in a number column */
  char *pool;       /* owned; NULL in a number column */
} nn_csv_column;

typedef struct nn_csv_table {
  nn_alloc *alloc; /* borrowed */
  size_t rows, columns;
  nn_csv_column *column; /* owned */
  char *names;           /* owned: the bytes of the names */
} nn_csv_table;

/* Reads a whole file, or bytes in memory (`name` stands in errors). limits->bytes caps the file,
 * limits->tensors the columns. NULL options or limits are the defaults. Clear with nn_csv_clear. */
nn_status nn_csv_load(nn_csv_table *t, nn_alloc *a, const char *path, const nn_csv_options *o,
                      const nn_limits *limits, nn_error *e);
nn_status nn_csv_parse(nn_csv_table *t, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_csv_options *o, const nn_limits *limits, nn_error *e);
void nn_csv_clear(nn_csv_table *t); /* also a zeroed or cleared one */

/* Reading in portions: tables of at most max_rows rows. Of a file no more than the first portion
 * and a window of a megabyte stay in memory (limits->bytes caps that, not the file). Types are
 * settled by the first portion; a later cell that is no number where the first portion said number
 * is an error. A table of 0 rows is the end. */
typedef struct nn_csv_reader nn_csv_reader;
nn_status nn_csv_open(nn_csv_reader **r, nn_alloc *a, const char *path, const nn_csv_options *o,
                      const nn_limits *limits, nn_error *e);
nn_status nn_csv_open_memory(nn_csv_reader **r, nn_alloc *a, const char *name, const void *bytes,
                             size_t n, const nn_csv_options *o, const nn_limits *limits,
                             nn_error *e);
nn_status nn_csv_next(nn_csv_reader *r, size_t max_rows, nn_csv_table *t, nn_error *e);
void nn_csv_close(nn_csv_reader *r); /* NULL is allowed */

#endif
