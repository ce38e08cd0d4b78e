-- R2Score: the part of the variance of labels (N, C) that predictions explain, a column each.

local core = require "nnlua.core"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local Metric = require "nnlua.metrics.metric"
local samples = require "nnlua.metrics.samples"

local R2Score = Metric:extend("R2Score", {
  args = [[class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None]],
  own = {"class_aggregation", "num_regressors"}, direction = "up",
})

function R2Score:init(a)
  Metric.init(self, a)
  local how = self.class_aggregation
  if how ~= nil and how ~= "uniform_average" and how ~= "variance_weighted_average" then
    err.raise("R2Score: class_aggregation is %s, expected uniform_average, "
      .. "variance_weighted_average or None", tostring(how))
  end
  if not math.tointeger(self.num_regressors) or self.num_regressors < 0 then
    err.raise("R2Score: num_regressors is %s, expected an integer of 0 or more",
      err.show(self.num_regressors))
  end
  self.num_samples = self:add_variable{shape = {}, name = "num_samples"}
end

local function build(self, columns)
  for _, key in ipairs {"squared_sum", "sum", "residual", "count"} do
    rawset(self, key == "count" and "weight_sum" or key,
      self:add_variable{shape = {columns}, name = key})
  end
  rawset(self, "built", true)
end

function R2Score:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  t, p = samples.float(t), samples.float(p)
  if t.ndim ~= 2 or p.ndim ~= 2 then
    err.raise("R2Score: y_true and y_pred have %d and %d dimensions, expected 2", t.ndim, p.ndim)
  end
  if not self.built then build(self, p.shape[2]) end
  w = w or core.full({1, 1}, 1)
  if w.ndim == 1 then w = ops.expand_dims(w, 2) end
  w = ops.broadcast_to(w, t.shape)
  local weighted = t * w
  self.sum:assign_add(ops.sum(weighted, 1))
  self.squared_sum:assign_add(ops.sum(t * weighted, 1))
  self.residual:assign_add(ops.sum(ops.square(t - p) * w, 1))
  self.weight_sum:assign_add(ops.sum(w, 1))
  self.num_samples:assign_add(core.full({}, t.size))
end

local function adjusted(self, score)
  local p = self.num_regressors
  if p == 0 then return score end
  local n = self.num_samples.tensor
  return 1 - (1 - score) * (n - 1) / (n - (p + 1))
end

function R2Score:result()
  if not self.built then return core.full({}, 0) end
  local sum, count = self.sum.tensor, self.weight_sum.tensor
  local total = self.squared_sum.tensor - sum * (sum / count)
  local raw = 1 - self.residual.tensor / total
  raw = ops.where(ops.isinf(raw), 0, raw)
  local score = raw
  if self.class_aggregation == "uniform_average" then
    score = ops.mean(raw)
  elseif self.class_aggregation == "variance_weighted_average" then
    score = ops.sum(total * raw) / ops.sum(total)
  end
  return adjusted(self, score)
end

return R2Score
