/* Zip archives: members by fixed names, never by path, and nothing is ever extracted.
 *
 * Reading is ours, inflating zlib's. libzip was here before: it takes 14.5 s for a directory of
 * 60,000 names (4.7 MB) that its hash cannot tell apart, where 0.2 s is usual (27 November 2026),
 * reads a file whose members overlap, and its memory is counted by nobody. This reader takes the
 * directory at the end of the file, which must end where the file's end record begins, and holds
 * that members lie one behind the other before it, so all of them together are no more bytes than
 * the archive has. Refused: members that overlap, a name that stands twice or says something else
 * in the member's own header, encryption, methods other than stored and deflate, several disks, a
 * declared size beyond the limit or beyond what the stored bytes can become, more than 100-fold
 * compression above 16 MiB, a wrong checksum.
 *
 * Writing is ours too: stored members with one fixed time (1 January 1980) are a few fields each,
 * go straight into the atomic stream and are the same bytes on every machine.
 *
 * Source: APPNOTE.TXT 6.3.10.
 */
#ifndef NN_IO_ZIP_H
#define NN_IO_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/status.h"
#include "io/stream.h"

typedef struct nn_zip nn_zip;

/* limits->tensors caps the members, limits->bytes each one's size. */
nn_status nn_zip_open(nn_zip **z, nn_alloc *a, const char *path, const nn_limits *limits,
                      nn_error *e);
/* `bytes` are borrowed until close. */
nn_status nn_zip_open_memory(nn_zip **z, nn_alloc *a, const char *name, const void *bytes, size_t n,
                             const nn_limits *limits, nn_error *e);
const char *nn_zip_archive(const nn_zip *z); /* its name, for errors */
size_t nn_zip_count(const nn_zip *z);
/* The raw name and the declared size of member i, in the order of the archive. */
const char *nn_zip_name(const nn_zip *z, size_t i);
uint64_t nn_zip_size(const nn_zip *z, size_t i);
/* The member of exactly this name: 1 and its index in *i, or 0. */
int nn_zip_find(const nn_zip *z, const char *name, size_t *i);
/* A member whole, in a new block (nn_mem_free) one byte longer, a zero, than *n. */
nn_status nn_zip_read(nn_zip *z, size_t i, uint8_t **bytes, size_t *n, nn_error *e);
void nn_zip_close(nn_zip *z); /* NULL is allowed */

/* ---- writing ---- */

typedef struct nn_zip_writer {
  nn_stream *stream;   /* borrowed; keeps the error */
  nn_stream directory; /* owned: the central directory so far */
  uint64_t count;
} nn_zip_writer;

void nn_zip_writer_init(nn_zip_writer *w, nn_stream *s);
/* Adds a stored member; the caller gives each name once, in the order wanted. */
void nn_zip_add(nn_zip_writer *w, const char *name, const void *bytes, size_t n);
/* Writes the directory and frees the writer; call it also after an error. */
nn_status nn_zip_finish(nn_zip_writer *w);

#endif
