/* B-trees of version 1: "TREE", type (0 groups, 1 chunks), level, entries (2), two siblings, then
 * key, child, key, child ... key. Level 0 points to what the tree is for. */
#include <string.h>

#include "io/hdf5_file.h"

static nn_status node_visit(nn_hdf5 *f, h5_node node, int type, size_t key_size, h5_visit visit,
                            void *ud) {
  h5_cursor c;
  nn_status st = h5_block_at(f, node.at, 24, "B-tree node", &c);
  if (st) return st;
  if (memcmp(c.at, "TREE", 4) != 0)
    return h5_fail(f, "no B-tree node at byte %llu", (unsigned long long)node.at);
  c.at += 4;
  int kind = (int)h5_take(&c, 1), level = (int)h5_take(&c, 1);
  size_t entries = (size_t)h5_take(&c, 2);
  if (kind != type || (node.level >= 0 && level != node.level))
    return h5_fail(f, "the B-tree node at byte %llu does not belong there",
                   (unsigned long long)node.at);
  st = h5_block_at(f, node.at + 24, entries * (key_size + 8), "B-tree node", &c);
  for (size_t i = 0; i < entries && !st; i++) {
    h5_cursor key = {h5_take_bytes(&c, key_size), NULL, 0};
    key.end = key.at + key_size;
    uint64_t child = h5_take(&c, 8);
    st = level ? h5_node_push(f, child, level - 1) : visit(f, ud, key, child);
  }
  return st;
}

nn_status h5_btree(nn_hdf5 *f, uint64_t root, int type, size_t key_size, h5_visit visit, void *ud) {
  f->nodes = 0;
  nn_status st = h5_node_push(f, root, -1);
  while (f->nodes > 0 && !st) st = node_visit(f, f->node[--f->nodes], type, key_size, visit, ud);
  return st;
}
