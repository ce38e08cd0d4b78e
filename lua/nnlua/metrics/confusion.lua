-- What the metrics of thresholds share: counts of true and false positives and negatives.

local core = require "nnlua.core"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local reduction = require "nnlua.losses.reduction"
local samples = require "nnlua.metrics.samples"

local confusion = {}

confusion.ROWS = {true_positives = 1, false_positives = 2, true_negatives = 3,
  false_negatives = 4}

--- What an error of a metric begins with.
function confusion.where(metric)
  return (metric.compiled and "compile: " or "") .. metric.class_name
end

--- Thresholds as a list; raises where one is outside [0, 1]. nil: the default.
function confusion.thresholds(where, given, default)
  if given == nil then return {default} end
  if core.is_tensor(given) then given = given:totable() end
  local list = type(given) == "table" and given or {given}
  for _, t in ipairs(list) do
    if type(t) ~= "number" or not (t >= 0 and t <= 1) then
      err.raise("%s: a threshold is %s, expected 0 to 1", where, err.show(t))
    end
  end
  return list
end

--- 0, 1/(n-1), ..., 1; one alone is 0.5.
function confusion.even_thresholds(n)
  if n == 1 then return {0.5} end
  local list = {}
  for i = 0, n - 1 do list[i + 1] = i / (n - 1) end
  return list
end

--- True for 3 or more that are evenly spaced from 0 to 1: counted by buckets.
function confusion.are_even(list)
  if #list < 3 then return false end
  for i, t in ipairs(list) do
    if math.abs(t - (i - 1) / (#list - 1)) > 1e-7 then return false end
  end
  return true
end

-- All but the k largest of a row become -1e10, which is above no threshold but that of top_k.
local function keep_top(p, k)
  local _, positions = ops.top_k(p, k)
  local n = p.shape[p.ndim]
  local kept = ops.sum(ops.one_hot(positions - 1, n), -2)
  return p * kept + (kept - 1) * 1e10
end

confusion.TOP_K_THRESHOLD = -1e10

local function one_column(t, class_id, where)
  local n = t.shape[t.ndim]
  if class_id >= n then
    err.raise("%s: class_id is %d, the predictions have %d columns", where, class_id, n)
  end
  return ops.take(t, class_id + 1, -1)
end

local function spread(w, p)
  if not w then return nil end
  if w.ndim == p.ndim + 1 and w.shape[w.ndim] == 1 then w = ops.squeeze(w, -1) end
  while w.ndim < p.ndim do w = ops.expand_dims(w, -1) end
  return ops.broadcast_to(w, p.shape)
end

local function check_shapes(where, t, p)
  local s, q = t.shape, p.shape
  local same = #s == #q
  for i = 1, #s do same = same and s[i] == q[i] end
  if not same then
    err.raise("%s wants y and the output of one shape, got (%s) and (%s)", where,
      table.concat(s, ", "), table.concat(q, ", "))
  end
end

--- Counts of a batch: (4, T), or (4, T, L) with `labels`. options: top_k, class_id, labels,
--- label_weights, mode (0 compare, 1 buckets with the ends moved out, 2 buckets).
function confusion.count(where, y_true, y_pred, w, thresholds, options)
  local t, p = samples.float(y_true), samples.float(y_pred)
  t, p = reduction.same_rank(t, p)
  check_shapes(where, t, p)
  if options.top_k then p = keep_top(p, options.top_k) end
  if options.class_id then
    t, p = one_column(t, options.class_id, where), one_column(p, options.class_id, where)
  end
  w = spread(w, p)
  if options.label_weights then
    local by_label = ops.broadcast_to(core.new(options.label_weights), p.shape)
    w = w and w * by_label or by_label
  end
  local inputs = {t, p, core.new(thresholds)}
  if w then inputs[4] = w end
  return core.apply("confusion_counts", inputs, {options.mode or 0, options.labels and 1 or 0})
end

--- Row `i` of the counts.
function confusion.row(counts, i)
  return ops.take(counts, i, 1)
end

--- Adds the rows named in `which` to the variables of those names.
function confusion.track(metric, counts, which)
  for _, name in ipairs(which) do
    metric[name]:assign_add(confusion.row(counts, confusion.ROWS[name]))
  end
end

return confusion
