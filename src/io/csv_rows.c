/* Rows into columns: cells are missing, numbers or text; the plan of a column may change once, from
 * a guess to text, which csv.h explains. */
#include <math.h>
#include <string.h>

#include "io/csv_reader.h"
#include "io/number.h"

static const char MISSING[][5] = {"NA",   "N/A", "n/a", "#N/A", "#NA",  "<NA>", "NULL",
                                  "null", "NaN", "nan", "-NaN", "-nan", "None"};
enum { MISSING_COUNT = sizeof MISSING / sizeof *MISSING, MISSING_LONGEST = 4 };

void csv_missing_prepare(nn_csv_reader *r) {
  for (size_t i = 0; i < MISSING_COUNT; i++) r->missing_first[(unsigned char)*MISSING[i]] = 1;
  for (size_t i = 0; i < r->option.na_count; i++)
    r->missing_first[(unsigned char)*r->option.na[i]] = 1;
}

void csv_table_begin(nn_csv_table *t, nn_alloc *a) {
  memset(t, 0, sizeof *t);
  t->alloc = a;
}

void nn_csv_clear(nn_csv_table *t) {
  for (size_t i = 0; t->column && i < t->columns; i++) {
    nn_csv_column *c = &t->column[i];
    nn_mem_free(t->alloc, c->missing);
    nn_mem_free(t->alloc, c->number);
    nn_mem_free(t->alloc, c->start);
    nn_mem_free(t->alloc, c->pool);
  }
  if (t->alloc) {
    nn_mem_free(t->alloc, t->column);
    nn_mem_free(t->alloc, t->names);
  }
  memset(t, 0, sizeof *t);
}

nn_status csv_wrong_cells(nn_csv_reader *r, nn_error *e) {
  return nn_fail(e, NN_ERR_FORMAT, "%.200s: line %zu: %zu cell%s, expected %zu", r->name,
                 r->scan.record_line, r->scan.cells, r->scan.cells == 1 ? "" : "s", r->columns);
}

/* ---- cells ---- */

static int is_missing(const nn_csv_reader *r, const char *text, size_t n) {
  if (n == 0) return 1;
  if (!r->missing_first[(unsigned char)*text]) return 0;
  for (size_t i = 0; n <= MISSING_LONGEST && i < MISSING_COUNT; i++)
    if (memcmp(MISSING[i], text, n) == 0 && MISSING[i][n] == 0) return 1;
  for (size_t i = 0; i < r->option.na_count; i++)
    if (strlen(r->option.na[i]) == n && memcmp(r->option.na[i], text, n) == 0) return 1;
  return 0;
}

static nn_status text_append(nn_csv_reader *r, nn_csv_column *c, size_t column, size_t row,
                             const char *text, size_t n, nn_error *e) {
  column_plan *plan = &r->plan[column];
  size_t at = c->start[row];
  if (!c->pool || n > plan->pool_room - at) {
    size_t room = nn_size_add(at, n);
    room = nn_size_add(room, room < 64 ? 64 : room / 2);
    char *p = nn_mem_resize(r->alloc, c->pool, room);
    if (!p) return csv_fail_memory(&r->scan, e);
    c->pool = p;
    plan->pool_room = room;
  }
  memcpy(c->pool + at, text, n);
  c->start[row + 1] = at + n;
  return NN_OK;
}

/* A column of text begins: the rows before `row` stay empty until texts_fetch. */
static nn_status text_begin(nn_csv_reader *r, nn_csv_column *c, size_t column, size_t row,
                            size_t room, nn_error *e) {
  c->start = nn_mem_new(r->alloc, nn_size_mul(nn_size_add(room, 1), sizeof *c->start));
  c->pool = nn_mem_new(r->alloc, 64);
  if (!c->start || !c->pool) return csv_fail_memory(&r->scan, e);
  nn_mem_free(r->alloc, c->number);
  c->number = NULL;
  c->type = NN_CSV_TEXT;
  r->text_columns++;
  r->plan[column].pool_room = 64;
  r->plan[column].behind = row;
  return NN_OK;
}

static nn_status bad_number(nn_csv_reader *r, size_t column, nn_number_result why, const char *text,
                            size_t n, nn_error *e) {
  char shown[CSV_SHOWN];
  const char *what = why == NN_NUMBER_TOO_BIG ? "is too large for a number" : "is not a number";
  if (why == NN_NUMBER_BAD && r->plan[column].state == NUMBER_GUESSED)
    what = "is not a number, as the rows before it are; declare the column as text";
  return csv_fail_cell(&r->scan, column, r->scan.cell[column].line, e, "%s %s",
                       csv_shown(shown, text, n), what);
}

static nn_number_style style_of(const nn_csv_reader *r) {
  return (nn_number_style){r->option.decimal, r->option.thousands};
}

/* Text that is not declared as such may still be a number beyond the doubles: an error. Only what
 * begins like a number and has an exponent or hundreds of digits can be one. */
static int is_too_big(const nn_csv_reader *r, const char *text, size_t n) {
  double v;
  if (n < 4 || !(strchr("+-0123456789", *text) || *text == r->option.decimal)) return 0;
  if (n < 300 && !memchr(text, 'e', n) && !memchr(text, 'E', n)) return 0;
  return nn_number_parse(&v, text, n, style_of(r)) == NN_NUMBER_TOO_BIG;
}

/* A number cell; *text_now = 1 when the column turns out to be text. */
static nn_status number_cell(nn_csv_reader *r, nn_csv_column *c, size_t column, size_t row,
                             const char *text, size_t n, int *text_now, nn_error *e) {
  column_plan *plan = &r->plan[column];
  double v = NAN;
  if (!c->missing[row]) {
    nn_number_result got = nn_number_parse(&v, text, n, style_of(r));
    if (got == NN_NUMBER_BAD && plan->state == GUESS) {
      plan->state = TEXT;
      *text_now = 1;
      return NN_OK;
    }
    if (got != NN_NUMBER_OK) return bad_number(r, column, got, text, n, e);
  }
  c->number[row] = v;
  return NN_OK;
}

static nn_status cell_store(nn_csv_reader *r, nn_csv_table *t, size_t column, size_t row,
                            size_t room, nn_error *e) {
  nn_csv_column *c = &t->column[column];
  column_plan *plan = &r->plan[column];
  size_t n, bare_n;
  const char *text = csv_cell_text(&r->scan, &r->scan.cell[column], &n);
  if (!text) return csv_fail_memory(&r->scan, e);
  const char *bare = text;
  bare_n = n;
  csv_strip(&bare, &bare_n);
  c->missing[row] = (uint8_t)is_missing(r, bare, bare_n);
  nn_status st = NN_OK;
  int text_now = 0;
  if (c->type == NN_CSV_NUMBER) {
    st = number_cell(r, c, column, row, bare, bare_n, &text_now, e);
    if (st || !text_now) return st;
    if ((st = text_begin(r, c, column, row, room, e))) return st;
  }
  if (c->missing[row]) n = 0;
  else if (plan->state != TEXT_DECLARED && is_too_big(r, bare, bare_n))
    return bad_number(r, column, NN_NUMBER_TOO_BIG, bare, bare_n, e);
  return r->option.trim && n ? text_append(r, c, column, row, bare, bare_n, e)
                             : text_append(r, c, column, row, text, n, e);
}

/* ---- rows ---- */

static nn_status rows_reserve(nn_csv_reader *r, nn_csv_table *t, size_t *room, size_t want,
                              nn_error *e) {
  for (size_t i = 0; i < t->columns; i++) {
    nn_csv_column *c = &t->column[i];
    void *m = nn_mem_resize(r->alloc, c->missing, want), *v;
    if (m) c->missing = m;
    if (c->type == NN_CSV_NUMBER) {
      v = nn_mem_resize(r->alloc, c->number, nn_size_mul(want, sizeof(double)));
      if (v) c->number = v;
    } else {
      v = nn_mem_resize(r->alloc, c->start, nn_size_mul(nn_size_add(want, 1), sizeof(size_t)));
      if (v) c->start = v;
    }
    if (!m || !v) return csv_fail_memory(&r->scan, e);
  }
  *room = want;
  return NN_OK;
}

/* The columns of an empty table, and room for as many rows as the rest may hold if all records
 * were as long as the header; it grows when they are shorter. */
static nn_status table_build(nn_csv_reader *r, nn_csv_table *t, size_t max_rows, size_t *room,
                             nn_error *e) {
  csv_table_begin(t, r->alloc);
  size_t pool = 0, left = (size_t)(r->scan.end - r->scan.at);
  for (size_t i = 0; i < r->columns; i++) pool += strlen(r->column_name[i]) + 1;
  t->column = nn_mem_new(r->alloc, nn_size_mul(r->columns, sizeof *t->column));
  t->names = nn_mem_new(r->alloc, pool);
  if (!t->column || !t->names) return csv_fail_memory(&r->scan, e);
  t->columns = r->columns;
  r->text_columns = 0;
  char *at = t->names;
  for (size_t i = 0; i < r->columns; i++) {
    size_t n = strlen(r->column_name[i]) + 1;
    memcpy(at, r->column_name[i], n);
    t->column[i].name = at;
    at += n;
    if (r->plan[i].state == TEXT || r->plan[i].state == TEXT_DECLARED) {
      t->column[i].type = NN_CSV_TEXT;
      r->text_columns++;
    }
    r->plan[i].pool_room = r->plan[i].behind = 0;
  }
  size_t want = left / (r->columns * 4 + 1) + 1;
  return rows_reserve(r, t, room, want < max_rows ? want : max_rows, e);
}

static nn_status rows_read(nn_csv_reader *r, nn_csv_table *t, size_t max_rows, size_t room,
                           nn_error *e) {
  nn_status st;
  for (int more = 1; t->rows < max_rows; t->rows++) {
    int plain = r->plain && r->text_columns == 0 && t->rows < room;
    if (plain && csv_plain_row(r, t, t->rows)) continue;
    if ((st = csv_record(r, &more, e)) || !more) return st;
    if (r->scan.cells != r->columns) return csv_wrong_cells(r, e);
    if (t->rows == room && (st = rows_reserve(r, t, &room, nn_size_mul(room, 2), e))) return st;
    for (size_t i = 0; i < r->columns; i++)
      if ((st = cell_store(r, t, i, t->rows, room, e))) return st;
  }
  return NN_OK;
}

/* ---- the texts before a column turned out to be text ---- */

/* Puts the fetched texts of rows [0, behind) before those of the later rows. */
static nn_status texts_join(nn_csv_reader *r, nn_csv_column *c, size_t behind, size_t rows,
                            nn_csv_column *early, nn_error *e) {
  size_t first = early->start[behind], later = c->start[rows];
  char *pool = nn_mem_new(r->alloc, nn_size_add(nn_size_add(first, later), 1));
  if (!pool) return csv_fail_memory(&r->scan, e);
  memcpy(pool, early->pool, first);
  memcpy(pool + first, c->pool, later);
  memcpy(c->start, early->start, behind * sizeof *c->start);
  for (size_t i = behind; i <= rows; i++) c->start[i] += first;
  nn_mem_free(r->alloc, c->pool);
  c->pool = pool;
  return NN_OK;
}

static nn_status early_rows(nn_csv_reader *r, nn_csv_table *t, nn_csv_column *early, size_t last,
                            nn_error *e) {
  nn_status st = NN_OK;
  for (size_t row = 0; row < last; row++) {
    int more;
    if ((st = csv_scan_record(&r->scan, &more, e))) return st;
    for (size_t i = 0; i < r->columns; i++) {
      if (row >= r->plan[i].behind) continue;
      size_t n;
      const char *text = csv_cell_text(&r->scan, &r->scan.cell[i], &n);
      if (!text) return csv_fail_memory(&r->scan, e);
      if (r->option.trim) csv_strip(&text, &n);
      if (t->column[i].missing[row]) n = 0;
      if ((st = text_append(r, &early[i], i, row, text, n, e))) return st;
    }
  }
  return NN_OK;
}

static nn_status early_begin(nn_csv_reader *r, nn_csv_column *early, nn_error *e) {
  for (size_t i = 0; i < r->columns; i++) {
    if (r->plan[i].behind == 0) continue;
    early[i].start = nn_mem_new(r->alloc, nn_size_mul(r->plan[i].behind + 1, sizeof(size_t)));
    early[i].pool = nn_mem_new(r->alloc, 64);
    r->plan[i].pool_room = 64;
    if (!early[i].start || !early[i].pool) return csv_fail_memory(&r->scan, e);
  }
  return NN_OK;
}

static nn_status texts_fetch(nn_csv_reader *r, nn_csv_table *t, const char *at, size_t line,
                             nn_error *e) {
  size_t last = 0;
  for (size_t i = 0; i < r->columns; i++)
    if (r->plan[i].behind > last) last = r->plan[i].behind;
  if (last == 0) return NN_OK;
  nn_csv_column *early = nn_mem_new(r->alloc, nn_size_mul(r->columns, sizeof *early));
  if (!early) return csv_fail_memory(&r->scan, e);
  nn_status st = early_begin(r, early, e);
  const char *end_at = r->scan.at;
  size_t end_line = r->scan.line;
  r->scan.at = at, r->scan.line = line;
  if (!st) st = early_rows(r, t, early, last, e);
  r->scan.at = end_at, r->scan.line = end_line;
  for (size_t i = 0; i < r->columns; i++) {
    size_t behind = r->plan[i].behind;
    if (!st && behind) st = texts_join(r, &t->column[i], behind, t->rows, &early[i], e);
    nn_mem_free(r->alloc, early[i].start);
    nn_mem_free(r->alloc, early[i].pool);
  }
  nn_mem_free(r->alloc, early);
  return st;
}

nn_status nn_csv_next(nn_csv_reader *r, size_t max_rows, nn_csv_table *t, nn_error *e) {
  size_t room = 0, line = r->scan.line;
  r->keep = r->started ? NULL : r->scan.at; /* the first portion may be scanned a second time */
  const char *at = r->keep;
  nn_status st = table_build(r, t, max_rows, &room, e);
  if (!st) st = rows_read(r, t, max_rows, room, e);
  if (r->keep) at = r->keep;
  if (!st) st = texts_fetch(r, t, at, line, e);
  r->keep = NULL;
  if (st) nn_csv_clear(t);
  for (size_t i = 0; !st && !r->started && i < r->columns; i++)
    if (r->plan[i].state == GUESS) r->plan[i].state = NUMBER_GUESSED;
  if (!st) r->started = 1;
  return st;
}
