/* Structures since version 2 end in a checksum, which changed bytes never have: half of the inputs
 * get the right ones, so that what lies behind is reached as well. */
#include <string.h>

#include "io/hdf5_file.h"
#include "support/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

static uint64_t number(const uint8_t *p, size_t bytes) {
  h5_cursor c = {p, p + bytes, 0};
  return h5_take(&c, (int)bytes);
}

/* The last four of n bytes become the checksum of those before. */
static void seal(uint8_t *p, size_t n) {
  uint32_t sum = h5_checksum(p, n - 4);
  for (int i = 0; i < 4; i++) p[n - 4 + i] = (uint8_t)(sum >> (8 * i));
}

/* Blocks that continue the header whose messages are [at, end). */
static void seal_continued(uint8_t *data, size_t size, size_t at, size_t end, size_t head) {
  while (end - at >= head) {
    size_t n = (size_t)number(data + at + 1, 2), body = at + head;
    if (n > end - body) return;
    if (data[at] == 0x10 && n >= 16) {
      uint64_t from = number(data + body, 8), bytes = number(data + body + 8, 8);
      if (from < size && bytes >= 8 && bytes <= size - from) seal(data + from, (size_t)bytes);
    }
    at = body + n;
  }
}

static void seal_header(uint8_t *data, size_t size, size_t at) {
  int flags = data[at + 5];
  size_t width = (size_t)1 << (flags & 3), optional = (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
  size_t prefix = 6 + optional + width;
  if (size - at < prefix + 4) return;
  uint64_t n = number(data + at + 6 + optional, width);
  if (n > size - at - prefix - 4) return;
  size_t end = at + prefix + (size_t)n;
  seal_continued(data, size, at + prefix, end, flags & 4 ? 6 : 4);
  seal(data + at, prefix + (size_t)n + 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, room);
  if (seed & 1 || size < 48) return size;
  if (data[8] == 2 || data[8] == 3) seal(data, 48);
  for (size_t i = 0; i + 16 < size; i++)
    if (memcmp(data + i, "OHDR", 4) == 0) seal_header(data, size, i);
  return size;
}

/* Datasets and attributes of an object and of all below it. */
static void visit(nn_hdf5 *f, nn_alloc *a, const nn_hdf5_object *o) {
  nn_error e;
  if (o->kind == NN_HDF5_DATASET && !o->value.is_text) {
    void *out = fuzz_room(a, &o->value.shape);
    if (out) fuzz_check(nn_hdf5_read(f, &o->value, out, &e), &e);
    nn_mem_free(a, out);
  }
  for (size_t i = 0; i < o->attributes; i++) {
    const char *text;
    size_t n;
    double number;
    const nn_hdf5_value *v = &o->attribute[i];
    if (v->chunks || nn_shape_size(&v->shape) == 0) continue;
    if (v->is_text) fuzz_check(nn_hdf5_text(f, v, 0, &text, &n, &e), &e);
    else fuzz_check(nn_hdf5_number(f, v, 0, &number, &e), &e);
  }
  for (size_t i = 0; i < o->children; i++) visit(f, a, &o->child[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_hdf5 *f = NULL;
  nn_error e;
  fuzz_begin(&a);
  nn_status s = nn_hdf5_open(&f, &a, "f", data, size, &fuzz_limits, &e);
  fuzz_check(s, &e);
  if (s == NN_OK) visit(f, &a, nn_hdf5_root(f));
  nn_hdf5_close(f);
  fuzz_end(&a);
  return 0;
}
