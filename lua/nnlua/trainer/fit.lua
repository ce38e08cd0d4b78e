-- fit: epochs over batches, callbacks around them. Whole stretches of batches run in one C call
-- where no callback listens to single batches.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local evaluate = require "nnlua.trainer.evaluate"
local labels = require "nnlua.trainer.labels"
local logs_of = require "nnlua.logs"
local loop = require "nnlua.trainer.loop"
local resume = require "nnlua.trainer.resume"
local terminal = require "nnlua.terminal"
local tree = require "nnlua.tree"

local fit = {}

local signature = args.signature("fit", [[x=None, y=None, batch_size=None, epochs=1, verbose="auto",
  callbacks=None, validation_split=0.0, validation_data=None, shuffle=True, class_weight=None,
  sample_weight=None, initial_epoch=1, steps_per_epoch=None, validation_steps=None,
  validation_batch_size=None, validation_freq=1, max_seconds=None, resume=None]])

fit.signature = signature

-- arguments --------------------------------------------------------------------------------------

local function check_integer(name, v, least, text)
  if v ~= nil and (math.tointeger(v) == nil or v < least) then
    err.raise("fit: %s is %s, expected an integer %s", name, err.show(v), text)
  end
end

local function check_freq(v)
  if type(v) == "table" then return end
  check_integer("validation_freq", v, 1, "above 0")
end

local function check_arguments(a)
  check_integer("batch_size", a.batch_size, 1, "above 0")
  check_integer("validation_batch_size", a.validation_batch_size, 1, "above 0")
  check_integer("epochs", a.epochs, 0, "of 0 or more")
  check_integer("initial_epoch", a.initial_epoch, 1, "above 0")
  check_integer("steps_per_epoch", a.steps_per_epoch, 1, "above 0")
  check_integer("validation_steps", a.validation_steps, 1, "above 0")
  check_freq(a.validation_freq)
  local split = a.validation_split
  if type(split) ~= "number" or split < 0 or split >= 1 then
    err.raise("fit: validation_split is %s, expected 0 to below 1", err.show(split))
  end
  if a.max_seconds ~= nil and (type(a.max_seconds) ~= "number" or a.max_seconds < 0) then
    err.raise("fit: max_seconds is %s, expected a number of 0 or more", err.show(a.max_seconds))
  end
  if a.class_weight and a.sample_weight then
    err.raise("fit: class_weight and sample_weight are both given, expected one of them")
  end
end

-- data -------------------------------------------------------------------------------------------

local function count_inputs(model) return model.flat_inputs and #model.flat_inputs or nil end

local function split_rows(a, x, y, w, rows)
  local at = math.floor(rows * (1 - a.validation_split))
  if at == 0 or at == rows then
    err.raise("fit: validation_split leaves %d of %d rows to train on", at == 0 and 0 or rows, rows)
  end
  local v = {x = data.rows(x, at + 1, rows), y = data.rows(y, at + 1, rows),
    w = data.rows(w, at + 1, rows)}
  return data.rows(x, 1, at), data.rows(y, 1, at), data.rows(w, 1, at), at, v
end

-- The rows of a permutation, each in its own batch: batches keep their places, rows inside move.
local function within_batches(order, rows, batch)
  local out, filled = core.full({rows}, 0, "int32"), {}
  for i = 1, rows do
    local row = order[i]
    local k = row // batch
    filled[k] = (filled[k] or 0) + 1
    out[k * batch + filled[k]] = row
  end
  return out
end

-- The order of rows of each pass: a permutation from the model's seed, or rows inside batches.
local function order_maker(model, shuffle, rows, batch)
  if not shuffle then return nil end
  return function(_, into)
    model.shuffles = (rawget(model, "shuffles") or 0) + 1
    if shuffle == "batch" then
      return within_batches(core.rng.permutation(rows, model.seed, 1, model.shuffles), rows, batch)
    end
    return core.rng.permutation(rows, model.seed, 1, model.shuffles, into)
  end
end

local function array_source(model, a)
  local x = data.tensors(a.x, "fit", "x", count_inputs(model))
  local y = data.tensors(a.y, "fit", "y")
  local w = data.tensors(a.sample_weight, "fit", "sample_weight")
  local rows = data.check_rows("fit", x, y, w)
  loop.check_inputs(model, x, "fit")
  loop.warn_nan(x, "x", "fit")
  loop.refuse_nan(y, "y", "fit")
  labels.check(model, y, "fit")
  local validation
  if a.validation_split > 0 and not a.validation_data then
    x, y, w, rows, validation = split_rows(a, x, y, w, rows)
  end
  if a.class_weight then
    w = data.class_weights(a.class_weight, y, "fit", labels.classes(model))
  end
  local batch = a.batch_size
    or (a.steps_per_epoch and math.ceil(rows / a.steps_per_epoch)) or 32
  local order = order_maker(model, a.shuffle, rows, batch)
  return data.ArraySource(x, y, w, rows, batch, order), validation, batch
end

local function iterable_source(model, a)
  if a.y ~= nil then err.raise("fit: y is given beside a data set or iterator, which holds it") end
  if a.sample_weight ~= nil then
    err.raise("fit: sample_weight is given beside a data set or iterator, which holds it")
  end
  if a.validation_split > 0 then
    err.raise("fit: validation_split needs tensors, x is a data set or iterator")
  end
  local source = data.iterator_source(a.x, "fit", a.shuffle ~= false)
  if a.class_weight then
    local chunk = source.chunk
    source.chunk = function(self)
      local c = chunk(self)
      if c then
        c.w = data.class_weights(a.class_weight, c.y, "fit", labels.classes(model))
        c.feeds = tree.flatten(c.w, tree.flatten(c.y, tree.flatten(c.x)))
      end
      return c
    end
  end
  return source
end

local function training_source(model, a)
  if a.x == nil then err.raise("fit: x is missing") end
  a.x = require("nnlua.utils.feature_rows").encode(model, a.x)
  if data.is_iterable(a.x) then return iterable_source(model, a) end
  return array_source(model, a)
end

-- validation -------------------------------------------------------------------------------------

local function validation_parts(v)
  if data.is_iterable(v) then return {x = v} end
  if type(v) ~= "table" or getmetatable(v) ~= nil then
    err.raise("fit: validation_data is %s, expected {x, y}", err.show(v))
  end
  if v.x ~= nil then return {x = v.x, y = v.y, w = v.sample_weight or v.w} end
  return {x = v[1], y = v[2], w = v[3]}
end

local function validation_source(model, a, split, batch)
  local given = a.validation_data and validation_parts(a.validation_data) or split
  if not given then return nil end
  return evaluate.source(model, given.x, given.y, given.w,
    a.validation_batch_size or batch or 32, "fit: validation_data")
end

local function validates(freq, epoch)
  if type(freq) == "number" then return epoch % freq == 0 end
  for _, one in ipairs(freq) do if one == epoch then return true end end
  return false
end

-- the loop ---------------------------------------------------------------------------------------

local function new_callbacks(model, a, steps, initial_epoch)
  local CallbackList = require "nnlua.callbacks.list"
  if class.is(a.callbacks, CallbackList) then
    if not a.callbacks.history then
      a.callbacks.history = require("nnlua.history")()
      a.callbacks:append(a.callbacks.history)
      a.callbacks:set_model(model)
    end
    return a.callbacks
  end
  local verbose = a.verbose
  if verbose == "auto" or verbose == true then verbose = 1 end
  if verbose == false then verbose = 0 end
  return CallbackList{callbacks = a.callbacks, add_history = true, add_progbar = verbose ~= 0,
    model = model, verbose = verbose, epochs = a.epochs, steps = steps,
    initial_epoch = initial_epoch}
end

local function ran_out(done, wanted)
  terminal.warn(("fit: the data ran out after %d of %d batches of this epoch"):format(done, wanted))
end

local function train_epoch(run)
  local model, a, source = run.model, run.arguments, run.source
  local limit = a.steps_per_epoch or math.huge
  local continued, begun = run.continues, resume.enter(run)
  if not continued and begun == 0 then source:restart() end
  run.continues = false
  local done, why = loop.batches(run, "train", source, limit, begun)
  if done == 0 and not why and continued then -- the last epoch ended at the last row
    source:restart()
    done, why = loop.batches(run, "train", source, limit)
  end
  if not why and a.steps_per_epoch then
    if done < limit then
      if not model.stop_training then ran_out(done, limit) end
    else
      run.continues = true
    end
  end
  if done == 0 and not why then
    err.raise("fit: x has no rows: the data set or iterator gave no batch")
  end
  return why
end

local function copied(t)
  local out = {}
  for key, value in next, t do out[key] = value end
  return out
end

local function one_epoch(run, epoch)
  local model, a, callbacks = run.model, run.arguments, run.callbacks
  loop.reset_metrics(model)
  callbacks:on_epoch_begin(epoch, logs_of.new())
  local why = train_epoch(run)
  local logs = loop.current_logs(run)
  if run.validation and not why and validates(a.validation_freq, epoch) then
    run.validation:restart()
    local result = evaluate.run(model, run.validation, callbacks, a.validation_steps)
    for key, value in next, result do rawset(logs, "val_" .. key, value) end
  end
  run.training_logs = copied(logs)
  callbacks:on_epoch_end(epoch, logs)
  return why
end

local function stop_reason(model, why)
  if why then return why end
  if model.stop_training then return model.stop_reason end
end

local function all_epochs(run)
  local model, a = run.model, run.arguments
  local why
  for epoch = run.finished and a.epochs + 1 or run.first_epoch, a.epochs do
    why = one_epoch(run, epoch)
    if why or model.stop_training then break end
    if run.deadline and core.sys.clock() >= run.deadline and epoch < a.epochs then
      why = "time"
      break
    end
  end
  return stop_reason(model, why)
end

-- f(...); where it fails, what the callbacks do in the background still comes to its end.
local function settled(run, f, ...)
  local ok, result = pcall(f, ...)
  rawset(run.model, "fit_run", nil)
  if ok then return result end
  run.callbacks:settle()
  return error(result, 0)
end

--- Trains the model; see keras-style arguments in `signature`. Returns the History.
function fit.fit(model, a)
  check_arguments(a)
  loop.check_compiled(model, "fit")
  loop.ensure_layers(model, "fit")
  local source, split, batch = training_source(model, a)
  local validation = validation_source(model, a, split, batch)
  local run = {model = model, arguments = a, source = source, validation = validation,
    first_epoch = a.initial_epoch,
    deadline = a.max_seconds and core.sys.clock() + a.max_seconds}
  local callbacks = new_callbacks(model, a, a.steps_per_epoch or source.batches, a.initial_epoch)
  run.callbacks = callbacks
  loop.prepare(run, "train")
  model.stop_training, model.stop_reason = false, nil
  rawset(model, "fit_run", run)
  local state = a.resume and resume.read(model, a.resume)
  callbacks:on_train_begin(logs_of.new())
  state, model.resume_from = state or model.resume_from, nil
  if state then resume.begin(run, state) end
  local stopped = settled(run, loop.guarded, all_epochs, run)
  if model.optimizer.use_ema and model.optimizer.finalize_variable_values then
    model.optimizer:finalize_variable_values(model.trainable_variables)
  end
  local history = callbacks.history
  history.stopped = stopped
  settled(run, callbacks.on_train_end, callbacks, logs_of.new(run.training_logs or {}))
  return history
end

return fit
