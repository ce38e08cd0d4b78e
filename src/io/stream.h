/* A stream reads or writes bytes of a file or of memory behind one interface.
 *
 * Errors stick: after the first failure every call is a no-op that returns the same status, so a
 * format writes a whole header and checks once. `name` stands at the front of every error text
 * (the path as the user gave it).
 *
 * Output to a file is atomic. Bytes go to `path.tmp-<pid>-<n>` beside it; `nn_stream_commit` makes
 * them durable (fsync), renames over `path`, and makes the rename durable (fsync of the folder).
 * Whatever fails before the rename leaves the old file as it was and removes the temporary one.
 */
#ifndef NN_IO_STREAM_H
#define NN_IO_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/status.h"

/* What a reader may be asked for. Checked before memory is taken; 0 stands for the default. */
typedef struct nn_limits {
  size_t bytes;   /* of one file, one member, or all the tensors of a file; default 4 GiB */
  size_t tensors; /* tensors, groups, members and table columns in a file; default 100,000 */
  int depth;      /* nesting of JSON and of HDF5 groups; default 200 */
} nn_limits;

/* The limits with the defaults filled in; `l` may be NULL. */
nn_limits nn_limits_of(const nn_limits *l);

typedef enum nn_stream_kind { NN_STREAM_CLOSED, NN_STREAM_READ, NN_STREAM_WRITE } nn_stream_kind;

typedef struct nn_stream {
  nn_stream_kind kind;
  nn_alloc *alloc;     /* borrowed */
  char *name;          /* owned: for error texts */
  char *temporary;     /* owned: path being written, NULL unless an atomic file is open */
  int fd;              /* -1 for memory */
  const uint8_t *data; /* borrowed: memory that is read, NULL for a file */
  uint8_t *buffer;     /* owned: memory written so far, or a file's write buffer */
  size_t fill, room;   /* bytes in `buffer`, size of `buffer` */
  uint64_t size;       /* bytes readable, or written so far */
  uint64_t at;         /* read position */
  int summing;         /* set it: `sum` is the checksum of what is written from then on */
  uint32_t sum;
  const char *previous; /* borrowed: where commit leaves the file that it replaces, or NULL */
  nn_error error;      /* the first failure; code NN_OK while all is well */
} nn_stream;

/* The descriptor of a regular file, open for reading, and its length; or -1, with an error.
 * Anything else, also behind a link, is refused at once: a pipe or a device would wait or never
 * end. */
int nn_file_open(const char *path, uint64_t *size, nn_error *e);
/* Opens a regular file for reading. NN_ERR_IO when it cannot be opened. */
nn_status nn_stream_open(nn_stream *s, nn_alloc *a, const char *path, nn_error *e);
/* Reads from memory, which must outlive the stream. */
nn_status nn_stream_memory(nn_stream *s, nn_alloc *a, const char *name, const void *data, size_t n,
                           nn_error *e);
/* Begins an atomic file. */
nn_status nn_stream_create(nn_stream *s, nn_alloc *a, const char *path, nn_error *e);
/* Writes into memory that grows; take it with nn_stream_take. */
nn_status nn_stream_grow(nn_stream *s, nn_alloc *a, const char *name, nn_error *e);

/* Exactly n bytes at the read position, which moves on; fewer left is NN_ERR_FORMAT. */
nn_status nn_stream_read(nn_stream *s, void *out, size_t n);
nn_status nn_stream_seek(nn_stream *s, uint64_t at);
uint64_t nn_stream_left(const nn_stream *s);
nn_status nn_stream_write(nn_stream *s, const void *bytes, size_t n);
/* n zero bytes. */
nn_status nn_stream_pad(nn_stream *s, size_t n);
/* Makes room for n bytes in memory that grows, so that it grows no more. */
nn_status nn_stream_reserve(nn_stream *s, size_t n);
/* Overwrites bytes that were written before, as checksums are. */
nn_status nn_stream_patch(nn_stream *s, uint64_t at, const void *bytes, size_t n);
/* Sets the sticky error with the stream's name before the text. */
nn_status nn_stream_fail(nn_stream *s, nn_status code, const char *fmt, ...) NN_PRINTF(3, 4);

/* Finishes an atomic file: the new file is in place and durable, or the old one untouched. */
nn_status nn_stream_commit(nn_stream *s, nn_error *e);
/* The bytes written to memory; the caller owns them (nn_mem_free). */
nn_status nn_stream_take(nn_stream *s, uint8_t **bytes, size_t *n, nn_error *e);
/* Closes; an uncommitted file is removed. Safe on a closed or zeroed stream. */
void nn_stream_close(nn_stream *s);
/* The sticky status, its error copied to `e`. */
nn_status nn_stream_status(const nn_stream *s, nn_error *e);

/* The whole file in a new block (nn_mem_free), refused when longer than limits->bytes. The block is
 * one byte longer, a zero, than *n. */
nn_status nn_file_load(nn_alloc *a, const char *path, const nn_limits *limits, uint8_t **bytes,
                       size_t *n, nn_error *e);
/* The same, also of what has no length (a pipe), for which it waits. */
nn_status nn_input_load(nn_alloc *a, const char *path, const nn_limits *limits, uint8_t **bytes,
                        size_t *n, nn_error *e);
/* Replaces the file atomically by these bytes. */
nn_status nn_file_save(nn_alloc *a, const char *path, const void *bytes, size_t n, nn_error *e);

#endif
