-- What a run of fit went through: one number an epoch for each name of the logs.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local repr = require "nnlua.repr"
local state_check = require "nnlua.saving.state_check"
local sys = require("nnlua.core").sys

---@class nn.callbacks.History: nn.callbacks.Callback
---@field history table<string, number[]>
---@field epoch integer[]
---@field stopped string?
local History = Callback:extend("History")

--- Fields: `history` (name -> list of numbers), `epoch` (list of epoch numbers), `params`, and
--- `stopped`: nil, "early stopping", "interrupt", "time" or "nan".
function History:init()
  self.history, self.epoch, self.epochs_of = logs_of.new(), {}, {}
end

function History:on_train_begin()
  History.init(self)
  self.stopped = nil
end

function History:on_epoch_end(epoch, logs)
  self.epoch[#self.epoch + 1] = epoch
  for _, key in ipairs(logs_of.keys(logs)) do
    local values, epochs = self.history[key], self.epochs_of[key]
    if not values then
      values, epochs = {}, {}
      self.history[key], self.epochs_of[key] = values, epochs
    end
    local n = #values + 1
    values[n], epochs[n] = logs[key], epoch
  end
  if self.model.history ~= self then self.model.history = self end
end

--- What a resumed fit needs: the epochs so far, names in their order.
function History:get_state()
  local names, values, epochs = logs_of.keys(self.history), {}, {}
  for i, key in ipairs(names) do values[i], epochs[i] = self.history[key], self.epochs_of[key] end
  return {names = names, values = values, epochs = epochs, epoch = self.epoch}
end

-- What get_state gave: lists, as many epochs as values for each name.
local function is_series(state)
  local is_list = state_check.is_list
  if not is_list(state.names, "string") or not is_list(state.epoch, "number")
    or not is_list(state.values, "table") or not is_list(state.epochs, "table") then
    return false
  end
  for i in ipairs(state.names) do
    local values, epochs = state.values[i], state.epochs[i]
    if not values or not is_list(epochs, "number") or #values ~= #epochs then return false end
  end
  return true
end

function History:set_state(state)
  History.init(self)
  if not is_series(state) then return end
  self.epoch = state.epoch
  for i, key in ipairs(state.names) do
    self.history[key], self.epochs_of[key] = state.values[i], state.epochs[i]
  end
end

-- The trainer has set `stopped` where it knows more than the callbacks.
function History:on_train_end() self.stopped = self.stopped or self.model.stop_reason end

--- The names in the order in which they came.
function History:names() return logs_of.keys(self.history) end

--- The values of one name and the epochs that they belong to (validation may skip epochs).
function History:series(name)
  return self.history[name], self.epochs_of[name] or self.epoch
end

--- Draws the curves: into `path` (.png, .svg or .pdf, made by gnuplot), or in the terminal without
--- one. Named: width, height (pixels, or characters), metrics (list of names), title.
function History:plot(options)
  return require("nnlua.plot").history(self, options)
end

--- Writes epoch and values as comma separated values; an epoch without a value has an empty field.
function History:to_csv(path)
  err.check(type(path) == "string", "history:to_csv: path is %s, expected a string", err.show(path))
  local names, by_epoch = self:names(), {}
  for i, name in ipairs(names) do
    by_epoch[i] = {}
    local values, epochs = self:series(name)
    for k, epoch in ipairs(epochs) do by_epoch[i][epoch] = values[k] end
  end
  local lines = {table.concat({"epoch", table.unpack(names)}, ",")}
  for _, epoch in ipairs(self.epoch) do
    local row = {tostring(epoch)}
    for i = 1, #names do
      local value = by_epoch[i][epoch]
      row[i + 1] = value == nil and "" or repr.value(value)
    end
    lines[#lines + 1] = table.concat(row, ",")
  end
  local ok, message = sys.fsync_write(path, table.concat(lines, "\n") .. "\n")
  if not ok then err.raise("history:to_csv: cannot write %s", message) end
end

return History
