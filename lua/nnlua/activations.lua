-- nn.activations: functions of a tensor, found by name.

local core = require "nnlua.core"
local args = require "nnlua.args"
local registry = require "nnlua.registry"
local common = require "nnlua.ops.common"
local ops = require "nnlua.ops.activation"

-- name -> true; the functions stand in the namespace itself.
local functions = {}
for name in ([[celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu
  linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
  softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh tanh_shrink
  threshold]]):gmatch "%S+" do
  functions[name] = true
end

---@class nn.activations
local activations = registry.namespace{
  module = "keras.activations", folder = "nnlua.", what = "activation", classes = {},
  functions = functions, strings_give_functions = true,
  aliases = {swish = "silu", hard_swish = "hard_silu"},
}
setmetatable(activations, nil)

for name in pairs(functions) do activations[name] = ops[name] end

activations.linear = args.fn("linear", "x", common.tensor)

activations.exponential = args.fn("exponential", "x", function(x)
  return core.apply("exp", {common.tensor(x)})
end)

activations.gelu = args.fn("gelu", "x, approximate=False", function(x, approximate)
  return ops.gelu(x, approximate)
end)

activations.relu = args.fn("relu", "x, negative_slope=0.0, max_value=None, threshold=0.0",
  function(x, slope, ceiling, limit)
    x = common.tensor(x)
    if limit == 0 and not ceiling then
      if slope == 0 then return core.apply("relu", {x}) end
      return core.apply("leaky_relu", {x}, nil, {slope})
    end
    return core.apply("relu_general", {x}, nil, {slope, ceiling or math.huge, limit})
  end)

activations.swish, activations.hard_swish = activations.silu, activations.hard_silu

-- function -> its name in Keras
local name_of = {}
for name in pairs(functions) do name_of[activations[name]] = name end

--- The name of one of Keras's activations ("linear" for nil), nil for another function.
function activations.name_of(fn)
  if fn == nil then return "linear" end
  return name_of[fn]
end

local get, serialize = activations.get, activations.serialize

--- The function that `identifier` names; nil gives `linear`.
function activations.get(identifier, where)
  if identifier == nil or identifier == args.None then return activations.linear end
  return get(identifier, where)
end

--- One of Keras's activations is its name; another function is data that names it.
function activations.serialize(activation)
  return activations.name_of(activation) or serialize(activation)
end

return activations
