-- Loss scaling that adapts: updates with gradients that are not finite are left out and halve the
-- scale; a long run of good ones doubles it. float32 seldom needs it.

local Optimizer = require "nnlua.optimizers.optimizer"
local checks = require "nnlua.optimizers.checks"
local core = require "nnlua.core"
local state = require "nnlua.optimizers.state"

local LossScaleOptimizer = Optimizer:extend("LossScaleOptimizer", {
  args = "inner_optimizer, initial_scale=32768.0, dynamic_growth_steps=2000, name=None",
})

function LossScaleOptimizer:init(a)
  local inner = require("nnlua.optimizers").get(a.inner_optimizer, "LossScaleOptimizer")
  Optimizer.init(self, {name = a.name, learning_rate = 0})
  self.inner_optimizer = inner
  self.initial_scale, self.dynamic_growth_steps = a.initial_scale, a.dynamic_growth_steps
  checks.not_negative(self, "initial_scale")
  checks.count(self, 1, "dynamic_growth_steps")
  self.dynamic_scale, self.step_counter = a.initial_scale, 0
  self.own_iteration, self.own_rate = 0, 0
end

LossScaleOptimizer.getters.is_custom = function() return true end
LossScaleOptimizer.getters.loss_scale_factor = function(self)
  return rawget(self, "dynamic_scale")
end
LossScaleOptimizer.getters.learning_rate = function(self)
  return self.inner_optimizer.learning_rate
end
LossScaleOptimizer.setters.learning_rate = function(self, value)
  self.inner_optimizer.learning_rate = value
end
LossScaleOptimizer.getters.iterations = function(self) return self.inner_optimizer.iterations end

LossScaleOptimizer.getters.variables = function(self)
  local function scalar(name, element, field)
    return state.scalar(name, self.name .. "/" .. name, element, function() return self[field] end,
      function(x) self[field] = x end)
  end
  -- its own counter and rate are there, as in Keras, and stay 0: the inner optimizer's count
  local list = {scalar("iteration", "int32", "own_iteration"),
    scalar("learning_rate", "float32", "own_rate"), scalar("step_counter", "int32", "step_counter"),
    scalar("dynamic_scale", "float32", "dynamic_scale")}
  local inner = self.inner_optimizer.variables
  return table.move(inner, 1, #inner, 5, list)
end

function LossScaleOptimizer:build(variables)
  self.inner_optimizer:build(variables)
  self.trainable_variables = self.inner_optimizer.trainable_variables
  self.positions, self.built = self.inner_optimizer.positions, true
end

local function all_finite(grads, n)
  for i = 1, n do
    if grads[i] then
      local total = (grads[i] * 0):sum():item() -- 0, or NaN where one is not finite
      if total ~= 0 then return false end
    end
  end
  return true
end

function LossScaleOptimizer:apply(grads, variables)
  if not self.built then self:build(variables) end
  variables = variables or self.trainable_variables
  local scale = self.dynamic_scale
  if not all_finite(grads, #variables) then
    self.dynamic_scale, self.step_counter = scale / 2, 0
    return self.iterations
  end
  local plain = {}
  for i = 1, #variables do plain[i] = grads[i] and core.new(grads[i]) / scale or false end
  self.inner_optimizer:apply(plain, variables)
  self.step_counter = self.step_counter + 1
  if self.step_counter >= self.dynamic_growth_steps then
    self.dynamic_scale, self.step_counter = scale * 2, 0
  end
  return self.iterations
end

function LossScaleOptimizer:scale_loss(loss)
  return self.inner_optimizer:scale_loss(loss * self.dynamic_scale)
end

function LossScaleOptimizer:finalize_variable_values(variables)
  self.inner_optimizer:finalize_variable_values(variables)
end

function LossScaleOptimizer:get_config()
  return {name = self.name, initial_scale = self.initial_scale,
    dynamic_growth_steps = self.dynamic_growth_steps,
    inner_optimizer = require("nnlua.optimizers").serialize(self.inner_optimizer)}
end

return LossScaleOptimizer
