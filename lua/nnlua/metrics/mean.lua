-- Mean and Sum of values, and means of a function of labels and predictions.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local samples = require "nnlua.metrics.samples"
local Metric = require "nnlua.metrics.metric"

local mean = {}

---@class nn.metrics.Mean: nn.Metric
local Mean = Metric:extend("Mean", {args = 'name="mean", dtype=None'})

function Mean:init(a)
  Metric.init(self, a)
  self.total = self:add_variable{shape = {}, initializer = "zeros", name = "total"}
  self.count = self:add_variable{shape = {}, initializer = "zeros", name = "count"}
end

-- total += sum of w v, count += sum of w, as one op.
local function track(self, values, w)
  local inputs = {self.total.tensor, self.count.tensor, values}
  if w then inputs[4] = w end
  core.apply("track_mean", inputs)
end

function Mean:add(values, w)
  local multiplied
  values, w, multiplied = samples.by_row(values, w, ops.mean)
  if not multiplied then return track(self, values, w) end
  self.total:assign_add(ops.sum(values))
  self.count:assign_add(ops.sum(w))
end

local values_signature = args.signature("update_state", "values, sample_weight=None")

--- Takes in values of any shape, one a row, with weights.
function Mean:update_state(...)
  local a = args.collect(values_signature, ...)
  local values = samples.float(a.values)
  local w = samples.float(a.sample_weight)
  self:add(values, w and samples.masked_weight(samples.mask_of(values), w))
end

--- The weighted mean so far, 0 before the first value.
function Mean:result() return ops.divide_no_nan(self.total.tensor, self.count.tensor) end

mean.Mean = Mean

local Sum = Metric:extend("Sum", {args = 'name="sum", dtype=None'})

function Sum:init(a)
  Metric.init(self, a)
  self.total = self:add_variable{shape = {}, initializer = "zeros", name = "total"}
end

function Sum:update_state(...)
  local a = args.collect(values_signature, ...)
  local values, w, multiplied = samples.by_row(samples.float(a.values),
    samples.float(a.sample_weight), ops.sum)
  if w and not multiplied then values = values * w end
  self.total:assign_add(ops.sum(values))
end

function Sum:result() return core.astype(self.total.tensor) end

mean.Sum = Sum

---@class nn.metrics.MeanMetricWrapper: nn.metrics.Mean
local Wrapper = Mean:extend("MeanMetricWrapper", {
  args = "fn, name=None, dtype=None", extra_args = true,
})

local common = {fn = true, name = true, dtype = true}

-- A function, or the name of a built-in one as saved models hold it.
local function function_of(fn)
  if type(fn) ~= "string" then return fn end
  local metrics = require "nnlua.metrics"
  local found = metrics[fn] or require("nnlua.losses")[fn]
  return type(found) == "function" and found or fn
end

function Wrapper:init(a)
  a.fn = function_of(a.fn)
  err.check(type(a.fn) == "function" or type(a.fn) == "table",
    "MeanMetricWrapper: fn is %s, expected a function", err.show(a.fn))
  Mean.init(self, a)
  rawset(self, "fn", a.fn)
  local options = {}
  for key, value in pairs(a) do if not common[key] then options[key] = value end end
  if next(options) then rawset(self, "options", options) end
end

--- One value a row.
function Wrapper:values(y_true, y_pred)
  if not self.options then return self.fn(y_true, y_pred) end
  local record = {y_true, y_pred}
  for key, value in pairs(self.options) do record[key] = value end
  return self.fn(record)
end

function Wrapper:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  local values = self:values(t, p)
  if not core.is_tensor(values) then
    err.raise("%s: the function gave %s, expected a tensor", self.name, err.show(values))
  end
  if values.dtype ~= "float32" then values = ops.cast(values, "float32") end
  w = samples.masked_weight(samples.mask_of(p), w)
  if w and values ~= p then w = samples.masked_weight(samples.mask_of(values), w) end
  self:add(values, w)
end

function Wrapper:get_config()
  local config = Metric.get_config(self)
  if self.class_name == "MeanMetricWrapper" then config.fn = self.fn end
  for key, value in pairs(self.options or {}) do config[key] = value end
  return config
end

mean.MeanMetricWrapper = Wrapper

--- A class of means over fn(y_true, y_pred, own arguments ...).
---@param d {args: string, own: string[]?, fn: function, direction: string?}
function mean.class(name, d)
  local own = d.own or {}
  local cls = Wrapper:extend(name, {args = d.args, own = own, direction = d.direction})
  function cls:init(a)
    Mean.init(self, a)
    if d.check then d.check(self) end
  end
  function cls:values(y_true, y_pred)
    local list = {}
    for i, key in ipairs(own) do list[i] = self[key] end
    return d.fn(y_true, y_pred, table.unpack(list, 1, #own))
  end
  return cls
end

return mean
