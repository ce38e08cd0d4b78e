-- What fit, evaluate and predict share: checks before the first batch, the running of batches,
-- logs.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local own_rule = require "nnlua.trainer.own_rule"
local shapes = require "nnlua.shapes"
local step = require "nnlua.trainer.step"
local terminal = require "nnlua.terminal"
local tree = require "nnlua.tree"
local Variable = require "nnlua.variable"

local loop = {}

-- checks -----------------------------------------------------------------------------------------

function loop.check_compiled(model, where)
  err.check(model.compiled_with, "%s: the model is not compiled; call compile first", where)
end

function loop.ensure_layers(model, where)
  if model.list and #model.list == 0 then err.raise("%s: the model has no layers", where) end
end

local function input_text(shape)
  return shapes.text(shape, "batch")
end

local function check_one(where, what, t, want, alone)
  local shape = t.shape
  local same_rank = #shape == #want
  local squeezes = #shape == #want + 1 and shape[#shape] == 1
    or #shape == #want - 1 and want[#want] == 1
  if not same_rank and not squeezes then
    if #shape == #want - 1 and #shape == 1 and shape[1] == want[2] then
      err.raise("%s: %s has shape (%d); for one row write (1, %d)", where, what, shape[1], shape[1])
    end
    err.raise("%s: %s has shape %s but the model takes %s", where, what, shapes.text(shape),
      input_text(want))
  end
  if not same_rank then return end
  for i = 2, #want do
    if want[i] and want[i] ~= shape[i] then
      if #want == 2 then
        err.raise("%s: %s has %d columns but the model's input takes %d", where, what, shape[2],
          want[2])
      end
      err.raise("%s: %s has shape %s but the model%s takes %s", where, what, shapes.text(shape),
        alone and "" or "'s input", input_text(want))
    end
  end
end

--- Compares x with the model's inputs, where they are known.
function loop.check_inputs(model, x, where)
  if not model.flat_inputs then return x end
  local list = model:flatten_inputs(x, where)
  for i, t in ipairs(list) do
    local what = #list == 1 and "x" or ("x '%s'"):format(model.input_names[i])
    check_one(where, what, t, model.flat_inputs[i].shape, #list == 1)
  end
  return x
end

local function nan_position(t)
  local ops = require "nnlua.ops"
  if t.dtype ~= "float32" or t.size == 0 then return nil end
  if not core.has_nan(t) then return nil end
  local flat = ops.isnan(t):reshape{-1}
  local at = ops.argmax(flat):item() - 1
  local shape, parts = t.shape, {}
  for i = #shape, 1, -1 do
    table.insert(parts, 1, ("[%d]"):format(at % shape[i] + 1))
    at = at // shape[i]
  end
  return table.concat(parts)
end

function loop.warn_nan(x, what, where)
  for _, t in ipairs(tree.flatten(x)) do
    local at = nan_position(t)
    if at then terminal.warn(("%s: %s%s is NaN"):format(where, what, at)) end
  end
end

function loop.refuse_nan(y, what, where)
  for _, t in ipairs(tree.flatten(y)) do
    local at = nan_position(t)
    if at then err.raise("%s: %s%s is NaN", where, what, at) end
  end
end

-- metrics and logs
-- ---------------------------------------------------------------------------------

local function each_metric(model, f)
  f("loss", model.loss_tracker)
  local r = model.resolved
  if not r then return end
  for _, t in ipairs(r.trackers) do f(t.key, t.metric) end
  for _, m in ipairs(r.metrics) do f(m.key, m.metric) end
end

-- Where every metric is a plain mean, one function in C that makes the logs and one that resets
-- them; false where one is something else.
local function find_means(model)
  local Mean, Metric = require("nnlua.metrics.mean").Mean, require "nnlua.metrics.metric"
  local names, tensors, plain = {}, {}, true
  each_metric(model, function(key, metric)
    plain = plain and metric.result == Mean.result and metric.reset_state == Metric.reset_state
    if plain then
      names[#names + 1] = key
      tensors[#tensors + 1], tensors[#tensors + 2] = metric.total.tensor, metric.count.tensor
    end
  end)
  local means = {tracker = model.loss_tracker, resolved = model.resolved or false}
  if plain then means.logs, means.reset = core.running_means(names, tensors, logs_of.metatable) end
  return means
end

local function means_of(model)
  local means = rawget(model, "running_means")
  if not means or means.tracker ~= model.loss_tracker
    or means.resolved ~= (model.resolved or false) then
    means = find_means(model)
    rawset(model, "running_means", means)
  end
  return means
end

-- A function of the model that gives its logs.
local function log_maker(model) return means_of(model).logs or loop.logs end

function loop.reset_metrics(model)
  local means = means_of(model)
  if means.reset then return means.reset() end
  each_metric(model, function(_, metric) metric:reset_state() end)
end

local function plain(value)
  if core.is_tensor(value) then
    if value.ndim == 0 then return value:item() end
    return value:totable()
  end
  return value
end

--- The running means as new logs, name -> number (arrays for metrics that give several).
function loop.logs(model)
  local means = means_of(model)
  if means.logs then return means.logs() end
  local logs = logs_of.new()
  each_metric(model, function(key, metric) rawset(logs, key, plain(metric:result())) end)
  return logs
end

-- running batches --------------------------------------------------------------------------------

local redraw_seconds = 0.05

local begin_hooks = {train = "on_train_batch_begin", test = "on_test_batch_begin"}
local end_hooks = {train = "on_train_batch_end", test = "on_test_batch_end"}

local function own_step(model, kind)
  local Model = require "nnlua.model"
  return model[kind .. "_step"] ~= Model[kind .. "_step"]
end

--- Decides how batches run: "plan" (C), "eager" (Lua, recorded on a tape) or "own" (train_step).
function loop.prepare(run, kind)
  local model = run.model
  step.refresh(model)
  rawset(model, "flags_of", nil)
  if own_step(model, kind) then run.how = "own"
  elseif model.run_eagerly then run.how = "eager"
  elseif kind == "train" and model.optimizer.native == nil
    and not own_rule.fits(model.optimizer) then
    run.how = "eager"
  else run.how = "plan" end
  run.group = model.compiled_with and model.compiled_with.steps_per_execution or 1
  local callbacks = run.callbacks
  if callbacks then
    run.listens, run.progress = callbacks:has_batch_hooks(kind), callbacks:has_progress()
    run.hears_begin = run.listens and #callbacks:listeners(begin_hooks[kind]) > 0
  end
end

-- Runs batches from..from+count-1 of a chunk in C; gives how many were done and why it stopped. nil
-- where the step turns out not to be a plan. hook: called after each batch.
local function run_plan(run, kind, chunk, from, count, seconds, hook)
  local model = run.model
  local entry = step.plan(model, kind, chunk)
  if entry.retry then
    run.how = "eager"
    return nil
  end
  local spec = {feeds = chunk.feeds, order = chunk.order,
    first = chunk.first + (from - 1) * chunk.batch, batch = chunk.batch, steps = count,
    seconds = seconds, step = model.steps_done, seed = model.seed, hook = hook}
  if entry.update then
    own_rule.fill(spec, model.optimizer, entry, count)
    spec.after = step.after_plan(model)
  elseif kind == "train" and not entry.idle then
    local native = model.optimizer.native
    if model.flags_of ~= entry then -- the flags stay as the last plan set them
      for i = 1, #entry.reached do native:has_gradient(i, entry.reached[i], entry.squares[i]) end
      rawset(model, "flags_of", entry)
    end
    spec.optimizer = native
    spec.lr = model.optimizer:rates(count)
    spec.loss_scale = model.optimizer.loss_scale_factor or 1
    spec.after = step.after_plan(model)
  end
  local done, why = entry.plan:run(spec)
  if entry.update then own_rule.count(model.optimizer, done) end
  if kind == "train" and not hook then model.steps_done = model.steps_done + done end
  return done, why
end

-- Whether one of the functions takes logs: f(callback, batch, logs).
local function reads_logs(heard)
  for _, one in ipairs(heard) do
    local about = type(one[2]) == "function" and debug.getinfo(one[2], "u")
    if not about or about.isvararg or about.nparams > 2 then return true end
  end
  return false
end

-- Runs batches from a place in a chunk on in one call into C, which calls the callbacks after each.
-- It ends where a callback changed what the call was made with.
local function run_hooked(run, source, chunk, from, total)
  local model, optimizer, advance = run.model, run.model.optimizer, source.advance
  local rate, plans, make = optimizer.rate_source, nil, nil
  local heard = run.callbacks:listeners "on_train_batch_end"
  local reads = reads_logs(heard)
  return run_plan(run, "train", chunk, from, chunk.steps - from + 1, nil, function()
    total = total + 1
    advance(source, chunk, 1)
    model.steps_done = model.steps_done + 1
    if not plans then plans, make = model.plans, log_maker(model) end
    local logs = reads and make(model) or nil
    for i = 1, #heard do
      local one = heard[i]
      one[2](one[1], total, logs)
    end
    return model.stop_training or model.optimizer ~= optimizer or optimizer.rate_source ~= rate
      or model.plans ~= plans
  end)
end

local function run_single(run, kind, source, chunk, k)
  local model = run.model
  local x, y, w = source:batch_of(chunk, k)
  if run.how == "own" then
    local logs = model[kind .. "_step"](model, {x, y, w})
    if type(logs) == "table" then run.own_logs = logs end
  elseif kind == "train" then
    step.eager_train(model, x, y, w, chunk.batch)
    local plan = step.after_plan(model)
    if plan then plan:forward() end
  else
    step.forward(model, x, y, w, chunk.batch, false)
  end
  if kind == "train" then model.steps_done = model.steps_done + 1 end
  return 1, loop.token and loop.token:check() or nil
end

local function execute(run, kind, source, chunk, from, count, seconds)
  if run.how == "plan" then
    local done, why = run_plan(run, kind, chunk, from, count, seconds)
    if done then return done, why end
  end
  return run_single(run, kind, source, chunk, from)
end

-- What an own step returned stands for trackers that it does not keep.
local function current_logs(run)
  local logs = loop.logs(run.model)
  if not run.own_logs then return logs end
  local kept = {}
  each_metric(run.model, function(key, metric)
    local count = metric.count
    kept[key] = class.is(count, Variable) and count.tensor:item() > 0
  end)
  for key, value in pairs(run.own_logs) do
    if not kept[key] then rawset(logs, key, plain(value)) end
  end
  return logs
end

loop.current_logs = current_logs

-- How long the next C call may take before somebody wants to hear of it.
local function time_slice(run, shown)
  if not run.progress and not run.deadline then return nil end
  local now = core.sys.clock()
  local slice = run.progress and math.max(0.001, redraw_seconds - (now - shown)) or nil
  if run.deadline then slice = math.min(slice or math.huge, math.max(1e-9, run.deadline - now)) end
  return slice
end

--- Runs up to `limit` batches of the source; gives how many and why it ended early (nil: the limit
--- or the end of the data, "interrupt", "time"; a callback's stop is model.stop_training). begun:
--- how many of them an interrupted run has done already.
function loop.batches(run, kind, source, limit, begun)
  local callbacks, model = run.callbacks, run.model
  local listens = run.listens
  local direct = listens and kind == "train" and not run.hears_begin and not run.progress
    and not run.deadline and run.group == 1 and run.how == "plan"
    and model.optimizer.native ~= nil
  local total, shown, told, why = begun or 0, -math.huge, 0, nil
  local group, in_group = run.group or 1, 0
  local function end_group()
    if listens and in_group > 0 then
      callbacks[end_hooks[kind]](callbacks, total - in_group + group, current_logs(run))
    end
    in_group = 0
  end
  while total < limit and not why do
    local chunk = source:chunk(limit - total == math.huge and math.maxinteger or limit - total)
    if not chunk then break end
    local at = 1
    while at <= chunk.steps and not why do
      local most = chunk.steps - at + 1
      if direct and run.how == "plan" then
        local done
        done, why = run_hooked(run, source, chunk, at, total)
        if done then
          at, total = at + done, total + done
          if model.stop_training then return total, nil end
          goto continue
        end
      end
      if listens then most = math.min(group - in_group, most) end
      if listens and in_group == 0 then
        callbacks[begin_hooks[kind]](callbacks, total + 1, logs_of.new())
      end
      local done
      done, why = execute(run, kind, source, chunk, at, most, time_slice(run, shown))
      source:advance(chunk, done)
      at, total, in_group = at + done, total + done, in_group + done
      if in_group >= group or why then end_group() end
      if run.progress and core.sys.clock() - shown >= redraw_seconds then
        callbacks:on_progress(total, current_logs(run))
        shown, told = core.sys.clock(), total
      end
      if why == "time" then why = nil end -- the slice is over, not the time of the run
      if not why and run.deadline and core.sys.clock() >= run.deadline then why = "time" end
      if kind == "train" and model.stop_training then return total, nil end
      ::continue::
    end
  end
  end_group()
  -- a bar that does not know the number of batches learns it from the last report
  if run.progress and told < total and not source.batches then
    callbacks:on_progress(total, current_logs(run))
  end
  return total, why
end

--- What is done with an error inside a run: it goes on as it is.
function loop.on_error(e) return e end

--- Runs f(...) with interrupts directed at it: they end the run in good order.
function loop.guarded(f, ...)
  local outer = loop.token
  local token <close> = core.run_begin()
  loop.token = token
  local function finish(ok, ...)
    loop.token = outer
    if not ok then error((...), 0) end
    return ...
  end
  return finish(xpcall(f, loop.on_error, ...))
end

return loop
