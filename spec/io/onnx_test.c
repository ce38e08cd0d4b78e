/* ONNX: the fuzzer's first files, with every allocation failing once and with each byte changed. */
#include "io/onnx.h"

#include "shared.h"

static const char *const FILES[] = {"raw",   "floats", "integers", "halves", "doubles",
                                    "longs", "constant", "external"};
static const char *path;
static uint8_t *bytes;
static size_t size;

static nn_status tensors_read(nn_onnx *f, nn_alloc *a, nn_error *e) {
  nn_status st = NN_OK;
  for (size_t i = 0; i < f->tensors && !st; i++) {
    void *out = nn_mem_new(a, nn_shape_bytes(&f->tensor[i].shape));
    st = out ? nn_onnx_read(f, &f->tensor[i], out, e) : NN_ERR_MEMORY;
    nn_mem_free(a, out);
  }
  return st;
}

static nn_status open_and_read(nn_alloc *a) {
  nn_onnx f = {0};
  nn_error e;
  nn_status st = nn_onnx_open(&f, a, path, bytes, size, NULL, &e);
  if (!st) st = tensors_read(&f, a, &e);
  nn_onnx_close(&f);
  return st;
}

/* Each byte as its complement and as zero: a result or an error with a text, nothing leaked. */
static void each_byte_changes(nn_alloc *a) {
  int bad = 0;
  for (size_t i = 0; i < 2 * size; i++) {
    nn_onnx f = {0};
    nn_error e = {NN_OK, ""};
    uint8_t old = bytes[i / 2];
    bytes[i / 2] = i % 2 ? (uint8_t)~old : 0;
    size_t used = a->used;
    nn_status st = nn_onnx_open(&f, a, path, bytes, size, NULL, &e);
    if (!st) st = tensors_read(&f, a, &e);
    nn_onnx_close(&f);
    bad += a->used != used || (st && (e.code != st || !e.text[0]));
    bytes[i / 2] = old;
  }
  tap_ok(bad == 0, "%s: each of %zu bytes changed", path, size);
}

int main(void) {
  nn_alloc a;
  nn_alloc_init(&a, NULL, NULL, 0);
  for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
    char room[PATH_ROOM];
    nn_error e;
    path = path_in(room, "spec/fuzz/onnx_fuzz", FILES[i]);
    nn_status st = nn_file_load(&a, path, NULL, &bytes, &size, &e);
    tap_ok(st == NN_OK, "%s is there", path);
    if (st) continue;
    if (strcmp(FILES[i], "external") != 0) each_allocation_fails(open_and_read, path);
    else tap_ok(open_and_read(&a) == NN_ERR_FORMAT, "%s is refused", path);
    each_byte_changes(&a);
    nn_mem_free(&a, bytes);
  }
  tap_ok(a.used == 0, "all memory came back");
  return tap_done();
}
