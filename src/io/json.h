/* JSON as a read-only tree, and a writer that streams.
 *
 * A parser of our own: Debian's cJSON and Jansson set their allocator for the whole process, so
 * memory could not be counted per host, cJSON keeps integers as doubles, and neither reads NaN and
 * Infinity, which Python's json writes. Ours is strict (RFC 8259 plus those three words), uses no
 * recursion, checks UTF-8, refuses a repeated key, and is linear (sorting keys: n log n).
 *
 * All nodes and texts of a document lie in blocks that belong to it; nothing points into the input.
 */
#ifndef NN_IO_JSON_H
#define NN_IO_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/status.h"
#include "io/stream.h"

typedef enum nn_json_kind {
  NN_JSON_NULL,
  NN_JSON_BOOLEAN,
  NN_JSON_INTEGER, /* written without point and exponent, and fits 64 bits */
  NN_JSON_NUMBER,
  NN_JSON_STRING,
  NN_JSON_ARRAY,
  NN_JSON_OBJECT
} nn_json_kind;

/* Children are a list in the order of the text: for (c = j->first; c; c = c->next). */
typedef struct nn_json {
  nn_json_kind kind;
  int boolean;
  const char *key;  /* in an object: UTF-8, ends in zero too; else NULL */
  size_t key_size;
  struct nn_json *next, *first;
  union {
    int64_t integer;
    double number;
    const char *string; /* UTF-8, `size` bytes, then a zero; zeros may be inside */
    struct nn_json *last; /* of an array or object */
  } as;
  size_t size;            /* bytes of a string, children of an array or object */
  struct nn_json *parent; /* NULL at the root */
} nn_json;

typedef struct nn_json_doc {
  nn_alloc *alloc; /* borrowed */
  nn_json *root;   /* owned, in the blocks */
  struct json_block *blocks;
} nn_json_doc;

/* Parses text[0..n); `name` stands in errors: `config.json: line 1, column 394: text is not
 * closed`. limits->bytes caps n and the memory of the document (1 MiB it may always take),
 * limits->depth the nesting. Clear with nn_json_clear. */
nn_status nn_json_parse(nn_json_doc *d, nn_alloc *a, const char *name, const void *text, size_t n,
                        const nn_limits *limits, nn_error *e);
void nn_json_clear(nn_json_doc *d);

/* The member of an object, NULL when it has none by this name or `j` is NULL or no object. */
const nn_json *nn_json_get(const nn_json *j, const char *key);
/* The element of an array from 0; walks the list. NULL beyond the end. */
const nn_json *nn_json_at(const nn_json *j, size_t index);
/* The text when `j` is a string without zero bytes, else NULL. */
const char *nn_json_text(const nn_json *j);
/* An integer or number as a double: 1 when it is one. */
int nn_json_double(const nn_json *j, double *out);

/* ---- writing ---- */

enum {
  NN_JSON_SPACED = 1, /* ", " and ": ", as Python's json.dumps writes */
  NN_JSON_ASCII = 2   /* \uXXXX for all beyond ASCII, as Python's json.dumps writes */
};

/* Values in the order they are written; the stream keeps the error. The caller balances begin and
 * end, and writes a key before each value of an object. */
typedef struct nn_json_writer {
  nn_stream *stream; /* borrowed */
  int flags;
  int after; /* a value stands before: a comma is due */
} nn_json_writer;

void nn_json_writer_init(nn_json_writer *w, nn_stream *s, int flags);
void nn_json_begin(nn_json_writer *w, nn_json_kind kind); /* NN_JSON_ARRAY or NN_JSON_OBJECT */
void nn_json_end(nn_json_writer *w, nn_json_kind kind);
void nn_json_key(nn_json_writer *w, const char *key, size_t n);
void nn_json_write_null(nn_json_writer *w);
void nn_json_write_boolean(nn_json_writer *w, int v);
void nn_json_write_integer(nn_json_writer *w, int64_t v);
void nn_json_write_number(nn_json_writer *w, double v); /* the shortest text that reads back */
/* Bytes that are no UTF-8 are an error of the stream. */
void nn_json_write_string(nn_json_writer *w, const char *text, size_t n);
/* A value and all below it, keys in their order. */
void nn_json_write(nn_json_writer *w, const nn_json *j);

/* Length of the UTF-8 sequence at p (1 to 4), its code point in *code; 0 when it is none. */
int nn_utf8_decode(const char *p, const char *end, uint32_t *code);
int nn_utf8_encode(char out[4], uint32_t code); /* bytes written */

#endif
