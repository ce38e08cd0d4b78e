-- nn.optimizers.schedules: learning rates as functions of the step. Modules load when first asked.

local class = require "nnlua.class"
local err = require "nnlua.err"
local tree = require "nnlua.tree"

local FOLDER = "nnlua.optimizers.schedules."

local MODULES = {
  CosineDecay = "cosine_decay",
  CosineDecayRestarts = "cosine_decay_restarts",
  ExponentialDecay = "exponential_decay",
  InverseTimeDecay = "inverse_time_decay",
  LearningRateSchedule = "learning_rate_schedule",
  PiecewiseConstantDecay = "piecewise_constant_decay",
  PolynomialDecay = "polynomial_decay",
}

local schedules = setmetatable({}, {
  __index = function(t, name)
    local file = MODULES[name]
    if not file then return nil end
    local value = require(FOLDER .. file)
    rawset(t, name, value)
    return value
  end,
})

--- The names of the classes, sorted.
function schedules.names() return tree.keys(MODULES) end

--- True for a schedule object.
function schedules.is(value)
  return class.is(value, schedules.LearningRateSchedule)
end

--- A schedule as data: {module=, class_name=, config=, registered_name=}.
function schedules.serialize(schedule)
  return {
    module = "keras.optimizers.schedules",
    class_name = schedule.class_name,
    config = schedule:get_config(),
  }
end

--- The schedule from what `serialize` gives. `custom_objects`: name -> class, looked at first.
function schedules.deserialize(config, custom_objects)
  local name = config.class_name
  local cls = custom_objects and custom_objects[name] or MODULES[name] and schedules[name]
  if not cls then
    err.raise("schedules.deserialize: unknown class '%s'%s", tostring(name),
      err.suggest(name, schedules.names()))
  end
  return cls:from_config(config.config or {})
end

return schedules
