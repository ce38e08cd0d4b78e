-- Losses of class ids, 0 to C - 1, against one probability or logit a class.

local core = require "nnlua.core"
local ops = require "nnlua.ops"
local config = require "nnlua.config"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local shapes = require "nnlua.shapes"
local w = require "nnlua.losses.wrapper"

local sparse = {}

-- Labels without the last axis of predictions (or with size 1 there).
local function ids_fit(t, p)
  local n = #p - 1
  if #t == #p and t[#t] == 1 then n = #p end
  if #t ~= n then return false end
  for i = 1, #p - 1 do if t[i] ~= p[i] then return false end end
  return true
end

local function check_labels(name, t, p, where)
  if ids_fit(t, p) then return end
  local wanted = table.move(p, 1, #p - 1, 1, {})
  if #t == #p and t[#t] == p[#p] then
    err.raise("%s%s wants class ids %s but y is one-hot %s; use categorical_crossentropy", where,
      name, shapes.text(wanted), shapes.text(t))
  end
  err.raise("%s%s wants class ids %s but y has shape %s", where, name, shapes.text(wanted),
    shapes.text(t))
end

local function checker(name)
  return function(_, y_true, y_pred, where)
    check_labels(name, y_true.shape, y_pred.shape, (where or "fit") .. ": ")
  end
end

-- Labels (..) from (..) or (.., 1).
local function drop_last(t, p)
  if t.ndim ~= p.ndim or t.shape[t.ndim] ~= 1 then return t end
  local s = t.shape
  s[#s] = nil
  return ops.reshape(t, s)
end

local function crossentropy(t, p, from_logits, ignore_class, axis)
  local name = "sparse_categorical_crossentropy"
  if axis ~= -1 and axis ~= p.ndim then
    err.raise("%s: axis is %s, expected the last one", name, err.show(axis))
  end
  check_labels(name, t.shape, p.shape, "")
  t = drop_last(t, p)
  local logits = from_logits and p or not ignore_class and w.logits(p, "softmax")
    or ops.log(ops.clip(p, config.epsilon(), 1 - config.epsilon()))
  if not ignore_class then return core.apply(name:gsub("categorical", "softmax"), {logits, t}) end
  local values = core.apply("sparse_softmax_crossentropy", {logits, t}, {1, ignore_class})
  mask.set(values, ops.not_equal(t, ignore_class))
  return values
end

local plain = "from_logits=False, ignore_class=None, axis=-1"
local name = "sparse_categorical_crossentropy"

local function check(self)
  w.check_axis(self)
  if self.ignore_class ~= nil and not math.tointeger(self.ignore_class) then
    err.raise("%s: ignore_class is %s, expected an integer", self.class_name,
      err.show(self.ignore_class))
  end
end

--- -log of the probability of the right class. Rows of `ignore_class` count nothing.
sparse[name] = w.fn(name, plain, crossentropy, {ids = true, check_shapes = checker(name)})
sparse.SparseCategoricalCrossentropy = w.class("SparseCategoricalCrossentropy", {
  args = [[from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
    name="sparse_categorical_crossentropy", dtype=None]],
  own = {"from_logits", "ignore_class", "axis"}, fn = crossentropy, ids = true, check = check,
  check_shapes = checker(name), keep_ranks = true,
})

local function generalized(t, p, q)
  t = drop_last(t, p)
  local right = ops.sum(p * ops.one_hot(t, p.shape[p.ndim]), -1)
  return (1 - right ^ q) / q
end

local function check_q(self)
  if type(self.q) ~= "number" or not (self.q > 0 and self.q < 1) then
    err.raise("%s: q is %s, expected a number between 0 and 1", self.class_name, err.show(self.q))
  end
end

--- (1 - p^q) / q for the probability p of the right class: between crossentropy (q to 0) and mean
--- absolute error (q = 1), for noisy labels (Zhang and Sabuncu 2018).
name = "categorical_generalized_cross_entropy"
sparse[name] = w.fn(name, "q", generalized, {ids = true, check_shapes = checker(name)})
sparse.CategoricalGeneralizedCrossEntropy = w.class("CategoricalGeneralizedCrossEntropy", {
  args = "q=0.5, " .. w.common(name), own = {"q"}, fn = generalized, ids = true, check = check_q,
  check_shapes = checker(name), keep_ranks = true,
})

return sparse
