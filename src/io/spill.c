#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include "io/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum { PAGE = 65536 }; /* a multiple of the page size of every machine */

/* Where the file system cannot make files without a name, one with a name that is gone at once. */
static int open_unlinked(const char *folder) {
  char path[4096];
  int fd = -1;
#if defined(O_TMPFILE)
  fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
  if (fd < 0 && (size_t)snprintf(path, sizeof path, "%s/.nnlua-XXXXXX", folder) < sizeof path) {
    fd = mkstemp(path);
    if (fd >= 0) {
      unlink(path);
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
  return fd;
}

nn_status nn_spill_open(nn_spill *s, const char *folder, nn_error *e) {
  s->end = 0;
  s->fd = open_unlinked(folder);
  if (s->fd < 0)
    return nn_fail(e, NN_ERR_IO, "%.200s: no file can be made there: %s", folder, strerror(errno));
  return NN_OK;
}

nn_status nn_spill_write(nn_spill *s, const nn_tensor *t, uint64_t *at, nn_error *e) {
  const char *from = t->data;
  size_t n = nn_shape_bytes(&t->shape), done = 0;
  while (done < n) {
    ssize_t got = pwrite(s->fd, from + done, n - done, (off_t)(s->end + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return nn_fail(e, NN_ERR_IO, "a temporary file: %s", strerror(errno));
    done += (size_t)got;
  }
  *at = s->end;
  s->end += (n + PAGE - 1) / PAGE * PAGE;
  return NN_OK;
}

nn_status nn_spill_map(const nn_spill *s, nn_map *m, uint64_t at, const nn_shape *shape,
                       nn_error *e) {
  memset(m, 0, sizeof *m);
  size_t n = nn_shape_bytes(shape);
  if (at % PAGE || at > s->end || n > s->end - at)
    return nn_fail(e, NN_ERR_ARGUMENT, "a temporary file: no such tensor in it");
  m->shape = *shape;
  if (n == 0) return NN_OK;
  void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, s->fd, (off_t)at);
  if (p == MAP_FAILED)
    return nn_fail(e, errno == ENOMEM ? NN_ERR_MEMORY : NN_ERR_IO,
                   "a temporary file: cannot map: %s", strerror(errno));
  madvise(p, n, MADV_WILLNEED);
  m->base = m->data = p;
  m->size = n;
  return NN_OK;
}

void nn_spill_close(nn_spill *s) {
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
}
