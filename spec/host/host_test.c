/* The embedding API: running, errors, exchange, limits, the sandbox, and memory that runs out. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "nnlua.h"
#include "support/tap.h"

static int starts_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static void test_running(void) {
  nnlua_state *s = nnlua_open(NULL);
  double x = 0;
  char *args[] = {"7"};
  tap_ok(nnlua_dostring(s, "x = 41", NULL) == NNLUA_OK, "a string runs");
  tap_ok(nnlua_get_number(s, "x", &x) == NNLUA_OK && x == 41, "its global is read");
  tap_ok(nnlua_get_number(s, "y", &x) == NNLUA_ERROR, "a global that is no number is an error");
  tap_same("global 'y' is a nil value, expected a number", nnlua_error(s), "and it says so");
  nnlua_set_number(s, "y", 2.5);
  nnlua_set_string(s, "z", "4");
  tap_ok(nnlua_dostring(s, "x = y * z", NULL) == NNLUA_OK, "globals from the host are seen");
  tap_ok(nnlua_get_number(s, "x", &x) == NNLUA_OK && x == 10, "and used");
  tap_ok(nnlua_dostring(s, "x =", "=part") == NNLUA_SYNTAX, "what does not compile is told");
  tap_same("part:1: unexpected symbol near <eof>", nnlua_error(s), "with the compiler's words");
  tap_ok(nnlua_eval(s, "for i = 1, 2 do") == NNLUA_INCOMPLETE, "half a statement is incomplete");
  tap_ok(nnlua_eval(s, "q = 3") == NNLUA_OK, "a whole one runs");
  tap_ok(nnlua_dostring(s, "error('boom', 0)", "=part") == NNLUA_ERROR, "an error is told");
  tap_ok(starts_with(nnlua_error(s), "boom\nstack traceback:\n"), "with a traceback");
  tap_ok(nnlua_dofile(s, "no such file", 1, args) == NNLUA_FILE, "a missing file is told");
  tap_ok(nnlua_require(s, "nnlua.err", "e") == NNLUA_OK, "the library's modules are found");
  tap_ok(nnlua_require(s, "nnlua.nothing", NULL) == NNLUA_ERROR, "others are not");
  tap_ok(nnlua_lua(s) != NULL, "the Lua state can be had");
  nnlua_close(s);
  nnlua_close(NULL);
}

static void test_sandbox(void) {
  static const char *const closed[] = {
      "return io.open('x')",  "os.execute('true')",         "require 'io'",
      "return debug.getinfo", "return package.path",        "dofile('x')",
      "require 'os'",         "setmetatable({}, {__gc=1})", "assert(load('\\27Lua'))",
      "string.dump(print)",   "require 'lfs'",              "return loadfile('x')()"};
  nnlua_options options = {.sandbox = 1};
  nnlua_state *s = nnlua_open(&options);
  for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
    tap_ok(nnlua_dostring(s, closed[i], NULL) == NNLUA_ERROR, "a sandbox refuses %s", closed[i]);
  tap_ok(nnlua_dostring(s, "assert(load('return 1')() == 1)", NULL) == NNLUA_OK, "load works");
  tap_ok(nnlua_dostring(s, "local t = setmetatable({}, {__index = {a = 1}}) assert(t.a == 1)",
                        NULL) == NNLUA_OK, "setmetatable works");
  tap_ok(nnlua_dostring(s, "assert(os.time() > 0)", NULL) == NNLUA_OK, "os.time works");
  tap_ok(nnlua_dostring(s, "assert(require 'nnlua.err')", NULL) == NNLUA_OK, "so does require");
  nnlua_close(s);
}

static double seconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void test_time_limit(void) {
  static const char *const endless[] = {
      "while true do end", "while true do pcall(function() while true do end end) end",
      "local f = coroutine.wrap(function() while true do end end) f()",
      "while true do pcall(coroutine.wrap(function() while true do end end)) end"};
  nnlua_options options = {.sandbox = 1, .cancellable = 1};
  nnlua_state *s = nnlua_open(&options);
  nnlua_set_time_limit(s, 0.05);
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    tap_ok(nnlua_dostring(s, endless[i], NULL) == NNLUA_TIME && seconds_since(&start) < 5,
           "the time limit ends %s", endless[i]);
  }
  nnlua_set_time_limit(s, 0);
  tap_ok(nnlua_dostring(s, "for i = 1, 1e6 do end", NULL) == NNLUA_OK, "and the state goes on");
  nnlua_close(s);
}

static void *cancel_later(void *state) {
  usleep(50000);
  nnlua_cancel(state);
  return NULL;
}

static void test_cancel(void) {
  nnlua_options options = {.cancellable = 1};
  nnlua_state *s = nnlua_open(&options);
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_later, s);
  tap_ok(nnlua_dostring(s, "while true do end", NULL) == NNLUA_CANCELLED, "another thread cancels");
  pthread_join(thread, NULL);
  nnlua_cancel(s);
  tap_ok(nnlua_dostring(s, "for i = 1, 1e6 do end", NULL) == NNLUA_OK, "else it does nothing");
  nnlua_close(s);
}

static void test_memory_limit(void) {
  nnlua_options options = {.memory_limit = 8 << 20};
  nnlua_state *s = nnlua_open(&options);
  size_t peak;
  tap_ok(nnlua_dostring(s, "t = ('x'):rep(1 << 30)", NULL) == NNLUA_MEMORY, "the cap holds");
  tap_same("not enough memory", nnlua_error(s), "and is told");
  tap_ok(nnlua_dostring(s, "local t = {} for i = 1, 1e9 do t[i] = i end", NULL) == NNLUA_MEMORY,
         "also for many small blocks");
  tap_ok(nnlua_memory(s, &peak) <= 8 << 20 && peak <= 8 << 20, "it was never passed");
  tap_ok(nnlua_dostring(s, "collectgarbage() t = {}", NULL) == NNLUA_OK, "the state stays usable");
  nnlua_close(s);
}

/* An allocator that refuses one request; it counts what is in use. */
typedef struct refusing {
  long requests, refuse;
  size_t used;
} refusing;

static void *refuse_one(void *data, void *block, size_t old_size, size_t size) {
  refusing *r = data;
  if (size > old_size && ++r->requests == r->refuse) return NULL;
  void *p = NULL;
  if (size) p = realloc(block, size);
  else free(block);
  if (p || !size) r->used += size - old_size;
  return p;
}

static int open_and_run(refusing *r, nnlua_status *status) {
  nnlua_options options = {.allocate = refuse_one, .allocate_data = r, .sandbox = 1};
  nnlua_state *s = nnlua_open(&options);
  if (!s) return 0;
  *status = nnlua_dostring(s, "local e = require 'nnlua.err' local t = {} for i = 1, 20 do "
                              "t[i] = ('%d'):format(i) end", NULL);
  nnlua_close(s);
  return 1;
}

/* A single refusal is answered by a collection and a second try, or by NULL or NNLUA_MEMORY. */
static void test_refusals(void) {
  refusing counter = {0};
  nnlua_status status;
  int good = open_and_run(&counter, &status) && status == NNLUA_OK && counter.used == 0;
  tap_ok(good, "nothing is left in use (%ld requests)", counter.requests);
  good = 1;
  for (long i = 1; i <= counter.requests && good; i++) {
    refusing r = {.refuse = i};
    status = NNLUA_MEMORY;
    open_and_run(&r, &status);
    good = r.used == 0 && (status == NNLUA_OK || status == NNLUA_MEMORY);
    if (!good) printf("# request %ld: status %d, %zu bytes left\n", i, (int)status, r.used);
  }
  tap_ok(good, "every request may be refused once");
}

int main(void) {
  test_running();
  test_sandbox();
  test_time_limit();
  test_cancel();
  test_memory_limit();
  test_refusals();
  return tap_done();
}
