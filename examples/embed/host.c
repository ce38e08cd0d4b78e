/* A C program that trains a network in its own process: is a point inside a circle?
 *
 * Build: cc host.c $(pkg-config --cflags --libs nnlua lua5.4) -lm   (in this folder's checkout:
 * make embed). Run time: about a second. Expect: "2000 points, accuracy 0.9..", above 0.95.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nnlua.h"

#define POINTS 2000

static const char script[] =
    "local nn = require 'nnlua'\n"
    "nn.set_random_seed(1)\n"
    "local model = nn.Sequential{\n"
    "  nn.layers.Dense{16, activation = 'relu', input_shape = {2}},\n"
    "  nn.layers.Dense{16, activation = 'relu'},\n"
    "  nn.layers.Dense{1, activation = 'sigmoid'}}\n"
    "model:compile{optimizer = nn.optimizers.Adam{0.01}, loss = 'binary_crossentropy'}\n"
    "model:fit{x, y, epochs = 20, batch_size = 50, verbose = 0}\n"
    "prediction = model:predict{x, verbose = 0}\n";

static double uniform(void) { return rand() / (double)RAND_MAX * 2 - 1; }

/* Prints the script's error; gives the program's exit status. */
static int fail(nnlua_state *s) {
  fprintf(stderr, "host: %s\n", nnlua_error(s));
  nnlua_close(s);
  return EXIT_FAILURE;
}

int main(void) {
  static float x[POINTS][2], y[POINTS], prediction[POINTS];
  const int64_t x_shape[] = {POINTS, 2}, y_shape[] = {POINTS, 1};
  nnlua_options options = {.sandbox = 1, .memory_limit = 64 << 20};
  nnlua_state *s = nnlua_open(&options);
  if (!s) return EXIT_FAILURE;
  for (int i = 0; i < POINTS; i++) {
    x[i][0] = (float)uniform(), x[i][1] = (float)uniform();
    y[i] = x[i][0] * x[i][0] + x[i][1] * x[i][1] < 0.5f;
  }
  nnlua_set_time_limit(s, 60);
  if (nnlua_set_tensor(s, "x", x[0], 2, x_shape) || nnlua_set_tensor(s, "y", y, 2, y_shape) ||
      nnlua_dostring(s, script, "=script") || nnlua_get_tensor(s, "prediction", prediction, POINTS))
    return fail(s);
  int right = 0;
  for (int i = 0; i < POINTS; i++) right += (prediction[i] > 0.5f) == (y[i] > 0.5f);
  printf("%d points, accuracy %.3f\n", POINTS, right / (double)POINTS);
  nnlua_close(s);
  return right > POINTS * 95 / 100 ? EXIT_SUCCESS : EXIT_FAILURE;
}
