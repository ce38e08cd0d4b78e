#include "io/zip.h"

#include <string.h>
#include <zlib.h>

#include "io/inflate.h"
#include "io/zip_file.h"

enum { RATIO_FREE = 1 << 24, RATIO_MOST = 100, DEFLATE_MOST = 1040 };
enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 0x2041, LOCAL = 30 };

/* Takes the stream over. */
static nn_status open_stream(nn_zip **out, nn_alloc *a, nn_stream *s, const nn_limits *limits,
                             nn_error *e) {
  nn_zip *z = nn_mem_new(a, sizeof *z);
  if (!z) {
    nn_status st = nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", s->name);
    nn_stream_close(s);
    return st;
  }
  z->alloc = a;
  z->stream = *s;
  z->limits = nn_limits_of(limits);
  nn_status st = zip_directory(z);
  nn_stream_status(&z->stream, e);
  if (st) nn_zip_close(z);
  else *out = z;
  return st;
}

nn_status nn_zip_open(nn_zip **out, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e) {
  nn_stream s;
  *out = NULL;
  nn_status st = nn_stream_open(&s, a, path, e);
  return st ? st : open_stream(out, a, &s, limits, e);
}

nn_status nn_zip_open_memory(nn_zip **out, nn_alloc *a, const char *name, const void *bytes,
                             size_t n, const nn_limits *limits, nn_error *e) {
  nn_stream s;
  *out = NULL;
  nn_status st = nn_stream_memory(&s, a, name, bytes, n, e);
  return st ? st : open_stream(out, a, &s, limits, e);
}

const char *nn_zip_archive(const nn_zip *z) { return z->stream.name; }
size_t nn_zip_count(const nn_zip *z) { return z->count; }
const char *nn_zip_name(const nn_zip *z, size_t i) { return z->member[i].name; }
uint64_t nn_zip_size(const nn_zip *z, size_t i) { return z->member[i].size; }

int nn_zip_find(const nn_zip *z, const char *name, size_t *i) {
  size_t low = 0, high = z->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int c = strcmp(z->by_name[middle]->name, name);
    if (c == 0) {
      *i = (size_t)(z->by_name[middle] - z->member);
      return 1;
    }
    if (c < 0) low = middle + 1;
    else high = middle;
  }
  return 0;
}

/* Whether the declared size may be asked for; NULL or what is wrong with it. */
static const char *size_problem(const zip_member *m) {
  if (m->flags & ENCRYPTED) return "is encrypted";
  if (m->method != STORED && m->method != DEFLATED)
    return "is compressed with another method than deflate";
  if (m->method == STORED && m->size != m->packed) return "its declared sizes disagree";
  if (m->size / DEFLATE_MOST > m->packed) return "claims more bytes than it can inflate to";
  if (m->size > RATIO_FREE && m->size / RATIO_MOST > m->packed)
    return "is compressed more than 100-fold";
  return NULL;
}

/* Goes to the member's bytes; its own header must tell the same as the directory. */
static const char *member_seek(nn_zip *z, const zip_member *m) {
  uint8_t head[LOCAL];
  char name[1024];
  nn_stream *s = &z->stream;
  nn_stream_seek(s, m->at);
  if (nn_stream_read(s, head, LOCAL)) return "is truncated";
  if (memcmp(head, "PK\3\4", 4) != 0 || zip_number(head + 8, 2) != (uint64_t)m->method ||
      zip_number(head + 26, 2) != m->name_size)
    return "its header disagrees with the directory";
  for (size_t at = 0; at < m->name_size; at += sizeof name) {
    size_t n = m->name_size - at < sizeof name ? m->name_size - at : sizeof name;
    if (nn_stream_read(s, name, n)) return "is truncated";
    if (memcmp(name, m->name + at, n) != 0) return "is named otherwise in its header";
  }
  nn_stream_seek(s, s->at + zip_number(head + 28, 2));
  if (s->error.code || s->at > m->end || m->end - s->at < m->packed)
    return "overlaps others or lies outside the archive";
  return NULL;
}

static const char *inflate_all(nn_zip *z, const zip_member *m, const uint8_t *in, uint8_t *out) {
  nn_error e;
  nn_inflate *f;
  nn_status st =
      nn_inflate_open(&f, z->alloc, NN_INFLATE_RAW, in, (size_t)m->packed, &e);
  if (st) return "out of memory";
  st = nn_inflate_read(f, out, (size_t)m->size, &e);
  if (!st) st = nn_inflate_finish(f, &e);
  nn_inflate_close(f);
  return st ? "is truncated or damaged" : NULL;
}

static const char *fill(nn_zip *z, const zip_member *m, uint8_t *p) {
  nn_stream *s = &z->stream;
  const char *problem = member_seek(z, m);
  if (problem) return problem;
  if (m->method == STORED) {
    if (nn_stream_read(s, p, (size_t)m->size)) return "is truncated";
  } else {
    uint8_t *in = nn_mem_new(z->alloc, (size_t)m->packed);
    if (!in) return "out of memory";
    problem = nn_stream_read(s, in, (size_t)m->packed) ? "is truncated" : inflate_all(z, m, in, p);
    nn_mem_free(z->alloc, in);
    if (problem) return problem;
  }
  uint32_t crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), p, (size_t)m->size);
  return crc == m->crc ? NULL : "is damaged (wrong checksum)";
}

static nn_status fail(nn_zip *z, nn_status code, const zip_member *m, const char *what,
                      nn_error *e) {
  z->stream.error.code = NN_OK; /* one member that is damaged spoils no other */
  return nn_fail(e, code, "%.200s: member \"%.80s\": %s", z->stream.name, m->name, what);
}

nn_status nn_zip_read(nn_zip *z, size_t i, uint8_t **bytes, size_t *n, nn_error *e) {
  const zip_member *m = &z->member[i];
  const char *problem = size_problem(m);
  *bytes = NULL;
  if (problem) return fail(z, NN_ERR_FORMAT, m, problem, e);
  if (m->size > z->limits.bytes || m->packed > z->limits.bytes)
    return fail(z, NN_ERR_LIMIT, m, "is larger than the limit of bytes", e);
  uint8_t *p = nn_mem_new(z->alloc, nn_size_add((size_t)m->size, 1));
  if (!p) return fail(z, NN_ERR_MEMORY, m, "out of memory", e);
  problem = fill(z, m, p);
  if (problem) {
    nn_mem_free(z->alloc, p);
    int memory = strcmp(problem, "out of memory") == 0;
    return fail(z, memory ? NN_ERR_MEMORY : NN_ERR_FORMAT, m, problem, e);
  }
  *bytes = p;
  *n = (size_t)m->size;
  return NN_OK;
}

void nn_zip_close(nn_zip *z) {
  if (!z) return;
  nn_alloc *a = z->alloc;
  nn_stream_close(&z->stream);
  nn_mem_free(a, z->member);
  nn_mem_free(a, z->by_name);
  nn_mem_free(a, z->names);
  nn_mem_free(a, z);
}
