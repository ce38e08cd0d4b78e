-- Several optimizers for one model, each for its own variables.

local Optimizer = require "nnlua.optimizers.optimizer"
local OptimizerMap = require "nnlua.optimizers.optimizer_map"
local class = require "nnlua.class"
local err = require "nnlua.err"

local MultiOptimizer = Optimizer:extend("MultiOptimizer", {
  args = "optimizer_map, loss_scale_factor=None, name=None",
})

function MultiOptimizer:init(a)
  local map = a.optimizer_map
  if type(map) == "table" and map.default_optimizer and not class.is(map, OptimizerMap) then
    map = OptimizerMap(map.config or map)
  end
  err.check(class.is(map, OptimizerMap), "MultiOptimizer: optimizer_map is %s, expected an "
    .. "OptimizerMap", err.show(map))
  Optimizer.init(self, {loss_scale_factor = a.loss_scale_factor, name = a.name, learning_rate = 0})
  self.optimizer_map = map
  self.optimizers = map:list()
end

MultiOptimizer.getters.is_custom = function() return true end

--- The default optimizer's rate.
MultiOptimizer.getters.learning_rate = function(self)
  return self.optimizer_map.default_optimizer.learning_rate
end
MultiOptimizer.setters.learning_rate = function(self, value)
  for _, o in ipairs(self.optimizers) do o.learning_rate = value end
end

MultiOptimizer.getters.iterations = function(self)
  return self.optimizer_map.default_optimizer.iterations
end

MultiOptimizer.getters.variables = function(self)
  local list = {}
  for _, o in ipairs(self.optimizers) do
    local own = o.variables
    table.move(own, 1, #own, #list + 1, list)
  end
  return list
end

local function shares(self, variables)
  local lists = {}
  for _, o in ipairs(self.optimizers) do lists[o] = {} end
  for i, v in ipairs(variables) do
    local list = lists[self.optimizer_map:find(v.path or v.name or "")]
    list[#list + 1] = i
  end
  return lists
end

function MultiOptimizer:build(variables)
  if self.built then return self:check_variables(variables) end
  self.trainable_variables, self.positions = {}, {}
  for i, v in ipairs(variables) do self.trainable_variables[i], self.positions[v] = v, i end
  local lists = shares(self, variables)
  for _, o in ipairs(self.optimizers) do
    local mine = {}
    for k, i in ipairs(lists[o]) do mine[k] = variables[i] end
    o:build(mine)
  end
  self.built = true
end

function MultiOptimizer:apply(grads, variables)
  variables = variables or self.trainable_variables
  if not self.built then self:build(variables) end
  self:check_variables(variables, "apply")
  local lists, scale = shares(self, variables), self.loss_scale_factor
  for _, o in ipairs(self.optimizers) do
    local g, mine, any = {}, {}, false
    for k, i in ipairs(lists[o]) do
      g[k], mine[k] = grads[i] and (scale and grads[i] / scale or grads[i]) or false, variables[i]
      any = any or g[k]
    end
    if any then o:apply(g, mine) else o.calls = o.calls + 1 end
  end
  return self.iterations
end

function MultiOptimizer:finalize_variable_values()
  for _, o in ipairs(self.optimizers) do o:finalize_variable_values() end
end

function MultiOptimizer:get_config()
  return {name = self.name, loss_scale_factor = self.loss_scale_factor,
    optimizer_map = self.optimizer_map:get_config()}
end

return MultiOptimizer
