/* Inflating memory piece by piece, zlib's memory counted by nn_alloc.
 *
 * The caller asks for exact numbers of bytes and so decides how much memory compressed data may
 * become; nothing is inflated that was not asked for.
 */
#ifndef NN_IO_INFLATE_H
#define NN_IO_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/status.h"

typedef enum nn_inflate_form { NN_INFLATE_ZLIB, NN_INFLATE_GZIP, NN_INFLATE_RAW } nn_inflate_form;

typedef struct nn_inflate nn_inflate;

/* `bytes` are borrowed until close. */
nn_status nn_inflate_open(nn_inflate **z, nn_alloc *a, nn_inflate_form form, const void *bytes,
                          size_t n, nn_error *e);
/* Exactly n bytes; NN_ERR_FORMAT when the data is damaged or ends before. */
nn_status nn_inflate_read(nn_inflate *z, void *out, size_t n, nn_error *e);
/* NN_OK when nothing is left and the checksum is right; trailing bytes are an error. */
nn_status nn_inflate_finish(nn_inflate *z, nn_error *e);
void nn_inflate_close(nn_inflate *z); /* NULL is allowed */

#endif
