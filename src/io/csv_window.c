/* The part of a file that is in memory while it is read in portions.
 *
 * A record that touches the window's end may go on behind it, so it is scanned again after more was
 * read: what is still needed moves to the front, and the window doubles when that is more than half
 * of it. Each byte is thus scanned a bounded number of times, however long a record is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/csv_reader.h"

enum { WINDOW = 1 << 20 };

/* Reads until the window is full or the file ends, when it is closed. */
static nn_status fill(nn_csv_reader *r, size_t have, nn_error *e) {
  while (have < r->room) {
    ssize_t got = read(r->fd, r->bytes + have, r->room - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return nn_fail(e, NN_ERR_IO, "%.200s: cannot read: %s", r->name, strerror(errno));
    if (got == 0) {
      close(r->fd);
      r->fd = -1;
      break;
    }
    have += (size_t)got;
  }
  r->scan.end = r->bytes + have;
  csv_scan_zero(&r->scan);
  return NN_OK;
}

nn_status csv_window_open(nn_csv_reader *r, const char *path, nn_error *e) {
  r->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (r->fd < 0) return nn_fail(e, NN_ERR_IO, "%.200s: cannot open: %s", path, strerror(errno));
  r->room = WINDOW < r->most ? WINDOW : r->most;
  r->bytes = nn_mem_new(r->alloc, r->room);
  if (!r->bytes) return csv_fail_memory(&r->scan, e);
  r->scan.start = r->scan.at = r->bytes;
  return fill(r, 0, e);
}

static nn_status window_move(nn_csv_reader *r, nn_error *e) {
  csv_scan *s = &r->scan;
  const char *from = r->keep ? r->keep : s->at;
  size_t have = (size_t)(s->end - from), at = (size_t)(s->at - from);
  memmove(r->bytes, from, have);
  if (have > r->room / 2) {
    if (r->room >= r->most)
      return nn_fail(e, NN_ERR_LIMIT, "%.200s: line %zu: more than the limit of %zu bytes at once",
                     r->name, s->line, r->most);
    size_t room = nn_size_mul(r->room, 2) < r->most ? nn_size_mul(r->room, 2) : r->most;
    char *p = nn_mem_resize(r->alloc, r->bytes, room);
    if (!p) return csv_fail_memory(s, e);
    r->bytes = p;
    r->room = room;
  }
  s->start = r->bytes;
  s->at = r->bytes + at;
  if (r->keep) r->keep = r->bytes;
  return fill(r, have, e);
}

nn_status csv_record(nn_csv_reader *r, int *more, nn_error *e) {
  csv_scan *s = &r->scan;
  for (;;) {
    const char *at = s->at;
    size_t line = s->line;
    nn_status st = csv_scan_record(s, more, e);
    if (r->fd < 0 || !(st ? s->open_quote : s->at == s->end)) return st;
    s->at = at;
    s->line = line;
    st = window_move(r, e);
    if (st) return st;
  }
}
