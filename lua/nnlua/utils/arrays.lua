-- nn.utils.to_categorical and normalize.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"

local arrays = {}

local most = 1 << 24 -- classes that nobody has asked for by number

--- Class ids (..) or (.., 1) as one-hot rows (.., classes), float32.
---@param x nn.Tensor|integer[] ids 0 .. classes-1
---@param num_classes integer? largest id + 1 by default
arrays.to_categorical = args.fn("to_categorical", "x, num_classes=None", function(x, num_classes)
  local ops = require "nnlua.ops"
  local ids = core.new(x)
  local shape = ids.shape
  if #shape > 1 and shape[#shape] == 1 then shape[#shape] = nil end
  local flat = core.reshape(core.astype(ids, "int32"), {ids.size})
  local low, high = 0, -1
  if flat.size > 0 then low, high = ops.min(flat):item(), ops.max(flat):item() end
  if not num_classes and high >= most then
    err.raise("to_categorical: x holds class %d, expected less than %d", high, most)
  elseif num_classes and (not math.tointeger(num_classes) or num_classes < 1) then
    err.raise("to_categorical: num_classes is %s, expected an integer above 0",
      err.show(num_classes))
  end
  local classes = math.tointeger(num_classes) or math.tointeger(high) + 1
  if low < 0 or high >= classes then
    err.raise("to_categorical: x holds class %d, expected 0 to %d", low < 0 and low or high,
      classes - 1)
  end
  local y = ops.one_hot(flat, classes)
  shape[#shape + 1] = classes
  return core.reshape(y, shape)
end, {list = true})

--- x divided by its `order`-norm along `axis`; rows of norm 0 stay.
---@param x nn.Tensor
---@param axis integer?
---@param order number?
arrays.normalize = args.fn("normalize", "x, axis=-1, order=2", function(x, axis, order)
  local ops = require "nnlua.ops"
  x = core.new(x)
  local norm = ops.norm(x, {ord = order, axis = axis, keepdims = true})
  return x / ops.where(ops.equal(norm, 0), 1, norm)
end)

return arrays
