/* The superblock: where the root is, how long the file should be, how wide addresses are. */
#include <string.h>

#include "io/hdf5_file.h"

static const uint8_t SIGNATURE[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};

static nn_status widths_check(nn_hdf5 *f, uint64_t offsets, uint64_t lengths) {
  if (offsets == 8 && lengths == 8) return NN_OK;
  return h5_fail(f, "addresses of %d and lengths of %d bytes are not supported, expected 8",
                 (int)offsets, (int)lengths);
}

static nn_status extent_check(nn_hdf5 *f, const h5_cursor *c, uint64_t base, uint64_t end) {
  if (c->bad) return h5_fail(f, "the superblock is truncated");
  if (base != 0) return h5_fail(f, "a base address other than 0 is not supported");
  if (end > f->size)
    return h5_fail(f, "truncated: the file should have %llu bytes and has %zu",
                   (unsigned long long)end, f->size);
  return NN_OK;
}

/* Versions 0 and 1 end in a symbol table entry for the root. */
static nn_status superblock_old(nn_hdf5 *f, h5_cursor *c, int version, uint64_t *root) {
  h5_take(c, 4); /* versions of free space, root entry; reserved; version of shared messages */
  uint64_t offsets = h5_take(c, 1), lengths = h5_take(c, 1);
  h5_take(c, 1);
  h5_take(c, 8); /* two K of group B-trees, consistency flags */
  if (version == 1) h5_take(c, 4);
  nn_status st = widths_check(f, offsets, lengths);
  if (st) return st;
  uint64_t base = h5_take(c, 8);
  h5_take(c, 8); /* free space */
  uint64_t end = h5_take(c, 8), driver = h5_take(c, 8);
  h5_take(c, 8); /* name of the root entry */
  *root = h5_take(c, 8);
  if (driver != H5_UNDEFINED) return h5_fail(f, "a driver information block is not supported");
  return extent_check(f, c, base, end);
}

static nn_status superblock_new(nn_hdf5 *f, h5_cursor *c, uint64_t *root) {
  uint64_t offsets = h5_take(c, 1), lengths = h5_take(c, 1);
  h5_take(c, 1); /* consistency flags */
  nn_status st = widths_check(f, offsets, lengths);
  if (st) return st;
  uint64_t base = h5_take(c, 8), extension = h5_take(c, 8), end = h5_take(c, 8);
  *root = h5_take(c, 8);
  size_t n = (size_t)(c->at - f->bytes);
  uint32_t stored = (uint32_t)h5_take(c, 4);
  if ((st = extent_check(f, c, base, end))) return st;
  if (h5_checksum(f->bytes, n) != stored) return h5_fail(f, "the superblock's checksum is wrong");
  if (extension != H5_UNDEFINED) return h5_fail(f, "a superblock extension is not supported");
  return NN_OK;
}

nn_status h5_superblock(nn_hdf5 *f, uint64_t *root) {
  h5_cursor c = {f->bytes, f->bytes + f->size, 0};
  if (f->size < 9 || memcmp(f->bytes, SIGNATURE, 8) != 0)
    return h5_fail(f, "is no HDF5 file (%s)", f->size ? "its first bytes differ" : "it is empty");
  c.at += 8;
  int version = (int)h5_take(&c, 1);
  if (version > 3) return h5_fail(f, "superblock version %d, expected 0 to 3", version);
  return version < 2 ? superblock_old(f, &c, version, root) : superblock_new(f, &c, root);
}
