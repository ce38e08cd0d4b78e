-- The best of one quantity where another is good enough, over evenly spaced thresholds.

local core = require "nnlua.core"
local err = require "nnlua.err"
local Metric = require "nnlua.metrics.metric"
local confusion = require "nnlua.metrics.confusion"
local samples = require "nnlua.metrics.samples"

local thresholds = {}

local ALL = {"true_positives", "false_positives", "true_negatives", "false_negatives"}

local function ratio(a, b) return a + b == 0 and 0 or a / (a + b) end

-- From the counts at one threshold.
local quantities = {
  sensitivity = function(tp, _, _, fn) return ratio(tp, fn) end,
  recall = function(tp, _, _, fn) return ratio(tp, fn) end,
  specificity = function(_, fp, tn) return ratio(tn, fp) end,
  precision = function(tp, fp) return ratio(tp, fp) end,
}

-- The float32 next to x, so that what is compared is what float32 arithmetic gives.
local function float32(x) return (string.unpack("<f", string.pack("<f", x))) end

local function declare(class_name, best, enough)
  local cls = Metric:extend(class_name, {
    args = ("%s, num_thresholds=200, class_id=None, name=None, dtype=None"):format(enough),
    own = {enough, "num_thresholds", "class_id"}, direction = "up",
  })
  function cls:init(a)
    Metric.init(self, a)
    local limit = self[enough]
    if type(limit) ~= "number" or not (limit >= 0 and limit <= 1) then
      err.raise("%s: %s is %s, expected 0 to 1", class_name, enough, err.show(limit))
    end
    local n = self.num_thresholds
    if not math.tointeger(n) or n < 1 then
      err.raise("%s: num_thresholds is %s, expected an integer above 0", class_name, err.show(n))
    end
    rawset(self, "thresholds", confusion.even_thresholds(n))
    rawset(self, "mode", confusion.are_even(self.thresholds) and 2 or 0)
    for _, name in ipairs(ALL) do self[name] = self:add_variable{shape = {n}, name = name} end
  end
  function cls:update_state(y_true, y_pred, sample_weight)
    local t, p, w = samples.collect(y_true, y_pred, sample_weight)
    confusion.track(self, confusion.count(confusion.where(self), t, p, w, self.thresholds,
      {mode = self.mode, class_id = self.class_id}), ALL)
  end
  function cls:result()
    local lists, found = {}, 0
    for i, name in ipairs(ALL) do lists[i] = self[name].tensor:totable() end
    for i = 1, self.num_thresholds do
      local tp, fp, tn, fn = lists[1][i], lists[2][i], lists[3][i], lists[4][i]
      if float32(quantities[enough](tp, fp, tn, fn)) >= float32(self[enough]) then
        found = math.max(found, quantities[best](tp, fp, tn, fn))
      end
    end
    return core.new(found)
  end
  thresholds[class_name] = cls
end

declare("SensitivityAtSpecificity", "sensitivity", "specificity")
declare("SpecificityAtSensitivity", "specificity", "sensitivity")
declare("PrecisionAtRecall", "precision", "recall")
declare("RecallAtPrecision", "recall", "precision")

return thresholds
