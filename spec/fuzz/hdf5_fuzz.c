/* The whole tree, every text and every number. */
#include "io/hdf5.h"
#include "support/fuzz.h"

static void value_read(nn_hdf5 *f, nn_alloc *a, const nn_hdf5_value *v) {
  nn_error e;
  const char *text;
  size_t n;
  if (v->is_text) {
    for (size_t i = 0; i < (size_t)nn_shape_size(&v->shape) && i < 64; i++)
      fuzz_check(nn_hdf5_text(f, v, i, &text, &n, &e), &e);
    return;
  }
  void *out = fuzz_room(a, &v->shape);
  if (out) fuzz_check(nn_hdf5_read(f, v, out, &e), &e);
  nn_mem_free(a, out);
}

static void walk(nn_hdf5 *f, nn_alloc *a, const nn_hdf5_object *o) {
  for (size_t i = 0; i < o->attributes; i++) value_read(f, a, &o->attribute[i]);
  if (o->kind == NN_HDF5_DATASET) value_read(f, a, &o->value);
  for (size_t i = 0; i < o->children; i++) {
    if (nn_hdf5_find(o, o->child[i].name) != &o->child[i]) abort();
    walk(f, a, &o->child[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  nn_alloc a;
  nn_error e;
  nn_hdf5 *f;
  fuzz_begin(&a);
  fuzz_check(nn_hdf5_open(&f, &a, "f", data, size, &fuzz_limits, &e), &e);
  if (f) walk(f, &a, nn_hdf5_root(f));
  nn_hdf5_close(f);
  fuzz_end(&a);
  return 0;
}
