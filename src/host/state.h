/* A host's state from the inside. */
#ifndef NN_HOST_STATE_H
#define NN_HOST_STATE_H

#include <lua.h>

#include "core/control.h"
#include "nnlua.h"

struct nnlua_state {
  lua_State *L;               /* owned */
  nnlua_options options;      /* allocate is never NULL here */
  nn_control control;
  size_t used, peak;          /* bytes in use; the most there have been */
  double time_limit;          /* seconds a call may run; 0: no limit */
  int calls;                  /* calls under way: more than one where a script calls the host */
  int error_slot;             /* registry reference: the last message */
  const char *error;          /* borrowed from that slot */
};

/* A call from the host: what to run under protection, and what came of it. */
typedef struct nn_host_call {
  nnlua_state *state;         /* borrowed */
  void (*body)(lua_State *L, struct nn_host_call *c);
  nnlua_status status;        /* body leaves it NNLUA_OK, or sets it and pushes a message */
  const char *text, *name;    /* borrowed: whatever the body needs */
  int count;
  char **list;
  double number;
  const int64_t *shape;
  const float *from;
  float *to;
} nn_host_call;

/* Runs c->body protected, within the limits; keeps its message for nnlua_error. */
nnlua_status nn_host_run(nn_host_call *c);

/* Calls the function under `nargs` arguments with the traceback handler. On failure sets c->status
 * and leaves the message on the stack. */
void nn_host_pcall(lua_State *L, nn_host_call *c, int nargs, int nresults);

/* Start and end the limits of an outermost call. */
void nn_host_limits_begin(nnlua_state *s);
void nn_host_limits_end(nnlua_state *s);
/* NNLUA_TIME or NNLUA_CANCELLED where a limit ended the call, else `status`. */
nnlua_status nn_host_limits_status(const nnlua_state *s, nnlua_status status);

/* Takes what a stranger's script must not have out of a fresh state (sandbox.c). */
void nn_host_sandbox(lua_State *L);

#endif
