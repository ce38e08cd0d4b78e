/* The reader's state: the scanner, and what is known of each column. Private to the CSV reader. */
#ifndef NN_IO_CSV_READER_H
#define NN_IO_CSV_READER_H

#include "io/csv_scan.h"

/* What is known of a column. GUESS becomes TEXT at the first present cell that is no number. */
typedef enum column_state { GUESS, NUMBER, TEXT, TEXT_DECLARED, NUMBER_GUESSED } column_state;

typedef struct column_plan {
  column_state state;
  size_t behind;    /* rows before this one were read as numbers, their text is to be fetched */
  size_t pool_room; /* bytes of the column's pool */
} column_plan;

struct nn_csv_reader {
  nn_alloc *alloc;       /* borrowed */
  nn_csv_options option; /* its pointers are borrowed */
  char *name;            /* owned: of the file */
  char *bytes;           /* owned: the file or a window of it; NULL for memory of the caller */
  size_t room;           /* size of `bytes` */
  size_t most;           /* cap for the window */
  int fd;                /* the file that the window moves over, -1 without one */
  const char *keep;      /* what must stay in the window; NULL: from the record on */
  csv_scan scan;
  size_t columns;
  const char **column_name; /* owned array of pointers into `names` */
  char *names;              /* owned */
  column_plan *plan;        /* owned */
  uint8_t missing_first[256]; /* 1 for bytes that a text for "missing" begins with */
  int plain;                  /* the options allow csv_plain_row */
  size_t text_columns;        /* of the portion that is being read */
  int started;                /* a portion was read: the types are settled */
};

/* A window of the file at `path`, its beginning filled; then csv_record moves it. */
nn_status csv_window_open(nn_csv_reader *r, const char *path, nn_error *e);
/* As csv_scan_record, reading on where the record does not end in the window. */
nn_status csv_record(nn_csv_reader *r, int *more, nn_error *e);

/* Whether numbers can be read at once under these options. */
void csv_plain_prepare(nn_csv_reader *r);
/* Reads a record of plain numbers into `row` of t, whose columns are all numbers; 0: it is not one,
 * or reaches the window's end, and nothing has moved. */
int csv_plain_row(nn_csv_reader *r, nn_csv_table *t, size_t row);

void csv_missing_prepare(nn_csv_reader *r);
void csv_table_begin(nn_csv_table *t, nn_alloc *a);
nn_status csv_wrong_cells(nn_csv_reader *r, nn_error *e);

#endif
