/* The HDF5 reader against the files that Keras wrote (tree, weights, the same inside .keras),
 * against the damaged ones, and against what the writer writes. */
#include "io/hdf5.h"

#include "io/hdf5_write.h"
#include "io/zip.h"
#include "shared.h"

static nn_alloc A;

typedef struct opened {
  uint8_t *bytes;
  nn_hdf5 *file;
} opened;

static void close_file(opened *o) {
  nn_hdf5_close(o->file);
  nn_mem_free(&A, o->bytes);
  *o = (opened){NULL, NULL};
}

/* A file, or the weights inside a .keras archive. */
static nn_status open_file(opened *o, const char *path, nn_error *e) {
  size_t n = 0, i = 0, length = strlen(path);
  nn_zip *z = NULL;
  nn_status st;
  *o = (opened){NULL, NULL};
  if (length > 6 && strcmp(path + length - 6, ".keras") == 0) {
    st = nn_zip_open(&z, &A, path, NULL, e);
    if (!st && !nn_zip_find(z, "model.weights.h5", &i))
      st = nn_fail(e, NN_ERR_FORMAT, "%.200s: no model.weights.h5", path);
    if (!st) st = nn_zip_read(z, i, &o->bytes, &n, e);
  } else {
    st = nn_file_load(&A, path, NULL, &o->bytes, &n, e);
  }
  if (!st) st = nn_hdf5_open(&o->file, &A, path, o->bytes, n, NULL, e);
  nn_zip_close(z);
  if (st) close_file(o);
  return st;
}

/* ---- the tree of a case ---- */

static size_t objects_below(const nn_hdf5_object *o) {
  size_t n = o->children;
  for (size_t i = 0; i < o->children; i++) n += objects_below(&o->child[i]);
  return n;
}

static int attributes_fit(const nn_hdf5_object *o, const nn_json *names) {
  size_t want = names ? names->size : 0, i = 0;
  if (o->attributes != want) return 0;
  for (const nn_json *c = names ? names->first : NULL; c; c = c->next)
    if (strcmp(o->attribute[i++].name, c->as.string) != 0) return 0;
  return 1;
}

static int dataset_fits(const nn_hdf5_object *o, const nn_json *item) {
  const nn_json *shape = nn_json_get(item, "shape");
  int i = 0;
  if (o->kind != NN_HDF5_DATASET || o->value.shape.ndim != (int)shape->size) return 0;
  for (const nn_json *d = shape->first; d; d = d->next)
    if (o->value.shape.dim[i++] != d->as.integer) return 0;
  return strcmp(nn_element_name(o->value.type.kind), nn_json_text(nn_json_get(item, "dtype"))) == 0;
}

static int tree_fits(nn_hdf5 *f, const nn_json *tree) {
  const nn_json *items = nn_json_get(tree, "items");
  const nn_hdf5_object *root = nn_hdf5_root(f);
  if (!attributes_fit(root, nn_json_get(tree, "attributes"))) return 0;
  if (objects_below(root) != items->size) return 0;
  for (const nn_json *c = items->first; c; c = c->next) {
    const nn_hdf5_object *o = nn_hdf5_find(root, nn_json_text(nn_json_get(c, "path")));
    int dataset = strcmp(nn_json_text(nn_json_get(c, "kind")), "dataset") == 0;
    if (!o || !attributes_fit(o, nn_json_get(c, "attributes"))) return 0;
    if (dataset ? !dataset_fits(o, c) : o->kind != NN_HDF5_GROUP) return 0;
  }
  return 1;
}

/* ---- the weights of a case ---- */

static int numbers_fit(nn_hdf5 *f, const nn_hdf5_value *v, const nn_json *data) {
  size_t n = (size_t)nn_shape_size(&v->shape), i = 0;
  nn_error e;
  if (n != data->size) return 0;
  void *out = nn_mem_new(&A, nn_shape_bytes(&v->shape));
  int good = !nn_hdf5_read(f, v, out, &e);
  nn_tensor t;
  nn_tensor_init(&t, &v->shape, out);
  for (const nn_json *c = data->first; c && good; c = c->next, i++)
    good = nn_tensor_get(&t, (int64_t)i) == (double)(float)case_number(c);
  nn_mem_free(&A, out);
  return good;
}

/* Some dataset in the file holds exactly these numbers in this shape. */
static int somewhere(nn_hdf5 *f, const nn_hdf5_object *o, const nn_json *data) {
  if (o->kind == NN_HDF5_DATASET) return numbers_fit(f, &o->value, data);
  for (size_t i = 0; i < o->children; i++)
    if (somewhere(f, &o->child[i], data)) return 1;
  return 0;
}

static int weights_fit(nn_hdf5 *f, const nn_json *weights) {
  for (const nn_json *w = weights->first; w; w = w->next)
    if (!somewhere(f, nn_hdf5_root(f), nn_json_get(nn_json_get(w, "value"), "data"))) return 0;
  return 1;
}

static void file_check(const char *folder, const char *id, const char *ending, const nn_json *tree,
                       const nn_json *weights) {
  char path[PATH_ROOM], name[128];
  nn_error e = {NN_OK, ""};
  opened o;
  snprintf(name, sizeof name, "%s%s", id, ending);
  nn_status st = open_file(&o, path_in(path, folder, name), &e);
  int good = !st && (!tree || tree_fits(o.file, tree)) && weights_fit(o.file, weights);
  tap_ok(good, "%s: tree and weights%s%s", name, st ? ": " : "", e.text);
  if (!st) close_file(&o);
}

static void keras_files(const char *folder) {
  static const char *const ids[] = {
      "amsgrad", "batchnorm", "bi-gru", "blog-mlp", "conv", "embedding", "lstm", "nested",
      "regularized", "schedule", "sgd-momentum", "shared-layernorm", "two-inputs", "two-outputs",
      "uncompiled"};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    char path[PATH_ROOM], name[128];
    nn_json_doc d;
    snprintf(name, sizeof name, "%s.json", ids[i]);
    if (!json_load(&A, &d, path_in(path, folder, name))) continue;
    const nn_json *weights = nn_json_get(d.root, "weights");
    const nn_json *tree = nn_json_get(d.root, "weights_h5_tree");
    file_check(folder, ids[i], ".weights.h5", tree, weights);
    file_check(folder, ids[i], ".h5", nn_json_get(d.root, "h5_tree"), weights);
    file_check(folder, ids[i], ".keras", NULL, weights);
    nn_json_clear(&d);
  }
}

static void damaged_files(const char *folder) {
  static const struct {
    const char *file, *says;
  } cases[] = {{"truncated.keras", "zip"},
               {"truncated.weights.h5", "truncated"},
               {"truncated.h5", "truncated"},
               {"empty.keras", "zip"},
               {"bit-flip-signature.weights.h5", "signature"},
               {"missing-weights.keras", "model.weights.h5"},
               {"declared-huge.keras", "sizes disagree"},
               {"declared-huge.weights.h5", "limit"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[PATH_ROOM], full[PATH_ROOM];
    nn_error e = {NN_OK, ""};
    opened o;
    path_in(full, folder, "damaged");
    nn_status st = open_file(&o, path_in(path, full, cases[i].file), &e);
    tap_ok(st && strstr(e.text, cases[i].says), "%s: %s", cases[i].file, e.text);
    if (!st) close_file(&o);
  }
}

/* ---- what the writer writes ---- */

static float KERNEL[6] = {1, -2, 0.5f, 4, 5, 6};

static nn_hdf5_writer *model_put(nn_alloc *a) {
  static int32_t step = -7;
  static uint8_t flags[3] = {0, 1, 1};
  static const char *const names[] = {"dense", "d\xC3\xA9pth", ""};
  nn_shape kernel = {NN_F32, 2, {2, 3}}, scalar = {NN_I32, 0, {0}}, three = {NN_U8, 1, {3}};
  nn_tensor k, s, b;
  nn_hdf5_writer *w = nn_hdf5_writer_new(a);
  if (!w) return NULL;
  nn_tensor_init(&k, &kernel, KERNEL);
  nn_tensor_init(&s, &scalar, &step);
  nn_tensor_init(&b, &three, flags);
  nn_hdf5_put_tensor(w, "optimizer/vars/0", &s, NN_ELEMENT_I64);
  nn_hdf5_put_tensor(w, "layers/dense/vars/0", &k, NN_ELEMENT_F32);
  nn_hdf5_put_tensor(w, "layers/dense/vars/1", &b, NN_ELEMENT_BOOL);
  nn_hdf5_put_text(w, "layers/dense/vars", "name", "dense", 5);
  nn_hdf5_put_texts(w, "", "layer_names", names, 3);
  nn_hdf5_put_texts(w, "", "none", names, 0);
  nn_hdf5_put_integer(w, "", "count", -3);
  nn_hdf5_put_group(w, "vars");
  return w;
}

static nn_status write_small(nn_alloc *a) {
  nn_hdf5_writer *w = model_put(a);
  uint8_t *bytes = NULL;
  size_t n;
  nn_status st = w ? nn_hdf5_writer_bytes(w, &bytes, &n, NULL) : NN_ERR_MEMORY;
  nn_hdf5 *f = NULL;
  if (!st) st = nn_hdf5_open(&f, a, "w", bytes, n, NULL, NULL);
  if (!st) {
    float out[6];
    const nn_hdf5_object *k = nn_hdf5_find(nn_hdf5_root(f), "layers/dense/vars/0");
    const char *text;
    st = nn_hdf5_read(f, &k->value, out, NULL);
    if (!st)
      st = nn_hdf5_text(f, nn_hdf5_attribute(nn_hdf5_root(f), "layer_names"), 1, &text, &n, NULL);
  }
  nn_hdf5_close(f);
  nn_mem_free(a, bytes);
  nn_hdf5_writer_free(w);
  return st;
}

static void text_check(nn_hdf5 *f, const nn_hdf5_object *o, const char *name, size_t i,
                       const char *want) {
  const char *text = "";
  size_t n = 0;
  nn_error e;
  const nn_hdf5_value *v = nn_hdf5_attribute(o, name);
  int good = v && !nn_hdf5_text(f, v, i, &text, &n, &e) && n == strlen(want);
  tap_ok(good && memcmp(text, want, n) == 0, "attribute %s is \"%s\"", name, want);
}

static void written_file(void) {
  nn_hdf5_writer *w = model_put(&A), *again = model_put(&A);
  uint8_t *bytes = NULL, *same = NULL;
  size_t n = 0, same_n = 0;
  nn_hdf5 *f = NULL;
  nn_error e = {NN_OK, ""};
  nn_hdf5_writer_bytes(w, &bytes, &n, &e);
  nn_hdf5_writer_bytes(again, &same, &same_n, &e);
  tap_ok(n == same_n && memcmp(bytes, same, n) == 0, "the same tree gives the same bytes");
  if (!tap_ok(!nn_hdf5_open(&f, &A, "w", bytes, n, NULL, &e), "the reader reads it %s", e.text))
    return;
  const nn_hdf5_object *root = nn_hdf5_root(f), *vars = nn_hdf5_find(root, "layers/dense/vars");
  float out[6];
  uint8_t flags[3];
  double number = 0;
  nn_hdf5_read(f, &nn_hdf5_find(vars, "0")->value, out, &e);
  nn_hdf5_read(f, &nn_hdf5_find(vars, "1")->value, flags, &e);
  tap_ok(memcmp(out, KERNEL, sizeof out) == 0, "float32 came back");
  tap_ok(flags[0] == 0 && flags[1] == 1 && flags[2] == 1, "booleans came back");
  nn_hdf5_number(f, &nn_hdf5_find(root, "optimizer/vars/0")->value, 0, &number, &e);
  tap_near(-7, number, 0, "an int64 came back");
  nn_hdf5_number(f, nn_hdf5_attribute(root, "count"), 0, &number, &e);
  tap_near(-3, number, 0, "a whole-number attribute came back");
  text_check(f, vars, "name", 0, "dense");
  text_check(f, root, "layer_names", 1, "d\xC3\xA9pth");
  text_check(f, root, "layer_names", 2, "");
  tap_ok(nn_shape_size(&nn_hdf5_attribute(root, "none")->shape) == 0, "an empty list came back");
  nn_hdf5_close(f);
  nn_hdf5_writer_free(w);
  nn_hdf5_writer_free(again);
  /* every cut is an error, and every flipped bit is an error or at least harmless */
  size_t opened_cut = 0;
  for (size_t cut = 0; cut < n; cut += 7)
    if (!nn_hdf5_open(&f, &A, "cut", bytes, cut, NULL, &e)) opened_cut++, nn_hdf5_close(f);
  tap_ok(opened_cut == 0, "no truncated file opens");
  for (size_t bit = 0; bit < n * 8; bit += 3) {
    bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
    if (!nn_hdf5_open(&f, &A, "bit", bytes, n, NULL, &e)) nn_hdf5_close(f);
    bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
  }
  nn_mem_free(&A, bytes);
  nn_mem_free(&A, same);
}

int main(void) {
  char folder[PATH_ROOM];
  nn_alloc_init(&A, NULL, NULL, 0);
  if (shared_root()) {
    path_in(folder, shared_root(), "conformance/training/files");
    keras_files(folder);
    damaged_files(folder);
  } else {
    tap_ok(1, "files of Keras # skipped: no ../shared");
  }
  written_file();
  each_allocation_fails(write_small, "HDF5 writer and reader");
  tap_ok(A.used == 0, "all memory came back");
  return tap_done();
}
