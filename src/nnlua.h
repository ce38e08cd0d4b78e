/* nnlua: train neural networks from Lua. The only public header.
 *
 * Two ways in. A program with a Lua 5.4 state of its own calls luaL_requiref(L, "nnlua",
 * luaopen_nnlua, 0), or lets `require "nnlua"` find the shared library. A program without one opens
 * a state here and runs scripts in it:
 *
 *     nnlua_state *s = nnlua_open(NULL);
 *     if (nnlua_dofile(s, "train.lua", 0, NULL) != NNLUA_OK) puts(nnlua_error(s));
 *     nnlua_close(s);
 *
 * The library prints nothing by itself, keeps no globals, installs no signal handlers and never
 * ends the process; scripts print through Lua's own print and io. One state belongs to one thread
 * at a time; states do not know of each other.
 */
#ifndef NNLUA_H
#define NNLUA_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NNLUA_API __attribute__((visibility("default")))
#else
#define NNLUA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;

/* The Lua module: pushes the table `nn`. Raises a Lua error where it cannot. */
NNLUA_API int luaopen_nnlua(struct lua_State *L);

/* --- States ---------------------------------------------------------------------------------- */

typedef struct nnlua_state nnlua_state;

typedef enum nnlua_status {
  NNLUA_OK = 0,
  NNLUA_ERROR,      /* the script raised an error */
  NNLUA_SYNTAX,     /* the script does not compile */
  NNLUA_INCOMPLETE, /* nnlua_eval: the text ends before the statement does */
  NNLUA_FILE,       /* the file cannot be read */
  NNLUA_MEMORY,     /* no memory, or the memory limit was reached */
  NNLUA_TIME,       /* the time limit was reached */
  NNLUA_CANCELLED   /* nnlua_cancel */
} nnlua_status;

/* As lua_Alloc: size 0 frees and gives NULL; otherwise resizes `block` (NULL: makes one), and
 * gives NULL where it cannot. */
typedef void *(*nnlua_allocator)(void *data, void *block, size_t old_size, size_t size);

/* All zero is the default of each. */
typedef struct nnlua_options {
  nnlua_allocator allocate; /* all memory of the state, Lua's and tensors'; NULL: the C library's */
  void *allocate_data;      /* borrowed: the first argument of `allocate` */
  size_t memory_limit;      /* bytes; 0: none */
  void (*warn)(void *data, const char *piece, int to_continue); /* Lua's `warn`; NULL: nobody */
  void *warn_data;          /* borrowed: the first argument of `warn` */
  int sandbox;              /* for strangers' scripts: no io, os, debug, package; no bytecode */
  int cancellable;          /* limits stop Lua code too, at a cost in its speed */
  int ignore_environment;   /* do not read LUA_PATH, LUA_CPATH, NNLUA_PATH */
} nnlua_options;

/* A new state with Lua's standard libraries and `require "nnlua"`. `options` NULL: the defaults.
 * NULL where there is no memory for it. Free with nnlua_close (NULL is allowed). */
NNLUA_API nnlua_state *nnlua_open(const nnlua_options *options);
NNLUA_API void nnlua_close(nnlua_state *s);

/* The Lua state inside, for a host that uses Lua's C API beside this one. Borrowed. */
NNLUA_API struct lua_State *nnlua_lua(nnlua_state *s);

/* --- Running scripts ------------------------------------------------------------------------- */

/* Runs `code`; `name` (NULL: the code itself) is what messages call it, as in luaL_loadbuffer. */
NNLUA_API nnlua_status nnlua_dostring(nnlua_state *s, const char *code, const char *name);
/* Runs a file (NULL: standard input) with `argc` strings as its arguments `...`. */
NNLUA_API nnlua_status nnlua_dofile(nnlua_state *s, const char *path, int argc, char **argv);
/* Runs one piece of a dialogue: an expression, whose values Lua's `print` shows, or statements. */
NNLUA_API nnlua_status nnlua_eval(nnlua_state *s, const char *text);
/* global = require(module); `global` NULL: only require. */
NNLUA_API nnlua_status nnlua_require(nnlua_state *s, const char *module, const char *global);
/* The script's table `arg`: argv[script] becomes arg[0], those before it arg[-1], arg[-2] ... */
NNLUA_API nnlua_status nnlua_set_arg(nnlua_state *s, int argc, char **argv, int script);
/* What the last call that failed said: message and traceback. Valid until the next call. */
NNLUA_API const char *nnlua_error(const nnlua_state *s);

/* --- Exchange through global variables ------------------------------------------------------- */

NNLUA_API nnlua_status nnlua_set_number(nnlua_state *s, const char *global, double value);
NNLUA_API nnlua_status nnlua_set_string(nnlua_state *s, const char *global, const char *value);
/* NNLUA_ERROR where the global is no number (or numeric string). */
NNLUA_API nnlua_status nnlua_get_number(nnlua_state *s, const char *global, double *value);
/* global = a float32 tensor of this shape (ndim 0 to 8), a copy of `values` in row-major order. */
NNLUA_API nnlua_status nnlua_set_tensor(nnlua_state *s, const char *global, const float *values,
                                        int ndim, const int64_t *shape);
/* Copies a tensor, number or nested table of exactly `count` elements out, in row-major order. */
NNLUA_API nnlua_status nnlua_get_tensor(nnlua_state *s, const char *global, float *values,
                                        size_t count);

/* --- Limits ---------------------------------------------------------------------------------- */

/* Seconds that each following call may run; 0: no limit. As nnlua_cancel: it ends training, and
 * Lua code where the state is `cancellable`. */
NNLUA_API void nnlua_set_time_limit(nnlua_state *s, double seconds);
/* Ends the running call with NNLUA_CANCELLED: in training after the step, and in Lua code where
 * the state is `cancellable`. Without a running call it does nothing. For any thread and any signal
 * handler. */
NNLUA_API void nnlua_cancel(nnlua_state *s);
/* What Ctrl-C does: asks a running `fit` to end after its step (1: and the script goes on), else
 * raises "interrupted!" in the script (0). -1: it was asked before and has not ended yet. For a
 * signal handler in the thread that runs the script. */
NNLUA_API int nnlua_interrupt(nnlua_state *s);
/* Bytes in use; `peak` (or NULL) receives the most there have been. */
NNLUA_API size_t nnlua_memory(const nnlua_state *s, size_t *peak);

/* --- About ----------------------------------------------------------------------------------- */

NNLUA_API const char *nnlua_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif

#endif
