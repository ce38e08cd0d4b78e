-- Activation layers.

local args = require "nnlua.args"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local M = {}

local function activations() return require "nnlua.activations" end

-- y = activation(x) for any identifier or function.
M.Activation = Layer:extend("Activation", {args = "activation", supports_masking = true})

function M.Activation:init(a)
  Layer.init(self, a)
  self.activation = activations().get(a.activation)
  self.built = true
end

function M.Activation:call(x) return self.activation(x) end

local function same_shape(self, shape) return {shape = shape, dtype = "float32", leaf = true} end

M.ReLU = Layer:extend("ReLU", {
  args = "max_value=None, negative_slope=0.0, threshold=0.0", supports_masking = true,
  output_spec = same_shape,
})

function M.ReLU:init(a)
  Layer.init(self, a)
  for _, name in ipairs {"max_value", "negative_slope", "threshold"} do
    local v = a[name]
    if v ~= nil and (type(v) ~= "number" or v < 0) then
      err.raise("ReLU: %s is %s, expected a number of 0 or more", name, err.show(v))
    end
  end
  self.max_value, self.negative_slope, self.threshold = a.max_value, a.negative_slope or 0,
    a.threshold or 0
  self.built = true
end

function M.ReLU:call(x)
  return activations().relu{x, negative_slope = self.negative_slope, max_value = self.max_value,
    threshold = self.threshold}
end

M.LeakyReLU = Layer:extend("LeakyReLU", {
  args = "negative_slope=0.3", supports_masking = true, output_spec = same_shape,
})
M.LeakyReLU.extra_args = setmetatable({alpha = true}, {__index = Layer.extra_args})
M.LeakyReLU.signature.extra = M.LeakyReLU.extra_args

function M.LeakyReLU:init(a)
  Layer.init(self, a)
  self.negative_slope = a.alpha or a.negative_slope
  self.built = true
end

function M.LeakyReLU:call(x)
  return activations().leaky_relu{x, negative_slope = self.negative_slope}
end

M.ELU = Layer:extend("ELU", {args = "alpha=1.0", supports_masking = true, output_spec = same_shape})

function M.ELU:init(a)
  Layer.init(self, a)
  self.alpha = a.alpha
  self.built = true
end

function M.ELU:call(x) return activations().elu{x, alpha = self.alpha} end

-- y = max(x, 0) + alpha min(x, 0) with a weight alpha for each feature, shared along `shared_axes`.
M.PReLU = Layer:extend("PReLU", {
  args = [[alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None,
    shared_axes=None]], supports_masking = true, output_spec = same_shape,
})

function M.PReLU:init(a)
  Layer.init(self, a)
  parts.keep(self, a, {"alpha"})
  local shared = a.shared_axes
  self.shared_axes = type(shared) == "number" and {shared} or shared
end

function M.PReLU:build(input_shape)
  local shape = table.move(input_shape, 2, #input_shape, 1, {})
  for _, axis in ipairs(self.shared_axes or {}) do shape[axis - 1] = 1 end
  self.alpha = parts.add(self, "alpha", shape)
end

function M.PReLU:call(x)
  local relu = activations().relu
  return relu(x) - self.alpha.tensor * relu(-x)
end

M.Softmax = Layer:extend("Softmax", {args = "axis=-1", supports_masking = true,
  output_spec = same_shape})

function M.Softmax:init(a)
  Layer.init(self, a)
  self.axis = a.axis
  self.built = true
end

function M.Softmax:call(x, ctx)
  local ops = require "nnlua.ops"
  local m = ctx.mask
  if m and m ~= args.None then
    m = require("nnlua.mask").tensor(m)
    if m.dtype == "float32" then m = ops.greater(m, 0.5) end
    x = ops.where(m, x, -1e9)
  else
    m = nil
  end
  local y
  if type(self.axis) == "table" and #self.axis == 1 then
    y = activations().softmax{x, axis = self.axis[1]}
  elseif type(self.axis) == "table" then
    y = ops.exp(x - ops.logsumexp(x, {axis = self.axis, keepdims = true}))
  else
    y = activations().softmax{x, axis = self.axis}
  end
  return m and y * ops.cast(m, "float32") or y
end

return M
