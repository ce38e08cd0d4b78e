-- A model as callbacks see it, and runs of it with given logs.

local CallbackList = require "nnlua.callbacks.list"
local logs_of = require "nnlua.logs"
local repr = require "nnlua.repr"
local terminal = require "nnlua.terminal"

local support = {}

-- A learning rate is a float32 variable.
local function optimizer(rate)
  return setmetatable({}, {
    __index = function(_, key) return key == "learning_rate" and rate or nil end,
    __newindex = function(_, key, value)
      assert(key == "learning_rate")
      rate = repr.float32(value)
    end,
  })
end

--- A model with one weight that is the number of the epoch.
function support.model(rate, directions)
  local model = {built = true, saved = {}, optimizer = optimizer(repr.float32(rate or 0.1))}
  function model:get_weights() return {self.weight} end
  function model:set_weights(list) self.weight = list[1] end
  function model:save(path) self.saved[#self.saved + 1] = path end
  function model:save_weights(path) self.saved[#self.saved + 1] = path end
  function model.metric_direction(_, name)
    return (directions or {accuracy = "up", mae = "down"})[name]
  end
  return model
end

--- Runs fit's hooks over `epochs`, a list of logs. Returns the list of callbacks and the model.
function support.fit(callbacks, epochs, model)
  model = model or support.model()
  local list = CallbackList {callbacks, add_history = true, model = model, epochs = #epochs,
    verbose = 0, steps = 1}
  model.stop_training = false
  list:on_train_begin()
  for epoch, values in ipairs(epochs) do
    list:on_epoch_begin(epoch)
    model.weight = epoch
    list:on_train_batch_begin(1)
    list:on_train_batch_end(1, logs_of.new(values))
    list:on_epoch_end(epoch, logs_of.new(values))
    if model.stop_training then break end
  end
  list:on_train_end()
  return list, model
end

--- Logs of one name.
function support.series(name, values)
  local epochs = {}
  for i, value in ipairs(values) do epochs[i] = {[name] = value} end
  return epochs
end

--- What `f` prints and warns of.
function support.capture(f)
  local out, warned = {}, {}
  local write, warn = terminal.write, terminal.warn
  terminal.write = function(text) out[#out + 1] = text end
  terminal.warn = function(text) warned[#warned + 1] = text end
  local ok, message = pcall(f)
  terminal.write, terminal.warn = write, warn
  if not ok then error(message, 0) end
  return table.concat(out), warned
end

return support
