#include "io/json.h"

#include <stdlib.h>
#include <string.h>

#include "io/number.h"

enum { BLOCK = 1 << 14, MEMORY_LEAST = 1 << 20 };

typedef struct json_block {
  struct json_block *next;
  size_t room, used;
} json_block;

typedef struct parser {
  nn_json_doc *doc;
  const char *name, *start, *end, *at;
  size_t max_depth, depth, memory_left;
  nn_error *e;
} parser;

static nn_status fail_at(parser *p, const char *at, const char *what) {
  size_t line = 1, column = 1;
  for (const char *q = p->start; q < at; q++) {
    column++;
    if (*q == '\n') line++, column = 1;
  }
  return nn_fail(p->e, NN_ERR_FORMAT, "%.200s: line %zu, column %zu: %s", p->name, line, column,
                 what);
}

/* ---- memory ---- */

static void *take(parser *p, size_t n) {
  nn_json_doc *d = p->doc;
  n = nn_size_add(n, 15) & ~(size_t)15;
  json_block *b = d->blocks;
  if (!b || b->room - b->used < n) {
    size_t head = (sizeof *b + 15) & ~(size_t)15, room = n > BLOCK ? n : BLOCK;
    if (room > p->memory_left) {
      nn_fail(p->e, NN_ERR_LIMIT, "%.200s: takes more memory than the limit of bytes", p->name);
      return NULL;
    }
    p->memory_left -= room;
    b = nn_mem_new(d->alloc, nn_size_add(head, room));
    if (!b) {
      nn_fail(p->e, NN_ERR_MEMORY, "%.200s: out of memory", p->name);
      return NULL;
    }
    b->room = nn_size_add(head, room), b->used = head;
    if (n > BLOCK && d->blocks) { /* keep filling the block that has room */
      b->next = d->blocks->next;
      d->blocks->next = b;
    } else {
      b->next = d->blocks;
      d->blocks = b;
    }
  }
  void *r = (char *)b + b->used;
  b->used += n;
  return r;
}

void nn_json_clear(nn_json_doc *d) {
  while (d->blocks) {
    json_block *next = d->blocks->next;
    nn_mem_free(d->alloc, d->blocks);
    d->blocks = next;
  }
  d->root = NULL;
}

/* ---- strings ---- */

static int hex4(const char *p, const char *end, uint32_t *out) {
  if (end - p < 4) return 0;
  *out = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int low = c | 0x20;
    if (c >= '0' && c <= '9') *out = *out * 16 + (uint32_t)(c - '0');
    else if (low >= 'a' && low <= 'f') *out = *out * 16 + (uint32_t)(low - 'a' + 10);
    else return 0;
  }
  return 1;
}

/* \uXXXX, or two of them that make one code point; q stands behind the u. */
static const char *unicode_escape(parser *p, const char *q, char **out) {
  uint32_t code, low;
  const char *start = q - 2;
  if (!hex4(q, p->end, &code)) return fail_at(p, start, "\\u without four hex digits"), NULL;
  q += 4;
  if (code >= 0xD800 && code < 0xDC00 && p->end - q >= 2 && q[0] == '\\' && q[1] == 'u' &&
      hex4(q + 2, p->end, &low) && low >= 0xDC00 && low < 0xE000) {
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    q += 6;
  }
  if (code >= 0xD800 && code < 0xE000)
    return fail_at(p, start, "half of a surrogate pair"), NULL;
  *out += nn_utf8_encode(*out, code);
  return q;
}

static const char *escape(parser *p, const char *q, char **out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (q < p->end && *q == 'u') return unicode_escape(p, q + 1, out);
  const char *found = q < p->end && *q ? strchr(from, *q) : NULL;
  if (!found) return fail_at(p, q - 1, "unknown escape in a text"), NULL;
  *(*out)++ = to[found - from];
  return q + 1;
}

/* The end of the text that begins at q (behind the quote), NULL when it is not closed. */
static const char *string_end(const parser *p, const char *q) {
  for (; q < p->end && *q != '"'; q++)
    if (*q == '\\') q++;
  return q < p->end ? q : NULL;
}

static const char *string_parse(parser *p, size_t *size) {
  const char *q = ++p->at, *stop = string_end(p, q);
  if (!stop) return fail_at(p, q - 1, "text is not closed"), NULL;
  char *text = take(p, nn_size_add((size_t)(stop - q), 1)), *out = text;
  if (!text) return NULL;
  while (q < stop) {
    uint32_t code;
    int n = 1;
    if (*q == '\\') {
      if (!(q = escape(p, q + 1, &out))) return NULL;
      continue;
    }
    if ((unsigned char)*q < 32) return fail_at(p, q, "control character in a text"), NULL;
    if ((unsigned char)*q >= 128 && !(n = nn_utf8_decode(q, stop, &code)))
      return fail_at(p, q, "text is not UTF-8"), NULL;
    for (; n > 0; n--) *out++ = *q++;
  }
  *out = 0;
  *size = (size_t)(out - text);
  p->at = stop + 1;
  return text;
}

/* ---- numbers and words ---- */

static int is_digit(const parser *p, const char *q) {
  return q < p->end && *q >= '0' && *q <= '9';
}

/* Behind the number that begins at q, NULL when the grammar does not hold. */
static const char *number_end(const parser *p, const char *q, int *whole) {
  if (q < p->end && *q == '-') q++;
  if (!is_digit(p, q)) return NULL;
  if (*q == '0') q++;
  else while (is_digit(p, q)) q++;
  *whole = 1;
  if (q < p->end && *q == '.') {
    *whole = 0;
    if (!is_digit(p, ++q)) return NULL;
    while (is_digit(p, q)) q++;
  }
  if (q < p->end && (*q == 'e' || *q == 'E')) {
    *whole = 0;
    q++;
    if (q < p->end && (*q == '+' || *q == '-')) q++;
    if (!is_digit(p, q)) return NULL;
    while (is_digit(p, q)) q++;
  }
  return is_digit(p, q) ? NULL : q;
}

static int integer_of(const char *q, const char *end, int64_t *out) {
  int negative = *q == '-';
  uint64_t v = 0, top = (uint64_t)INT64_MAX + (uint64_t)negative;
  for (q += negative; q < end; q++) {
    uint64_t d = (uint64_t)(*q - '0');
    if (v > (top - d) / 10) return 0;
    v = v * 10 + d;
  }
  *out = negative ? (int64_t)(0 - v) : (int64_t)v;
  return 1;
}

static nn_status number_parse(parser *p, nn_json *j) {
  int whole = 0;
  const char *q = p->at, *end = number_end(p, q, &whole);
  if (!end) return fail_at(p, q, "not a value");
  j->kind = NN_JSON_INTEGER;
  p->at = end;
  if (whole && !(end - q == 2 && memcmp(q, "-0", 2) == 0) && integer_of(q, end, &j->as.integer))
    return NN_OK;
  j->kind = NN_JSON_NUMBER;
  nn_number_style style = {'.', 0};
  if (nn_number_parse(&j->as.number, q, (size_t)(end - q), style) != NN_NUMBER_OK)
    return fail_at(p, q, "number is too large");
  return NN_OK;
}

static const struct word {
  const char *text;
  nn_json_kind kind;
  int boolean;
  double number;
} WORDS[] = {{"null", NN_JSON_NULL, 0, 0},
             {"true", NN_JSON_BOOLEAN, 1, 0},
             {"false", NN_JSON_BOOLEAN, 0, 0},
             {"NaN", NN_JSON_NUMBER, 0, __builtin_nan("")},
             {"Infinity", NN_JSON_NUMBER, 0, __builtin_inf()},
             {"-Infinity", NN_JSON_NUMBER, 0, -__builtin_inf()}};

static int word_parse(parser *p, nn_json *j) {
  for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
    size_t n = strlen(WORDS[i].text);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, WORDS[i].text, n) != 0) continue;
    j->kind = WORDS[i].kind;
    j->boolean = WORDS[i].boolean;
    if (j->kind == NN_JSON_NUMBER) j->as.number = WORDS[i].number;
    p->at += n;
    return 1;
  }
  return 0;
}

/* ---- the tree ---- */

static int by_key(const void *a, const void *b) {
  const nn_json *x = *(nn_json *const *)a, *y = *(nn_json *const *)b;
  size_t n = x->key_size < y->key_size ? x->key_size : y->key_size;
  int c = memcmp(x->key, y->key, n);
  return c ? c : (x->key_size > y->key_size) - (x->key_size < y->key_size);
}

static nn_status keys_check(parser *p, const nn_json *object) {
  nn_status st = NN_OK;
  if (object->size < 2) return NN_OK;
  const nn_json **sorted = nn_mem_new(p->doc->alloc, nn_size_mul(object->size, sizeof *sorted));
  if (!sorted) return nn_fail(p->e, NN_ERR_MEMORY, "%.200s: out of memory", p->name);
  size_t n = 0;
  for (const nn_json *c = object->first; c; c = c->next) sorted[n++] = c;
  qsort(sorted, n, sizeof *sorted, by_key);
  for (size_t i = 1; i < n && !st; i++)
    if (by_key(&sorted[i - 1], &sorted[i]) == 0)
      st = nn_fail(p->e, NN_ERR_FORMAT, "%.200s: the key \"%.60s\" stands twice in one object",
                   p->name, sorted[i]->key);
  nn_mem_free(p->doc->alloc, sorted);
  return st;
}

static void blanks(parser *p) {
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
    p->at++;
}

static int next_is(parser *p, char c) {
  blanks(p);
  if (p->at >= p->end || *p->at != c) return 0;
  p->at++;
  return 1;
}

static void append(nn_json *parent, nn_json *j) {
  j->parent = parent;
  if (parent->first) parent->as.last->next = j;
  else parent->first = j;
  parent->as.last = j;
  parent->size++;
}

static nn_status key_parse(parser *p, nn_json *j) {
  blanks(p);
  if (p->at >= p->end || *p->at != '"') return fail_at(p, p->at, "expected a key in quotes");
  j->key = string_parse(p, &j->key_size);
  if (!j->key) return p->e ? p->e->code : NN_ERR_FORMAT;
  return next_is(p, ':') ? NN_OK : fail_at(p, p->at, "expected : after a key");
}

/* One value without what is inside of it. */
static nn_status value_parse(parser *p, nn_json *j) {
  blanks(p);
  if (p->at >= p->end) return fail_at(p, p->at, "ends before the value is complete");
  switch (*p->at) {
    case '{': j->kind = NN_JSON_OBJECT, p->at++; return NN_OK;
    case '[': j->kind = NN_JSON_ARRAY, p->at++; return NN_OK;
    case '"':
      j->kind = NN_JSON_STRING;
      j->as.string = string_parse(p, &j->size);
      return j->as.string ? NN_OK : p->e->code;
    default: return word_parse(p, j) ? NN_OK : number_parse(p, j);
  }
}

static int is_container(const nn_json *j) {
  return j->kind == NN_JSON_OBJECT || j->kind == NN_JSON_ARRAY;
}

/* Goes up over everything that closes here. *open is where the next value belongs, NULL when the
 * document is complete. */
static nn_status close_all(parser *p, nn_json **open) {
  while (*open) {
    nn_json *j = *open;
    if (!next_is(p, j->kind == NN_JSON_OBJECT ? '}' : ']')) {
      if (j->size == 0 || next_is(p, ',')) return NN_OK;
      return fail_at(p, p->at, j->kind == NN_JSON_OBJECT ? "expected , or }" : "expected , or ]");
    }
    nn_status st = j->kind == NN_JSON_OBJECT ? keys_check(p, j) : NN_OK;
    if (st) return st;
    p->depth--;
    *open = j->parent;
  }
  return NN_OK;
}

static nn_status tree_parse(parser *p) {
  nn_json *open = NULL;
  do {
    nn_json *j = take(p, sizeof *j);
    if (!j) return NN_ERR_MEMORY;
    nn_status st = open && open->kind == NN_JSON_OBJECT ? key_parse(p, j) : NN_OK;
    if (!st) st = value_parse(p, j);
    if (st) return st;
    if (open) append(open, j);
    else p->doc->root = j;
    if (is_container(j)) {
      if (++p->depth > p->max_depth)
        return nn_fail(p->e, NN_ERR_LIMIT, "%.200s: nested deeper than the limit of %zu", p->name,
                       p->max_depth);
      open = j;
    }
    if ((st = close_all(p, &open))) return st;
  } while (open);
  blanks(p);
  return p->at == p->end ? NN_OK : fail_at(p, p->at, "more text after the value");
}

nn_status nn_json_parse(nn_json_doc *d, nn_alloc *a, const char *name, const void *text, size_t n,
                        const nn_limits *limits, nn_error *e) {
  nn_limits l = nn_limits_of(limits);
  nn_error own;
  *d = (nn_json_doc){a, NULL, NULL};
  if (n > l.bytes)
    return nn_fail(e, NN_ERR_LIMIT, "%.200s: %zu bytes, above the limit of %zu", name, n, l.bytes);
  const char *start = n ? text : "";
  size_t memory = l.bytes > MEMORY_LEAST ? l.bytes : MEMORY_LEAST;
  parser p = {d, name, start, start + n, start, (size_t)l.depth, 0, memory, e ? e : &own};
  nn_status st = tree_parse(&p);
  if (st) nn_json_clear(d);
  return st;
}

/* ---- looking ---- */

const nn_json *nn_json_get(const nn_json *j, const char *key) {
  if (!j || j->kind != NN_JSON_OBJECT) return NULL;
  size_t n = strlen(key);
  for (const nn_json *c = j->first; c; c = c->next)
    if (c->key_size == n && memcmp(c->key, key, n) == 0) return c;
  return NULL;
}

const nn_json *nn_json_at(const nn_json *j, size_t index) {
  if (!j || j->kind != NN_JSON_ARRAY || index >= j->size) return NULL;
  const nn_json *c = j->first;
  while (index-- > 0) c = c->next;
  return c;
}

const char *nn_json_text(const nn_json *j) {
  if (!j || j->kind != NN_JSON_STRING || strlen(j->as.string) != j->size) return NULL;
  return j->as.string;
}

int nn_json_double(const nn_json *j, double *out) {
  if (!j) return 0;
  if (j->kind == NN_JSON_INTEGER) *out = (double)j->as.integer;
  else if (j->kind == NN_JSON_NUMBER) *out = j->as.number;
  else return 0;
  return 1;
}
