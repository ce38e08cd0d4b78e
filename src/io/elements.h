/* Elements as files hold them, and their conversion to the three dtypes that nnlua holds.
 *
 * float16, bfloat16, float32 and float64 become float32 (a float64 beyond float32 is infinite, as
 * in a C cast); int8 to uint64 but uint8 become int32, and one that does not fit is an error; uint8
 * and bool become uint8.
 */
#ifndef NN_IO_ELEMENTS_H
#define NN_IO_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "core/tensor.h"
#include "io/stream.h"

typedef enum nn_element {
  NN_ELEMENT_BOOL,
  NN_ELEMENT_U8,
  NN_ELEMENT_I8,
  NN_ELEMENT_U16,
  NN_ELEMENT_I16,
  NN_ELEMENT_U32,
  NN_ELEMENT_I32,
  NN_ELEMENT_U64,
  NN_ELEMENT_I64,
  NN_ELEMENT_F16,
  NN_ELEMENT_BF16,
  NN_ELEMENT_F32,
  NN_ELEMENT_F64
} nn_element;

/* Elements of one type and byte order. */
typedef struct nn_element_type {
  nn_element kind;
  int big_endian;
} nn_element_type;

size_t nn_element_size(nn_element k);
const char *nn_element_name(nn_element k);  /* "float16" */
nn_dtype nn_element_dtype(nn_element k);    /* what it becomes */
nn_element nn_element_of(nn_dtype t);       /* what a dtype is written as */

/* Converts n elements of `bytes` into out, an array of `to`. NN_ERR_DATA when one does not fit. */
nn_status nn_elements_read(void *out, nn_dtype to, const void *bytes, nn_element_type from,
                           size_t n, nn_error *e);
/* The same from a stream, in pieces; the stream keeps the error. */
nn_status nn_elements_stream(nn_stream *s, void *out, nn_dtype to, nn_element_type from, size_t n);
/* Element `index` as a double (64-bit integers beyond 2^53 are rounded). */
double nn_element_get(const void *bytes, nn_element_type from, size_t index);
/* dtype elements into little-endian bytes; out and src do not overlap unless they are equal. */
void nn_elements_write(void *out, const void *src, nn_dtype from, size_t n);

#endif
