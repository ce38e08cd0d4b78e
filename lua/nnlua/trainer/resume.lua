-- Going on with an interrupted fit: from a state that `save_training_state` wrote to the very batch
-- after it.

local err = require "nnlua.err"
local step = require "nnlua.trainer.step"

local resume = {}

local function training_state() return require "nnlua.saving.training_state" end

--- What `fit{resume=path}` reads before anything begins.
function resume.read(model, path)
  err.check(type(path) == "string", "fit: resume is %s, expected a path", err.show(path))
  if not require("nnlua.core").sys.exists(path) then
    err.raise("fit: resume: %s: no such file", path)
  end
  return model:load_training_state(path)
end

local function put(run, state)
  local t = training_state()
  t.apply(run.model, state)
  t.put_callbacks(run.callbacks, state.callbacks)
end

-- Arrays and iterators count their places in ways of their own.
local function check_source(source, saved)
  for key in pairs(source:position()) do
    if saved[key] == nil then
      err.raise("fit: the saved state is of a run over another kind of data (%s is missing)", key)
    end
  end
end

--- Prepares a run after on_train_begin: where it starts and what is done already.
function resume.begin(run, state)
  local model = run.model
  run.first_epoch = state.epoch + 1
  run.training_logs = state.logs
  put(run, state)
  if state.stopped then
    run.finished = true
    model.stop_training, model.stop_reason = true, state.stop_reason
  elseif state.source then
    check_source(run.source, state.source)
    run.source:seek(state.source, state.batch > 0 or state.continues, function()
      model.shuffles = state.shuffles - 1 -- the order of the pass under way is drawn again
    end)
    run.continues = state.continues
    if state.batch > 0 then run.middle = state end
  end
end

-- Metrics exist once a batch has shown the shapes of the targets; tracing one runs nothing.
local function resolve_metrics(run)
  local chunk = run.source:peek()
  if not chunk then return end
  if run.how == "own" then return end
  step.plan(run.model, run.how == "plan" and "train" or "test", chunk)
end

--- Enters the epoch that was interrupted, after on_epoch_begin; gives the batches that are done.
function resume.enter(run)
  local state = run.middle
  if not state then return 0 end
  run.middle = nil
  resolve_metrics(run)
  training_state().put_metrics(run.model, state.metrics)
  put(run, state)
  return state.batch
end

return resume
