-- What metrics do with a batch before they count: tensors of what was passed, weights and masks,
-- one value a row.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local ops = require "nnlua.ops"
local reduction = require "nnlua.losses.reduction"
local Variable = require "nnlua.variable"

local samples = {}

--- A tensor of what a user passes; nil stays nil.
function samples.tensor(v)
  if v == nil or core.is_tensor(v) then return v end
  return class.is(v, Variable) and v.tensor or core.new(v)
end

function samples.float(v)
  local t = samples.tensor(v)
  if t == nil or t.dtype == "float32" then return t end
  return ops.cast(t, "float32")
end

local signature = args.signature("update_state", "y_true, y_pred, sample_weight=None")

--- y_true, y_pred, sample_weight of a call: positions or one record.
function samples.collect(y_true, y_pred, sample_weight)
  if y_pred == nil and args.is_record(y_true) then
    local a = args.bind(signature, y_true)
    y_true, y_pred, sample_weight = a.y_true, a.y_pred, a.sample_weight
  end
  err.check(y_true ~= nil and y_pred ~= nil, "update_state: expected y_true and y_pred")
  return samples.tensor(y_true), samples.tensor(y_pred), samples.float(sample_weight)
end

--- Mask and weights as one weight, nil without either.
function samples.masked_weight(m, w)
  if not m then return w end
  m = samples.float(m)
  if not w then return m end
  if w.ndim == 1 and m.ndim > 1 then w = ops.expand_dims(w, -1) end
  local a, b = reduction.same_rank(m, w)
  return a * b
end

local function axes(from, to)
  local list = {}
  for i = from, to do list[#list + 1] = i end
  return list
end

--- One value and one weight a row: longer values are reduced (ops.mean or ops.sum) over the axes
--- that weights do not have, and weights of several axes over all but the first. The weights are
--- already in the values when `multiplied` comes back true.
function samples.by_row(values, w, reduce)
  if not w then
    if values.ndim <= 1 or values.size == values.shape[1] then return values end
    return reduce(values, axes(2, values.ndim))
  end
  values, w = reduction.same_rank(values, w)
  local rank = w.ndim
  if values.ndim > rank then values = reduce(values, axes(rank + 1, values.ndim)) end
  if values.ndim <= 1 then
    if w.size ~= 1 and w.size ~= values.size then w = ops.broadcast_to(w, values.shape) end
    return values, w, false
  end
  w = ops.broadcast_to(w, values.shape)
  values = reduce(values * w, axes(2, values.ndim))
  return values, reduce(w, axes(2, rank)), true
end

samples.mask_of = mask.get

return samples
