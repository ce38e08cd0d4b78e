/* CSV files in portions: a window that moves, a thread that parses ahead, columns, mapped files. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/column.h"
#include "io/csv_ahead.h"
#include "io/map.h"
#include "shared.h"

static char path[64];

enum { ROWS = 60000 }; /* more than a window of 1 MiB */

static void file_write(const char *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  fwrite(bytes, 1, n, f);
  fclose(f);
}

static void csv_write(void) {
  FILE *f = fopen(path, "wb");
  fputs("id,text\r\n", f);
  for (int i = 0; i < ROWS; i++) fprintf(f, "%d,\"a \"\"%d\"\"\r\nwith lines\"\r\n", i, i % 7);
  fclose(f);
}

static nn_status portions_read(nn_alloc *a, size_t rows, size_t *total) {
  nn_csv_reader *r;
  nn_csv_table t;
  nn_error e;
  nn_status st = nn_csv_open(&r, a, path, NULL, NULL, &e);
  *total = 0;
  if (st) return st;
  do {
    st = nn_csv_next(r, rows, &t, &e);
    for (size_t i = 0; !st && i < t.rows; i++)
      if (t.column[0].number[i] != (double)(*total + i)) st = NN_ERR_DATA;
    if (!st) *total += t.rows;
    if (!st && t.rows == 0) break;
    nn_csv_clear(&t);
  } while (!st);
  nn_csv_clear(&t);
  nn_csv_close(r);
  return st;
}

static nn_status read_all_rows(nn_alloc *a) {
  size_t total;
  nn_status st = portions_read(a, 20011, &total);
  return st ? st : total == ROWS ? NN_OK : NN_ERR_DATA;
}

static void window(void) {
  nn_alloc a;
  size_t total;
  nn_alloc_init(&a, NULL, NULL, 0);
  csv_write();
  tap_ok(!portions_read(&a, 1000, &total) && total == ROWS, "a file of two windows");
  tap_ok(a.peak < 3 << 20, "its memory is the window's: %zu bytes", a.peak);
  each_allocation_fails(read_all_rows, "portions");
}

static void ahead(int threaded) {
  nn_csv_ahead r;
  nn_csv_table t;
  nn_error e;
  size_t total = 0;
  nn_status st = nn_csv_ahead_open(&r, path, NULL, 7000, threaded, 0, &e);
  while (!st && !(st = nn_csv_ahead_next(&r, &t, &e)) && t.rows > 0) {
    if (t.column[0].number[0] != (double)total) st = NN_ERR_DATA;
    total += t.rows;
    nn_csv_clear(&t);
  }
  if (!st) nn_csv_clear(&t);
  nn_csv_ahead_close(&r);
  tap_ok(!st && total == ROWS && r.alloc.used == 0, "portions ahead, threaded %d", threaded);
  st = nn_csv_ahead_open(&r, path, NULL, 7000, threaded, 0, &e);
  if (!st) st = nn_csv_ahead_next(&r, &t, &e);
  nn_csv_clear(&t);
  nn_csv_ahead_close(&r);
  nn_csv_ahead_close(&r);
  tap_ok(!st && r.alloc.used == 0, "closed in the middle, threaded %d", threaded);
}

static void columns(void) {
  double x[] = {1, NAN, 4, 1};
  float out[8];
  nn_shape s = {.dtype = NN_F32, .ndim = 2, .dim = {4, 2}};
  nn_tensor t;
  nn_column_fit f = nn_column_fit_of(x, 4);
  tap_ok(f.fill == 2 && f.mean == 2 && !f.zero_one, "the mean of the cells present");
  tap_ok(fabs(f.sd - sqrt(1.5)) < 1e-15, "the deviation after filling");
  nn_tensor_init(&t, &s, out);
  double whole[] = {5, 6, 7, NAN};
  const double *both[] = {whole, x};
  int64_t k = -1, row = -1;
  tap_ok(!nn_columns_pack(&t, both, &k, &row) && k == 0 && row == 3, "the first gap is told");
  whole[3] = 8;
  tap_ok(!nn_columns_pack(&t, both, &k, &row) && k == 1 && row == 1, "in the second column too");
  nn_column_scale(x, x, 4, f.fill, f.mean, f.sd);
  tap_ok(x[1] == 0 && nn_columns_pack(&t, both, &k, &row) && out[3] == 0 && out[6] == 8,
         "filled, scaled, side by side");
  nn_column_fit none = nn_column_fit_of(x, 0);
  tap_ok(none.mean == 0 && none.sd == 0, "no rows");
}

static nn_status map_it(nn_alloc *a) {
  nn_map m;
  nn_status st = nn_map_idx(&m, a, path, NULL);
  if (!st) nn_map_close(&m);
  return st;
}

static void mapped(void) {
  static const char idx[] = "\0\0\10\1\0\0\0\3abc";
  nn_alloc a;
  nn_map m;
  nn_error e;
  nn_alloc_init(&a, NULL, NULL, 0);
  file_write(idx, sizeof idx - 1);
  nn_status st = nn_map_idx(&m, &a, path, &e);
  tap_ok(!st && m.shape.dim[0] == 3 && memcmp(m.data, "abc", 3) == 0, "an IDX file is mapped");
  ((char *)m.data)[0] = 'x';
  nn_map_close(&m);
  nn_map_close(&m);
  st = nn_map_idx(&m, &a, path, &e);
  tap_ok(!st && memcmp(m.data, "abc", 3) == 0, "nothing is written to the file");
  nn_map_close(&m);
  each_allocation_fails(map_it, "map");
  file_write(idx, sizeof idx - 2);
  tap_ok(nn_map_idx(&m, &a, path, &e) == NN_ERR_FORMAT && a.used == 0, "a short file is refused");
  tap_ok(nn_map_npy(&m, &a, path, &e) == NN_ERR_FORMAT && a.used == 0, "IDX is no npy");
}

int main(void) {
  snprintf(path, sizeof path, "/tmp/nnlua-portions-%ld", (long)getpid());
  window();
  ahead(0);
  ahead(1);
  columns();
  mapped();
  remove(path);
  return tap_done();
}
