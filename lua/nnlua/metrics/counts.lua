-- Counts of true and false positives and negatives, Precision and Recall: at one threshold a
-- number, at several a list.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local Metric = require "nnlua.metrics.metric"
local confusion = require "nnlua.metrics.confusion"
local samples = require "nnlua.metrics.samples"

local counts = {}

local function set_thresholds(self, a, default)
  rawset(self, "given_thresholds", a.thresholds)
  rawset(self, "thresholds", confusion.thresholds(self.class_name, a.thresholds, default))
  rawset(self, "mode", confusion.are_even(self.thresholds) and 2 or 0)
end

local function config_of(self)
  local config = Metric.get_config(self)
  config.thresholds = self.given_thresholds == nil and args.None or self.given_thresholds
  return config
end

-- One threshold gives a number.
local function shown(self, t)
  if #self.thresholds == 1 then return core.reshape(t, {}) end
  return core.astype(t)
end

local function declare_count(class_name, row)
  local cls = Metric:extend(class_name, {args = "thresholds=None, name=None, dtype=None"})
  function cls:init(a)
    Metric.init(self, a)
    set_thresholds(self, a, 0.5)
    self.accumulator = self:add_variable{shape = {#self.thresholds}, name = "accumulator"}
  end
  function cls:update_state(y_true, y_pred, sample_weight)
    local t, p, w = samples.collect(y_true, y_pred, sample_weight)
    local all = confusion.count(confusion.where(self), t, p, w, self.thresholds, {mode = self.mode})
    self.accumulator:assign_add(confusion.row(all, row))
  end
  function cls:result() return shown(self, core.astype(self.accumulator.tensor)) end
  cls.get_config = config_of
  counts[class_name] = cls
end

declare_count("TruePositives", 1)
declare_count("FalsePositives", 2)
declare_count("TrueNegatives", 3)
declare_count("FalseNegatives", 4)

-- right / (right + other)
local function declare_ratio(class_name, other)
  local cls = Metric:extend(class_name, {
    args = "thresholds=None, top_k=None, class_id=None, name=None, dtype=None",
    own = {"top_k", "class_id"}, direction = "up",
  })
  local which = {"true_positives", other}
  function cls:init(a)
    Metric.init(self, a)
    for _, key in ipairs {"top_k", "class_id"} do
      if self[key] and not math.tointeger(self[key]) then
        err.raise("%s: %s is %s, expected an integer", class_name, key, err.show(self[key]))
      end
    end
    set_thresholds(self, a, self.top_k and confusion.TOP_K_THRESHOLD or 0.5)
    for _, name in ipairs(which) do
      self[name] = self:add_variable{shape = {#self.thresholds}, name = name}
    end
  end
  function cls:update_state(y_true, y_pred, sample_weight)
    local t, p, w = samples.collect(y_true, y_pred, sample_weight)
    local all = confusion.count(confusion.where(self), t, p, w, self.thresholds,
      {mode = self.mode, top_k = self.top_k, class_id = self.class_id})
    confusion.track(self, all, which)
  end
  function cls:result()
    local right = self.true_positives.tensor
    return shown(self, ops.divide_no_nan(right, right + self[other].tensor))
  end
  cls.get_config = config_of
  counts[class_name] = cls
end

declare_ratio("Precision", "false_positives")
declare_ratio("Recall", "false_negatives")

return counts
