-- MaxNorm, MinMaxNorm, UnitNorm: bounds on the Euclidean norm along `axis` (1-based, a number or a
-- list): of a kernel (inputs, units), axis 1 takes the norm of what comes into one unit.

local ops = require "nnlua.ops"
local config = require "nnlua.config"
local Constraint = require "nnlua.constraints.constraint"

local norms = {}

local function norm_of(w, axis)
  return ops.sqrt(ops.sum(ops.square(w), {axis = axis, keepdims = true}))
end

--- Norms of at most `max_value`.
norms.MaxNorm = Constraint:extend("MaxNorm", {
  args = "max_value=2, axis=1", own = {"max_value", "axis"},
})
function norms.MaxNorm:call(w)
  local norm = norm_of(w, self.axis)
  return w * (ops.clip(norm, 0, self.max_value) / (norm + config.epsilon()))
end

--- Norms of 1.
norms.UnitNorm = Constraint:extend("UnitNorm", {args = "axis=1", own = {"axis"}})
function norms.UnitNorm:call(w)
  return w / (norm_of(w, self.axis) + config.epsilon())
end

--- Norms from `min_value` to `max_value`; a `rate` below 1 goes only that part of the way.
norms.MinMaxNorm = Constraint:extend("MinMaxNorm", {
  args = "min_value=0.0, max_value=1.0, rate=1.0, axis=1",
  own = {"min_value", "max_value", "rate", "axis"},
})
function norms.MinMaxNorm:call(w)
  local norm = norm_of(w, self.axis)
  local wanted = ops.clip(norm, self.min_value, self.max_value) * self.rate
    + norm * (1 - self.rate)
  return w * (wanted / (norm + config.epsilon()))
end

return norms
