-- Circle (Sun et al. 2020, "Circle loss: a unified perspective of pair similarity optimization"):
-- embeddings of one label are pulled together, those of different labels apart.

local core = require "nnlua.core"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local mask = require "nnlua.mask"
local shapes = require "nnlua.shapes"
local w = require "nnlua.losses.wrapper"

local circle = {}

local function eye(n)
  local t = core.full({n, n}, 0, "uint8")
  local flat = core.reshape(t, {n * n})
  for i = 0, n - 1 do flat[i * n + i + 1] = 1 end
  return t
end

-- Which pairs are of one label, which of two: (N, M).
local function pairs_of(labels, others, drop_diagonal)
  local same = ops.equal(ops.reshape(labels, {labels.size, 1}),
    ops.reshape(others, {1, others.size}))
  local different = ops.logical_not(same)
  if drop_diagonal then
    same = ops.logical_and(same, ops.logical_not(eye(labels.size)))
  end
  return same, different
end

local function log_sum(which, values)
  return ops.logsumexp(ops.where(which, values, -math.huge), -1)
end

local function loss(t, p, other_labels, others, remove_diagonal, gamma, margin)
  local distance = ops.maximum(1 - ops.matmul(p, ops.transpose(others or p)), 0)
  local same, different = pairs_of(t, other_labels or t, remove_diagonal)
  local pull = ops.maximum((distance + margin) * ops.cast(same, "float32"), 0)
  local push = ops.maximum((1 + margin - distance) * ops.cast(different, "float32"), 0)
  local positive = log_sum(same, pull * (margin - distance) * -gamma)
  local negative = log_sum(different, push * (1 - margin - distance) * gamma)
  local values = ops.softplus(positive + negative)
  mask.set(values, ops.greater(values, 0))
  return values
end

local function of_batch(t, p, gamma, margin, remove_diagonal)
  return loss(t, p, nil, nil, remove_diagonal, gamma, margin)
end

-- One label a row.
local function check_shapes(_, y_true, y_pred, where)
  if y_true.size ~= y_pred.shape[1] or y_pred.ndim ~= 2 then
    err.raise("%s: circle wants labels (%d) and embeddings (rows, size) but y has shape %s and "
      .. "the output %s", where or "fit", y_pred.shape[1], shapes.text(y_true.shape),
      shapes.text(y_pred.shape))
  end
end

local text = "ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4"

--- One value for each embedding (N, d), of unit length, with labels (N,). Reference labels and
--- embeddings take the place of the batch's own as partners.
circle.circle = w.fn("circle", text, loss, {ids = true, check_shapes = check_shapes})
circle.Circle = w.class("Circle", {
  args = "gamma=80.0, margin=0.4, remove_diagonal=True, " .. w.common "circle",
  own = {"gamma", "margin", "remove_diagonal"}, fn = of_batch, ids = true, keep_ranks = true,
  check_shapes = check_shapes,
})

return circle
