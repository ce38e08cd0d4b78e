-- nn.optimizers: one file a class, loaded when it is first asked for.

local class = require "nnlua.class"
local err = require "nnlua.err"
local tree = require "nnlua.tree"

local FOLDER = "nnlua.optimizers."

local MODULES = {
  Adadelta = "adadelta", Adafactor = "adafactor", Adagrad = "adagrad", Adam = "adam",
  AdamW = "adamw", Adamax = "adamax", Ftrl = "ftrl", Lamb = "lamb", Lion = "lion",
  LossScaleOptimizer = "loss_scale_optimizer", MultiOptimizer = "multi_optimizer", Muon = "muon",
  Nadam = "nadam", Optimizer = "optimizer", OptimizerMap = "optimizer_map", RMSprop = "rmsprop",
  SGD = "sgd", ScheduleFreeAdamW = "schedule_free_adamw", schedules = "schedules",
}

local by_lower = {} -- "adamw" -> "AdamW"
for name in pairs(MODULES) do by_lower[name:lower()] = name end
for _, name in ipairs {"optimizer", "optimizermap", "schedules"} do by_lower[name] = nil end

local optimizers = setmetatable({}, {
  __index = function(t, name)
    local file = MODULES[name]
    if not file then return nil end
    local value = require(FOLDER .. file)
    rawset(t, name, value)
    return value
  end,
})

--- The names that `get` takes, in lower case and sorted.
function optimizers.names() return tree.keys(by_lower) end

local function is_optimizer(v) return class.is(v, optimizers.Optimizer) end

--- The optimizer from what `serialize` gives. `custom_objects`: name -> class, looked at first.
---@param config {class_name: string, config: table}
function optimizers.deserialize(config, custom_objects)
  local name = config.class_name
  err.check(type(name) == "string", "optimizers.deserialize: class_name is %s, expected a string",
    err.show(name))
  local cls = custom_objects and custom_objects[name]
  if not cls then
    local known = by_lower[name:lower()]
    cls = known and optimizers[known]
  end
  if not cls then
    err.raise("optimizers.deserialize: unknown optimizer '%s'%s", name,
      err.suggest(name, optimizers.names()))
  end
  return cls:from_config(config.config or {})
end

--- An optimizer as data: {module=, class_name=, config=, registered_name=}.
function optimizers.serialize(optimizer)
  err.check(is_optimizer(optimizer), "optimizers.serialize: expected an optimizer, got %s",
    err.show(optimizer))
  return {
    module = "keras.optimizers",
    class_name = optimizer.class_name,
    config = optimizer:get_config(),
  }
end

--- The optimizer that `identifier` names: an optimizer, a class, a name in any case, or data.
---@param identifier nn.Optimizer|string|table
---@param where? string what the message of an error begins with
function optimizers.get(identifier, where)
  if is_optimizer(identifier) then return identifier end
  if type(identifier) == "string" then
    local name = by_lower[identifier:lower()]
    if name then return optimizers[name] {} end
    err.raise("%s: unknown optimizer '%s'%s", where or "compile", identifier,
      err.suggest(identifier, optimizers.names()))
  end
  if class.is_class(identifier) then return identifier {} end
  if type(identifier) == "table" and identifier.class_name then
    return optimizers.deserialize(identifier)
  end
  return err.raise("%s: optimizer is %s, expected a name or an optimizer", where or "compile",
    err.show(identifier))
end

return optimizers
