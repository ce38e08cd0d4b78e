/* plan:run(spec): many batches in one call. See model/train.h.
 *
 * spec: feeds = {tensor..} (rows along the first dimension), sinks = {tensor..} or nil, optimizer,
 * update = plan with rate and count (scalars) in place of optimizer, after = plan, order = int32
 * tensor or nil, first (1-based), batch, steps, lr = number or list, loss_scale, seconds
 * (return after the step that passes them), step and seed (of random draws), hook = a function that
 * is called after each batch and ends the run where it returns true.
 * Returns the number of batches done and why it ended early: nil, "interrupt", "time".
 */
#include <string.h>

#include "lua/control.h"
#include "lua/l_optimizer.h"
#include "lua/l_plan.h"
#include "lua/l_tensor.h"
#include "model/train.h"

static int64_t integer_field(lua_State *L, const char *name, int64_t otherwise) {
  lua_getfield(L, 2, name);
  int64_t v = luaL_optinteger(L, -1, otherwise);
  lua_pop(L, 1);
  return v;
}

static double number_field(lua_State *L, const char *name, double otherwise) {
  lua_getfield(L, 2, name);
  double v = luaL_optnumber(L, -1, otherwise);
  lua_pop(L, 1);
  return v;
}

static int64_t rows_of(const nnl_tensor *t) { return t->t.shape.ndim ? t->t.shape.dim[0] : 1; }

static int64_t row_size(const nnl_tensor *t) {
  int64_t rows = rows_of(t);
  return rows ? nn_shape_size(&t->t.shape) / rows : 0;
}

/* The contiguous tensor at field name[k] of the spec; stays on the stack. */
static nnl_tensor *list_tensor(lua_State *L, int list, int k) {
  lua_geti(L, list, k);
  nnl_tensor *t = nnl_check_tensor(L, -1);
  if (!t->t.data || !nn_tensor_is_contiguous(&t->t)) nnl_raise(L, "plan: rows must be contiguous");
  return t;
}

static void read_feeds(lua_State *L, nn_train_job *j, nn_feed *feeds, int64_t *least_rows) {
  lua_getfield(L, 2, "feeds");
  int list = lua_gettop(L), n = nn_plan_n_inputs(j->plan);
  if (luaL_len(L, list) != n)
    nnl_raise(L, "plan: %d feeds, expected %d", (int)luaL_len(L, list), n);
  for (int k = 0; k < n; k++) {
    nnl_tensor *t = list_tensor(L, list, k + 1);
    const nn_shape *s = nn_plan_input_shape(j->plan, k);
    if (nn_shape_size(s) % j->batch || row_size(t) != nn_shape_size(s) / j->batch)
      nnl_raise(L, "plan: feed %d has rows of %lld elements, expected %lld", k + 1,
                (long long)row_size(t), (long long)(nn_shape_size(s) / j->batch));
    feeds[k] = (nn_feed){.rows = t->t.data, .dtype = t->t.shape.dtype, .row_size = row_size(t)};
    if (rows_of(t) < *least_rows) *least_rows = rows_of(t);
    lua_pop(L, 1);
  }
  j->feeds = feeds;
}

static void read_sinks(lua_State *L, nn_train_job *j, nn_sink *sinks) {
  lua_getfield(L, 2, "sinks");
  int list = lua_gettop(L), n = nn_plan_n_outputs(j->plan);
  if (lua_isnil(L, list)) return;
  if (luaL_len(L, list) != n)
    nnl_raise(L, "plan: %d sinks, expected %d", (int)luaL_len(L, list), n);
  for (int k = 0; k < n; k++) {
    nnl_tensor *t = list_tensor(L, list, k + 1);
    const nn_shape *s;
    nn_plan_output(j->plan, k, &s);
    int64_t first = integer_field(L, "sink_first", 1) - 1, per_row = row_size(t);
    int64_t room = nn_shape_size(&t->t.shape), each = nn_shape_size(s);
    if (t->t.shape.dtype != s->dtype || t->read_only || first < 0 || first > rows_of(t) ||
        (each && j->steps > (room - first * per_row) / each))
      nnl_raise(L, "plan: sink %d is too small", k + 1);
    sinks[k].rows = (char *)t->t.data + (size_t)(first * per_row) * nn_dtype_size(s->dtype);
    lua_pop(L, 1);
  }
  j->sinks = sinks;
}

/* Small enough that no product of them overflows. */
static void check_range(lua_State *L, const nn_train_job *j) {
  int64_t most = (int64_t)1 << 48;
  if (j->first < 0 || j->first > most || j->batch < 1 || j->steps < 0 || j->batch > most ||
      j->steps > most / j->batch)
    nnl_raise(L, "plan: bad range of rows");
}

static void read_order(lua_State *L, nn_train_job *j, int64_t rows) {
  lua_getfield(L, 2, "order");
  int64_t end = j->first + j->batch * j->steps;
  if (!lua_isnil(L, -1)) {
    nnl_tensor *t = nnl_check_tensor(L, -1);
    if (t->t.shape.dtype != NN_I32 || !nn_tensor_is_contiguous(&t->t) || end > rows_of(t))
      nnl_raise(L, "plan: order must be int32 and hold %lld rows", (long long)end);
    j->order = t->t.data;
    for (int64_t k = j->first; k < end; k++)
      if (j->order[k] < 0 || j->order[k] >= rows)
        nnl_raise(L, "plan: order[%lld] is outside the rows", (long long)k + 1);
  } else if (end > rows) {
    nnl_raise(L, "plan: %lld rows asked for, there are %lld", (long long)end, (long long)rows);
  }
}

static void read_rates(lua_State *L, nn_train_job *j) {
  lua_getfield(L, 2, "lr");
  j->n_lr = lua_istable(L, -1) ? luaL_len(L, -1) : 1;
  if (j->n_lr < 1 || (j->n_lr > 1 && j->n_lr < j->steps))
    nnl_raise(L, "plan: fewer learning rates than steps");
  double *lr = lua_newuserdatauv(L, sizeof(double) * (size_t)(j->n_lr + 1), 0);
  for (int64_t k = 0; k < j->n_lr; k++) {
    if (lua_istable(L, -2)) {
      lua_geti(L, -2, k + 1);
      lr[k] = lua_tonumber(L, -1);
      lua_pop(L, 1);
    } else {
      lr[k] = lua_tonumber(L, -2);
    }
  }
  j->lr = lr;
}

/* The float of a tensor of one element at field `name`. */
static float *scalar_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  nnl_tensor *t = nnl_check_tensor(L, -1);
  if (!t->t.data || t->read_only || t->t.shape.dtype != NN_F32 || nn_shape_size(&t->t.shape) != 1)
    nnl_raise(L, "plan: %s is no float32 scalar", name);
  return t->t.data;
}

/* update = plan, rate and count = scalars that it reads. */
static void read_update(lua_State *L, nn_train_job *j) {
  lua_getfield(L, 2, "update");
  if (lua_isnil(L, -1)) return;
  j->update = nnl_check_plan(L, -1)->plan;
  j->rate = scalar_field(L, "rate");
  j->count = scalar_field(L, "count");
}

/* A run between two calls of its hook, in a userdata at index 3, as the hook may yield. */
typedef struct hooked {
  nn_train_job job;
  int64_t done, steps, n_lr;
  uint64_t step, seed;
  nn_stop why;
} hooked;

enum { RUN = 3 };

/* The next `steps` batches; what random draws outside see of the step stays as it was. */
static int64_t run_steps(lua_State *L, hooked *h, int64_t steps) {
  nnl_context *c = nnl_context_get(L);
  nn_train_job *j = &h->job;
  int64_t done;
  uint64_t step = c->run.step, seed = c->run.seed;
  c->run.step = h->step + (uint64_t)h->done;
  c->run.seed = h->seed;
  j->steps = steps;
  nn_status s = nn_train_run(j, &done, &h->why);
  c->run.step = step, c->run.seed = seed;
  if (s != NN_OK) nnl_check_fault(L);
  if (h->why == NN_STOP_CANCEL || h->why == NN_STOP_TIME) nn_lua_poll(L);
  h->done += done;
  j->first += done * j->batch;
  if (h->n_lr > 1) j->lr += done;
  return done;
}

static int push_result(lua_State *L, const hooked *h) {
  static const char *const reasons[] = {NULL, "interrupt", "time", "cancel"};
  lua_pushinteger(L, h->done);
  lua_pushstring(L, reasons[h->why]);
  return 2;
}

/* Batch by batch from where the run is, the hook (at the top of the stack) after each. */
static int run_hooked(lua_State *L, int status, lua_KContext k) {
  hooked *h = lua_touserdata(L, RUN);
  int hook = (int)k, called = status != LUA_OK;
  for (;;) {
    if (called) {
      int stop = lua_toboolean(L, -1);
      lua_settop(L, hook);
      if (stop || h->why != NN_STOP_NONE || h->done >= h->steps) return push_result(L, h);
    }
    if (run_steps(L, h, 1) == 0) return push_result(L, h);
    lua_pushvalue(L, hook);
    lua_callk(L, 0, 1, k, run_hooked);
    called = 1;
  }
}

static int l_plan_run(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  hooked *h = lua_newuserdatauv(L, sizeof *h, 0); /* RUN */
  memset(h, 0, sizeof *h);
  nn_train_job *j = &h->job;
  j->plan = nnl_check_plan(L, 1)->plan, j->run = &c->run;
  j->control = nn_lua_control(L);
  j->first = integer_field(L, "first", 1) - 1;
  j->batch = integer_field(L, "batch", 1);
  h->steps = j->steps = integer_field(L, "steps", 1);
  check_range(L, j);
  j->loss_scale = (float)number_field(L, "loss_scale", 1);
  double seconds = number_field(L, "seconds", 0);
  j->until = seconds > 0 ? nn_control_now() + seconds : 0;
  int64_t rows = INT64_MAX;
  nn_feed *feeds =
      lua_newuserdatauv(L, sizeof(nn_feed) * (size_t)(nn_plan_n_inputs(j->plan) + 1), 0);
  read_feeds(L, j, feeds, &rows);
  nn_sink *sinks =
      lua_newuserdatauv(L, sizeof(nn_sink) * (size_t)(nn_plan_n_outputs(j->plan) + 1), 0);
  read_sinks(L, j, sinks);
  if (nn_plan_n_inputs(j->plan) > 0) read_order(L, j, rows);
  read_rates(L, j);
  h->n_lr = j->n_lr;
  lua_getfield(L, 2, "optimizer");
  if (!lua_isnil(L, -1)) j->opt = nnl_check_opt(L, -1);
  read_update(L, j);
  lua_getfield(L, 2, "after");
  if (!lua_isnil(L, -1)) j->after = nnl_check_plan(L, -1)->plan;
  h->step = (uint64_t)integer_field(L, "step", (int64_t)c->run.step);
  h->seed = (uint64_t)integer_field(L, "seed", (int64_t)c->run.seed);
  lua_getfield(L, 2, "hook");
  if (lua_isfunction(L, -1) && h->steps > 0) return run_hooked(L, LUA_OK, lua_gettop(L));
  run_steps(L, h, h->steps);
  return push_result(L, h);
}

void l_train_methods(lua_State *L) {
  lua_pushcfunction(L, l_plan_run);
  lua_setfield(L, -2, "run");
}
