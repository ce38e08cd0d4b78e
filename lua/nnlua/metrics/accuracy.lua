-- Accuracies: how often predictions are right. The functions give 1 or 0 a row; of yes-or-no
-- labels, one an element.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local reduction = require "nnlua.losses.reduction"
local mean = require "nnlua.metrics.mean"
local samples = require "nnlua.metrics.samples"

local accuracy = {}

local function fn(name, text, f)
  local function with_tensors(y_true, y_pred, ...)
    return f(samples.tensor(y_true), samples.tensor(y_pred), ...)
  end
  accuracy[name] = args.fn(name, "y_true, y_pred" .. text, with_tensors)
  return with_tensors
end

local function declare(class_name, name, d)
  accuracy[class_name] = mean.class(class_name, {
    args = d.args or ('name="%s", dtype=None'):format(name), own = d.own, fn = d.fn,
    direction = "up", check = d.check,
  })
end

declare("Accuracy", "accuracy", {fn = function(t, p)
  t, p = reduction.same_rank(t, p)
  return ops.cast(ops.equal(t, p), "float32")
end})

local function same_shape(t, p)
  local s, q = t.shape, p.shape
  if #s ~= #q then return false end
  for i = 1, #s do if s[i] ~= q[i] then return false end end
  return true
end

local function binary(t, p, threshold)
  t, p = reduction.same_rank(t, p)
  if not same_shape(t, p) then t = ops.broadcast_to(t, p.shape) end
  return core.apply("binary_match", {t, p}, {}, {threshold})
end

declare("BinaryAccuracy", "binary_accuracy", {
  args = 'name="binary_accuracy", dtype=None, threshold=0.5', own = {"threshold"},
  fn = fn("binary_accuracy", ", threshold=0.5", binary),
  check = function(self)
    if type(self.threshold) ~= "number" or not (self.threshold > 0 and self.threshold < 1) then
      err.raise("BinaryAccuracy: threshold is %s, expected a number between 0 and 1",
        err.show(self.threshold))
    end
  end,
})

declare("CategoricalAccuracy", "categorical_accuracy", {
  fn = fn("categorical_accuracy", "", function(t, p)
    return core.apply("categorical_match", {t, p})
  end),
})

declare("SparseCategoricalAccuracy", "sparse_categorical_accuracy", {
  fn = fn("sparse_categorical_accuracy", "", function(t, p)
    return core.apply("sparse_match", {t, p})
  end),
})

local function in_top(ids, p, k)
  return ops.cast(core.apply("in_top_k", {ids, p}, {k}), "float32")
end

local function check_k(self)
  if not math.tointeger(self.k) or self.k < 1 then
    err.raise("%s: k is %s, expected an integer above 0", self.class_name, err.show(self.k))
  end
end

declare("TopKCategoricalAccuracy", "top_k_categorical_accuracy", {
  args = 'k=5, name="top_k_categorical_accuracy", dtype=None', own = {"k"}, check = check_k,
  fn = fn("top_k_categorical_accuracy", ", k=5", function(t, p, k)
    return in_top(ops.argmax(t, -1) - 1, p, k)
  end),
})

-- Predictions that are ids, the best first.
local function among_first(t, p, k)
  local first = core.recording() and ops.slice_ranges(p, {[p.ndim] = {1, k}})
    or core.view(p, {[p.ndim] = {1, k}})
  if t.ndim < p.ndim then t = ops.expand_dims(t, -1) end
  return ops.cast(ops.any(ops.equal(t, first), -1), "float32")
end

declare("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", {
  args = [[k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False]],
  own = {"k", "from_sorted_ids"}, check = check_k,
  fn = fn("sparse_top_k_categorical_accuracy", ", k=5, from_sorted_ids=False",
    function(t, p, k, from_sorted_ids)
      if from_sorted_ids then return among_first(t, p, math.min(k, p.shape[p.ndim])) end
      return in_top(t, p, k)
    end),
})

return accuracy
