-- From one value a row to one number: ranks, masks, weights, reductions.

local core = require "nnlua.core"
local ops = require "nnlua.ops"
local config = require "nnlua.config"
local err = require "nnlua.err"

local reduction = {}

local kinds = {sum_over_batch_size = "mean", mean = "mean", sum = "sum", none = "none",
  mean_with_sample_weight = "weighted"}

--- Raises unless it is a reduction of Keras's; nil is "none".
function reduction.check(name, where)
  if name == nil then return "none" end
  if not kinds[name] then
    err.raise("%s: reduction is '%s', expected sum_over_batch_size, sum, mean, "
      .. "mean_with_sample_weight or none", where, tostring(name))
  end
  return name
end

--- Shape of t with its last axis, of size 1, dropped or with one added.
local function without_last(t)
  local s = t.shape
  s[#s] = nil
  return ops.reshape(t, s)
end

local function with_last(t)
  local s = t.shape
  s[#s + 1] = 1
  return ops.reshape(t, s)
end

--- Makes ranks that differ by one equal where the longer shape ends in 1: it loses that axis,
--- unless the other has rank 1, which then gets one.
function reduction.same_rank(a, b)
  local m, n = a.ndim, b.ndim
  if m == n then return a, b end
  if m == n + 1 and a.shape[m] == 1 then
    if n == 1 then return a, with_last(b) end
    return without_last(a), b
  elseif n == m + 1 and b.shape[n] == 1 then
    if m == 1 then return with_last(a), b end
    return a, without_last(b)
  end
  return a, b
end

--- Weights (N,) go with the rows of values of any rank.
local function by_rows(values, w)
  if w.ndim ~= 1 or values.ndim < 2 or values.shape[1] ~= w.shape[1] then return w end
  local shape = {w.shape[1]}
  for i = 2, values.ndim do shape[i] = 1 end
  return ops.reshape(w, shape)
end

local function float(t) return t.dtype == "float32" and t or ops.cast(t, "float32") end

local function fit(values, w)
  w = by_rows(values, w)
  return reduction.same_rank(values, w)
end

-- A mask as weights: for means it is scaled, so that dividing by all elements later gives the mean
-- over the real ones.
local function mask_weights(mask, kind)
  mask = float(mask)
  if kind ~= "mean" then return mask end
  return mask * (mask.size / (ops.sum(mask) + config.epsilon()))
end

-- While a step is recorded: the mean of means of rows is one mean of what they were made of.
local function unaveraged(values)
  local made_by, inputs = core.producer(values)
  return made_by == "mean" and inputs[1] or values
end

--- values (any shape), weights and mask (nil: none) to the loss.
function reduction.apply(values, weights, mask, name)
  local kind = kinds[name or "none"]
  if mask then
    local w = mask_weights(mask, kind)
    if weights then
      local m, s = fit(w, float(weights))
      w = m * s
    end
    weights = w
  elseif weights then
    weights = float(weights)
  end
  if weights then
    values, weights = fit(values, weights)
    values = values * weights
  end
  if kind == "none" or values.ndim == 0 then return values end
  if kind == "sum" then return ops.sum(values) end
  if kind == "weighted" and weights then
    return ops.divide_no_nan(ops.sum(values), ops.sum(weights))
  end
  return values.size == 0 and ops.sum(values) or ops.mean(unaveraged(values))
end

return reduction
