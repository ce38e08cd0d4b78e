#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "io/number.h"

int nn_utf8_decode(const char *p, const char *end, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char c = (unsigned char)*p;
  int n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c < 0xF5 ? 4 : 0;
  if (c >= 0x80 && c < 0xC2) n = 0;
  if (n == 0 || end - p < n) return 0;
  *code = n == 1 ? c : c & (0xFFu >> (n + 1));
  for (int i = 1; i < n; i++) {
    if (((unsigned char)p[i] & 0xC0) != 0x80) return 0;
    *code = *code << 6 | ((unsigned char)p[i] & 0x3F);
  }
  return *code < least[n] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000) ? 0 : n;
}

int nn_utf8_encode(char out[4], uint32_t code) {
  int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = n - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)(lead[n] | code);
  return n;
}

void nn_json_writer_init(nn_json_writer *w, nn_stream *s, int flags) {
  *w = (nn_json_writer){s, flags, 0};
}

static void put(nn_json_writer *w, const char *text, size_t n) {
  nn_stream_write(w->stream, text, n);
}

static void value_begin(nn_json_writer *w) {
  if (w->after) put(w, ", ", w->flags & NN_JSON_SPACED ? 2 : 1);
  w->after = 1;
}

void nn_json_begin(nn_json_writer *w, nn_json_kind kind) {
  value_begin(w);
  put(w, kind == NN_JSON_OBJECT ? "{" : "[", 1);
  w->after = 0;
}

void nn_json_end(nn_json_writer *w, nn_json_kind kind) {
  put(w, kind == NN_JSON_OBJECT ? "}" : "]", 1);
  w->after = 1;
}

static void put_unicode(nn_json_writer *w, uint32_t code) {
  char text[16];
  if (code >= 0x10000) {
    put_unicode(w, 0xD800 + ((code - 0x10000) >> 10));
    code = 0xDC00 + ((code - 0x10000) & 0x3FF);
  }
  put(w, text, (size_t)snprintf(text, sizeof text, "\\u%04x", (unsigned)code));
}

static void put_control(nn_json_writer *w, char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  const char *found = c ? strchr(from, c) : NULL;
  if (!found) {
    put_unicode(w, (unsigned char)c);
    return;
  }
  put(w, "\\", 1);
  put(w, &to[found - from], 1);
}

static void put_string(nn_json_writer *w, const char *text, size_t n) {
  const char *end = text + n, *plain = text;
  put(w, "\"", 1);
  while (text < end) {
    uint32_t code;
    int bytes = nn_utf8_decode(text, end, &code);
    if (bytes == 0) {
      nn_stream_fail(w->stream, NN_ERR_DATA, "a text is not UTF-8, which JSON needs");
      return;
    }
    int special = code < 32 || code == '"' || code == '\\';
    if (special || (code > 127 && w->flags & NN_JSON_ASCII)) {
      put(w, plain, (size_t)(text - plain));
      if (special) put_control(w, *text);
      else put_unicode(w, code);
      plain = text + bytes;
    }
    text += bytes;
  }
  put(w, plain, (size_t)(end - plain));
  put(w, "\"", 1);
}

void nn_json_key(nn_json_writer *w, const char *key, size_t n) {
  value_begin(w);
  put_string(w, key, n);
  put(w, ": ", w->flags & NN_JSON_SPACED ? 2 : 1);
  w->after = 0;
}

void nn_json_write_null(nn_json_writer *w) {
  value_begin(w);
  put(w, "null", 4);
}

void nn_json_write_boolean(nn_json_writer *w, int v) {
  value_begin(w);
  put(w, v ? "true" : "false", v ? 4 : 5);
}

void nn_json_write_integer(nn_json_writer *w, int64_t v) {
  char text[24];
  value_begin(w);
  put(w, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v));
}

void nn_json_write_number(nn_json_writer *w, double v) {
  char text[NN_NUMBER_TEXT];
  value_begin(w);
  put(w, text, nn_number_write(text, v));
}

void nn_json_write_string(nn_json_writer *w, const char *text, size_t n) {
  value_begin(w);
  put_string(w, text, n);
}

static void write_one(nn_json_writer *w, const nn_json *j) {
  if (j->key) nn_json_key(w, j->key, j->key_size);
  switch (j->kind) {
    case NN_JSON_NULL: nn_json_write_null(w); break;
    case NN_JSON_BOOLEAN: nn_json_write_boolean(w, j->boolean); break;
    case NN_JSON_INTEGER: nn_json_write_integer(w, j->as.integer); break;
    case NN_JSON_NUMBER: nn_json_write_number(w, j->as.number); break;
    case NN_JSON_STRING: nn_json_write_string(w, j->as.string, j->size); break;
    default: nn_json_begin(w, j->kind); break;
  }
}

/* Down through `first`, along `next`, up through `parent`: no recursion however deep the tree. */
void nn_json_write(nn_json_writer *w, const nn_json *root) {
  const nn_json *j = root;
  for (;;) {
    if (j == root && root->key) {
      nn_json bare = *root;
      bare.key = NULL;
      write_one(w, &bare);
    } else {
      write_one(w, j);
    }
    if (j->first) {
      j = j->first;
      continue;
    }
    if (j->kind == NN_JSON_ARRAY || j->kind == NN_JSON_OBJECT) nn_json_end(w, j->kind);
    while (j != root && !j->next) {
      j = j->parent;
      nn_json_end(w, j->kind);
    }
    if (j == root) return;
    j = j->next;
  }
}
