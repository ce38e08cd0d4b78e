-- AUC: the area under a curve of rates that thresholds draw, by default the ROC curve.

local core = require "nnlua.core"
local args = require "nnlua.args"
local config = require "nnlua.config"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local tree = require "nnlua.tree"
local Metric = require "nnlua.metrics.metric"
local confusion = require "nnlua.metrics.confusion"
local samples = require "nnlua.metrics.samples"

local ALL = {"true_positives", "false_positives", "true_negatives", "false_negatives"}

local AUC = Metric:extend("AUC", {
  args = [[num_thresholds=200, curve="ROC", summation_method="interpolation", name=None,
    dtype=None, thresholds=None, multi_label=False, num_labels=None, label_weights=None,
    from_logits=False]],
  own = {"num_thresholds", "curve", "summation_method", "multi_label", "num_labels",
    "label_weights", "from_logits"},
  direction = "up",
})

local choices = {
  curve = {ROC = true, PR = true, PRGAIN = true},
  summation_method = {interpolation = true, minoring = true, majoring = true},
}

local function set_thresholds(self, given)
  local inner = {}
  if given ~= nil then
    inner = table.move(confusion.thresholds("AUC", given), 1, #given, 1, {})
    table.sort(inner)
    rawset(self, "num_thresholds", #inner + 2)
    rawset(self, "given_thresholds", inner)
  else
    local n = self.num_thresholds
    if not math.tointeger(n) or n < 2 then
      err.raise("AUC: num_thresholds is %s, expected an integer above 1", err.show(n))
    end
    for i = 1, n - 2 do inner[i] = i / (n - 1) end
  end
  local even = {0}
  table.move(inner, 1, #inner, 2, even)
  even[#even + 1] = 1
  rawset(self, "mode", confusion.are_even(even) and 1 or 0)
  even[1], even[#even] = -config.epsilon(), 1 + config.epsilon()
  rawset(self, "thresholds", even)
end

function AUC:init(a)
  Metric.init(self, a)
  for key, known in pairs(choices) do
    if not known[self[key]] then
      err.raise("AUC: %s is %s, expected one of %s", key, err.show(self[key]),
        table.concat(tree.keys(known), ", "))
    end
  end
  if self.num_labels and not self.multi_label then
    err.raise("AUC: num_labels needs multi_label=true")
  end
  set_thresholds(self, a.thresholds)
  if not self.multi_label then self:build_variables() end
  if self.multi_label and self.num_labels then self:build_variables(self.num_labels) end
end

function AUC:build_variables(labels)
  for _, name in ipairs(ALL) do
    self[name] = self:add_variable{shape = {self.num_thresholds, labels}, name = name}
  end
  rawset(self, "labels", labels or false)
  rawset(self, "built", true)
end

function AUC:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  if self.multi_label and p.ndim ~= 2 then
    err.raise("AUC: multi_label wants predictions of 2 dimensions, got %d", p.ndim)
  end
  if not self.built then self:build_variables(p.shape[2]) end
  if self.labels and self.labels ~= p.shape[2] then
    err.raise("AUC: the predictions have %d labels, expected %d", p.shape[2], self.labels)
  end
  if self.label_weights and #self.label_weights ~= p.shape[p.ndim] then
    err.raise("AUC: label_weights has %d numbers, the predictions have %d columns",
      #self.label_weights, p.shape[p.ndim])
  end
  if self.from_logits then p = ops.sigmoid(samples.float(p)) end
  confusion.track(self, confusion.count(confusion.where(self), t, p, w, self.thresholds, {
    mode = self.mode, labels = self.multi_label,
    label_weights = not self.multi_label and self.label_weights or nil,
  }), ALL)
end

-- curves: lists of counts tp, fp, tn, fn by threshold, the lowest threshold first
-- --------------------------------------------

local function div(a, b) return b == 0 and 0 or a / b end

local function height(method, a, b)
  if method == "interpolation" then return (a + b) / 2 end
  return method == "minoring" and math.min(a, b) or math.max(a, b)
end

-- Between two points of a precision-recall curve true positives grow in a straight line, precision
-- does not (Davis and Goadrich 2006).
local function interpolated_pr(tp, fp, _, fn)
  local area = 0
  for i = 1, #tp - 1 do
    local p, p_next = tp[i] + fp[i], tp[i + 1] + fp[i + 1]
    local slope = div(tp[i] - tp[i + 1], math.max(p - p_next, 0))
    local intercept = tp[i + 1] - slope * p_next
    local r = p > 0 and p_next > 0 and p / p_next or 1
    area = area + div(slope * (tp[i] - tp[i + 1] + intercept * math.log(r)), tp[i + 1] + fn[i + 1])
  end
  return area
end

local points = {}

function points.ROC(tp, fp, tn, fn) return div(fp, fp + tn), div(tp, tp + fn) end

function points.PR(tp, fp, _, fn) return div(tp, tp + fn), div(tp, tp + fp) end

function points.PRGAIN(tp, fp, tn, fn)
  if tp == 0 then return 0, 1 end
  local scale = div(tp + fn, tn + fp)
  return math.max(1 - scale * fn / tp, 0), 1 - scale * fp / tp
end

local function area_under(self, tp, fp, tn, fn)
  if self.curve == "PR" and self.summation_method == "interpolation" then
    return interpolated_pr(tp, fp, tn, fn)
  end
  local area, x, y = 0, nil, nil
  for i = 1, #tp do
    local x_next, y_next = points[self.curve](tp[i], fp[i], tn[i], fn[i])
    if x then area = area + (x - x_next) * height(self.summation_method, y, y_next) end
    x, y = x_next, y_next
  end
  return area
end

local function column(list, at)
  if not at then return list end
  local out = {}
  for i, row in ipairs(list) do out[i] = row[at] end
  return out
end

--- The area: 1 is perfect, for ROC 0.5 is chance.
function AUC:result()
  if not self.built then return core.full({}, 0) end
  local lists = {}
  for i, name in ipairs(ALL) do lists[i] = self[name].tensor:totable() end
  if not self.labels then return core.new(area_under(self, table.unpack(lists))) end
  local sum, weights = 0, 0
  for label = 1, self.labels do
    local w = self.label_weights and self.label_weights[label] or 1
    local of_label = {}
    for i = 1, 4 do of_label[i] = column(lists[i], label) end
    sum, weights = sum + w * area_under(self, table.unpack(of_label)), weights + w
  end
  return core.new(div(sum, weights))
end

function AUC:get_config()
  local c = Metric.get_config(self)
  c.thresholds = self.given_thresholds or args.None
  if not self.given_thresholds then c.thresholds = nil end
  return c
end

return AUC
