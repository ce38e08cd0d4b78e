/* Stored members, as APPNOTE.TXT 6.3.10 describes them: a local header and the bytes each, then the
 * central directory and its end. Sizes and offsets of 4 GiB and more go into a zip64 extra field
 * (section 4.5.3), which is there only when needed. */
#include <string.h>
#include <zlib.h>

#include "io/zip.h"

/* 1 January 1980, 0:00, the earliest time a zip can tell; unix, a regular file, rw-r--r--. */
enum { FIXED_DATE = 0x0021, MADE_BY = 3 << 8 | 45, UTF8_NAME = 0x0800 };
static const uint32_t ATTRIBUTES = (uint32_t)0100644 << 16, FULL = 0xFFFFFFFF;

typedef struct record {
  uint8_t bytes[128];
  size_t n;
} record;

static void put(record *r, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) r->bytes[r->n++] = (uint8_t)(v >> (8 * i));
}

static uint32_t short_of(uint64_t v) { return v >= FULL ? FULL : (uint32_t)v; }

static uint32_t checksum(const uint8_t *p, size_t n) {
  uLong crc = crc32(0, NULL, 0);
  for (; n > 1 << 30; n -= 1 << 30, p += 1 << 30) crc = crc32(crc, p, 1 << 30);
  return (uint32_t)crc32(crc, p, (uInt)n);
}

/* The part that the local header and the directory share. */
static void common(record *r, int large, uint32_t crc, uint64_t size, size_t name, int extra) {
  put(r, large ? 45 : 20, 2);
  put(r, UTF8_NAME, 2);
  put(r, 0, 2); /* stored */
  put(r, 0, 2); /* time */
  put(r, FIXED_DATE, 2);
  put(r, crc, 4);
  put(r, short_of(size), 4);
  put(r, short_of(size), 4);
  put(r, name, 2);
  put(r, (uint64_t)extra, 2);
}

void nn_zip_writer_init(nn_zip_writer *w, nn_stream *s) {
  nn_error e;
  memset(w, 0, sizeof *w);
  w->stream = s;
  if (nn_stream_grow(&w->directory, s->alloc, "zip directory", &e))
    nn_stream_fail(s, e.code, "%s", e.text);
}

static void directory_add(nn_zip_writer *w, const char *name, size_t name_n, uint32_t crc,
                          uint64_t size, uint64_t at) {
  record r = {{0}, 0};
  int wide_size = size >= FULL, wide_at = at >= FULL;
  int extra = (wide_size ? 16 : 0) + (wide_at ? 8 : 0);
  put(&r, 0x02014B50, 4);
  put(&r, MADE_BY, 2);
  common(&r, extra != 0, crc, size, name_n, extra ? extra + 4 : 0);
  put(&r, 0, 2); /* comment */
  put(&r, 0, 2); /* disk */
  put(&r, 0, 2); /* internal attributes */
  put(&r, ATTRIBUTES, 4);
  put(&r, short_of(at), 4);
  nn_stream_write(&w->directory, r.bytes, r.n);
  nn_stream_write(&w->directory, name, name_n);
  r.n = 0;
  if (extra) put(&r, 1, 2), put(&r, (uint64_t)extra, 2);
  if (wide_size) put(&r, size, 8), put(&r, size, 8);
  if (wide_at) put(&r, at, 8);
  nn_stream_write(&w->directory, r.bytes, r.n);
}

void nn_zip_add(nn_zip_writer *w, const char *name, const void *bytes, size_t n) {
  record r = {{0}, 0};
  size_t name_n = strlen(name);
  int wide = n >= FULL;
  uint64_t at = w->stream->size;
  uint32_t crc = checksum(bytes, n);
  if (name_n > UINT16_MAX) nn_stream_fail(w->stream, NN_ERR_ARGUMENT, "a member name is too long");
  put(&r, 0x04034B50, 4);
  common(&r, wide, crc, n, name_n, wide ? 20 : 0);
  nn_stream_write(w->stream, r.bytes, r.n);
  nn_stream_write(w->stream, name, name_n);
  r.n = 0;
  if (wide) put(&r, 1, 2), put(&r, 16, 2), put(&r, n, 8), put(&r, n, 8);
  nn_stream_write(w->stream, r.bytes, r.n);
  nn_stream_write(w->stream, bytes, n);
  directory_add(w, name, name_n, crc, n, at);
  w->count++;
}

static void wide_end(record *r, uint64_t count, uint64_t size, uint64_t at) {
  put(r, 0x06064B50, 4);
  put(r, 44, 8);
  put(r, MADE_BY, 2), put(r, 45, 2);
  put(r, 0, 4), put(r, 0, 4);
  put(r, count, 8), put(r, count, 8);
  put(r, size, 8), put(r, at, 8);
  put(r, 0x07064B50, 4);
  put(r, 0, 4);
  put(r, at + size, 8);
  put(r, 1, 4);
}

nn_status nn_zip_finish(nn_zip_writer *w) {
  record r = {{0}, 0};
  uint64_t at = w->stream->size, size = w->directory.fill, count = w->count;
  if (w->directory.error.code)
    nn_stream_fail(w->stream, w->directory.error.code, "%s", w->directory.error.text);
  nn_stream_write(w->stream, w->directory.buffer, w->directory.fill);
  nn_stream_close(&w->directory);
  if (count >= UINT16_MAX || at >= FULL || size >= FULL) wide_end(&r, count, size, at);
  put(&r, 0x06054B50, 4);
  put(&r, 0, 2), put(&r, 0, 2);
  put(&r, count < UINT16_MAX ? count : UINT16_MAX, 2);
  put(&r, count < UINT16_MAX ? count : UINT16_MAX, 2);
  put(&r, short_of(size), 4);
  put(&r, short_of(at), 4);
  put(&r, 0, 2);
  return nn_stream_write(w->stream, r.bytes, r.n);
}
