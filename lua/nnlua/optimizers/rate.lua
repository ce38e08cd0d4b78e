-- Learning rates: a number, a schedule, or a function without arguments.

local core = require "nnlua.core"
local err = require "nnlua.err"
local repr = require "nnlua.repr"
local schedules = require "nnlua.optimizers.schedules"

local rate = {}

local function callable(v)
  if type(v) == "function" then return true end
  local mt = type(v) == "table" and getmetatable(v)
  return mt and mt.__call ~= nil
end

--- What is kept of the argument `learning_rate` of optimizer `self`.
function rate.read(self, value)
  if core.is_tensor(value) then value = value:item() end
  if type(value) == "number" then
    if not (value >= 0) then
      err.raise("%s: learning_rate is %s, expected 0 or more", self.class_name, value)
    end
    return repr.float32(value)
  end
  if type(value) == "table" and value.class_name and not schedules.is(value)
    and type(value.config) == "table" then
    return schedules.deserialize(value)
  end
  if schedules.is(value) or callable(value) then return value end
  return err.raise("%s: learning_rate is %s, expected a number, a schedule or a function",
    self.class_name, err.show(value))
end

--- The rate at `step` calls of the optimizer.
function rate.at(value, step)
  if type(value) == "number" then return value end
  local r = schedules.is(value) and value(step) or not schedules.is(value) and value()
  if core.is_tensor(r) then r = r:item() end
  return r
end

--- The rate for a config: the number, or the schedule as data.
function rate.config(value)
  if schedules.is(value) then return schedules.serialize(value) end
  return rate.at(value, 0)
end

return rate
