#include "io/map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/idx.h"
#include "io/npy.h"
#include "io/stream.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/* Private and writable: a write that slips past every check changes a copy, never the file, and
 * does not crash. NORESERVE keeps such pages from counting as memory before they are written. Where
 * the process may not have so much writable memory (RLIMIT_DATA), the pages are read-only. */
static nn_status map_open(nn_map *m, const char *path, nn_error *e) {
  uint64_t size;
  memset(m, 0, sizeof *m);
  int fd = nn_file_open(path, &size, e);
  if (fd < 0) return NN_ERR_IO;
  nn_status st = NN_OK;
  if (size == 0) st = nn_fail(e, NN_ERR_FORMAT, "%.200s: is empty", path);
  if (!st) {
    m->size = (size_t)size;
    void *p = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (p == MAP_FAILED && errno == ENOMEM)
      p = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
      st = nn_fail(e, NN_ERR_IO, "%.200s: cannot map: %s", path, strerror(errno));
    else
      m->base = p;
  }
  close(fd);
  return st;
}

void nn_map_close(nn_map *m) {
  if (m->base) munmap(m->base, m->size);
  memset(m, 0, sizeof *m);
}

static int little_endian(void) {
  const uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return first;
}

/* Whether the elements can be used as they lie. */
static nn_status elements_check(const nn_map *m, const char *path, nn_element_type t, nn_error *e) {
  size_t size = nn_element_size(t.kind);
  int plain = t.kind == NN_ELEMENT_F32 || t.kind == NN_ELEMENT_I32 || t.kind == NN_ELEMENT_U8 ||
              t.kind == NN_ELEMENT_BOOL;
  if (!plain)
    return nn_fail(e, NN_ERR_DATA, "%.200s: holds %s, only float32, int32 and uint8 can be mapped; "
                   "read it without mmap", path, nn_element_name(t.kind));
  if (size > 1 && t.big_endian == little_endian())
    return nn_fail(e, NN_ERR_DATA, "%.200s: holds %s in the other byte order, which cannot be "
                   "mapped; read it without mmap", path, nn_element_name(t.kind));
  if ((uintptr_t)m->data % size)
    return nn_fail(e, NN_ERR_DATA, "%.200s: its elements are not aligned; read it without mmap",
                   path);
  return NN_OK;
}

static const nn_limits ANY_SIZE = {.bytes = SIZE_MAX >> 1};

nn_status nn_map_npy(nn_map *m, nn_alloc *a, const char *path, nn_error *e) {
  nn_stream s;
  nn_npy h = {.fortran = 0};
  nn_status st = map_open(m, path, e);
  if (st) return st;
  st = nn_stream_memory(&s, a, path, m->base, m->size, e);
  if (!st) {
    if (!nn_npy_header(&s, &h, &ANY_SIZE)) m->data = (char *)m->base + s.at;
    st = nn_stream_status(&s, e);
    nn_stream_close(&s);
  }
  if (!st) {
    m->shape = h.shape;
    st = h.fortran && h.shape.ndim > 1
             ? nn_fail(e, NN_ERR_DATA, "%.200s: its first index runs fastest (fortran_order), "
                       "which cannot be mapped; read it without mmap", path)
             : elements_check(m, path, h.type, e);
  }
  if (st) nn_map_close(m);
  return st;
}

nn_status nn_map_idx(nn_map *m, nn_alloc *a, const char *path, nn_error *e) {
  nn_idx f;
  nn_status st = map_open(m, path, e);
  if (st) return st;
  st = nn_idx_open_memory(&f, a, path, m->base, m->size, &ANY_SIZE, e);
  if (!st) {
    m->shape = f.shape;
    m->data = (char *)m->base + (f.data - (const uint8_t *)m->base);
    st = f.inflate ? nn_fail(e, NN_ERR_DATA, "%.200s: is compressed and cannot be mapped; read it "
                             "without mmap, or unpack it", path)
                   : elements_check(m, path, f.type, e);
    nn_idx_close(&f);
  }
  if (st) nn_map_close(m);
  return st;
}
