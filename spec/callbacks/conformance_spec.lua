-- The callback cases of the training runs, fed with the history that Keras had.

local callbacks = require "nnlua.callbacks"
local logs_of = require "nnlua.logs"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"
local shared = require "spec.support.shared"
local support = require "spec.callbacks.support"

local folder

before_each(function() folder = scratch.make() end)

after_each(function() scratch.remove(folder) end)

local KNOWN = {EarlyStopping = true, ReduceLROnPlateau = true, CSVLogger = true,
  ModelCheckpoint = true, LearningRateScheduler = true}

local function schedule_of(config)
  if config.multiply then return function(_, rate) return rate * config.multiply end end
  return function(epoch) return config.table[epoch] end
end

local function make(entry)
  local config = {}
  for key, value in pairs(entry.config) do config[key] = value end
  if config.filename then config.filename = folder .. "/log.csv" end
  if config.schedule then config.schedule = schedule_of(config.schedule) end
  return callbacks[entry.class_name](config)
end

-- Logs by epoch; validation_freq leaves some without val_ values.
local function epochs_of(case)
  local epochs, freq = {}, case.fit.validation_freq or 1
  for i = 1, #case.expected.history.loss do epochs[i] = {} end
  for name, values in pairs(case.expected.history) do
    local step = name:find "^val_" and freq or 1
    for i, value in ipairs(values) do
      if name ~= "learning_rate" then epochs[i * step][name] = value end
    end
  end
  return epochs
end

local function run(case, made, batches)
  local optimizer = case.compile.optimizer
  local model = support.model(type(optimizer) == "table" and optimizer.config.learning_rate)
  local list = callbacks.CallbackList {made, add_history = true, model = model,
    epochs = case.fit.epochs, verbose = 0}
  list:on_train_begin()
  for epoch, values in ipairs(epochs_of(case)) do
    list:on_epoch_begin(epoch)
    for batch = 1, batches do list:on_train_batch_end(batch, logs_of.new(values)) end
    list:on_epoch_end(epoch, logs_of.new(values))
    if model.stop_training then break end
  end
  list:on_train_end()
  return model, list
end

-- Epochs count from 1 here, and from 0 there.
local function from_zero(text)
  return (text:gsub("\n(%d+)", function(n) return "\n" .. (math.tointeger(n) - 1) end))
end

local function near(want, got)
  if want == nil then return assert.is_nil(got) end
  assert.near(want, got, 1e-6 + 1e-5 * math.abs(want))
end

local CHECKS = {}

function CHECKS.EarlyStopping(callback, want)
  local stopped = want.stopped_epoch > 0 and want.stopped_epoch + 1 or 0
  assert.equal(stopped, callback.stopped_epoch)
  if want.best ~= nil then assert.equal(want.best_epoch + 1, callback.best_epoch) end
  near(want.best, callback.best)
  assert.equal(want.wait, callback.wait)
end

function CHECKS.CSVLogger(callback, want)
  assert.equal(want.text, from_zero(files.read(callback.filename)))
end

function CHECKS.ModelCheckpoint(callback, want, model)
  table.sort(model.saved)
  assert.same(want.files, model.saved)
  near(want.best, callback.best)
end

function CHECKS.LearningRateScheduler() end
CHECKS.ReduceLROnPlateau = CHECKS.LearningRateScheduler

local function suits(case)
  if #(case.callbacks or {}) == 0 then return false end
  for _, entry in ipairs(case.callbacks) do
    if not KNOWN[entry.class_name] then return false end
  end
  return true
end

describe("callbacks", function()
  local cases = shared.cases "training/callbacks.json"
  if not cases then return pending(shared.ABSENT) end
  for _, case in ipairs(cases) do
    if suits(case) then
      it("do what Keras does in " .. case.id, function()
        local made, model, list = {}, nil, nil
        for i, entry in ipairs(case.callbacks) do made[i] = make(entry) end
        local rows = case.fit.validation_split and 105 or 150
        local batches = math.ceil(rows / case.fit.batch_size)
        support.capture(function() model, list = run(case, made, batches) end)
        for i, want in ipairs(case.expected.callbacks) do
          CHECKS[want.class_name](made[i], want, model)
        end
        for i, rate in ipairs(case.expected.history.learning_rate or {}) do
          near(rate, list.history.history.learning_rate[i])
        end
        assert.equal(#case.expected.epoch, #list.history.epoch)
      end)
    end
  end
end)
