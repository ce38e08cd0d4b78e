/* A training in a state of the host's whose allocator refuses one request: the script ends well or
 * with an error, and nothing stays behind. `training_test STEP` tries every STEPth request (1: all,
 * which takes a minute); without it, a few hundred.
 */
#include <stdlib.h>

#include "nnlua.h"
#include "support/tap.h"

enum { TRIES = 250 };

static const char script[] =
    "local nn = require 'nnlua'\n"
    "nn.set_random_seed(1)\n"
    "local x = nn.random.normal{{12, 3}}\n"
    "local y = nn.ops.sum(x, -1, true)\n"
    "local model = nn.Sequential{\n"
    "  nn.layers.Dense{4, activation = 'relu', input_shape = {3}}, nn.layers.Dropout{0.1},\n"
    "  nn.layers.BatchNormalization{}, nn.layers.Dense{1}}\n"
    "model:compile{optimizer = 'adam', loss = 'mse', metrics = {'mae'}}\n"
    "model:fit{x, y, epochs = 2, batch_size = 5, verbose = 0}\n"
    "model:evaluate{x, y, verbose = 0}\n"
    "model:predict{x, verbose = 0}\n";

/* Refuses request `refuse`, and with `on` every one after it. Counts what is in use. */
typedef struct refusing {
  long requests, refuse;
  int on;
  size_t used;
} refusing;

static void *refuse_some(void *data, void *block, size_t old_size, size_t size) {
  refusing *r = data;
  if (size > old_size) {
    r->requests++;
    if (r->refuse && (r->requests == r->refuse || (r->on && r->requests > r->refuse))) return NULL;
  }
  void *p = NULL;
  if (size) p = realloc(block, size);
  else free(block);
  if (p || !size) r->used += size - old_size;
  return p;
}

static nnlua_status train(refusing *r) {
  nnlua_options options = {.allocate = refuse_some, .allocate_data = r, .sandbox = 1};
  nnlua_state *s = nnlua_open(&options);
  if (!s) return NNLUA_MEMORY;
  nnlua_status status = nnlua_dostring(s, script, "=training");
  /* The runtime's own "no memory for 512 bytes" is an error of the script's. */
  if (status == NNLUA_ERROR && strstr(nnlua_error(s), "memory")) status = NNLUA_MEMORY;
  if (status != NNLUA_OK && status != NNLUA_MEMORY) printf("# %s\n", nnlua_error(s));
  nnlua_close(s);
  return status;
}

static void refuse(long requests, long step, int on) {
  long tried = 0, ended = 0;
  int good = 1;
  for (long i = 1; i <= requests && good; i += step, tried++) {
    refusing r = {.refuse = i, .on = on};
    nnlua_status status = train(&r);
    good = r.used == 0 && (status == NNLUA_OK || status == NNLUA_MEMORY);
    ended += status != NNLUA_OK;
    if (!good) printf("# request %ld: status %d, %zu bytes left\n", i, (int)status, r.used);
  }
  tap_ok(good, "%ld requests refused, %s: %ld trainings ended", tried,
         on ? "and all after" : "one at a time", ended);
}

int main(int argc, char **argv) {
  refusing all = {0};
  int good = train(&all) == NNLUA_OK && all.used == 0;
  tap_ok(good, "a training leaves nothing in use (%ld requests)", all.requests);
  long step = argc > 1 ? strtol(argv[1], NULL, 10) : all.requests / TRIES | 1;
  refuse(all.requests, step < 1 ? 1 : step, 0);
  refuse(all.requests, step < 1 ? 1 : step, 1);
  return tap_done();
}
