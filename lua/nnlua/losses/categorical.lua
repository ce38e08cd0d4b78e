-- Crossentropy of one-hot (or soft) labels against one probability or logit a class.

local core = require "nnlua.core"
local ops = require "nnlua.ops"
local config = require "nnlua.config"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local w = require "nnlua.losses.wrapper"

local categorical = {}

local function same_dims(t, p, from)
  if #t ~= #p then return false end
  for i = from, #t do if t[i] ~= p[i] then return false end end
  return true
end

-- Class ids where one-hot rows are wanted are the usual mistake.
local function check_labels(name, ids_name, t, p, where)
  if same_dims(t, p, 1) then return end
  local last = p[#p]
  if #t == #p - 1 or #t == #p and t[#t] == 1 then
    err.raise("%s%s wants one-hot rows %s but y holds class ids %s; use %s", where, name,
      shapes.text(p), shapes.text(t), ids_name)
  end
  if where ~= "" then
    p[1] = false
    err.raise("%sy has shape %s but the output is %s", where, shapes.text(t),
      shapes.text(p, "batch"))
  end
  err.raise("%s: y_true has shape %s, y_pred %s with %d classes", name, shapes.text(t),
    shapes.text(p), last or 1)
end

local function checker(name)
  return function(_, y_true, y_pred, where)
    check_labels(name, "sparse_categorical_crossentropy", y_true.shape, y_pred.shape,
      (where or "fit") .. ": ")
  end
end

local function smooth(t, amount, axis)
  if not amount or amount == 0 then return t end
  local shape = t.shape
  return t * (1 - amount) + amount / shape[axis < 0 and #shape + 1 + axis or axis]
end

-- Rows that sum to 1, clipped to [1e-7, 1 - 1e-7].
local function probabilities(p, axis)
  p = p / ops.sum(p, {axis = axis, keepdims = true})
  return ops.clip(p, config.epsilon(), 1 - config.epsilon())
end

local function is_last(axis, t) return axis == -1 or axis == t.ndim end

local function of_logits(t, z, axis)
  if is_last(axis, z) then return core.apply("softmax_crossentropy", {z, t}) end
  return -ops.sum(t * ops.log_softmax(z, axis), axis)
end

local function crossentropy(t, p, from_logits, smoothing, axis)
  check_labels("categorical_crossentropy", "sparse_categorical_crossentropy", t.shape, p.shape, "")
  t = smooth(t, smoothing, axis)
  local logits = from_logits and p or is_last(axis, p) and w.logits(p, "softmax")
  if logits then return of_logits(t, logits, axis) end
  return -ops.sum(t * ops.log(probabilities(p, axis)), axis)
end

local function focal(t, p, alpha, gamma, from_logits, smoothing, axis)
  check_labels("categorical_focal_crossentropy", "sparse_categorical_crossentropy", t.shape,
    p.shape, "")
  t = smooth(t, smoothing, axis)
  p = probabilities(from_logits and ops.softmax(p, axis) or p, axis)
  return ops.sum((1 - p) ^ gamma * alpha * (-t * ops.log(p)), axis)
end

local plain = "from_logits=False, label_smoothing=0.0, axis=-1"

--- -sum(y_true log y_pred) along `axis`.
local name = "categorical_crossentropy"
categorical[name] = w.fn(name, plain, crossentropy, {ids = true, check_shapes = checker(name)})
categorical.CategoricalCrossentropy = w.class("CategoricalCrossentropy", {
  args = plain .. ", " .. w.common(name), own = {"from_logits", "label_smoothing", "axis"},
  fn = crossentropy, ids = true, check = w.check_axis, check_shapes = checker(name),
})

--- Categorical crossentropy that counts easy rows less: times alpha (1 - y_pred)^gamma (Lin et al.
--- 2017).
name = "categorical_focal_crossentropy"
local weighted = "alpha=0.25, gamma=2.0, " .. plain
categorical[name] = w.fn(name, weighted, focal, {check_shapes = checker(name)})
categorical.CategoricalFocalCrossentropy = w.class("CategoricalFocalCrossentropy", {
  args = weighted .. ", " .. w.common(name),
  own = {"alpha", "gamma", "from_logits", "label_smoothing", "axis"}, fn = focal,
  check = w.check_axis, check_shapes = checker(name),
})

return categorical
