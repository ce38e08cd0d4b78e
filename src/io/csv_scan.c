#include "io/csv_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *csv_shown(char out[CSV_SHOWN], const char *text, size_t n) {
  size_t keep = n < 40 ? n : 40, at = 0;
  if (n > keep) /* not through the middle of a UTF-8 sequence */
    while (keep > 30 && ((unsigned char)text[keep] & 0xC0) == 0x80) keep--;
  out[at++] = '"';
  for (size_t i = 0; i < keep; i++)
    out[at++] = (unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i];
  snprintf(out + at, CSV_SHOWN - at, n > keep ? "...\"" : "\"");
  return out;
}

nn_status csv_fail_memory(const csv_scan *s, nn_error *e) {
  return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory at line %zu", s->name, s->line);
}

nn_status csv_fail_cell(const csv_scan *s, size_t column, size_t line, nn_error *e, const char *fmt,
                        ...) {
  char text[200], shown[CSV_SHOWN], where[CSV_SHOWN + 8] = "";
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (s->column_name && column < s->column_names) {
    const char *name = s->column_name[column];
    snprintf(where, sizeof where, " (%s)", csv_shown(shown, name, strlen(name)));
  }
  return nn_fail(e, NN_ERR_FORMAT, "%.200s: line %zu, column %zu%s: %s", s->name, line, column + 1,
                 where, text);
}

void csv_scan_zero(csv_scan *s) {
  const char *zero = s->end > s->at ? memchr(s->at, 0, (size_t)(s->end - s->at)) : NULL;
  s->zero = zero ? zero : s->end;
}

nn_status csv_scan_begin(csv_scan *s, nn_error *e) {
  size_t n = (size_t)(s->end - s->start);
  const unsigned char *p = (const unsigned char *)s->start;
  if (n >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
    return nn_fail(e, NN_ERR_FORMAT, "%.200s: is UTF-16, expected UTF-8 or single bytes", s->name);
  if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) s->at += 3;
  csv_scan_zero(s);
  s->stop[(unsigned char)s->option->delimiter] = 1;
  s->stop['\n'] = s->stop['\r'] = 1;
  s->line = 1;
  return NN_OK;
}

void csv_scan_end(csv_scan *s) {
  nn_mem_free(s->alloc, s->cell);
  nn_mem_free(s->alloc, s->scratch);
  s->cell = NULL, s->scratch = NULL;
}

const char *csv_cell_text(csv_scan *s, const csv_cell *c, size_t *n) {
  *n = c->n;
  if (!c->doubled) return c->text;
  if (c->n > s->scratch_room) {
    char *p = nn_mem_new(s->alloc, nn_size_mul(c->n, 2));
    if (!p) return NULL;
    nn_mem_free(s->alloc, s->scratch);
    s->scratch = p;
    s->scratch_room = c->n * 2;
  }
  size_t out = 0;
  for (size_t i = 0; i < c->n; i++) {
    s->scratch[out++] = c->text[i];
    if (c->text[i] == s->option->quote) i++;
  }
  *n = out;
  return s->scratch;
}

/* Steps over one line end at p, which is LF, CR or CRLF. */
static const char *skip_line_end(csv_scan *s, const char *p) {
  s->line++;
  return *p == '\r' && p + 1 < s->end && p[1] == '\n' ? p + 2 : p + 1;
}

static int is_line_end(char c) { return c == '\n' || c == '\r'; }

static nn_status zero_byte(const csv_scan *s, size_t column, size_t line, nn_error *e) {
  return csv_fail_cell(s, column, line, e, "a zero byte (\\0) inside, expected text");
}

/* From behind the opening quote to the closing one; s->at ends behind that. */
static nn_status quoted_cell(csv_scan *s, csv_cell *c, size_t column, nn_error *e) {
  char quote = s->option->quote;
  const char *p = s->at;
  c->text = p;
  for (; p < s->end; p++) {
    if (*p == quote) {
      if (p + 1 >= s->end || p[1] != quote) break;
      c->doubled = 1;
      p++;
    } else if (*p == '\n' || (*p == '\r' && !(p + 1 < s->end && p[1] == '\n'))) {
      s->line++;
    }
  }
  if (s->zero < p) return zero_byte(s, column, c->line, e);
  s->open_quote = p >= s->end;
  if (s->open_quote)
    return csv_fail_cell(s, column, c->line, e, "its quote is not closed before the file ends");
  c->n = (size_t)(p - c->text);
  s->at = p + 1;
  if (s->option->trim)
    while (s->at < s->end && csv_is_blank(*s->at) && !s->stop[(unsigned char)*s->at]) s->at++;
  if (s->at < s->end && !s->stop[(unsigned char)*s->at]) {
    char shown[CSV_SHOWN];
    return csv_fail_cell(s, column, c->line, e,
                         "%s after the closing quote, expected a delimiter or the line's end",
                         csv_shown(shown, s->at, 1));
  }
  return NN_OK;
}

static nn_status one_cell(csv_scan *s, csv_cell *c, size_t column, nn_error *e) {
  const char *p = s->at;
  c->line = s->line;
  c->doubled = 0;
  if (s->option->quote) {
    if (s->option->trim)
      while (p < s->end && csv_is_blank(*p) && !s->stop[(unsigned char)*p]) p++;
    if (p < s->end && *p == s->option->quote) {
      s->at = p + 1;
      return quoted_cell(s, c, column, e);
    }
    p = s->at;
  }
  while (p < s->end && !s->stop[(unsigned char)*p]) p++;
  c->text = s->at;
  c->n = (size_t)(p - s->at);
  s->at = p;
  return s->zero < p ? zero_byte(s, column, c->line, e) : NN_OK;
}

static nn_status cell_room(csv_scan *s, nn_error *e) {
  if (s->cells < s->room || s->cells >= s->max_cells) return NN_OK;
  if (s->room >= s->limit)
    return nn_fail(e, NN_ERR_LIMIT, "%.200s: more columns than the limit of %zu", s->name,
                   s->limit);
  size_t room = s->room ? s->room * 2 : 16;
  if (room > s->limit) room = s->limit;
  csv_cell *p = nn_mem_resize(s->alloc, s->cell, nn_size_mul(room, sizeof *p));
  if (!p) return csv_fail_memory(s, e);
  s->cell = p;
  s->room = room;
  return NN_OK;
}

/* Empty lines and comments before a record. */
static nn_status skip_lines(csv_scan *s, nn_error *e) {
  const char *comment = s->option->comment;
  size_t n = comment ? strlen(comment) : 0;
  for (;;) {
    const char *p = s->at;
    if (n && (size_t)(s->end - p) >= n && memcmp(p, comment, n) == 0)
      while (p < s->end && !is_line_end(*p)) p++;
    else if (p == s->end || !is_line_end(*p))
      return NN_OK;
    if (s->zero < p)
      return nn_fail(e, NN_ERR_FORMAT, "%.200s: line %zu: a zero byte (\\0) inside", s->name,
                     s->line);
    s->at = p < s->end ? skip_line_end(s, p) : p;
    if (s->at == s->end) return NN_OK;
  }
}

nn_status csv_scan_record(csv_scan *s, int *more, nn_error *e) {
  nn_status st = skip_lines(s, e);
  *more = s->at < s->end;
  s->cells = 0;
  s->open_quote = 0;
  s->record_line = s->line;
  if (st || !*more) return st;
  for (;;) {
    csv_cell spare, *c = &spare;
    if ((st = cell_room(s, e))) return st;
    if (s->cells < s->room && s->cells < s->max_cells) c = &s->cell[s->cells];
    if ((st = one_cell(s, c, s->cells, e))) return st;
    s->cells++;
    if (s->at == s->end) return NN_OK;
    if (is_line_end(*s->at) && *s->at != s->option->delimiter) break;
    s->at++;
  }
  s->at = skip_line_end(s, s->at);
  return NN_OK;
}
