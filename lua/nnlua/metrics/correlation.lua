-- Correlations along `axis`, one a row.

local args = require "nnlua.args"
local config = require "nnlua.config"
local ops = require "nnlua.ops"
local mean = require "nnlua.metrics.mean"
local samples = require "nnlua.metrics.samples"

local correlation = {}

local function declare(class_name, name, f)
  local function with_tensors(t, p, axis) return f(samples.float(t), samples.float(p), axis) end
  correlation[name] = args.fn(name, "y_true, y_pred, axis=-1", with_tensors)
  correlation[class_name] = mean.class(class_name, {
    args = ('name="%s", dtype=None, axis=-1'):format(name), own = {"axis"}, direction = "up",
    fn = with_tensors,
  })
end

local function average(x, axis) return ops.mean(x, {axis = axis, keepdims = true}) end

-- Deviations from the mean in standard deviations.
local function standard(x, axis)
  local deviation = x - average(x, axis)
  return deviation / ops.sqrt(average(ops.square(deviation), axis))
end

--- The mean of the products of standard scores: Pearson's r.
declare("PearsonCorrelation", "pearson_correlation", function(t, p, axis)
  return ops.mean(standard(t, axis) * standard(p, axis), axis)
end)

--- 2 covariance / (both variances + (difference of the means)^2): Lin's coefficient, with labels
--- centred by the mean of the predictions, as Keras has it.
declare("ConcordanceCorrelation", "concordance_correlation", function(t, p, axis)
  local mean_t, mean_p = average(t, axis), average(p, axis)
  local var_t = average(ops.square(t - mean_t), axis)
  local var_p = average(ops.square(p - mean_p), axis)
  local top = (t - mean_p) * (p - mean_p) * 2
  local bottom = var_t + var_p + ops.square(mean_t - mean_p) + config.epsilon()
  return ops.mean(top / bottom, axis)
end)

return correlation
