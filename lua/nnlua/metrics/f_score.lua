-- FBetaScore and F1Score: the weighted harmonic mean of precision and recall of rows (N, C).

local core = require "nnlua.core"
local config = require "nnlua.config"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local Metric = require "nnlua.metrics.metric"
local samples = require "nnlua.metrics.samples"

local f_score = {}

local FBeta = Metric:extend("FBetaScore", {
  args = 'average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None',
  own = {"average", "beta", "threshold"}, direction = "up",
})

local averages = {micro = true, macro = true, weighted = true}

function FBeta:init(a)
  Metric.init(self, a)
  if self.average ~= nil and not averages[self.average] then
    err.raise("%s: average is %s, expected micro, macro, weighted or None", self.class_name,
      tostring(self.average))
  end
  if type(self.beta) ~= "number" or self.beta <= 0 then
    err.raise("%s: beta is %s, expected a number above 0", self.class_name, err.show(self.beta))
  end
  local t = self.threshold
  if t ~= nil and (type(t) ~= "number" or not (t > 0 and t <= 1)) then
    err.raise("%s: threshold is %s, expected above 0 to 1", self.class_name, err.show(t))
  end
end

local STATE = {"true_positives", "false_positives", "false_negatives", "intermediate_weights"}

local function build(self, classes)
  local shape = self.average == "micro" and {} or {classes}
  for _, name in ipairs(STATE) do
    self[name] = self:add_variable{shape = shape, name = name}
  end
  rawset(self, "built", true)
end

-- 1 for each class that is predicted: the row's largest (all ties), or those above the threshold.
local function predicted(self, p)
  if self.threshold then return ops.cast(ops.greater(p, self.threshold), "float32") end
  local top = ops.max(p, {axis = -1, keepdims = true})
  local is_top = ops.logical_and(ops.greater_equal(p, top), ops.greater(ops.abs(p), 1e-9))
  return ops.cast(is_top, "float32")
end

function FBeta:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  t, p = samples.float(t), samples.float(p)
  if t.ndim ~= 2 or p.ndim ~= 2 or t.shape[2] ~= p.shape[2] then
    err.raise("%s: y_true is (%s) and y_pred (%s), expected rows of one class count",
      self.class_name, table.concat(t.shape, ", "), table.concat(p.shape, ", "))
  end
  if not self.built then build(self, p.shape[2]) end
  p = predicted(self, p)
  if w and w.ndim == 1 then w = ops.expand_dims(w, 2) end
  local axis = self.average ~= "micro" and 1 or nil
  local function add(name, values)
    self[name]:assign_add(ops.sum(w and values * w or values, axis))
  end
  add("true_positives", p * t)
  add("false_positives", p * (1 - t))
  add("false_negatives", (1 - p) * t)
  add("intermediate_weights", t)
end

function FBeta:result()
  if not self.built then return core.full({}, 0) end
  local eps, beta2 = config.epsilon(), self.beta ^ 2
  local tp = self.true_positives.tensor
  local precision = tp / (tp + self.false_positives.tensor + eps)
  local recall = tp / (tp + self.false_negatives.tensor + eps)
  local f = precision * recall * (1 + beta2) / (precision * beta2 + recall + eps)
  if self.average == "macro" then return ops.mean(f) end
  if self.average == "weighted" then
    local labels = self.intermediate_weights.tensor
    return ops.sum(f * (labels / (ops.sum(labels) + eps)))
  end
  return f
end

f_score.FBetaScore = FBeta

local F1 = FBeta:extend("F1Score", {
  args = 'average=None, threshold=None, name="f1_score", dtype=None',
  own = {"average", "threshold"},
})

function F1:init(a)
  rawset(self, "beta", 1.0)
  FBeta.init(self, a)
end

f_score.F1Score = F1

return f_score
