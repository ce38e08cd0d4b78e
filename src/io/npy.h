/* NumPy's .npy, versions 1 to 3: magic, version, a header that is a Python dict, the elements.
 *
 *   "\x93NUMPY" major minor length {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 *
 * The length has two bytes in version 1 and four later. Numbers and booleans of every size and
 * byte order are read (see elements.h); text, objects (which are pickled code), complex numbers and
 * records are errors that name the descr. Bytes after the elements are an error.
 */
#ifndef NN_IO_NPY_H
#define NN_IO_NPY_H

#include "io/elements.h"
#include "io/stream.h"

typedef struct nn_npy {
  nn_shape shape;       /* dtype: what the elements become */
  nn_element_type type; /* as in the file */
  int fortran;          /* the first index runs fastest in the file */
} nn_npy;

/* Reads the header at the stream's position and checks that its elements are all there and within
 * limits->bytes; the stream keeps the error. */
nn_status nn_npy_header(nn_stream *s, nn_npy *h, const nn_limits *limits);
/* Then fills out, nn_shape_bytes(&h->shape) bytes, in row-major order. */
nn_status nn_npy_read(nn_stream *s, const nn_npy *h, void *out);
/* Writes version 1, with the bytes that numpy.save writes. */
nn_status nn_npy_write(nn_stream *s, const nn_tensor *t);

#endif
