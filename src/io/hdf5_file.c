#include "io/hdf5_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "/layers/dense" of the object being opened, cut on the left when long. */
static const char *path_text(const nn_hdf5 *f, char *end) {
  enum { MOST = 120 };
  size_t i = f->current, used = 0;
  *--end = 0;
  while (i > 0 && i < f->objects) {
    size_t n = strlen(f->object[i].name);
    if (used + n + 1 > MOST) break;
    end -= n;
    memcpy(end, f->object[i].name, n);
    *--end = '/';
    used += n + 1;
    i = f->object[i].parent_index;
  }
  return end;
}

nn_status h5_fail(nn_hdf5 *f, const char *fmt, ...) {
  char text[300], path[128];
  const char *where = path_text(f, path + sizeof path);
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return nn_fail(f->e, NN_ERR_FORMAT, "%.150s: HDF5%s%s: %s", f->name, *where ? " " : "", where,
                 text);
}

nn_status h5_limit(nn_hdf5 *f, const char *what) {
  return nn_fail(f->e, NN_ERR_LIMIT, "%.200s: HDF5: %s than the limit allows", f->name, what);
}

nn_status h5_memory(nn_hdf5 *f) {
  return nn_fail(f->e, NN_ERR_MEMORY, "%.200s: out of memory", f->name);
}

uint64_t h5_take(h5_cursor *c, int bytes) {
  uint64_t v = 0;
  if (h5_left(c) < (size_t)bytes) {
    c->bad = 1;
    c->at = c->end;
    return 0;
  }
  for (int i = bytes - 1; i >= 0; i--) v = v << 8 | c->at[i];
  c->at += bytes;
  return v;
}

const uint8_t *h5_take_bytes(h5_cursor *c, size_t n) {
  const uint8_t *p = c->at;
  if (c->bad || h5_left(c) < n) {
    c->bad = 1;
    c->at = c->end;
    return NULL;
  }
  c->at += n;
  return p;
}

nn_status h5_block_at(nn_hdf5 *f, uint64_t at, uint64_t n, const char *what, h5_cursor *out) {
  if (at > f->size || n > f->size - at)
    return h5_fail(f, "%s at byte %llu lies outside the file", what, (unsigned long long)at);
  if (n > f->metadata_left)
    return h5_fail(f, "%s at byte %llu: structures overlap or form a cycle", what,
                   (unsigned long long)at);
  f->metadata_left -= n;
  *out = (h5_cursor){f->bytes + at, f->bytes + at + n, 0};
  return NN_OK;
}

nn_status h5_claim_data(nn_hdf5 *f, uint64_t at, uint64_t n, const uint8_t **out) {
  if (at > f->size || n > f->size - at)
    return h5_fail(f, "data at byte %llu (%llu bytes) lies outside the file",
                   (unsigned long long)at, (unsigned long long)n);
  if (n > f->data_left) return h5_fail(f, "the data of several datasets overlaps");
  f->data_left -= n;
  *out = f->bytes + at;
  return NN_OK;
}

nn_status h5_grow(nn_hdf5 *f, void *array, size_t count, size_t *room, size_t size) {
  void **p = array;
  if (count < *room) return NN_OK;
  size_t want = *room ? nn_size_mul(*room, 2) : 16;
  void *bigger = nn_mem_resize(f->alloc, *p, nn_size_mul(want, size));
  if (!bigger) return h5_memory(f);
  *p = bigger;
  *room = want;
  return NN_OK;
}

nn_status h5_text_keep(nn_hdf5 *f, const void *text, size_t n, const char **out) {
  enum { BLOCK = 1 << 13 };
  h5_block *b = f->texts;
  size_t need = nn_size_add(n, 1);
  if (need > f->names_left) return h5_fail(f, "its names repeat beyond reason");
  f->names_left -= need;
  if (!b || b->room - b->used < need) {
    size_t room = need > BLOCK ? need : BLOCK;
    b = nn_mem_new(f->alloc, nn_size_add(sizeof *b, room));
    if (!b) return h5_memory(f);
    b->room = room;
    b->next = f->texts;
    f->texts = b;
  }
  char *p = (char *)(b + 1) + b->used;
  if (n) memcpy(p, text, n);
  p[n] = 0;
  b->used += need;
  *out = p;
  return NN_OK;
}

nn_status h5_node_push(nn_hdf5 *f, uint64_t at, int level) {
  nn_status st = h5_grow(f, &f->node, f->nodes, &f->node_room, sizeof *f->node);
  if (!st) f->node[f->nodes++] = (h5_node){at, level};
  return st;
}

static uint32_t turn(uint32_t v, int k) { return v << k | v >> (32 - k); }

/* Bob Jenkins's lookup3 ("hashlittle", 2006), with the start value 0: the checksum of every
 * structure since version 2. Twelve bytes a round; the last up to twelve go through a final mix. */
uint32_t h5_checksum(const uint8_t *p, size_t n) {
  uint32_t s[3];
  s[0] = s[1] = s[2] = 0xDEADBEEF + (uint32_t)n;
  static const int round_turns[] = {4, 6, 8, 16, 19, 4};
  static const int final_turns[] = {14, 11, 25, 16, 4, 14, 24};
  for (;;) {
    size_t take = n < 12 ? n : 12;
    for (size_t i = 0; i < take; i++) s[i / 4] += (uint32_t)p[i] << (8 * (i % 4));
    if (n <= 12) break;
    p += 12, n -= 12;
    for (int i = 0; i < 6; i++) {
      uint32_t *a = &s[i % 3], *b = &s[(i + 1) % 3], *c = &s[(i + 2) % 3];
      *a -= *c;
      *a ^= turn(*c, round_turns[i]);
      *c += *b;
    }
  }
  if (n == 0) return s[2];
  for (int i = 0; i < 7; i++) {
    uint32_t *target = &s[(2 + i) % 3], from = s[(1 + i) % 3];
    *target ^= from;
    *target -= turn(from, final_turns[i]);
  }
  return s[2];
}
