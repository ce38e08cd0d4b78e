/* Object headers: a list of messages in a first block and in continuation blocks.
 *
 * Version 1: version, 0, messages (2), references (4), size (4), padding to 16; each message is
 * type (2), size (2), flags (1), 0 0 0 and its data. Version 2: "OHDR", version, flags, optional
 * times and attribute bounds, size of the first block; type (1), size (2), flags (1), optional
 * creation order; blocks end in a checksum, continuations begin with "OCHK". */
#include <string.h>

#include "io/hdf5_file.h"

enum { CONTINUATION = 0x10 };

typedef struct walk {
  nn_hdf5 *f;
  h5_header *h;
  int version;
  int ordered;       /* version 2: messages carry a creation order */
  uint64_t messages; /* seen so far */
} walk;

/* The header of one message and its data as a cursor of its own; 0 where the block ends. */
static int message_next(walk *w, h5_cursor *block, int *type, int *flags, h5_cursor *data) {
  size_t head = w->version == 1 ? 8 : w->ordered ? 6 : 4;
  if (h5_left(block) < head) return 0;
  *type = (int)h5_take(block, w->version == 1 ? 2 : 1);
  size_t n = (size_t)h5_take(block, 2);
  *flags = (int)h5_take(block, 1);
  h5_take_bytes(block, head - (w->version == 1 ? 5 : 4));
  const uint8_t *p = h5_take_bytes(block, n);
  *data = (h5_cursor){p, p ? p + n : NULL, 0};
  return 1;
}

static nn_status block_walk(walk *w, h5_cursor block) {
  int type, flags;
  h5_cursor data;
  while (message_next(w, &block, &type, &flags, &data)) {
    if (block.bad) return h5_fail(w->f, "a message is longer than its object header");
    w->messages++;
    nn_status st;
    if (type == CONTINUATION) {
      uint64_t at = h5_take(&data, 8), n = h5_take(&data, 8);
      if (data.bad || n > INT32_MAX) return h5_fail(w->f, "a continuation message is damaged");
      st = h5_node_push(w->f, at, (int)n);
    } else {
      st = h5_message(w->f, w->h, type, flags, data);
    }
    if (st) return st;
  }
  return NN_OK;
}

/* Cuts signature and checksum off a version 2 block. */
static nn_status block_open(walk *w, h5_cursor *c, const char *signature, size_t prefix) {
  if (w->version == 1) return NN_OK;
  const uint8_t *start = c->at - prefix;
  size_t n = (size_t)(c->end - start);
  if (n < 8 || (signature && memcmp(start, signature, 4) != 0))
    return h5_fail(w->f, "an object header block has a wrong signature");
  h5_cursor sum = {c->end - 4, c->end, 0};
  if (h5_checksum(start, n - 4) != (uint32_t)h5_take(&sum, 4))
    return h5_fail(w->f, "an object header's checksum is wrong");
  c->end -= 4;
  if (signature) c->at += 4;
  return NN_OK;
}

static nn_status continuations_walk(walk *w) {
  for (size_t i = 0; i < w->f->nodes; i++) {
    h5_cursor block;
    h5_node node = w->f->node[i];
    nn_status st = h5_block_at(w->f, node.at, (uint64_t)node.level, "object header block", &block);
    if (!st) st = block_open(w, &block, "OCHK", 0);
    if (!st) st = block_walk(w, block);
    if (st) return st;
  }
  return NN_OK;
}

static nn_status header_old(walk *w, uint64_t at) {
  h5_cursor c, block;
  nn_status st = h5_block_at(w->f, at, 16, "object header", &c);
  if (st) return st;
  h5_take(&c, 2);
  uint64_t messages = h5_take(&c, 2);
  h5_take(&c, 4);
  uint64_t size = h5_take(&c, 4);
  st = h5_block_at(w->f, at + 16, size, "object header", &block);
  if (!st) st = block_walk(w, block);
  if (!st) st = continuations_walk(w);
  if (!st && w->messages != messages)
    st = h5_fail(w->f, "an object header has %llu messages, %llu are declared",
                 (unsigned long long)w->messages, (unsigned long long)messages);
  return st;
}

static nn_status header_new(walk *w, uint64_t at) {
  h5_cursor c;
  nn_status st = h5_block_at(w->f, at, 6, "object header", &c);
  if (st) return st;
  int flags = c.at[5];
  if (c.at[4] != 2 || flags & 0xC0) return h5_fail(w->f, "an object header's version is unknown");
  w->ordered = flags & 4;
  size_t optional = (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0), width = (size_t)1 << (flags & 3);
  st = h5_block_at(w->f, at + 6, optional + width, "object header", &c);
  if (st) return st;
  h5_take_bytes(&c, optional);
  uint64_t size = h5_take(&c, (int)width);
  size_t prefix = 6 + optional + width;
  st = h5_block_at(w->f, at + prefix, nn_size_add((size_t)size, 4), "object header", &c);
  if (!st) st = block_open(w, &c, NULL, prefix);
  if (!st) st = block_walk(w, c);
  return st ? st : continuations_walk(w);
}

nn_status h5_object_header(nn_hdf5 *f, uint64_t at, h5_header *h) {
  walk w = {f, h, 0, 0, 0};
  h->layout.kind = -1;
  f->nodes = 0;
  if (at > f->size || f->size - at < 8)
    return h5_fail(f, "an object header at byte %llu lies outside the file",
                   (unsigned long long)at);
  const uint8_t *p = f->bytes + at;
  w.version = memcmp(p, "OHDR", 4) == 0 ? 2 : 1;
  if (w.version == 1 && (p[0] != 1 || p[1] != 0))
    return h5_fail(f, "no object header at byte %llu", (unsigned long long)at);
  return w.version == 1 ? header_old(&w, at) : header_new(&w, at);
}
