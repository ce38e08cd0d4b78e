/* Windows that slide over one to three axes of (batch, axes..., channels): what convolution and
 * pooling share. Fewer than three axes are laid out as three with leading ones.
 *
 * attrs.i = {axes, strides (1..3), dilations (4..6), padding before (7..9), after (10..12), ...}.
 */
#ifndef NN_OPS_WINDOW_H
#define NN_OPS_WINDOW_H

#include "ops/op.h"

enum { NN_W_AXES = 0, NN_W_STRIDE = 1, NN_W_DILATION = 4, NN_W_BEFORE = 7, NN_W_AFTER = 10,
       NN_W_MORE = 13 };

typedef struct nn_window {
  int axes;
  int64_t n, c;                            /* images, channels */
  int64_t in[3], out[3], size[3];          /* elements along the axes, of the window too */
  int64_t stride[3], dilation[3], before[3];
} nn_window;

/* Reads the attributes; sizes of the window come from `size` (`axes` of them). Fails when the
 * window does not fit or a number is out of range; `op` begins the text. */
nn_status nn_window_init(nn_window *w, const char *op, const nn_attrs *a, const nn_shape *x,
                         const int64_t *size, nn_error *e);
/* The shape (batch, out..., channels). */
void nn_window_shape(const nn_window *w, int64_t channels, nn_shape *out);
/* Output positions of all images. */
int64_t nn_window_positions(const nn_window *w);
/* Splits output position p: returns the image and fills at[3] with the window's first corner in the
 * input (negative in the padding). */
int64_t nn_window_at(const nn_window *w, int64_t p, int64_t at[3]);

#endif
