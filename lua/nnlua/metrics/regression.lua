-- RootMeanSquaredError and CosineSimilarity.

local ops = require "nnlua.ops"
local reduction = require "nnlua.losses.reduction"
local samples = require "nnlua.metrics.samples"
local mean = require "nnlua.metrics.mean"

local regression = {}

-- The root is taken of the mean over all batches, not batch by batch.
local RMSE = mean.Mean:extend("RootMeanSquaredError", {
  args = 'name="root_mean_squared_error", dtype=None', direction = "down",
})

function RMSE:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  t, p = reduction.same_rank(t, p)
  self:add(ops.square(samples.float(p) - t), samples.masked_weight(samples.mask_of(p), w))
end

function RMSE:result() return ops.sqrt(mean.Mean.result(self)) end

regression.RootMeanSquaredError = RMSE

--- The cosine of the angle between labels and predictions: 1 is the best (the loss is -cos).
regression.CosineSimilarity = mean.class("CosineSimilarity", {
  args = 'name="cosine_similarity", dtype=None, axis=-1', own = {"axis"}, direction = "up",
  fn = function(t, p, axis)
    t, p = reduction.same_rank(samples.float(t), samples.float(p))
    return ops.sum(ops.normalize(t, axis) * ops.normalize(p, axis), axis)
  end,
})

return regression
