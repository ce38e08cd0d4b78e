#include "io/hdf5.h"
#include "support/fuzz.h"

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
