-- Crossentropy of yes-or-no labels, one probability or logit an element.

local core = require "nnlua.core"
local ops = require "nnlua.ops"
local config = require "nnlua.config"
local w = require "nnlua.losses.wrapper"

local binary = {}

local function smooth(t, amount)
  if not amount or amount == 0 then return t end
  return t * (1 - amount) + amount / 2
end

-- Values by element; probabilities are clipped to [1e-7, 1 - 1e-7].
local function of_probabilities(t, p)
  local q = ops.clip(p, config.epsilon(), 1 - config.epsilon())
  return -(t * ops.log(q) + (1 - t) * ops.log(1 - q))
end

local function same_shape(a, b)
  if a.ndim ~= b.ndim then return false end
  local s, t = a.shape, b.shape
  for i = 1, #s do if s[i] ~= t[i] then return false end end
  return true
end

local function of_logits(t, z)
  if not same_shape(t, z) then t = ops.broadcast_to(t, z.shape) end
  return core.apply("sigmoid_crossentropy", {z, t})
end

local function crossentropy(t, p, from_logits, smoothing, axis)
  t = smooth(t, smoothing)
  local logits = from_logits and p or w.logits(p, "sigmoid")
  return ops.mean(logits and of_logits(t, logits) or of_probabilities(t, p), axis)
end

local function focal(t, p, balanced, alpha, gamma, from_logits, smoothing, axis)
  t = smooth(t, smoothing)
  local logits = from_logits and p
  if logits then p = ops.sigmoid(logits) end
  local right = t * p + (1 - t) * (1 - p)
  local values = (1 - right) ^ gamma * (logits and of_logits(t, logits) or of_probabilities(t, p))
  if balanced then values = (t * alpha + (1 - t) * (1 - alpha)) * values end
  return ops.mean(values, axis)
end

local plain = "from_logits=False, label_smoothing=0.0, axis=-1"

--- Mean over `axis` of -(y_true log y_pred + (1 - y_true) log(1 - y_pred)).
binary.binary_crossentropy = w.fn("binary_crossentropy", plain, crossentropy, {ids = true})
binary.BinaryCrossentropy = w.class("BinaryCrossentropy", {
  args = plain .. ", " .. w.common "binary_crossentropy",
  own = {"from_logits", "label_smoothing", "axis"}, fn = crossentropy, ids = true,
  check = w.check_axis,
})

local weighted = "apply_class_balancing=False, alpha=0.25, gamma=2.0, " .. plain

--- Binary crossentropy that counts easy elements less: times (1 - p of the right answer)^gamma (Lin
--- et al. 2017, "Focal loss for dense object detection").
binary.binary_focal_crossentropy = w.fn("binary_focal_crossentropy", weighted, focal)
binary.BinaryFocalCrossentropy = w.class("BinaryFocalCrossentropy", {
  args = weighted .. ", " .. w.common "binary_focal_crossentropy",
  own = {"apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis"},
  fn = focal, check = w.check_axis,
})

return binary
