-- The base of learning-rate schedules: an object called with the number of completed steps.

local class = require "nnlua.class"
local err = require "nnlua.err"
local repr = require "nnlua.repr"

---@class nn.optimizers.schedules.LearningRateSchedule
---@overload fun(step: integer): number
local LearningRateSchedule = class.new("LearningRateSchedule", {
  module = "keras.optimizers.schedules",
})

function LearningRateSchedule:init(a)
  for key, value in pairs(a or {}) do self[key] = value end
end

--- The rate at `step` completed steps (0 at the first update), rounded to float32 as Keras does.
--- Classes give it in `rate(step)`.
function LearningRateSchedule:__call(step)
  return repr.float32(self:rate(step))
end

function LearningRateSchedule:rate(_)
  err.raise("%s: the method rate(step) is missing", self.class_name)
end

local function copy(value)
  if type(value) ~= "table" then return value end
  return table.move(value, 1, #value, 1, {})
end

--- All arguments by name: `from_config` makes the same schedule again.
function LearningRateSchedule:get_config()
  local config = {}
  for _, entry in ipairs(self.signature or {}) do config[entry.name] = copy(self[entry.name]) end
  return config
end

--- The schedule that `config` describes.
function LearningRateSchedule.from_config(cls, config)
  local record = {}
  for key, value in pairs(config) do record[key] = value end
  return cls(record)
end

--- Raises unless the field `name` is a number above 0.
function LearningRateSchedule:check_positive(name)
  local value = self[name]
  if type(value) ~= "number" or value ~= value or value <= 0 then
    err.raise("%s: %s is %s, expected a number above 0", self.class_name, name, err.show(value))
  end
end

--- Raises unless each named field is a number.
function LearningRateSchedule:check_numbers(...)
  for _, name in ipairs {...} do
    if type(self[name]) ~= "number" then
      err.raise("%s: %s is %s, expected a number", self.class_name, name, err.show(self[name]))
    end
  end
end

return LearningRateSchedule
