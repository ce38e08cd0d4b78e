/* Time limits, cancellation and interrupts.
 *
 * Training looks at the flags of core/control.h once a step. Lua code looks at them through a count
 * hook, which cancellable states carry (new coroutines inherit it). A script that catches the error
 * does not get away: from then on the hook comes at every instruction. What the hook cannot end is
 * a long call of a C function, such as string.find with a hostile pattern.
 */
#include <lauxlib.h>
#include <stddef.h>

#include "host/state.h"
#include "lua/control.h"

#define HOOK_COUNT 10000 /* instructions between two looks: some 100 microseconds */

static void on_count(lua_State *L, lua_Debug *ar) {
  (void)ar;
  nn_stop why = nn_control_check(nn_lua_control(L));
  if (why != NN_STOP_TIME && why != NN_STOP_CANCEL) return;
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
  nn_lua_poll(L);
}

static void on_interrupt(lua_State *L, lua_Debug *ar);

/* The hook that a state has when nothing is the matter. A host's own hook is left alone. */
static void set_hook(nnlua_state *s) {
  if (s->options.cancellable) lua_sethook(s->L, on_count, LUA_MASKCOUNT, HOOK_COUNT);
  else if (lua_gethook(s->L) == on_interrupt) lua_sethook(s->L, NULL, 0, 0);
}

/* Set by nnlua_interrupt: comes at the next instruction, and only once. */
static void on_interrupt(lua_State *L, lua_Debug *ar) {
  nn_control *c = nn_lua_control(L);
  (void)ar;
  set_hook((void *)((char *)c - offsetof(nnlua_state, control)));
  atomic_store(&c->interrupted, 0);
  luaL_error(L, "interrupted!");
}

void nn_host_limits_begin(nnlua_state *s) {
  if (s->calls++) return;
  atomic_store(&s->control.cancelled, 0);
  atomic_store(&s->control.interrupted, 0);
  s->control.deadline = s->time_limit > 0 ? nn_control_now() + s->time_limit : 0;
  set_hook(s);
}

void nn_host_limits_end(nnlua_state *s) {
  if (--s->calls == 0) s->control.deadline = 0;
}

nnlua_status nn_host_limits_status(const nnlua_state *s, nnlua_status status) {
  switch (nn_control_check(&s->control)) {
    case NN_STOP_TIME: return NNLUA_TIME;
    case NN_STOP_CANCEL: return NNLUA_CANCELLED;
    default: return status;
  }
}

void nnlua_set_time_limit(nnlua_state *s, double seconds) { s->time_limit = seconds; }

void nnlua_cancel(nnlua_state *s) { atomic_store(&s->control.cancelled, 1); }

int nnlua_interrupt(nnlua_state *s) {
  if (atomic_exchange(&s->control.interrupted, 1)) return -1;
  if (atomic_load(&s->control.runs) > 0) return 1;
  lua_sethook(s->L, on_interrupt, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  return 0;
}
