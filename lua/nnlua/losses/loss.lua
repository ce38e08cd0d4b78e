-- The base of losses. An own one defines call(y_true, y_pred), which gives one value a row:
--
--   local Cubic = nn.losses.Loss:extend("Cubic")
--   function Cubic:call(y_true, y_pred)
--     return nn.ops.mean(nn.ops.abs(y_true - y_pred) ^ 3, {axis = -1})
--   end

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local names = require "nnlua.names"
local reduction = require "nnlua.losses.reduction"
local shapes = require "nnlua.shapes"

---@class nn.Loss
---@field name string
---@field reduction string how the values of a batch become one number
local Loss = class.new("Loss", {
  args = 'name=None, reduction="sum_over_batch_size", dtype=None',
  module = "keras.losses",
  own = {}, -- names of the class's own arguments, in the order of its config
})

function Loss:init(a, given)
  a = a or {}
  local how = a.reduction
  if how == nil and not (given and given.reduction) then how = "sum_over_batch_size" end
  self.reduction = reduction.check(how, self.class_name)
  self.name = a.name or names.auto(self.class_name)
  self.dtype = a.dtype or "float32"
  for _, key in ipairs(self.own) do self[key] = a[key] end
end

local function to_tensor(v)
  if v == nil or core.is_tensor(v) then return v end
  if type(v) == "table" and core.is_tensor(v.tensor) then return v.tensor end
  return core.new(v)
end

local function both(a, b)
  if not a then return b end
  if not b then return a end
  return a * b
end

local signature = args.signature("loss", "y_true, y_pred, sample_weight=None")

--- The loss of predictions: a scalar, or one value a row where the reduction is "none".
---@param y_true nn.Tensor labels, the shape of y_pred (class ids: without its last axis)
---@param y_pred nn.Tensor
---@param sample_weight? nn.Tensor (N,), or the shape of the values
---@return nn.Tensor
function Loss.__call(self, y_true, y_pred, sample_weight)
  if y_pred == nil and args.is_record(y_true) then
    local a = args.bind(signature, y_true)
    y_true, y_pred, sample_weight = a.y_true, a.y_pred, a.sample_weight
  end
  err.check(y_true ~= nil and y_pred ~= nil, "%s: expected y_true and y_pred", self.name)
  y_true, y_pred = to_tensor(y_true), to_tensor(y_pred)
  local values = self:call(y_true, y_pred)
  if not core.is_tensor(values) then
    err.raise("%s: the loss gave %s, expected a tensor", self.name, err.show(values))
  end
  local real = both(mask.get(y_pred), values ~= y_pred and mask.get(values) or nil)
  return reduction.apply(values, to_tensor(sample_weight), real, self.reduction)
end

function Loss:call()
  err.raise("%s: the loss has no call(y_true, y_pred)", self.class_name)
end

local function fits(a, b)
  for i = 0, math.min(#a, #b) - 1 do
    local m, n = a[#a - i], b[#b - i]
    if m ~= n and m ~= 1 and n ~= 1 then return false end
  end
  return true
end

--- Raises when labels of that shape do not belong to predictions of that shape.
function Loss.check_shapes(_, y_true, y_pred, where)
  local t, p = y_true.shape, y_pred.shape
  if #t == #p + 1 and t[#t] == 1 or #p == #t + 1 and p[#p] == 1 then return end
  if not fits(t, p) then
    p[1] = false
    err.raise("%s: y has shape %s but the output is %s", where or "fit", shapes.text(t),
      shapes.text(p, "batch"))
  end
end

--- The arguments as data.
function Loss:get_config()
  return args.fill({name = self.name, reduction = self.reduction}, self, self.own)
end

function Loss.from_config(cls, config) return cls(config) end

return Loss
