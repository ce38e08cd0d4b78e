-- evaluate, predict and the *_on_batch functions.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local labels = require "nnlua.trainer.labels"
local logs_of = require "nnlua.logs"
local loop = require "nnlua.trainer.loop"
local step = require "nnlua.trainer.step"
local tree = require "nnlua.tree"

local evaluate = {}

evaluate.signature = args.signature("evaluate", [[x=None, y=None, batch_size=None, verbose="auto",
  sample_weight=None, steps=None, callbacks=None, return_dict=False]])
evaluate.predict_signature = args.signature("predict", [[x, batch_size=None, verbose="auto",
  steps=None, callbacks=None]])
evaluate.train_on_batch_signature = args.signature("train_on_batch", [[x, y=None,
  sample_weight=None, class_weight=None, return_dict=False]])
evaluate.test_on_batch_signature = args.signature("test_on_batch", [[x, y=None,
  sample_weight=None, return_dict=False]])

local function check_count(where, name, v)
  if v ~= nil and (math.tointeger(v) == nil or v < 1) then
    err.raise("%s: %s is %s, expected an integer above 0", where, name, err.show(v))
  end
end

--- A source of batches in order, from tensors or a data set.
function evaluate.source(model, x, y, w, batch, where)
  if x == nil then err.raise("%s: x is missing", where) end
  x = require("nnlua.utils.feature_rows").encode(model, x)
  if data.is_iterable(x) then return data.iterator_source(x, where) end
  x = data.tensors(x, where, "x", model.flat_inputs and #model.flat_inputs)
  y = data.tensors(y, where, "y")
  w = data.tensors(w, where, "sample_weight")
  local rows = data.check_rows(where, x, y, w)
  loop.check_inputs(model, x, where)
  labels.check(model, y, where)
  return data.ArraySource(x, y, w, rows, batch)
end

local function callback_list(model, a, kind, steps)
  local CallbackList = require "nnlua.callbacks.list"
  if class.is(a.callbacks, CallbackList) then return a.callbacks end
  local verbose = a.verbose
  if verbose == "auto" or verbose == true then verbose = 1 end
  if verbose == false then verbose = 0 end
  return CallbackList{callbacks = a.callbacks, add_progbar = verbose ~= 0, model = model,
    verbose = verbose, epochs = 1, steps = steps, kind = kind}
end

--- Loss and metrics over a source, with the callbacks' test hooks: a plain table.
function evaluate.run(model, source, callbacks, steps)
  local run = {model = model, callbacks = callbacks}
  loop.prepare(run, "test")
  loop.reset_metrics(model)
  callbacks:on_test_begin(logs_of.new())
  loop.batches(run, "test", source, steps or math.huge)
  local logs = loop.current_logs(run)
  callbacks:on_test_end(logs)
  local plain = {}
  for key, value in next, logs do plain[key] = value end
  return plain
end

--- Values in the order of Keras's list: loss, compiled metrics, losses of outputs, the rest sorted.
local function in_order(model, logs)
  local list, taken = {}, {}
  local function take(key)
    if logs[key] ~= nil and not taken[key] then
      taken[key] = true
      list[#list + 1] = logs[key]
    end
  end
  take("loss")
  local r = model.resolved
  for _, m in ipairs(r and r.metrics or {}) do take(m.metric.name) end
  for _, t in ipairs(r and r.trackers or {}) do take(t.key) end
  for _, key in ipairs(logs_of.keys(logs_of.new(logs))) do take(key) end
  return list
end

local function result_of(model, logs, return_dict)
  if return_dict then return logs end
  local list = in_order(model, logs)
  return #list == 1 and list[1] or list
end

--- Loss and metrics on data: a number, a list, or with return_dict a table by name.
function evaluate.evaluate(model, a)
  loop.check_compiled(model, "evaluate")
  check_count("evaluate", "batch_size", a.batch_size)
  check_count("evaluate", "steps", a.steps)
  loop.ensure_layers(model, "evaluate")
  local source = evaluate.source(model, a.x, a.y, a.sample_weight, a.batch_size or 32, "evaluate")
  local callbacks = callback_list(model, a, "test", a.steps or source.batches)
  source:restart()
  local logs = loop.guarded(evaluate.run, model, source, callbacks, a.steps)
  return result_of(model, logs, a.return_dict)
end

-- predict ----------------------------------------------------------------------------------------

local function sinks_for(entry, rows, batch)
  local sinks = {}
  for i, s in ipairs(entry.shapes) do
    local shape = table.move(s.shape, 1, #s.shape, 1, {})
    if shape[1] ~= batch then return nil end
    shape[1] = rows
    sinks[i] = core.full(shape, 0, s.dtype)
  end
  return sinks
end

local function concatenate(parts)
  local ops = require "nnlua.ops"
  local flat = {}
  for i, part in ipairs(parts) do
    for k, t in ipairs(tree.flatten(part)) do
      flat[k] = flat[k] or {}
      flat[k][i] = t
    end
  end
  local joined = {}
  for k, list in ipairs(flat) do
    joined[k] = #list == 1 and list[1] or ops.concatenate{list, axis = 1}
  end
  return tree.pack(parts[1], joined)
end

local function predict_chunk(model, chunk, k, seconds)
  local entry = step.plan(model, "predict", {x = chunk.x, batch = chunk.batch})
  local sinks = sinks_for(entry, chunk.batch * (chunk.steps - k + 1), chunk.batch)
  if not sinks then
    err.raise("predict: the model's output does not keep the batch axis")
  end
  local done = entry.plan:run{feeds = tree.flatten(chunk.x), sinks = sinks, batch = chunk.batch,
    first = chunk.first + (k - 1) * chunk.batch, steps = chunk.steps - k + 1, seconds = seconds}
  if done < chunk.steps - k + 1 then
    for i, t in ipairs(sinks) do sinks[i] = core.view(t, {{1, done * chunk.batch}}) end
  end
  return done, tree.pack(entry.like, sinks)
end

-- Calls predict hooks around groups of batches (steps_per_execution).
local function group_hooks(model, callbacks)
  local size = model.compiled_with and model.compiled_with.steps_per_execution or 1
  local group = {inside = 0, size = size, from = 1}
  function group.begin(total)
    if group.inside > 0 then return end
    group.from, group.parts = total + 1, {}
    callbacks:on_predict_batch_begin(group.from, logs_of.new())
  end
  function group.finish()
    if group.inside == 0 then return end
    group.inside = 0
    callbacks:on_predict_batch_end(group.from + size - 1, {outputs = concatenate(group.parts)})
  end
  function group.add(done, part)
    group.inside = group.inside + done
    table.insert(group.parts, part)
    if group.inside >= size then group.finish() end
  end
  return group
end

local function limited(chunk, steps)
  if steps >= chunk.steps then return chunk end
  return setmetatable({steps = steps}, {__index = chunk})
end

local function predict_all(model, source, callbacks, limit)
  local parts, total = {}, 0
  local progress = callbacks:has_progress()
  local group = callbacks:has_batch_hooks("predict") and group_hooks(model, callbacks)
  while total < limit do
    local chunk = source:chunk(limit == math.huge and math.maxinteger or limit - total)
    if not chunk then break end
    local k = 1
    while k <= chunk.steps do
      local one = chunk
      if group then
        group.begin(total)
        one = limited(chunk, k + group.size - group.inside - 1)
      end
      local done, part = predict_chunk(model, one, k, progress and 0.05 or nil)
      source:advance(chunk, done)
      k, total = k + done, total + done
      parts[#parts + 1] = part
      if group then group.add(done, part) end
      if progress then callbacks:on_progress(total, logs_of.new()) end
    end
  end
  if group then group.finish() end
  if #parts == 0 then err.raise("predict: x has no rows") end
  return concatenate(parts)
end

-- The plan of the last prediction of one batch, when x has the same shape and dtype: then a call is
-- one call into C and the result. Its plan is forgotten with the others (step.refresh, compile).
local function last_plan(model, x)
  local last = model.last_predict
  if last and last.plans == model.plans and core.same_spec(x, last.like) then return last.entry end
end

local function remember(model, x)
  if not core.is_tensor(x) then return end
  local entry = step.plan(model, "predict", {x = x, batch = x.shape[1]})
  if #entry.shapes == 1 and entry.like == true then
    rawset(model, "last_predict", {plans = model.plans, entry = entry,
      like = core.full(x.shape, 0, x.dtype)})
  end
end

-- x as one batch of a call that nobody listens to.
local function is_single(a)
  return core.is_tensor(a.x) and a.x.ndim > 0 and #a.x <= (a.batch_size or 32)
    and a.callbacks == nil and a.steps == nil and (a.verbose == 0 or a.verbose == false)
end

--- Outputs for x, batch by batch; the structure is that of the model's outputs.
function evaluate.predict(model, a)
  check_count("predict", "batch_size", a.batch_size)
  check_count("predict", "steps", a.steps)
  local single = is_single(a)
  local known = single and last_plan(model, a.x)
  if known then return known.plan:predict(a.x) end
  loop.ensure_layers(model, "predict")
  local source = evaluate.source(model, a.x, nil, nil, a.batch_size or 32, "predict")
  local callbacks = callback_list(model, a, "predict", a.steps or source.batches)
  step.refresh(model)
  source:restart()
  callbacks:on_predict_begin(logs_of.new())
  local y = loop.guarded(predict_all, model, source, callbacks, a.steps or math.huge)
  callbacks:on_predict_end(logs_of.new())
  if single then remember(model, source.x) end
  return y
end

--- Class ids (0, 1, ...) of the highest output, or of outputs above a half where there is one
--- column.
function evaluate.predict_classes(model, a)
  local y = evaluate.predict(model, a)
  local ops = require "nnlua.ops"
  if y.shape[y.ndim] == 1 then
    return core.astype(ops.greater(y, 0.5), "int32")
  end
  return core.astype(ops.argmax(y, {axis = -1}) - 1, "int32")
end

-- single batches ---------------------------------------------------------------------------------

local function batch_source(model, a, where)
  local x = data.tensors(a.x, where, "x", model.flat_inputs and #model.flat_inputs)
  local y = data.tensors(a.y, where, "y")
  local w = data.tensors(a.sample_weight, where, "sample_weight")
  local rows = data.check_rows(where, x, y, w)
  loop.check_inputs(model, x, where)
  labels.check(model, y, where)
  if a.class_weight then
    if w then
      err.raise("%s: class_weight and sample_weight are both given, expected one of them", where)
    end
    w = data.class_weights(a.class_weight, y, where, labels.classes(model))
  end
  return data.ArraySource(x, y, w, rows, rows)
end

local function on_batch(model, a, kind, where)
  loop.check_compiled(model, where)
  loop.ensure_layers(model, where)
  local source = batch_source(model, a, where)
  local run = {model = model}
  loop.prepare(run, kind)
  loop.reset_metrics(model)
  source:restart()
  loop.batches(run, kind, source, 1)
  local plain = {}
  for key, value in next, loop.current_logs(run) do plain[key] = value end
  return result_of(model, plain, a.return_dict)
end

function evaluate.train_on_batch(model, a) return on_batch(model, a, "train", "train_on_batch") end

function evaluate.test_on_batch(model, a) return on_batch(model, a, "test", "test_on_batch") end

--- Outputs for one batch.
function evaluate.predict_on_batch(model, x)
  local known = core.is_tensor(x) and last_plan(model, x)
  if known then return known.plan:predict(x) end
  local t = data.tensors(x, "predict_on_batch", "x", model.flat_inputs and #model.flat_inputs)
  loop.check_inputs(model, t, "predict_on_batch")
  if not model.plans then step.refresh(model) end
  local rows = tree.flatten(t)[1].shape[1]
  local chunk = {x = tree.map(function(v)
    return core.is_contiguous(v) and v or core.astype(v)
  end, t), batch = rows, steps = 1, first = 1}
  local _, y = predict_chunk(model, chunk, 1)
  remember(model, chunk.x)
  return y
end

return evaluate
