/* Links of groups. Old groups: a B-tree of symbol table nodes, whose entries name their links by
 * offsets into a local heap. New groups: link messages in the object header. */
#include <string.h>

#include "io/hdf5_file.h"

nn_status h5_link_add(nn_hdf5 *f, const void *name, size_t n, uint64_t at) {
  const char *p = name;
  if (n == 0 || memchr(p, '/', n) || memchr(p, 0, n) || (n == 1 && *p == '.'))
    return h5_fail(f, "a link has no proper name");
  if (f->objects + f->attributes + f->links >= f->limits.tensors)
    return h5_limit(f, "more objects and attributes");
  nn_status st = h5_grow(f, &f->link, f->links, &f->link_room, sizeof *f->link);
  if (!st) st = h5_text_keep(f, name, n, &f->link[f->links].name);
  if (!st) f->link[f->links++].at = at;
  return st;
}

/* "HEAP", version, size and free list, address of the names. */
static nn_status local_heap(nn_hdf5 *f, uint64_t at, h5_cursor *names) {
  h5_cursor c;
  nn_status st = h5_block_at(f, at, 32, "local heap", &c);
  if (st) return st;
  if (memcmp(c.at, "HEAP", 4) != 0 || c.at[4] != 0)
    return h5_fail(f, "no local heap at byte %llu", (unsigned long long)at);
  c.at += 8;
  uint64_t size = h5_take(&c, 8);
  h5_take(&c, 8);
  return h5_block_at(f, h5_take(&c, 8), size, "names of a local heap", names);
}

static nn_status symbol(nn_hdf5 *f, const h5_cursor *names, h5_cursor *c) {
  uint64_t offset = h5_take(c, 8), at = h5_take(c, 8), cache = h5_take(c, 4);
  h5_take_bytes(c, 20);
  if (cache == 2) return h5_fail(f, "soft links are not supported");
  if (cache > 2) return h5_fail(f, "a symbol table entry is damaged");
  if (offset >= h5_left(names)) return h5_fail(f, "a link's name lies outside its heap");
  const uint8_t *name = names->at + offset;
  const uint8_t *end = memchr(name, 0, h5_left(names) - (size_t)offset);
  if (!end) return h5_fail(f, "a link's name has no end");
  return h5_link_add(f, name, (size_t)(end - name), at);
}

/* "SNOD", version, entries (2). */
static nn_status symbol_node(nn_hdf5 *f, void *ud, h5_cursor key, uint64_t at) {
  h5_cursor c;
  (void)key;
  nn_status st = h5_block_at(f, at, 8, "symbol table node", &c);
  if (st) return st;
  if (memcmp(c.at, "SNOD", 4) != 0 || c.at[4] != 1)
    return h5_fail(f, "no symbol table node at byte %llu (wrong signature)",
                   (unsigned long long)at);
  c.at += 6;
  size_t entries = (size_t)h5_take(&c, 2);
  st = h5_block_at(f, at + 8, entries * 40, "symbol table node", &c);
  for (size_t i = 0; i < entries && !st; i++) st = symbol(f, ud, &c);
  return st;
}

nn_status h5_symbol_table(nn_hdf5 *f, uint64_t tree, uint64_t heap) {
  h5_cursor names;
  nn_status st = local_heap(f, heap, &names);
  return st ? st : h5_btree(f, tree, 0, 8, symbol_node, &names);
}

nn_status h5_link_message(nn_hdf5 *f, h5_cursor *c) {
  int version = (int)h5_take(c, 1), flags = (int)h5_take(c, 1);
  int kind = flags & 8 ? (int)h5_take(c, 1) : 0;
  if (flags & 4) h5_take(c, 8);
  if (flags & 16) h5_take(c, 1);
  uint64_t n = h5_take(c, 1 << (flags & 3));
  if (version != 1 || n > h5_left(c)) return h5_fail(f, "a link message is damaged");
  const uint8_t *name = h5_take_bytes(c, (size_t)n);
  if (kind != 0)
    return h5_fail(f, "%s links are not supported (\"%.*s\")",
                   kind == 1 ? "soft" : kind == 64 ? "external" : "user-defined",
                   (int)(n < 80 ? n : 80), name ? (const char *)name : "");
  uint64_t at = h5_take(c, 8);
  return c->bad ? h5_fail(f, "a link message is truncated") : h5_link_add(f, name, (size_t)n, at);
}
