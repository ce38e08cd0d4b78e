#include "io/csv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/csv_reader.h"

void nn_csv_options_init(nn_csv_options *o) {
  memset(o, 0, sizeof *o);
  o->delimiter = ',';
  o->quote = '"';
  o->header = 1;
  o->decimal = '.';
}

static int usable_mark(char c) {
  return c && c != '\n' && c != '\r' && !(c >= '0' && c <= '9') && !strchr("+-eE", c);
}

static nn_status options_check(const nn_csv_reader *r, nn_error *e) {
  const nn_csv_options *o = &r->option;
  const char *bad = NULL;
  char d = o->delimiter;
  if (d == 0 || d == '\n' || d == '\r' || d == o->quote)
    bad = "delimiter must be one character, not a line end and not the quote";
  else if (o->quote == '\n' || o->quote == '\r')
    bad = "quote must not be a line end";
  else if (o->names && o->names_count == 0)
    bad = "names is empty, expected a name for each column";
  else if (!usable_mark(o->decimal))
    bad = "decimal must be one character that no number uses otherwise";
  else if (o->thousands && (!usable_mark(o->thousands) || o->thousands == o->decimal))
    bad = "thousands must be one character, neither a digit nor the decimal mark";
  return bad ? nn_fail(e, NN_ERR_ARGUMENT, "%.200s: %s", r->name, bad) : NN_OK;
}

/* The header record as texts that end in zero, one block with the pointers in front. */
static const char **header_texts(nn_csv_reader *r) {
  csv_scan *s = &r->scan;
  size_t room = 1;
  for (size_t i = 0; i < s->cells; i++) room = nn_size_add(room, s->cell[i].n + 1);
  size_t front = nn_size_mul(s->cells, sizeof(char *));
  const char **name = nn_mem_new(r->alloc, nn_size_add(front, room));
  if (!name) return NULL;
  char *at = (char *)name + front;
  for (size_t i = 0; i < s->cells; i++) {
    size_t n;
    const char *text = csv_cell_text(s, &s->cell[i], &n);
    if (!text) {
      nn_mem_free(r->alloc, name);
      return NULL;
    }
    if (r->option.trim) csv_strip(&text, &n);
    memcpy(at, text, n);
    name[i] = at;
    at += n + 1;
  }
  return name;
}

/* Columns of a file without names: c1, c2 ... */
static const char **numbered_names(nn_csv_reader *r) {
  enum { EACH = 24 };
  size_t count = r->columns, front = nn_size_mul(count, sizeof(char *));
  const char **name = nn_mem_new(r->alloc, nn_size_add(front, nn_size_mul(count, EACH)));
  for (size_t i = 0; name && i < count; i++) {
    char *at = (char *)name + front + i * EACH;
    snprintf(at, EACH, "c%zu", i + 1);
    name[i] = at;
  }
  return name;
}

static nn_status names_set(nn_csv_reader *r, const char *const *names, nn_error *e) {
  size_t count = r->columns;
  r->column_name = nn_mem_new(r->alloc, nn_size_mul(count, sizeof(char *)));
  if (!r->column_name) return csv_fail_memory(&r->scan, e);
  nn_status st = csv_names_unique(r->alloc, r->column_name, &r->names, names, count, e);
  if (st) return st;
  r->scan.column_name = r->column_name;
  r->scan.column_names = count;
  return NN_OK;
}

static nn_status names_of_header(nn_csv_reader *r, nn_error *e) {
  const char **name = header_texts(r);
  nn_status st = name ? names_set(r, name, e) : csv_fail_memory(&r->scan, e);
  nn_mem_free(r->alloc, name);
  return st;
}

static nn_status empty_file(const nn_csv_reader *r, nn_error *e) {
  return nn_fail(e, NN_ERR_FORMAT, "%.200s: is empty, expected at least a line with cells",
                 r->name);
}

/* Reads the header where there is one and settles names and number of columns. */
static nn_status columns_begin(nn_csv_reader *r, nn_error *e) {
  csv_scan *s = &r->scan;
  const nn_csv_options *o = &r->option;
  nn_status st = NN_OK;
  if (o->names) {
    r->columns = s->max_cells = o->names_count;
    if ((st = names_set(r, o->names, e))) return st;
  }
  size_t line = s->line;
  int more = 0;
  r->keep = s->at;
  if ((st = csv_record(r, &more, e))) return st;
  if (!more) return empty_file(r, e);
  if (o->names) {
    if (s->cells != r->columns) return csv_wrong_cells(r, e);
  } else {
    r->columns = s->max_cells = s->cells;
    if (o->header) {
      st = names_of_header(r, e);
    } else {
      const char **name = numbered_names(r);
      st = name ? names_set(r, name, e) : csv_fail_memory(s, e);
      nn_mem_free(r->alloc, name);
    }
  }
  if (!o->header) s->at = r->keep, s->line = line;
  r->keep = NULL;
  return st;
}

static nn_status types_declare(nn_csv_reader *r, nn_error *e) {
  r->plan = nn_mem_new(r->alloc, nn_size_mul(r->columns, sizeof *r->plan));
  if (!r->plan) return csv_fail_memory(&r->scan, e);
  for (size_t t = 0; t < r->option.types_count; t++) {
    const nn_csv_declared *d = &r->option.types[t];
    size_t i = 0;
    while (i < r->columns && strcmp(r->column_name[i], d->name) != 0) i++;
    if (i == r->columns)
      return nn_fail(e, NN_ERR_ARGUMENT, "%.200s: types: no column is named \"%.60s\"", r->name,
                     d->name);
    r->plan[i].state = d->type == NN_CSV_TEXT ? TEXT_DECLARED : NUMBER;
  }
  return NN_OK;
}

/* A reader without its bytes; NULL when memory ends. */
static nn_csv_reader *reader_new(nn_alloc *a, const char *name, const nn_csv_options *o,
                                 const nn_limits *l, nn_error *e) {
  size_t name_n = strlen(name);
  nn_csv_reader *r = nn_mem_new(a, sizeof *r);
  char *name_copy = nn_mem_new(a, name_n + 1);
  if (!r || !name_copy) {
    nn_mem_free(a, r);
    nn_mem_free(a, name_copy);
    nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
    return NULL;
  }
  r->alloc = a;
  r->fd = -1;
  r->most = l->bytes;
  r->name = memcpy(name_copy, name, name_n);
  if (o) r->option = *o;
  else nn_csv_options_init(&r->option);
  csv_scan *s = &r->scan;
  s->alloc = a, s->name = r->name, s->option = &r->option;
  s->start = s->at = s->end = "";
  s->max_cells = SIZE_MAX, s->limit = l->tensors;
  csv_missing_prepare(r);
  csv_plain_prepare(r);
  return r;
}

/* Options, byte order marks, header and declared types; frees the reader on an error. */
static nn_status reader_begin(nn_csv_reader **out, nn_csv_reader *r, nn_status st, nn_error *e) {
  if (!st) st = options_check(r, e);
  if (!st) st = csv_scan_begin(&r->scan, e);
  if (!st) st = columns_begin(r, e);
  if (!st) st = types_declare(r, e);
  if (st) nn_csv_close(r);
  else *out = r;
  return st;
}

nn_status nn_csv_open_memory(nn_csv_reader **out, nn_alloc *a, const char *name, const void *bytes,
                             size_t n, const nn_csv_options *o, const nn_limits *limits,
                             nn_error *e) {
  nn_limits l = nn_limits_of(limits);
  nn_csv_reader *r = reader_new(a, name, o, &l, e);
  *out = NULL;
  if (!r) return NN_ERR_MEMORY;
  r->scan.start = r->scan.at = n ? bytes : "";
  r->scan.end = r->scan.start + n;
  nn_status st = options_check(r, e);
  if (!st && n > l.bytes)
    st = nn_fail(e, NN_ERR_LIMIT, "%.200s: %zu bytes, above the limit of %zu", name, n, l.bytes);
  return reader_begin(out, r, st, e);
}

nn_status nn_csv_open(nn_csv_reader **out, nn_alloc *a, const char *path, const nn_csv_options *o,
                      const nn_limits *limits, nn_error *e) {
  nn_limits l = nn_limits_of(limits);
  nn_csv_reader *r = reader_new(a, path, o, &l, e);
  *out = NULL;
  if (!r) return NN_ERR_MEMORY;
  nn_status st = csv_window_open(r, path, e);
  return reader_begin(out, r, st, e);
}

void nn_csv_close(nn_csv_reader *r) {
  if (!r) return;
  nn_alloc *a = r->alloc;
  if (r->fd >= 0) close(r->fd);
  csv_scan_end(&r->scan);
  nn_mem_free(a, r->name);
  nn_mem_free(a, r->bytes);
  nn_mem_free(a, r->column_name);
  nn_mem_free(a, r->names);
  nn_mem_free(a, r->plan);
  nn_mem_free(a, r);
}

static nn_status read_all(nn_csv_reader *r, nn_status st, nn_csv_table *t, nn_error *e) {
  if (!st) st = nn_csv_next(r, SIZE_MAX, t, e);
  nn_csv_close(r);
  return st;
}

nn_status nn_csv_load(nn_csv_table *t, nn_alloc *a, const char *path, const nn_csv_options *o,
                      const nn_limits *limits, nn_error *e) {
  nn_csv_reader *r = NULL;
  uint8_t *bytes = NULL;
  size_t n = 0;
  csv_table_begin(t, a);
  nn_status st = nn_input_load(a, path, limits, &bytes, &n, e);
  if (!st) st = nn_csv_open_memory(&r, a, path, bytes, n, o, limits, e);
  st = read_all(r, st, t, e);
  nn_mem_free(a, bytes);
  return st;
}

nn_status nn_csv_parse(nn_csv_table *t, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_csv_options *o, const nn_limits *limits, nn_error *e) {
  nn_csv_reader *r;
  csv_table_begin(t, a);
  nn_status st = nn_csv_open_memory(&r, a, name, bytes, n, o, limits, e);
  return read_all(r, st, t, e);
}
