-- Losses of numbers: squares, absolute values and their kin, averaged over the last axis.

local ops = require "nnlua.ops"
local config = require "nnlua.config"
local w = require "nnlua.losses.wrapper"

local regression = {}

local function mean(values) return ops.mean(values, -1) end

local function declare(class_name, name, fn, d)
  d = d or {}
  local text = d.text or ""
  regression[d.fn_name or name] = w.fn(d.fn_name or name, text, fn)
  regression[class_name] = w.class(class_name, {
    args = (text ~= "" and text .. ", " or "") .. w.common(name), own = d.own, fn = fn,
    check = d.check,
  })
end

--- mean((y_true - y_pred)^2)
declare("MeanSquaredError", "mean_squared_error", function(t, p)
  return mean(ops.square(p - t))
end)

--- mean(|y_true - y_pred|)
declare("MeanAbsoluteError", "mean_absolute_error", function(t, p)
  return mean(ops.abs(p - t))
end)

--- 100 mean(|(y_true - y_pred) / max(|y_true|, 1e-7)|)
declare("MeanAbsolutePercentageError", "mean_absolute_percentage_error", function(t, p)
  return mean(ops.abs((t - p) / ops.maximum(ops.abs(t), config.epsilon()))) * 100
end)

--- mean((log(y_pred + 1) - log(y_true + 1))^2), both at least 1e-7
declare("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", function(t, p)
  local function log(x) return ops.log(ops.maximum(x, config.epsilon()) + 1) end
  return mean(ops.square(log(p) - log(t)))
end)

--- Squares up to `delta`, straight lines beyond (Huber 1964).
declare("Huber", "huber_loss", function(t, p, delta)
  local e = p - t
  local size = ops.abs(e)
  return mean(ops.where(ops.less_equal(size, delta), ops.square(e) * 0.5,
    size * delta - 0.5 * delta * delta))
end, {text = "delta=1.0", own = {"delta"}, fn_name = "huber"})

--- mean(log(cosh(y_pred - y_true)))
declare("LogCosh", "log_cosh", function(t, p)
  local d = p - t
  return mean(d + ops.softplus(d * -2) - math.log(2))
end)

--- Minus the cosine of the angle between y_true and y_pred along `axis`: -1 is the best.
declare("CosineSimilarity", "cosine_similarity", function(t, p, axis)
  return -ops.sum(ops.normalize(t, axis) * ops.normalize(p, axis), axis)
end, {text = "axis=-1", own = {"axis"}, check = w.check_axis})

--- mean(y_pred - y_true log(y_pred + 1e-7))
declare("Poisson", "poisson", function(t, p)
  return mean(p - t * ops.log(p + config.epsilon()))
end)

--- sum(y_true log(y_true / y_pred)), both clipped to [1e-7, 1]
declare("KLDivergence", "kl_divergence", function(t, p)
  t, p = ops.clip(t, config.epsilon(), 1), ops.clip(p, config.epsilon(), 1)
  return ops.sum(t * ops.log(t / p), -1)
end)

return regression
