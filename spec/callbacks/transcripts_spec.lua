-- Plays the runs that Keras printed: the values come from the transcript, the texts between them,
-- the order and the times from the callbacks.

local callbacks = require "nnlua.callbacks"
local logs_of = require "nnlua.logs"
local shared = require "spec.support.shared"
local support = require "spec.callbacks.support"
local terminal = require "nnlua.terminal"

-- The values shown on a line.
local function read_line(text)
  local values = {}
  for name, value in text:gmatch(" %- ([%a_]+): (%S+)") do
    values[name] = value == "inf" and math.huge or tonumber(value)
  end
  return values
end

-- Per epoch its lines {step=, values=}, the last being the one at the end.
local function split(text)
  local plain = text:gsub("\27%[%d+m", "")
  local epochs, lines, better = {}, {}, nil
  local function close()
    if #lines > 0 then epochs[#epochs + 1] = {lines = lines, better = better} end
    lines, better = {}, nil
  end
  for part in plain:gmatch("[^\b\r\n]+") do
    if part:find("^Epoch %d+/") then close() end
    local step, steps = part:match("^ *(%d+)/(%d+) ")
    if step then
      epochs.steps = tonumber(steps)
      lines[#lines + 1] = {step = tonumber(step), values = read_line(part)}
    end
    better = tonumber(part:match("improved from %S+ to (%S+),")) or better
  end
  close()
  return epochs
end

local function schedule_of(config)
  if config.multiply then return function(_, rate) return rate * config.multiply end end
  return function(epoch) return config.table[epoch] end
end

local function make_callbacks(list)
  local made = {}
  for i, entry in ipairs(list) do
    local config = {}
    for key, value in pairs(entry.config) do config[key] = value end
    if type(config.schedule) == "table" then config.schedule = schedule_of(config.schedule) end
    made[i] = callbacks[entry.class_name](config)
  end
  return made
end

-- What the model itself would log: validation and what callbacks add come later.
local function training_logs(values)
  local logs = {}
  for key, value in pairs(values) do
    if not key:find "^val_" and key ~= "learning_rate" then logs[key] = value end
  end
  return logs_of.new(logs)
end

local function epoch_logs(epoch)
  local values = epoch.lines[#epoch.lines].values
  values.learning_rate = nil
  for key in pairs(values) do
    if epoch.better and (key == epoch.monitor) then values[key] = epoch.better end
  end
  return logs_of.new(values)
end

local function batches(list, epoch, stop_at)
  for i, line in ipairs(epoch.lines) do
    if i < #epoch.lines then list:on_progress(line.step, training_logs(line.values)) end
  end
  if stop_at then list:on_train_batch_end(stop_at, logs_of.new {loss = math.huge}) end
end

local function play_fit(list, epochs, model, case)
  local broken = tonumber(case.text_with_clock:match("Batch (%d+): Invalid"))
  local first = case.callbacks[1]
  list:on_train_begin()
  for number, epoch in ipairs(epochs) do
    epoch.monitor = first and first.config.monitor
    list:on_epoch_begin(number)
    batches(list, epoch, broken and broken + 1)
    if case.call.validation_split then
      list:on_test_begin()
      list:on_progress(1, logs_of.new {loss = 1})
      list:on_test_end(logs_of.new {loss = 1})
    end
    list:on_epoch_end(number, epoch_logs(epoch))
    if model.stop_training then break end
  end
  list:on_train_end()
end

local function play(case)
  local now = 1000
  local function clock()
    now = now + 0.06
    return now
  end
  local epochs, config = split(case.text_with_clock), case.compile and case.compile.optimizer
  local model = support.model(type(config) == "table" and config.config.learning_rate or 0.1)
  local list = callbacks.CallbackList {
    {make_callbacks(case.callbacks), {}}, add_history = case.call.op == "fit", model = model,
  }
  list:append(callbacks.ProgbarLogger {
    clock = clock, style = terminal.KERAS, writer = function(text) terminal.write(text) end,
  })
  list:set_params {verbose = case.call.verbose, epochs = case.call.epochs, steps = epochs.steps}
  if case.call.op == "fit" then return play_fit(list, epochs, model, case) end
  local hook = case.call.op == "evaluate" and "test" or "predict"
  list["on_" .. hook .. "_begin"](list)
  batches(list, epochs[1])
  list["on_" .. hook .. "_end"](list, epoch_logs(epochs[1]))
end

describe("transcripts", function()
  local cases = shared.cases "training/transcripts/index.json"
  if not cases then return pending(shared.ABSENT) end
  for _, case in ipairs(cases) do
    it("prints what Keras prints: " .. case.id, function()
      assert.equal(case.text_with_clock, (support.capture(function() play(case) end)))
    end)
  end
end)
