/* FANN, the C library of the distributions, as a peer. It has no Adam, no relu and no
 * cross-entropy: it runs gradient descent on squared errors over the same batches, through units
 * that are linear from 0 to 1, so its loss is its own. Rows are shuffled by their pointers.
 *
 *   fann FOLDER W1|W3|S1
 */
#include <floatfann.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct work {
  unsigned rows, batch, epochs, layers;
  unsigned width[16];
  int softmax;
  float **x, **y;
} work;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int read_settings(work *w, const char *folder, const char *name) {
  char path[4096], optimizer[32], loss[32];
  snprintf(path, sizeof path, "%s/%s.spec", folder, name);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  int n = fscanf(f, "%u %u %u %31s %31s", &w->rows, &w->batch, &w->epochs, optimizer, loss);
  w->softmax = n == 5 && !strcmp(loss, "softmax");
  while (n >= 5 && w->layers < 16 && fscanf(f, "%u", &w->width[w->layers]) == 1) w->layers++;
  fclose(f);
  return w->layers > 1;
}

/* A .npy file (version 1, float32) as pointers to its rows. */
static float **read_rows(const char *folder, const char *name, const char *what, unsigned rows,
                         unsigned columns) {
  char path[4096];
  unsigned char head[10];
  snprintf(path, sizeof path, "%s/%s-%s.npy", folder, name, what);
  float *data = malloc((size_t)rows * columns * sizeof *data), **at = malloc(rows * sizeof *at);
  FILE *f = fopen(path, "rb");
  if (!f || !data || !at || fread(head, 1, 10, f) != 10 ||
      fseek(f, head[8] + 256 * head[9], SEEK_CUR) ||
      fread(data, (size_t)columns * sizeof *data, rows, f) != rows)
    exit(1);
  fclose(f);
  for (unsigned i = 0; i < rows; i++) at[i] = data + (size_t)i * columns;
  return at;
}

static struct fann *build(const work *w) {
  struct fann *net = fann_create_standard_array(w->layers, w->width);
  fann_set_activation_function_hidden(net, FANN_LINEAR_PIECE);
  fann_set_activation_function_output(net, w->softmax ? FANN_SIGMOID : FANN_LINEAR);
  fann_set_training_algorithm(net, FANN_TRAIN_BATCH);
  fann_set_learning_rate(net, w->softmax ? 0.7f : 0.05f);
  fann_randomize_weights(net, -0.2f, 0.2f);
  return net;
}

static void shuffle(work *w) {
  for (unsigned i = w->rows - 1; i > 0; i--) {
    unsigned j = (unsigned)rand() % (i + 1);
    float *x = w->x[i], *y = w->y[i];
    w->x[i] = w->x[j], w->y[i] = w->y[j];
    w->x[j] = x, w->y[j] = y;
  }
}

/* One epoch; gives the mean squared error. */
static double epoch(struct fann *net, work *w) {
  struct fann_train_data *part =
      fann_create_train(1, w->width[0], w->width[w->layers - 1]); /* lent rows below */
  float **x = part->input, **y = part->output;
  double sum = 0;
  shuffle(w);
  for (unsigned at = 0; at < w->rows; at += w->batch) {
    part->num_data = w->rows - at < w->batch ? w->rows - at : w->batch;
    part->input = w->x + at, part->output = w->y + at;
    sum += fann_train_epoch(net, part) * part->num_data;
  }
  part->num_data = 1, part->input = x, part->output = y;
  fann_destroy_train(part);
  return sum / w->rows;
}

static double accuracy(struct fann *net, const work *w) {
  unsigned right = 0, n = w->width[w->layers - 1];
  for (unsigned r = 0; r < w->rows; r++) {
    const float *p = fann_run(net, w->x[r]);
    unsigned best = 0;
    for (unsigned j = 1; j < n; j++)
      if (p[j] > p[best]) best = j;
    right += w->y[r][best] > 0.5f;
  }
  return (double)right / w->rows;
}

static void first_step(void) {
  work w = {.rows = 32, .batch = 32, .epochs = 1, .layers = 4, .width = {39, 5, 5, 2},
            .softmax = 1};
  static float zeros[39], *x[32], *y[32];
  for (int i = 0; i < 32; i++) x[i] = y[i] = zeros;
  w.x = x, w.y = y;
  epoch(build(&w), &w);
  puts("{\"step\":true}");
  fflush(stdout);
  getchar();
}

static void one_round(work *w) {
  double t[100], loss = 0, started = now();
  int n = 0;
  struct fann *net = NULL;
  do {
    if (net) fann_destroy(net);
    net = build(w);
    double start = now();
    for (unsigned i = 0; i < w->epochs; i++) loss = epoch(net, w);
    t[n++] = now() - start;
  } while (now() - started < 0.2 && n < 100);
  double least = t[0];
  for (int i = 1; i < n; i++)
    if (t[i] < least) least = t[i];
  printf("{\"seconds\":%.9f,\"loss\":%.6f", least, loss);
  if (w->softmax) printf(",\"accuracy\":%.6f", accuracy(net, w));
  puts("}");
  fflush(stdout);
  fann_destroy(net);
}

int main(int argc, char **argv) {
  work w = {0};
  char line[64];
  if (argc < 3) return 2;
  if (!strcmp(argv[2], "S1")) return first_step(), 0;
  if (!read_settings(&w, argv[1], argv[2])) return 1;
  w.x = read_rows(argv[1], argv[2], "x", w.rows, w.width[0]);
  w.y = read_rows(argv[1], argv[2], "y", w.rows, w.width[w.layers - 1]);
  printf("{\"ready\":true,\"version\":\"2.2\",\"mode\":\"descent on squared errors, 1 thread\"}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4)) one_round(&w);
  return 0;
}
