#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/checksum.h"

enum { FILE_BUFFER = 1 << 16, TEMPORARY_TRIES = 1000 };

nn_limits nn_limits_of(const nn_limits *l) {
  nn_limits r = {0, 0, 0};
  if (l) r = *l;
  if (r.bytes == 0) r.bytes = SIZE_MAX >> 1 < (uint64_t)1 << 32 ? SIZE_MAX >> 1 : (size_t)1 << 32;
  if (r.tensors == 0) r.tensors = 100000;
  if (r.depth <= 0) r.depth = 200;
  return r;
}

static char *text_copy(nn_alloc *a, const char *text) {
  size_t n = strlen(text);
  char *p = nn_mem_new(a, n + 1);
  if (p) memcpy(p, text, n);
  return p;
}

nn_status nn_stream_fail(nn_stream *s, nn_status code, const char *fmt, ...) {
  if (s->error.code) return s->error.code;
  char text[sizeof s->error.text];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return nn_fail(&s->error, code, "%.200s: %.300s", s->name ? s->name : "stream", text);
}

nn_status nn_stream_status(const nn_stream *s, nn_error *e) {
  if (s->error.code && e) *e = s->error;
  return s->error.code;
}

static nn_status stream_begin(nn_stream *s, nn_alloc *a, const char *name, nn_stream_kind kind,
                              nn_error *e) {
  memset(s, 0, sizeof *s);
  s->fd = -1;
  s->alloc = a;
  s->name = text_copy(a, name);
  if (!s->name) return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
  s->kind = kind;
  return NN_OK;
}

/* Not blocking: opening a pipe waits for a writer otherwise. */
int nn_file_open(const char *path, uint64_t *size, nn_error *e) {
  struct stat about;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &about) != 0)
    nn_fail(e, NN_ERR_IO, "%.200s: cannot open: %s", path, strerror(errno));
  else if (S_ISDIR(about.st_mode))
    nn_fail(e, NN_ERR_IO, "%.200s: is a folder, expected a file", path);
  else if (!S_ISREG(about.st_mode))
    nn_fail(e, NN_ERR_IO, "%.200s: not a regular file", path);
  else {
    *size = (uint64_t)about.st_size;
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

nn_status nn_stream_open(nn_stream *s, nn_alloc *a, const char *path, nn_error *e) {
  nn_status st = stream_begin(s, a, path, NN_STREAM_READ, e);
  if (st) return st;
  s->fd = nn_file_open(path, &s->size, &s->error);
  st = nn_stream_status(s, e);
  if (st) nn_stream_close(s);
  return st;
}

nn_status nn_stream_memory(nn_stream *s, nn_alloc *a, const char *name, const void *data, size_t n,
                           nn_error *e) {
  nn_status st = stream_begin(s, a, name, NN_STREAM_READ, e);
  if (st) return st;
  s->data = data;
  s->size = n;
  return NN_OK;
}

nn_status nn_stream_grow(nn_stream *s, nn_alloc *a, const char *name, nn_error *e) {
  return stream_begin(s, a, name, NN_STREAM_WRITE, e);
}

nn_status nn_stream_create(nn_stream *s, nn_alloc *a, const char *path, nn_error *e) {
  nn_status st = stream_begin(s, a, path, NN_STREAM_WRITE, e);
  if (st) return st;
  size_t room = strlen(path) + 64;
  char *beside = nn_mem_new(a, room);
  s->buffer = nn_mem_new(a, FILE_BUFFER);
  s->room = FILE_BUFFER;
  if (!beside || !s->buffer) nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  for (int n = 0; beside && !s->error.code && s->fd < 0; n++) {
    snprintf(beside, room, "%s.tmp-%ld-%d", path, (long)getpid(), n);
    s->fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd < 0 && (errno != EEXIST || n >= TEMPORARY_TRIES))
      nn_stream_fail(s, NN_ERR_IO, "cannot create: %s", strerror(errno));
  }
  if (s->fd >= 0) s->temporary = beside;
  else nn_mem_free(a, beside);
  st = nn_stream_status(s, e);
  if (st) nn_stream_close(s);
  return st;
}

uint64_t nn_stream_left(const nn_stream *s) { return s->size - s->at; }

nn_status nn_stream_seek(nn_stream *s, uint64_t at) {
  if (s->error.code) return s->error.code;
  if (at > s->size)
    return nn_stream_fail(s, NN_ERR_FORMAT, "byte %llu is beyond the end (%llu bytes)",
                          (unsigned long long)at, (unsigned long long)s->size);
  s->at = at;
  return NN_OK;
}

static nn_status file_read(nn_stream *s, uint8_t *out, size_t n) {
  while (n > 0) {
    ssize_t got = pread(s->fd, out, n, (off_t)s->at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return nn_stream_fail(s, NN_ERR_IO, "cannot read: %s", strerror(errno));
    if (got == 0) return nn_stream_fail(s, NN_ERR_IO, "became shorter while it was read");
    out += got, s->at += (uint64_t)got, n -= (size_t)got;
  }
  return NN_OK;
}

nn_status nn_stream_read(nn_stream *s, void *out, size_t n) {
  if (s->error.code) return s->error.code;
  if (n > nn_stream_left(s))
    return nn_stream_fail(s, NN_ERR_FORMAT, "truncated: %llu bytes wanted at %llu, %llu left",
                          (unsigned long long)n, (unsigned long long)s->at,
                          (unsigned long long)nn_stream_left(s));
  if (s->fd >= 0) return file_read(s, out, n);
  if (n > 0) memcpy(out, s->data + s->at, n);
  s->at += n;
  return NN_OK;
}

static nn_status file_write(nn_stream *s, const uint8_t *p, size_t n) {
  while (n > 0 && !s->error.code) {
    ssize_t put = write(s->fd, p, n);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return nn_stream_fail(s, NN_ERR_IO, "cannot write: %s", strerror(errno));
    p += put, n -= (size_t)put;
  }
  return s->error.code;
}

static nn_status file_flush(nn_stream *s) {
  size_t n = s->fill;
  s->fill = 0;
  return file_write(s, s->buffer, n);
}

static nn_status memory_reserve(nn_stream *s, size_t n) {
  size_t need = nn_size_add(s->fill, n);
  if (need <= s->room) return NN_OK;
  size_t room = s->room > SIZE_MAX / 2 ? need : s->room * 2;
  if (room < need) room = need < 256 ? 256 : need;
  uint8_t *p = need == SIZE_MAX ? NULL : nn_mem_resize(s->alloc, s->buffer, room);
  if (!p) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  s->buffer = p;
  s->room = room;
  return NN_OK;
}

nn_status nn_stream_write(nn_stream *s, const void *bytes, size_t n) {
  if (s->error.code || n == 0) return s->error.code;
  if (s->summing) s->sum = nn_checksum_add(s->sum, bytes, n);
  if (s->fd < 0 && memory_reserve(s, n)) return s->error.code;
  if (s->fd >= 0 && n > s->room - s->fill && file_flush(s)) return s->error.code;
  s->size += n;
  if (s->fd >= 0 && n > s->room) return file_write(s, bytes, n);
  memcpy(s->buffer + s->fill, bytes, n);
  s->fill += n;
  return NN_OK;
}

nn_status nn_stream_pad(nn_stream *s, size_t n) {
  static const uint8_t zeros[64];
  for (; n > sizeof zeros; n -= sizeof zeros) nn_stream_write(s, zeros, sizeof zeros);
  return nn_stream_write(s, zeros, n);
}

nn_status nn_stream_reserve(nn_stream *s, size_t n) {
  size_t need = nn_size_add(s->fill, n);
  if (s->error.code || s->fd >= 0 || need <= s->room) return s->error.code;
  if (s->fill == 0) { /* never both at once */
    nn_mem_free(s->alloc, s->buffer);
    s->buffer = NULL, s->room = 0;
  }
  uint8_t *p = need == SIZE_MAX ? NULL : nn_mem_dirty(s->alloc, need);
  if (!p) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  if (s->fill > 0) memcpy(p, s->buffer, s->fill);
  nn_mem_free(s->alloc, s->buffer);
  s->buffer = p;
  s->room = need;
  return NN_OK;
}

nn_status nn_stream_patch(nn_stream *s, uint64_t at, const void *bytes, size_t n) {
  if (s->error.code) return s->error.code;
  if (s->fd < 0) {
    memcpy(s->buffer + at, bytes, n);
  } else if (!file_flush(s) && pwrite(s->fd, bytes, n, (off_t)at) != (ssize_t)n) {
    nn_stream_fail(s, NN_ERR_IO, "cannot write: %s", strerror(errno));
  }
  return s->error.code;
}

/* Some file systems cannot fsync a folder (EINVAL); nothing more can be done there. */
static int folder_sync(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[4096] = ".";
  size_t n = slash ? (size_t)(slash - path) : 0;
  if (slash && n == 0) n = 1;
  if (n >= sizeof folder) return 0;
  if (n > 0) memcpy(folder, path, n), folder[n] = 0;
  int fd = open(folder, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int bad = fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP;
  close(fd);
  return bad ? -1 : 0;
}

/* The file that is about to be replaced gets a second name; there is no moment without it. */
static void previous_keep(nn_stream *s) {
  struct stat about;
  if (!s->previous || s->error.code || stat(s->name, &about) != 0) return;
  unlink(s->previous);
  if (link(s->name, s->previous) != 0 && rename(s->name, s->previous) != 0)
    nn_stream_fail(s, NN_ERR_IO, "cannot keep it as %.200s: %s", s->previous, strerror(errno));
}

nn_status nn_stream_commit(nn_stream *s, nn_error *e) {
  if (s->temporary && !file_flush(s)) {
    if (fsync(s->fd) != 0) nn_stream_fail(s, NN_ERR_IO, "fsync failed: %s", strerror(errno));
    int bad = close(s->fd) != 0;
    s->fd = -1;
    if (bad) nn_stream_fail(s, NN_ERR_IO, "cannot close: %s", strerror(errno));
    previous_keep(s);
    if (!s->error.code && rename(s->temporary, s->name) != 0)
      nn_stream_fail(s, NN_ERR_IO, "cannot rename over it: %s", strerror(errno));
    if (!s->error.code) {
      nn_mem_free(s->alloc, s->temporary);
      s->temporary = NULL;
      if (folder_sync(s->name) != 0)
        nn_stream_fail(s, NN_ERR_IO, "fsync of its folder failed: %s", strerror(errno));
    }
  }
  nn_status st = nn_stream_status(s, e);
  nn_stream_close(s);
  return st;
}

nn_status nn_stream_take(nn_stream *s, uint8_t **bytes, size_t *n, nn_error *e) {
  nn_status st = !s->buffer && memory_reserve(s, 1) ? s->error.code : nn_stream_status(s, e);
  if (st == NN_OK) {
    *bytes = s->buffer;
    *n = s->fill;
    s->buffer = NULL;
  }
  nn_stream_status(s, e);
  nn_stream_close(s);
  return st;
}

void nn_stream_close(nn_stream *s) {
  if (s->kind == NN_STREAM_CLOSED) return;
  if (s->fd >= 0) close(s->fd);
  if (s->temporary) unlink(s->temporary);
  nn_mem_free(s->alloc, s->temporary);
  nn_mem_free(s->alloc, s->buffer);
  nn_mem_free(s->alloc, s->name);
  nn_error kept = s->error;
  memset(s, 0, sizeof *s);
  s->fd = -1;
  s->error = kept;
}

/* Grows the block as bytes come, as a pipe tells no length; a regular file needs one round. */
static nn_status load_all(int fd, size_t expect, size_t cap, nn_stream *out) {
  size_t room = expect < cap ? expect : cap;
  if (memory_reserve(out, nn_size_add(room, 2))) return out->error.code;
  for (;;) {
    if (out->room - out->fill < 2 && memory_reserve(out, out->room)) return out->error.code;
    ssize_t got = read(fd, out->buffer + out->fill, out->room - out->fill - 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return nn_stream_fail(out, NN_ERR_IO, "cannot read: %s", strerror(errno));
    if (got == 0) return NN_OK;
    out->fill += (size_t)got;
    if (out->fill > cap)
      return nn_stream_fail(out, NN_ERR_LIMIT, "longer than the limit of %zu bytes", cap);
  }
}

nn_status nn_file_load(nn_alloc *a, const char *path, const nn_limits *limits, uint8_t **bytes,
                       size_t *n, nn_error *e) {
  nn_limits l = nn_limits_of(limits);
  nn_stream s;
  nn_status st = nn_stream_grow(&s, a, path, e);
  if (st) return st;
  uint64_t size;
  int fd = nn_file_open(path, &size, &s.error);
  if (fd >= 0 && size > l.bytes)
    nn_stream_fail(&s, NN_ERR_LIMIT, "%llu bytes, above the limit of %zu",
                   (unsigned long long)size, l.bytes);
  else if (fd >= 0)
    load_all(fd, (size_t)size, l.bytes, &s);
  if (fd >= 0) close(fd);
  return nn_stream_take(&s, bytes, n, e);
}

nn_status nn_input_load(nn_alloc *a, const char *path, const nn_limits *limits, uint8_t **bytes,
                        size_t *n, nn_error *e) {
  struct stat about;
  if (stat(path, &about) != 0 || S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))
    return nn_file_load(a, path, limits, bytes, n, e);
  nn_stream s;
  nn_status st = nn_stream_grow(&s, a, path, e);
  if (st) return st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) nn_stream_fail(&s, NN_ERR_IO, "cannot open: %s", strerror(errno));
  else load_all(fd, 0, nn_limits_of(limits).bytes, &s);
  if (fd >= 0) close(fd);
  return nn_stream_take(&s, bytes, n, e);
}

nn_status nn_file_save(nn_alloc *a, const char *path, const void *bytes, size_t n, nn_error *e) {
  nn_stream s;
  nn_status st = nn_stream_create(&s, a, path, e);
  if (st) return st;
  nn_stream_write(&s, bytes, n);
  return nn_stream_commit(&s, e);
}
