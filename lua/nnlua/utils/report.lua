-- What a classifier gets right: confusion matrix, report, weights for rare classes, importance of
-- columns.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local seed = require "nnlua.seed"

local report = {}

-- Class ids as a list, from ids (N), (N, 1), one-hot rows or probabilities (N, C).
local function ids_of(v)
  local ops = require "nnlua.ops"
  local t = core.new(v)
  if t.ndim == 2 and t.shape[2] > 1 then t = ops.argmax(t, {axis = -1}) - 1 end
  local list = core.totable(core.reshape(core.astype(t, "int32"), {t.shape[1]}))
  return list
end

local function highest(...)
  local most = 0
  for _, list in ipairs {...} do for _, id in ipairs(list) do most = math.max(most, id) end end
  return most
end

local function check_ids(name, list, n)
  for i, id in ipairs(list) do
    if id < 0 or id >= n then
      err.raise("confusion_matrix: %s[%d] is class %d, expected 0 to %d", name, i, id, n - 1)
    end
  end
end

--- Counts by true class (rows) and predicted class (columns), int32 (C, C).
---@param y_true nn.Tensor|integer[] class ids, or one-hot rows
---@param y_pred nn.Tensor|integer[] class ids, or probabilities
---@return nn.Tensor
report.confusion_matrix = args.fn("confusion_matrix", "y_true, y_pred, num_classes=None",
  function(y_true, y_pred, num_classes)
    local t, p = ids_of(y_true), ids_of(y_pred)
    if #t ~= #p then
      err.raise("confusion_matrix: y_true has %d rows but y_pred has %d", #t, #p)
    end
    local n = num_classes or highest(t, p) + 1
    check_ids("y_true", t, n)
    check_ids("y_pred", p, n)
    local m = core.full({n, n}, 0, "int32")
    for i = 1, #t do
      local row = m[t[i] + 1]
      row[p[i] + 1] = row[p[i] + 1] + 1
    end
    return m
  end)

local Report = class.new("ClassificationReport", {})

local function ratio(a, b) return b == 0 and 0 or a / b end

local function scores(m, n)
  local rows = {}
  for c = 1, n do
    local hit, predicted, actual = m[c][c], 0, 0
    for k = 1, n do
      predicted = predicted + m[k][c]
      actual = actual + m[c][k]
    end
    local precision, recall = ratio(hit, predicted), ratio(hit, actual)
    rows[c] = {precision = precision, recall = recall, support = actual,
      f1_score = ratio(2 * precision * recall, precision + recall)}
  end
  return rows
end

local keys = {"precision", "recall", "f1_score"}

local function averages(rows, total)
  local macro, weighted = {support = total}, {support = total}
  for _, key in ipairs(keys) do
    local sum, w = 0, 0
    for _, r in ipairs(rows) do
      sum = sum + r[key]
      w = w + r[key] * r.support
    end
    macro[key], weighted[key] = sum / #rows, ratio(w, total)
  end
  return macro, weighted
end

--- Precision, recall and F1 of each class, and their means. Its tostring is a table to print.
---@return table report {[1..C] = {precision, recall, f1_score, support}, accuracy, macro, weighted}
report.classification_report = args.fn("classification_report",
  "y_true, y_pred, names=None", function(y_true, y_pred, names)
    local m = report.confusion_matrix(y_true, y_pred)
    local n = #m
    local rows, hits, total = scores(m, n), 0, 0
    for c = 1, n do
      hits = hits + m[c][c]
      total = total + rows[c].support
    end
    local out = Report()
    for c = 1, n do rawset(out, c, rows[c]) end
    rawset(out, "names", names or {})
    rawset(out, "accuracy", ratio(hits, total))
    local macro, weighted = averages(rows, total)
    rawset(out, "macro", macro)
    rawset(out, "weighted", weighted)
    return out
  end)

Report.__tostring = function(self)
  local lines = {("%-14s %9s %9s %9s %9s"):format("", "precision", "recall", "f1-score", "support")}
  local function add(name, r)
    lines[#lines + 1] = ("%-14s %9.4f %9.4f %9.4f %9d"):format(name, r.precision, r.recall,
      r.f1_score, r.support)
  end
  for c, r in ipairs(self) do add(tostring(self.names[c] or c - 1), r) end
  lines[#lines + 1] = ("%-14s %29.4f %9d"):format("accuracy", self.accuracy, self.macro.support)
  add("macro avg", self.macro)
  add("weighted avg", self.weighted)
  return table.concat(lines, "\n")
end

--- {class id = weight} so that every class weighs the same in total: rows / (classes * count).
---@param y nn.Tensor|integer[] class ids, or one-hot rows
report.balanced_class_weight = args.fn("balanced_class_weight", "y", function(y)
  local counts, classes, list = {}, 0, ids_of(y)
  for _, id in ipairs(list) do
    if not counts[id] then classes = classes + 1 end
    counts[id] = (counts[id] or 0) + 1
  end
  local weights = {}
  for id, n in pairs(counts) do weights[id] = #list / (classes * n) end
  return weights
end, {list = true})

-- A copy of x in which the column's cells are in another order.
local function shuffled(x, column, order)
  local copy = core.astype(x)
  local source = core.view(x, {{}, {column, column}})
  local ops = require "nnlua.ops"
  core.copy(core.view(copy, {{}, {column, column}}), ops.take(source, order, 1))
  return copy
end

--- How much worse `metric` gets when one column of x is shuffled: a list by column, in the metric's
--- units (a loss rises, so its numbers are positive where a column matters).
---@param model nn.Model a compiled model
---@param x nn.Tensor (N, F)
---@param repeats integer shuffles a column
---@return number[]
report.permutation_importance = args.fn("permutation_importance",
  'model, x, y, metric="loss", repeats=5, seed=None',
  function(model, x, y, metric, repeats, given_seed)
    x, y = core.new(x), core.new(y)
    local function score(data)
      local logs = model:evaluate{data, y, verbose = 0, return_dict = true}
      return logs[metric] or err.raise("permutation_importance: there is no metric '%s'", metric)
    end
    local base, out, key = score(x), {}, given_seed or seed.next()
    for column = 1, x.shape[2] do
      local sum = 0
      for k = 1, repeats do
        local order = core.rng.permutation(#x, key, column, k) + 1
        sum = sum + score(shuffled(x, column, core.astype(order, "int32")))
      end
      out[column] = math.abs(sum / repeats - base)
      if metric == "loss" then out[column] = sum / repeats - base end
    end
    return out
  end)

return report
