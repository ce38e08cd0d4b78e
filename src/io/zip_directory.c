/* The end record, the zip64 end record before it, and the central directory before those. */
#include <stdlib.h>
#include <string.h>

#include "io/zip_file.h"

enum { END = 22, END64 = 56, LOCATOR = 20, ENTRY = 46, LOCAL = 30, COMMENT_MOST = 65535 };
static const uint32_t FULL = 0xFFFFFFFF;

uint64_t zip_number(const uint8_t *p, int bytes) {
  uint64_t v = 0;
  for (int i = bytes - 1; i >= 0; i--) v = v << 8 | p[i];
  return v;
}

nn_status zip_fail(nn_zip *z, const char *what) {
  return nn_stream_fail(&z->stream, NN_ERR_FORMAT, "%s", what);
}

/* Where the directory is and how much it holds. */
typedef struct end_record {
  uint64_t entries, size, at, end; /* `end`: the directory must end here */
} end_record;

/* The last record whose comment ends with the file. */
static nn_status end_find(nn_zip *z, uint8_t record[END], uint64_t *at) {
  nn_stream *s = &z->stream;
  size_t n = s->size < END + COMMENT_MOST ? (size_t)s->size : END + COMMENT_MOST;
  uint8_t *tail = nn_mem_new(z->alloc, n + 1);
  *at = 0;
  if (!tail) return nn_stream_fail(s, NN_ERR_MEMORY, "out of memory");
  nn_stream_seek(s, s->size - n);
  nn_status st = nn_stream_read(s, tail, n);
  size_t i = n < END ? 0 : n - END + 1;
  while (!st && i-- > 0)
    if (memcmp(tail + i, "PK\5\6", 4) == 0 && zip_number(tail + i + 20, 2) == n - END - i) break;
  if (!st && (n < END || i > n)) st = zip_fail(z, "is no zip archive (it has no end record)");
  if (!st) memcpy(record, tail + i, END);
  *at = s->size - n + i;
  nn_mem_free(z->alloc, tail);
  return st;
}

/* Zip64: a locator right before the end record says where the large record is: right before it. */
static nn_status end_large(nn_zip *z, end_record *r) {
  uint8_t b[END64];
  nn_stream *s = &z->stream;
  if (r->end < LOCATOR + END64) return zip_fail(z, "its zip64 record is missing");
  nn_stream_seek(s, r->end - LOCATOR);
  if (nn_stream_read(s, b, LOCATOR)) return s->error.code;
  uint64_t at = r->end - LOCATOR - END64;
  if (memcmp(b, "PK\6\7", 4) != 0 || zip_number(b + 4, 4) != 0 || zip_number(b + 8, 8) != at)
    return zip_fail(z, "its zip64 record is not where it should be");
  nn_stream_seek(s, at);
  if (nn_stream_read(s, b, END64)) return s->error.code;
  if (memcmp(b, "PK\6\6", 4) != 0 || zip_number(b + 4, 8) != END64 - 12 ||
      zip_number(b + 16, 8) != 0 || zip_number(b + 24, 8) != zip_number(b + 32, 8))
    return zip_fail(z, "its zip64 record is damaged");
  *r = (end_record){zip_number(b + 32, 8), zip_number(b + 40, 8), zip_number(b + 48, 8), at};
  return NN_OK;
}

static nn_status end_read(nn_zip *z, end_record *r) {
  uint8_t b[END] = {0};
  uint64_t at;
  nn_status st = end_find(z, b, &at);
  if (st) return st;
  *r = (end_record){zip_number(b + 10, 2), zip_number(b + 12, 4), zip_number(b + 16, 4), at};
  if (zip_number(b + 4, 4) != 0 || zip_number(b + 8, 2) != r->entries)
    return zip_fail(z, "archives on several disks are not supported");
  if (r->entries == 0xFFFF || r->size == FULL || r->at == FULL) st = end_large(z, r);
  if (st) return st;
  if (r->at > r->end || r->size != r->end - r->at)
    return zip_fail(z, "its directory is not where it should be (truncated or damaged)");
  if (r->entries > r->size / ENTRY) return zip_fail(z, "its directory is too short");
  if (r->entries <= z->limits.tensors) return NN_OK;
  return nn_stream_fail(&z->stream, NN_ERR_LIMIT, "%llu members, above the limit of %zu",
                        (unsigned long long)r->entries, z->limits.tensors);
}

/* Values of 4 bytes that are full stand in the extra field 1, those alone, in this order. */
static nn_status extra_read(nn_zip *z, zip_member *m, const uint8_t *p, size_t n) {
  uint64_t *full[3];
  int count = 0;
  if (m->size == FULL) full[count++] = &m->size;
  if (m->packed == FULL) full[count++] = &m->packed;
  if (m->at == FULL) full[count++] = &m->at;
  while (count && n >= 4) {
    size_t kind = (size_t)zip_number(p, 2), size = (size_t)zip_number(p + 2, 2);
    if (size > n - 4) break;
    if (kind == 1) {
      if (size < (size_t)count * 8) break;
      for (int i = 0; i < count; i++) *full[i] = zip_number(p + 4 + 8 * i, 8);
      return NN_OK;
    }
    p += 4 + size, n -= 4 + size;
  }
  return count ? zip_fail(z, "a member's sizes are not declared") : NN_OK;
}

/* One entry; `names` is where its name goes. Gives the bytes taken, 0 on an error. */
static size_t entry_read(nn_zip *z, zip_member *m, const uint8_t *p, size_t left, char *names) {
  if (left < ENTRY || memcmp(p, "PK\1\2", 4) != 0)
    return zip_fail(z, "its directory is damaged"), 0;
  size_t name = (size_t)zip_number(p + 28, 2), extra = (size_t)zip_number(p + 30, 2);
  size_t all = ENTRY + name + extra + (size_t)zip_number(p + 32, 2);
  if (all > left) return zip_fail(z, "its directory is damaged"), 0;
  m->flags = (int)zip_number(p + 8, 2), m->method = (int)zip_number(p + 10, 2);
  m->crc = (uint32_t)zip_number(p + 16, 4);
  m->packed = zip_number(p + 20, 4), m->size = zip_number(p + 24, 4);
  m->at = zip_number(p + 42, 4);
  m->name = names, m->name_size = name;
  memcpy(names, p + ENTRY, name);
  if (zip_number(p + 34, 2) != 0)
    return zip_fail(z, "archives on several disks are not supported"), 0;
  if (name == 0 || memchr(names, 0, name)) return zip_fail(z, "a member has no proper name"), 0;
  return extra_read(z, m, p + ENTRY + name, extra) ? 0 : all;
}

static nn_status entries_read(nn_zip *z, const uint8_t *p, size_t left, uint64_t entries) {
  size_t used = 0;
  for (uint64_t i = 0; i < entries; i++) {
    size_t took = entry_read(z, &z->member[i], p, left, z->names + used);
    if (!took) return z->stream.error.code;
    p += took, left -= took;
    used += z->member[i].name_size + 1;
    z->count++;
  }
  return left ? zip_fail(z, "its directory is longer than its entries") : NN_OK;
}

static int by_place(const void *a, const void *b) {
  uint64_t x = (*(zip_member *const *)a)->at, y = (*(zip_member *const *)b)->at;
  return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(zip_member *const *)a)->name, (*(zip_member *const *)b)->name);
}

/* Header, name and bytes of each end before the next one's header. */
static nn_status places_check(nn_zip *z, uint64_t directory) {
  qsort(z->by_name, z->count, sizeof *z->by_name, by_place);
  for (size_t i = 0; i < z->count; i++) {
    zip_member *m = z->by_name[i];
    m->end = i + 1 < z->count ? z->by_name[i + 1]->at : directory;
    uint64_t least = LOCAL + m->name_size;
    if (m->end > directory || m->end < m->at || m->end - m->at < least ||
        m->end - m->at - least < m->packed)
      return nn_stream_fail(&z->stream, NN_ERR_FORMAT,
                            "member \"%.80s\": overlaps others or lies outside the archive",
                            m->name);
  }
  return NN_OK;
}

static nn_status names_check(nn_zip *z) {
  qsort(z->by_name, z->count, sizeof *z->by_name, by_name);
  for (size_t i = 1; i < z->count; i++)
    if (by_name(&z->by_name[i - 1], &z->by_name[i]) == 0)
      return nn_stream_fail(&z->stream, NN_ERR_FORMAT,
                            "member \"%.80s\": stands twice in the archive", z->by_name[i]->name);
  return NN_OK;
}

static nn_status directory_read(nn_zip *z, const end_record *r, uint8_t *bytes) {
  nn_stream_seek(&z->stream, r->at);
  nn_status st = nn_stream_read(&z->stream, bytes, (size_t)r->size);
  if (!st) st = entries_read(z, bytes, (size_t)r->size, r->entries);
  if (st) return st;
  for (size_t i = 0; i < z->count; i++) z->by_name[i] = &z->member[i];
  st = places_check(z, r->at);
  return st ? st : names_check(z);
}

nn_status zip_directory(nn_zip *z) {
  end_record r;
  nn_status st = end_read(z, &r);
  if (st) return st;
  size_t entries = (size_t)r.entries;
  uint8_t *bytes = nn_mem_new(z->alloc, (size_t)r.size);
  z->member = nn_mem_new(z->alloc, nn_size_mul(entries, sizeof *z->member));
  z->by_name = nn_mem_new(z->alloc, nn_size_mul(entries, sizeof *z->by_name));
  z->names = nn_mem_new(z->alloc, (size_t)r.size); /* an entry is longer than its name and a zero */
  if (!bytes || !z->member || !z->by_name || !z->names)
    st = nn_stream_fail(&z->stream, NN_ERR_MEMORY, "out of memory");
  if (!st) st = directory_read(z, &r, bytes);
  nn_mem_free(z->alloc, bytes);
  return st;
}
