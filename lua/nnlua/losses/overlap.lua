-- Losses of how two sets overlap, for segmentation: labels and predictions from 0 to 1, summed over
-- all elements or along `axis`.

local ops = require "nnlua.ops"
local config = require "nnlua.config"
local w = require "nnlua.losses.wrapper"

local overlap = {}

local function dice(t, p, axis)
  local both = ops.sum(t * p, axis) * 2
  return 1 - both / (ops.sum(t, axis) + ops.sum(p, axis) + config.epsilon())
end

--- 1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred))
overlap.dice = w.fn("dice", "axis=None", dice)
overlap.Dice = w.class("Dice", {
  args = 'reduction="sum_over_batch_size", name="dice", axis=None, dtype=None',
  own = {"axis"}, fn = dice,
})

local function tversky(t, p, alpha, beta, axis)
  local both = ops.sum(t * p, axis)
  local missed, extra = ops.sum((1 - p) * t, axis), ops.sum((1 - t) * p, axis)
  return 1 - both / (both + missed * alpha + extra * beta + config.epsilon())
end

--- As dice, with a weight each for what is missed and what is too much (Salehi et al. 2017).
overlap.tversky = w.fn("tversky", "alpha=0.5, beta=0.5, axis=None", tversky)
overlap.Tversky = w.class("Tversky", {
  args = [[alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None,
    dtype=None]],
  own = {"alpha", "beta", "axis"}, fn = tversky,
})

return overlap
