-- What EarlyStopping, ReduceLROnPlateau and ModelCheckpoint share: a watched value, the direction
-- in which it improves, and how much counts.
--
-- A callback has the fields monitor, mode ("auto", "min", "max"), min_delta and model.

local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local terminal = require "nnlua.terminal"

local monitor = {}

--- Raises unless mode and min_delta can be used.
function monitor.check(callback)
  local mode = callback.mode
  if mode ~= "auto" and mode ~= "min" and mode ~= "max" then
    err.raise("%s: mode is %s, expected auto, min or max", callback.class_name,
      type(mode) == "string" and ("'%s'"):format(mode) or err.show(mode))
  end
  if type(callback.monitor) ~= "string" then
    err.raise("%s: monitor is %s, expected the name of a value in the logs", callback.class_name,
      err.show(callback.monitor))
  end
  if type(callback.min_delta) ~= "number" then
    err.raise("%s: min_delta is %s, expected a number", callback.class_name,
      err.show(callback.min_delta))
  end
end

-- "up" or "down", nil where nobody knows. A loss goes down, of one output too.
local function direction(callback)
  if callback.mode == "min" then return "down" end
  if callback.mode == "max" then return "up" end
  local name = callback.monitor:gsub("^val_", "")
  if name == "loss" or name:find("_loss$") then return "down" end
  local model = callback.model
  return model and model.metric_direction and model:metric_direction(name)
end

--- "up" or "down"; raises where `mode` is needed to know.
function monitor.direction(callback)
  local way = direction(callback)
  if not way then
    err.raise("%s: cannot tell whether less or more of '%s' is better; give mode='min' or "
      .. "mode='max'", callback.class_name, callback.monitor)
  end
  return way
end

--- True when `value` is better than `best` by more than min_delta; nothing yet: always.
function monitor.improves(callback, value, best)
  if best == nil then return true end
  local delta = math.abs(callback.min_delta)
  if monitor.direction(callback) == "up" then return value - delta > best end
  return value + delta < best
end

--- The watched value; nil, with a warning the first time, where the logs do not have it.
function monitor.value(callback, logs, what)
  local value = logs[callback.monitor]
  if value == nil and not callback.warned then
    callback.warned = true
    terminal.warn(("%s on metric `%s` which is not available. Available metrics are: %s"):format(
      what, callback.monitor, table.concat(logs_of.keys(logs), ",")))
  end
  return value
end

return monitor
