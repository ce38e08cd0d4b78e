#include "io/zip.h"

#include <stdlib.h>
#include <string.h>

#include "io/zip_library.h"

enum { RATIO_FREE = 1 << 24, RATIO_MOST = 100, DEFLATE_MOST = 1040 };

typedef struct member {
  const char *name; /* borrowed: libzip's */
  uint64_t index, size, packed;
  int method, encrypted, complete;
} member;

struct nn_zip {
  nn_alloc *alloc; /* borrowed */
  char *name;      /* owned: of the archive, for errors */
  zip_t *zip;      /* owned */
  zip_library lib;
  nn_limits limits;
  uint64_t archive_size;
  size_t count;
  member *member;   /* owned: in the order of the archive */
  member **by_name; /* owned: pointers into `member`, sorted by name */
};

static nn_status fail(const nn_zip *z, nn_status code, nn_error *e, const char *what,
                      const char *member_name) {
  if (!member_name) return nn_fail(e, code, "%.200s: %s", z->name, what);
  return nn_fail(e, code, "%.200s: member \"%.80s\": %s", z->name, member_name, what);
}

static int name_compare(const void *a, const void *b) {
  return strcmp((*(member *const *)a)->name, (*(member *const *)b)->name);
}

static nn_status members_sort(nn_zip *z, nn_error *e) {
  for (size_t i = 0; i < z->count; i++) z->by_name[i] = &z->member[i];
  qsort(z->by_name, z->count, sizeof *z->by_name, name_compare);
  for (size_t i = 1; i < z->count; i++) {
    const char *name = z->by_name[i]->name;
    if (strcmp(z->by_name[i - 1]->name, name) == 0)
      return fail(z, NN_ERR_FORMAT, e, "stands twice in the archive", name);
  }
  return NN_OK;
}

static nn_status members_read(nn_zip *z, nn_error *e) {
  zip_int64_t count = z->lib.zip_get_num_entries(z->zip, 0);
  if (count < 0 || (uint64_t)count > z->limits.tensors)
    return fail(z, NN_ERR_LIMIT, e, "has more members than the limit allows", NULL);
  z->member = nn_mem_new(z->alloc, nn_size_mul((size_t)count, sizeof *z->member));
  z->by_name = nn_mem_new(z->alloc, nn_size_mul((size_t)count, sizeof *z->by_name));
  if (!z->member || !z->by_name) return fail(z, NN_ERR_MEMORY, e, "out of memory", NULL);
  const zip_uint64_t needed =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  for (zip_int64_t i = 0; i < count; i++) {
    member *m = &z->member[i];
    zip_stat_t about;
    m->name = z->lib.zip_get_name(z->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    m->index = (uint64_t)i;
    if (!m->name || z->lib.zip_stat_index(z->zip, (zip_uint64_t)i, 0, &about) != 0)
      return fail(z, NN_ERR_FORMAT, e, z->lib.zip_strerror(z->zip), NULL);
    m->complete = (about.valid & needed) == needed;
    m->size = about.size, m->packed = about.comp_size;
    m->method = about.comp_method, m->encrypted = about.encryption_method != ZIP_EM_NONE;
    z->count++;
  }
  return members_sort(z, e);
}

static nn_status begin(nn_zip **out, nn_zip **unfinished, nn_alloc *a, const char *name,
                       const nn_limits *limits, nn_error *e) {
  size_t n = strlen(name);
  nn_zip *z = nn_mem_new(a, sizeof *z);
  *out = NULL;
  *unfinished = z;
  if (z) z->name = nn_mem_new(a, n + 1);
  if (!z || !z->name) {
    nn_mem_free(a, z);
    return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
  }
  memcpy(z->name, name, n);
  z->alloc = a;
  z->limits = nn_limits_of(limits);
  nn_status st = nn_zip_library_load(&z->lib, e);
  if (st) nn_zip_close(z);
  return st;
}

/* Takes `source` over. */
static nn_status open_source(nn_zip **out, nn_zip *z, zip_source_t *source, zip_error_t *error,
                             nn_error *e) {
  zip_stat_t about;
  if (source && z->lib.zip_source_stat(source, &about) == 0 && about.valid & ZIP_STAT_SIZE)
    z->archive_size = about.size;
  if (source) z->zip = z->lib.zip_open_from_source(source, ZIP_RDONLY, error);
  nn_status st = NN_OK;
  if (!z->zip) {
    z->lib.zip_source_free(source);
    int memory = z->lib.zip_error_code_zip(error) == ZIP_ER_MEMORY;
    int no_zip = z->lib.zip_error_code_zip(error) == ZIP_ER_NOZIP;
    st = fail(z, memory ? NN_ERR_MEMORY : NN_ERR_FORMAT, e,
              no_zip ? "not a zip archive, or cut short" : z->lib.zip_error_strerror(error), NULL);
  } else {
    st = members_read(z, e);
  }
  z->lib.zip_error_fini(error);
  if (st) nn_zip_close(z);
  else *out = z;
  return st;
}

nn_status nn_zip_open(nn_zip **out, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e) {
  nn_zip *z;
  nn_stream s;
  nn_status st = nn_stream_open(&s, a, path, e); /* says why a file cannot be opened */
  if (st) {
    *out = NULL;
    return st;
  }
  nn_stream_close(&s);
  if ((st = begin(out, &z, a, path, limits, e))) return st;
  zip_error_t error;
  z->lib.zip_error_init(&error);
  return open_source(out, z, z->lib.zip_source_file_create(path, 0, -1, &error), &error, e);
}

nn_status nn_zip_open_memory(nn_zip **out, nn_alloc *a, const char *name, const void *bytes,
                             size_t n, const nn_limits *limits, nn_error *e) {
  nn_zip *z;
  nn_status st = begin(out, &z, a, name, limits, e);
  if (st) return st;
  zip_error_t error;
  z->lib.zip_error_init(&error);
  return open_source(out, z, z->lib.zip_source_buffer_create(bytes, n, 0, &error), &error, e);
}

size_t nn_zip_count(const nn_zip *z) { return z->count; }
const char *nn_zip_name(const nn_zip *z, size_t i) { return z->member[i].name; }
uint64_t nn_zip_size(const nn_zip *z, size_t i) { return z->member[i].size; }

int nn_zip_find(const nn_zip *z, const char *name, size_t *i) {
  size_t low = 0, high = z->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int c = strcmp(z->by_name[middle]->name, name);
    if (c == 0) {
      *i = (size_t)(z->by_name[middle] - z->member);
      return 1;
    }
    if (c < 0) low = middle + 1;
    else high = middle;
  }
  return 0;
}

/* Whether the declared size may be asked for; NULL or what is wrong with it. */
static const char *size_problem(const nn_zip *z, const member *m) {
  if (!m->complete) return "its sizes are not declared";
  if (m->encrypted) return "is encrypted";
  if (m->method != ZIP_CM_STORE && m->method != ZIP_CM_DEFLATE)
    return "is compressed with another method than deflate";
  if (m->packed > z->archive_size) return "claims more bytes than the archive has";
  if (m->method == ZIP_CM_STORE && m->size != m->packed) return "its declared sizes disagree";
  if (m->size / DEFLATE_MOST > m->packed) return "claims more bytes than it can inflate to";
  if (m->size > RATIO_FREE && m->size / RATIO_MOST > m->packed)
    return "is compressed more than 100-fold";
  return NULL;
}

/* One byte more than declared is asked for: its absence makes libzip compare the checksum. */
static const char *fill(nn_zip *z, const member *m, uint8_t *p) {
  uint64_t at = 0;
  uint8_t spare;
  zip_file_t *file = z->lib.zip_fopen_index(z->zip, m->index, 0);
  const char *problem = file ? NULL : z->lib.zip_strerror(z->zip);
  while (!problem && at < m->size) {
    zip_int64_t got = z->lib.zip_fread(file, p + at, m->size - at);
    if (got <= 0) problem = "is truncated or damaged";
    else at += (uint64_t)got;
  }
  if (!problem && z->lib.zip_fread(file, &spare, 1) != 0)
    problem = "is damaged (wrong checksum or size)";
  if (file) z->lib.zip_fclose(file);
  return problem;
}

nn_status nn_zip_read(nn_zip *z, size_t i, uint8_t **bytes, size_t *n, nn_error *e) {
  const member *m = &z->member[i];
  const char *problem = size_problem(z, m);
  *bytes = NULL;
  if (problem) return fail(z, NN_ERR_FORMAT, e, problem, m->name);
  if (m->size > z->limits.bytes)
    return fail(z, NN_ERR_LIMIT, e, "is larger than the limit of bytes", m->name);
  uint8_t *p = nn_mem_new(z->alloc, nn_size_add((size_t)m->size, 1));
  if (!p) return fail(z, NN_ERR_MEMORY, e, "out of memory", m->name);
  problem = fill(z, m, p);
  if (problem) {
    nn_mem_free(z->alloc, p);
    return fail(z, NN_ERR_FORMAT, e, problem, m->name);
  }
  *bytes = p;
  *n = (size_t)m->size;
  return NN_OK;
}

void nn_zip_close(nn_zip *z) {
  if (!z) return;
  nn_alloc *a = z->alloc;
  if (z->zip) z->lib.zip_discard(z->zip);
  nn_mem_free(a, z->member);
  nn_mem_free(a, z->by_name);
  nn_mem_free(a, z->name);
  nn_mem_free(a, z);
}
