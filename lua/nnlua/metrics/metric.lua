-- The base of metrics: variables that updates add to, and a result made of them.
--
--   local Largest = nn.metrics.Metric:extend("Largest")
--   function Largest:init(a)
--     Largest.super.init(self, a)
--     self.largest = self:add_weight{shape = {}, initializer = "zeros", name = "largest"}
--   end
--   function Largest:update_state(y_true, y_pred)
--     self.largest:assign(nn.ops.maximum(self.largest.value, nn.ops.max(y_pred)))
--   end
--   function Largest:result() return self.largest.value end
--
-- Updates are recorded into the training step, so they are written with nn.ops and the variables'
-- assign and assign_add, and read no values.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"
local Variable = require "nnlua.variable"

---@class nn.Metric
---@field name string
---@field direction "up"|"down"|nil which way is better
---@field variables nn.Variable[] also as a method: metric:variables()
local Metric = class.new("Metric", {
  args = "dtype=None, name=None",
  module = "keras.metrics",
  own = {}, -- names of the class's own arguments, in the order of its config
})

local callable = {__call = function(list) return list end}

function Metric:init(a)
  a = a or {}
  self.name = a.name or names.auto(self.class_name)
  self.dtype = a.dtype or "float32"
  rawset(self, "own_variables", setmetatable({}, callable))
  rawset(self, "initial", {})
  for _, key in ipairs(self.own) do rawset(self, key, a[key]) end
end

Metric.getters.variables = function(self) return self.own_variables end

local add = args.signature("add_variable", "shape, initializer=None, dtype=None, name=None")

--- A variable of the metric; reset_state sets it back to what the initializer gives.
---@return nn.Variable
function Metric:add_variable(...)
  local a = args.collect(add, ...)
  require("nnlua.saving.budget").spend(a.shape or {}, a.name)
  local v
  names.within(self.name, core.paused, function()
    local initializer = require("nnlua.initializers").get(a.initializer or "zeros")
    local value = core.is_tensor(initializer) and initializer
      or initializer(a.shape, a.dtype or "float32")
    v = Variable{core.new(value), dtype = a.dtype, trainable = false,
      name = a.name or names.auto("variable")}
  end)
  table.insert(self.own_variables, v)
  self.initial[v] = core.astype(v.tensor)
  return v
end

Metric.add_weight = Metric.add_variable

--- Sets the variables back to their start.
function Metric:reset_state()
  for _, v in ipairs(self.own_variables) do core.copy(v.tensor, self.initial[v]) end
end

function Metric:update_state()
  err.raise("%s: the metric has no update_state(y_true, y_pred, sample_weight)", self.class_name)
end

function Metric:result()
  err.raise("%s: the metric has no result()", self.class_name)
end

--- Updates with a batch and gives the result so far.
function Metric.__call(self, ...)
  self:update_state(...)
  return self:result()
end

function Metric:get_config()
  return args.fill({name = self.name, dtype = self.dtype}, self, self.own)
end

function Metric.from_config(cls, config) return cls(config) end

Metric.__tostring = function(self)
  return ("<%s name=%s>"):format(self.class_name, self.name)
end

return Metric
