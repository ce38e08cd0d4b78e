-- Metrics that are means of the loss functions.

local losses = require "nnlua.losses"
local reduction = require "nnlua.losses.reduction"
local mean = require "nnlua.metrics.mean"

local of_losses = {}

local function declare(class_name, fn_name, d)
  d = d or {}
  local fn = losses[fn_name]
  local values = fn
  if d.ranks then
    values = function(y_true, y_pred) return fn(reduction.same_rank(y_true, y_pred)) end
  elseif d.own then
    values = function(y_true, y_pred, ...)
      local record = {y_true, y_pred}
      for i, key in ipairs(d.own) do record[key] = (select(i, ...)) end
      return fn(record)
    end
  end
  of_losses[class_name] = mean.class(class_name, {
    args = ('name="%s", dtype=None%s'):format(d.name or fn_name, d.args or ""), own = d.own,
    fn = values, direction = d.direction ~= false and "down" or nil,
  })
end

declare("MeanSquaredError", "mean_squared_error", {ranks = true})
declare("MeanAbsoluteError", "mean_absolute_error", {ranks = true})
declare("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {ranks = true})
declare("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", {ranks = true})
declare("LogCoshError", "log_cosh", {ranks = true, name = "logcosh"})
declare("Hinge", "hinge")
declare("SquaredHinge", "squared_hinge")
declare("CategoricalHinge", "categorical_hinge")
declare("KLDivergence", "kl_divergence", {direction = false})
declare("Poisson", "poisson", {direction = false})
declare("BinaryCrossentropy", "binary_crossentropy", {
  args = ", from_logits=False, label_smoothing=0", own = {"from_logits", "label_smoothing"},
})
declare("CategoricalCrossentropy", "categorical_crossentropy", {
  args = ", from_logits=False, label_smoothing=0, axis=-1",
  own = {"from_logits", "label_smoothing", "axis"},
})
declare("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", {
  args = ", from_logits=False, ignore_class=None, axis=-1",
  own = {"from_logits", "ignore_class", "axis"},
})

-- The functions are also to be had by their names in nn.metrics.
return setmetatable(of_losses, {__index = losses})
