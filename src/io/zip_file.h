/* What the parts of the zip reader share. Private to it. */
#ifndef NN_IO_ZIP_FILE_H
#define NN_IO_ZIP_FILE_H

#include "io/zip.h"

typedef struct zip_member {
  char *name;            /* owned, with all names: ended by zero */
  uint64_t at, end;      /* its header, and where the next one's or the directory begins */
  uint64_t size, packed;
  uint32_t crc;
  size_t name_size;
  int method, flags;
} zip_member;

struct nn_zip {
  nn_alloc *alloc;  /* borrowed */
  nn_stream stream; /* owned */
  nn_limits limits;
  size_t count;
  char *names;          /* owned */
  zip_member *member;   /* owned: in the order of the directory */
  zip_member **by_name; /* owned: pointers into `member`, sorted by name */
};

/* Little-endian. */
uint64_t zip_number(const uint8_t *p, int bytes);
nn_status zip_fail(nn_zip *z, const char *what);
nn_status zip_directory(nn_zip *z);

#endif
