#include "io/inflate.h"

#include <limits.h>
#include <zlib.h>

struct nn_inflate {
  z_stream z;
  nn_alloc *alloc;     /* borrowed */
  const uint8_t *next; /* borrowed: input not yet given to zlib */
  size_t left;
  int ended;
};

static void *give(void *ud, unsigned items, unsigned size) {
  return nn_mem_new(ud, nn_size_mul(items, size));
}

static void take_back(void *ud, void *p) { nn_mem_free(ud, p); }

nn_status nn_inflate_open(nn_inflate **out, nn_alloc *a, nn_inflate_form form, const void *bytes,
                          size_t n, nn_error *e) {
  nn_inflate *z = nn_mem_new(a, sizeof *z);
  *out = NULL;
  if (!z) return nn_fail(e, NN_ERR_MEMORY, "inflate: out of memory");
  z->alloc = a;
  z->next = bytes, z->left = n;
  z->z.zalloc = give, z->z.zfree = take_back, z->z.opaque = a;
  int bits = form == NN_INFLATE_GZIP ? 15 + 16 : form == NN_INFLATE_RAW ? -15 : 15;
  if (inflateInit2(&z->z, bits) != Z_OK) {
    nn_mem_free(a, z);
    return nn_fail(e, NN_ERR_MEMORY, "inflate: out of memory");
  }
  *out = z;
  return NN_OK;
}

/* One call of zlib on at most UINT_MAX bytes of either side. 0 when no progress is possible. */
static int pump(nn_inflate *z, uint8_t **out, size_t *n) {
  unsigned in = z->left > UINT_MAX ? UINT_MAX : (unsigned)z->left;
  unsigned room = *n > UINT_MAX ? UINT_MAX : (unsigned)*n;
  z->z.next_in = (Bytef *)(uintptr_t)z->next, z->z.avail_in = in;
  z->z.next_out = *out, z->z.avail_out = room;
  int r = inflate(&z->z, Z_NO_FLUSH);
  unsigned used = in - z->z.avail_in, made = room - z->z.avail_out;
  z->next += used, z->left -= used;
  *out += made, *n -= made;
  z->ended = r == Z_STREAM_END;
  return (r == Z_OK || r == Z_STREAM_END) && (used || made || z->ended);
}

nn_status nn_inflate_read(nn_inflate *z, void *out, size_t n, nn_error *e) {
  uint8_t *p = out;
  while (n > 0) {
    if (z->ended || !pump(z, &p, &n)) {
      return nn_fail(e, NN_ERR_FORMAT, "compressed data is %s",
                     z->ended ? "shorter than it should be"
                     : z->z.msg ? "damaged" : "truncated or damaged");
    }
  }
  return NN_OK;
}

nn_status nn_inflate_finish(nn_inflate *z, nn_error *e) {
  uint8_t spare, *p = &spare;
  size_t n = 1;
  while (!z->ended && n == 1)
    if (!pump(z, &p, &n)) return nn_fail(e, NN_ERR_FORMAT, "compressed data is damaged");
  if (n == 0) return nn_fail(e, NN_ERR_FORMAT, "compressed data is longer than it should be");
  if (z->left) return nn_fail(e, NN_ERR_FORMAT, "%zu bytes after the compressed data", z->left);
  return NN_OK;
}

void nn_inflate_close(nn_inflate *z) {
  if (!z) return;
  inflateEnd(&z->z);
  nn_mem_free(z->alloc, z);
}
