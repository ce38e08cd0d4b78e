/* Numbers as text, JSON, safetensors, npy, npz, IDX, zip and atomic files: what is written reads
 * back, known bytes read as they should, damaged ones give the errors they should. */
#include <zlib.h>

#include "io/idx.h"
#include "io/npz.h"
#include "io/number.h"
#include "io/safetensors.h"
#include "shared.h"

static nn_alloc A;

/* ---- numbers ---- */

static uint64_t state = 88172645463325252u;

static uint64_t random_bits(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}

/* The C library's strtod is the reference. */
static void numbers(void) {
  static const int digits[] = {17, 3, 26, 20, 15};
  nn_number_style style = {'.', 0};
  int bad = 0, lost = 0;
  for (int i = 0; i < 100000; i++) {
    char text[400], short_text[NN_NUMBER_TEXT];
    double v, got = 0, back = 0;
    uint64_t bits = random_bits();
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v)) continue;
    int n = snprintf(text, sizeof text, i % 2 ? "%.*g" : "%.*e", digits[i % 5], v);
    if (n >= (int)sizeof text) continue;
    int huge = isinf(strtod(text, NULL));
    nn_number_result r = nn_number_parse(&got, text, (size_t)n, style);
    bad += huge ? r != NN_NUMBER_TOO_BIG : r != NN_NUMBER_OK || got != strtod(text, NULL);
    size_t m = nn_number_write(short_text, v);
    lost += nn_number_parse(&back, short_text, m, style) != NN_NUMBER_OK || back != v;
  }
  tap_ok(bad == 0, "numbers read as strtod reads them");
  tap_ok(lost == 0, "written numbers read back");
  char text[NN_NUMBER_TEXT];
  static const struct {
    double v;
    const char *text;
  } pairs[] = {{0.1, "0.1"},   {1e16, "1e+16"}, {1e15, "1000000000000000.0"}, {-0.0, "-0.0"},
               {1e-5, "1e-05"}, {5e-324, "5e-324"}, {0.0001, "0.0001"}, {123456.75, "123456.75"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    nn_number_write(text, pairs[i].v);
    tap_same(pairs[i].text, text, "a number as Python writes it");
  }
}

/* ---- JSON ---- */

static void json_error(const char *text, const char *want) {
  nn_json_doc d;
  nn_error e = {NN_OK, ""};
  nn_limits limits = {0, 0, 4};
  nn_json_parse(&d, &A, "c.json", text, strlen(text), &limits, &e);
  tap_same(want, e.text, "a JSON error");
  nn_json_clear(&d);
}

static void json_round(const char *text, int flags, const char *want) {
  nn_json_doc d;
  nn_stream s;
  nn_json_writer w;
  nn_error e = {NN_OK, ""};
  uint8_t *out = NULL;
  size_t n = 0;
  if (nn_json_parse(&d, &A, "c.json", text, strlen(text), NULL, &e)) {
    tap_ok(0, "%s", e.text);
    return;
  }
  nn_stream_grow(&s, &A, "out", &e);
  nn_json_writer_init(&w, &s, flags);
  nn_json_write(&w, d.root);
  nn_stream_take(&s, &out, &n, &e);
  tap_same(want, (char *)out, "JSON read and written");
  nn_mem_free(&A, out);
  nn_json_clear(&d);
}

static void json(void) {
  json_round(" {\"b\" : [1, -2.50, 1e3, NaN, -Infinity, 9223372036854775807, 9223372036854775808],"
             "\"a\":{\"x\":null,\"\\u00e9\\ud83d\\ude00\\n\":true}, \"\":[]} ", 0,
             "{\"b\":[1,-2.5,1000.0,NaN,-Infinity,9223372036854775807,9.223372036854776e+18],"
             "\"a\":{\"x\":null,\"\xC3\xA9\xF0\x9F\x98\x80\\n\":true},\"\":[]}");
  json_round("{\"k\":[\"\xC3\xA9\xF0\x9F\x98\x80\\u0001\"]}", NN_JSON_SPACED | NN_JSON_ASCII,
             "{\"k\": [\"\\u00e9\\ud83d\\ude00\\u0001\"]}");
  json_error("{\"a\":1,\n\"a\":2}", "c.json: the key \"a\" stands twice in one object");
  json_error("[1,\n2,]", "c.json: line 2, column 3: not a value");
  json_error("[[[[[]]]]]", "c.json: nested deeper than the limit of 4");
  json_error("\"\xC3\"", "c.json: line 1, column 2: text is not UTF-8");
  json_error("\"\\ud800\"", "c.json: line 1, column 2: half of a surrogate pair");
  json_error("01", "c.json: line 1, column 1: not a value");
  json_error("{\"a\":\"b", "c.json: line 1, column 6: text is not closed");
  json_error("1 2", "c.json: line 1, column 3: more text after the value");
  json_error("", "c.json: line 1, column 1: ends before the value is complete");
}

/* ---- tensors ---- */

static float FLOATS[6] = {1, -2, 0.5f, 4, INFINITY, 6};
static int32_t WHOLE[3] = {-1, 0, 2147483647};
static uint8_t BYTES[4] = {0, 1, 128, 255};

static void tensors_make(nn_named_tensor t[3]) {
  nn_shape f = {NN_F32, 2, {2, 3}}, i = {NN_I32, 1, {3}}, b = {NN_U8, 3, {2, 1, 2}};
  t[0].name = "z/kernel", t[1].name = "a", t[2].name = "m";
  nn_tensor_init(&t[0].tensor, &f, FLOATS);
  nn_tensor_init(&t[1].tensor, &i, WHOLE);
  nn_tensor_init(&t[2].tensor, &b, BYTES);
}

static int same_tensor(const nn_shape *shape, const void *data, const nn_tensor *want) {
  return nn_shape_same(shape, &want->shape) && shape->dtype == want->shape.dtype &&
         memcmp(data, want->data, nn_shape_bytes(shape)) == 0;
}

static nn_status safetensors_bytes(nn_alloc *a, uint8_t **bytes, size_t *n, nn_error *e) {
  static const nn_text_pair metadata[] = {{"format", "keras", 5}, {"a", "\"", 1}};
  nn_named_tensor t[3];
  nn_stream s;
  tensors_make(t);
  nn_status st = nn_stream_grow(&s, a, "out", e);
  if (st) return st;
  nn_safetensors_write(&s, t, 3, metadata, 2, NULL);
  return nn_stream_take(&s, bytes, n, e);
}

static nn_status safetensors_round(nn_alloc *a) {
  uint8_t *bytes = NULL;
  size_t n = 0;
  nn_safetensors f;
  float out[6];
  nn_status st = safetensors_bytes(a, &bytes, &n, NULL);
  if (!st) st = nn_safetensors_open_memory(&f, a, "s", bytes, n, NULL, NULL);
  if (!st) {
    st = nn_safetensors_read(&f, nn_safetensors_find(&f, "z/kernel"), out, NULL);
    nn_safetensors_close(&f);
  }
  nn_mem_free(a, bytes);
  return st;
}

static void safetensors(void) {
  static const char header[] =
      "{\"__metadata__\":{\"a\":\"\\\"\",\"format\":\"keras\"},"
      "\"a\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,12]},"
      "\"m\":{\"dtype\":\"U8\",\"shape\":[2,1,2],\"data_offsets\":[36,40]},"
      "\"z/kernel\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[12,36]}}";
  uint8_t *bytes = NULL, out[64];
  size_t n = 0;
  nn_error e = {NN_OK, ""};
  nn_safetensors f;
  nn_named_tensor t[3];
  tensors_make(t);
  safetensors_bytes(&A, &bytes, &n, &e);
  tap_ok(memcmp(bytes + 8, header, sizeof header - 1) == 0, "the header of safetensors");
  tap_ok(bytes[0] % 8 == 0, "its length is a multiple of eight");
  nn_safetensors_open_memory(&f, &A, "s", bytes, n, NULL, &e);
  for (int i = 0; i < 3; i++) {
    const nn_safetensors_entry *entry = nn_safetensors_find(&f, t[i].name);
    nn_safetensors_read(&f, entry, out, &e);
    tap_ok(same_tensor(&entry->shape, out, &t[i].tensor), "%s came back", t[i].name);
  }
  tap_same("keras", nn_json_text(nn_json_get(f.metadata, "format")), "metadata came back");
  nn_safetensors_close(&f);
  size_t opened = 0;
  for (size_t cut = 0; cut < n; cut++)
    if (!nn_safetensors_open_memory(&f, &A, "s", bytes, cut, NULL, &e))
      opened++, nn_safetensors_close(&f);
  tap_ok(opened == 0, "no truncated safetensors opens");
  nn_mem_free(&A, bytes);
  nn_named_tensor twice[2] = {t[0], t[0]};
  nn_stream s;
  nn_stream_grow(&s, &A, "out", &e);
  nn_safetensors_write(&s, twice, 2, NULL, 0, NULL);
  tap_ok(strstr(s.error.text, "given twice") != NULL, "a name given twice is an error");
  nn_stream_close(&s);
  each_allocation_fails(safetensors_round, "safetensors");
}

static void npy_error(const char *header, size_t data, const char *says) {
  nn_stream s;
  nn_npy h;
  nn_error e;
  uint8_t bytes[400] = "\x93NUMPY\x01";
  size_t n = strlen(header);
  bytes[8] = (uint8_t)n;
  memcpy(bytes + 10, header, n);
  nn_stream_memory(&s, &A, "x.npy", bytes, 10 + n + data, &e);
  nn_npy_header(&s, &h, NULL);
  tap_ok(strstr(s.error.text, says) != NULL, "npy: %s", s.error.text);
  nn_stream_close(&s);
}

/* Columns first in the file, big-endian float64. */
static void npy_fortran(void) {
  static const char text[] = "{'shape': (2, 2), 'fortran_order': True, 'descr': '>f8'}\n";
  uint8_t bytes[200] = "\x93NUMPY\x02";
  static const double in[4] = {1, 3, 2, 4};
  float out[4] = {0};
  nn_stream s;
  nn_npy h;
  nn_error e;
  size_t n = sizeof text - 1;
  bytes[8] = (uint8_t)n;
  memcpy(bytes + 12, text, n);
  for (int i = 0; i < 4; i++) {
    uint64_t v;
    memcpy(&v, &in[i], 8);
    for (int k = 0; k < 8; k++) bytes[12 + n + 8 * i + k] = (uint8_t)(v >> (56 - 8 * k));
  }
  nn_stream_memory(&s, &A, "x.npy", bytes, 12 + n + 32, &e);
  nn_npy_header(&s, &h, NULL);
  nn_npy_read(&s, &h, out);
  tap_ok(out[0] == 1 && out[1] == 2 && out[2] == 3 && out[3] == 4, "npy: columns first, >f8");
  nn_stream_close(&s);
}

static void npy(void) {
  npy_error("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, "descr '|O'");
  npy_error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "records");
  npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 4, "needs 8 bytes");
  npy_error("{'descr': '<f4', 'shape': (2,)}", 8, "a key is missing");
  npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999, 9999999999)}", 8,
            "does not fit in memory");
  npy_error("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 8, "whole numbers");
  npy_fortran();
}

static nn_status npz_round(nn_alloc *a) {
  nn_named_tensor t[3];
  nn_stream s;
  nn_npz f;
  uint8_t *bytes = NULL, out[64];
  size_t n = 0;
  tensors_make(t);
  nn_status st = nn_stream_grow(&s, a, "out", NULL);
  if (st) return st;
  nn_npz_write(&s, t, 3);
  st = nn_stream_take(&s, &bytes, &n, NULL);
  if (!st) st = nn_npz_open_memory(&f, a, "x.npz", bytes, n, NULL, NULL);
  if (!st) {
    for (size_t i = 0; i < f.count && !st; i++) {
      st = nn_npz_load(&f, i, NULL);
      if (!st) st = nn_npz_read(&f, out, NULL);
    }
    nn_npz_close(&f);
  }
  nn_mem_free(a, bytes);
  return st;
}

static void npz(void) {
  nn_named_tensor t[3];
  nn_stream s;
  nn_npz f;
  nn_error e = {NN_OK, ""};
  uint8_t *bytes = NULL, out[64];
  size_t n = 0;
  tensors_make(t);
  nn_stream_grow(&s, &A, "out", &e);
  nn_npz_write(&s, t, 3);
  nn_stream_take(&s, &bytes, &n, &e);
  tap_ok(!nn_npz_open_memory(&f, &A, "x.npz", bytes, n, NULL, &e) && f.count == 3, "npz opens");
  static const int order[] = {1, 2, 0};
  for (size_t i = 0; i < 3; i++) {
    const nn_named_tensor *want = &t[order[i]];
    nn_npz_load(&f, i, &e);
    nn_shape shape = f.npy.shape;
    nn_npz_read(&f, out, &e);
    tap_ok(strcmp(f.name[i], want->name) == 0 && same_tensor(&shape, out, &want->tensor),
           "npz: %s came back", want->name);
  }
  nn_npz_close(&f);
  bytes[80] ^= 1; /* inside the first member */
  nn_npz_open_memory(&f, &A, "x.npz", bytes, n, NULL, &e);
  tap_ok(nn_npz_load(&f, 0, &e) && strstr(e.text, "checksum"), "npz: %s", e.text);
  nn_npz_close(&f);
  nn_mem_free(&A, bytes);
  each_allocation_fails(npz_round, "npz");
}

static void idx_check(const uint8_t *bytes, size_t n, const char *what) {
  nn_idx f;
  nn_error e = {NN_OK, ""};
  int32_t out[2] = {0};
  nn_status st = nn_idx_open_memory(&f, &A, "x", bytes, n, NULL, &e);
  if (!st) st = nn_idx_read(&f, out, &e);
  tap_ok(!st && out[0] == -2 && out[1] == 258 && f.shape.ndim == 1, "IDX %s %s", what, e.text);
  nn_idx_close(&f);
}

static void idx(void) {
  static const uint8_t plain[] = {0, 0, 0x0B, 1, 0, 0, 0, 2, 0xFF, 0xFE, 1, 2};
  uint8_t packed[200];
  z_stream z;
  nn_idx f;
  nn_error e;
  memset(&z, 0, sizeof z);
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = (Bytef *)(uintptr_t)plain, z.avail_in = sizeof plain;
  z.next_out = packed, z.avail_out = sizeof packed;
  deflate(&z, Z_FINISH);
  size_t n = sizeof packed - z.avail_out;
  deflateEnd(&z);
  idx_check(plain, sizeof plain, "plain");
  idx_check(packed, n, "compressed");
  tap_ok(nn_idx_open_memory(&f, &A, "x", plain, sizeof plain - 1, NULL, &e), "IDX: %s", e.text);
  nn_idx_open_memory(&f, &A, "x", packed, n - 1, NULL, &e);
  int32_t out[2];
  tap_ok(nn_idx_read(&f, out, &e), "IDX: %s", e.text);
  nn_idx_close(&f);
}

/* ---- the damaged files ---- */

static nn_status config_read(const char *path, nn_error *e) {
  nn_zip *z = NULL;
  nn_json_doc d = {NULL, NULL, NULL};
  uint8_t *bytes = NULL;
  size_t n = 0, i = 0;
  nn_status st = nn_zip_open(&z, &A, path, NULL, e);
  if (!st && !nn_zip_find(z, "config.json", &i)) st = nn_fail(e, NN_ERR_FORMAT, "no config.json");
  if (!st) st = nn_zip_read(z, i, &bytes, &n, e);
  if (!st) st = nn_json_parse(&d, &A, "config.json", bytes, n, NULL, e);
  if (d.alloc) nn_json_clear(&d);
  nn_mem_free(&A, bytes);
  nn_zip_close(z);
  return st;
}

static void damaged(void) {
  static const struct {
    const char *file, *says;
  } cases[] = {{"truncated.keras", "zip"},
               {"empty.keras", "zip"},
               {"bit-flip-member.keras", "checksum"},
               {"missing-config.keras", "config.json"},
               {"config-not-json.keras", "line 1, column 394"},
               {"config-deep.keras", "nested deeper"},
               {"config-blanks.keras", "100-fold"},
               {"header-too-long.safetensors", "claims"},
               {"offsets-outside.safetensors", "outside the file"},
               {"truncated.safetensors", "outside the file"}};
  char folder[PATH_ROOM], path[PATH_ROOM];
  if (!shared_root()) {
    tap_ok(1, "damaged files # skipped: no ../shared");
    return;
  }
  path_in(folder, shared_root(), "conformance/training/files/damaged");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nn_error e = {NN_OK, ""};
    nn_safetensors f;
    path_in(path, folder, cases[i].file);
    nn_status st = strstr(path, ".keras") ? config_read(path, &e)
                                          : nn_safetensors_open(&f, &A, path, NULL, &e);
    tap_ok(st && strstr(e.text, cases[i].says), "%s: %s", cases[i].file, e.text);
  }
}

/* ---- atomic files ---- */

static void atomic(void) {
  char folder[] = "/tmp/nnlua-io-XXXXXX", path[PATH_ROOM], missing[PATH_ROOM];
  nn_error e = {NN_OK, ""};
  nn_stream s;
  uint8_t *bytes = NULL;
  size_t n = 0;
  if (!mkdtemp(folder)) return;
  path_in(path, folder, "f");
  nn_file_save(&A, path, "old", 3, &e);
  nn_stream_create(&s, &A, path, &e);
  nn_stream_write(&s, "newer", 5);
  char beside[PATH_ROOM];
  snprintf(beside, sizeof beside, "%.2000s", s.temporary);
  tap_ok(access(beside, F_OK) == 0, "a temporary file stands beside");
  nn_stream_close(&s);
  tap_ok(access(beside, F_OK) != 0, "an abandoned file is removed");
  nn_file_load(&A, path, NULL, &bytes, &n, &e);
  tap_ok(n == 3 && memcmp(bytes, "old", 3) == 0, "and the old one is untouched");
  nn_mem_free(&A, bytes);
  tap_ok(!nn_file_save(&A, path, "newer", 5, &e), "a file is replaced %s", e.text);
  nn_limits limits = {4, 0, 0};
  tap_ok(nn_file_load(&A, path, &limits, &bytes, &n, &e) == NN_ERR_LIMIT, "limit: %s", e.text);
  tap_ok(nn_file_load(&A, folder, NULL, &bytes, &n, &e) == NN_ERR_IO, "folder: %s", e.text);
  tap_ok(nn_file_save(&A, path_in(missing, folder, "no/f"), "x", 1, &e) == NN_ERR_IO, "%s", e.text);
  unlink(path);
  rmdir(folder);
}

int main(void) {
  nn_alloc_init(&A, NULL, NULL, 0);
  numbers();
  json();
  safetensors();
  npy();
  npz();
  idx();
  damaged();
  atomic();
  tap_ok(A.used == 0, "all memory came back");
  return tap_done();
}
