/* What the parts of the ONNX reader share. Private to it. */
#ifndef NN_IO_ONNX_FILE_H
#define NN_IO_ONNX_FILE_H

#include "io/onnx.h"

nn_status onnx_fail(nn_onnx *f, const char *fmt, ...) NN_PRINTF(2, 3);
nn_status onnx_limit(nn_onnx *f, const char *what);

/* The next field of a message; number 0 where it ends. */
nn_status onnx_next(nn_onnx *f, nn_pb *m, nn_pb_field *d);
/* An error where a field is not of that kind. */
nn_status onnx_want(nn_onnx *f, const nn_pb_field *d, nn_pb_wire wire);
/* A message inside: an error where it is none or lies too deep. */
nn_status onnx_inside(nn_onnx *f, const nn_pb_field *d, nn_pb *m);
nn_status onnx_text(nn_onnx *f, const nn_pb_field *d, nn_onnx_text *out);
/* Room for one more in an array of the file, counted against the limit. */
nn_status onnx_grow(nn_onnx *f, void *array, size_t count, size_t *room, size_t size);

nn_status onnx_tensor(nn_onnx *f, nn_pb m, nn_onnx_tensor *t);

#endif
