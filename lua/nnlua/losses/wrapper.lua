-- Losses made of a function f(y_true, y_pred, ...) that gives one value a row, and the helpers that
-- the families of losses are declared with.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local reduction = require "nnlua.losses.reduction"
local Loss = require "nnlua.losses.loss"
local Variable = require "nnlua.variable"
local class = require "nnlua.class"

local COMMON = 'reduction="sum_over_batch_size", name=None, dtype=None'

-- What is known of built-in functions: fn -> {check_shapes=}.
local facts = setmetatable({}, {__mode = "k"})

---@class nn.LossFunctionWrapper: nn.Loss
local Wrapper = Loss:extend("LossFunctionWrapper", {
  args = "fn, " .. COMMON, extra_args = true,
})

local common = {fn = true, reduction = true, name = true, dtype = true}

function Wrapper:init(a, given)
  if type(a.fn) == "string" then a.fn = require("nnlua.losses").get(a.fn, "LossFunctionWrapper") end
  err.check(type(a.fn) == "function" or type(a.fn) == "table", "LossFunctionWrapper: fn is %s, "
    .. "expected a function", err.show(a.fn))
  if not a.name then a.name = "loss" end
  Loss.init(self, a, given)
  rawset(self, "fn", a.fn)
  local options = {}
  for key, value in pairs(a) do if not common[key] then options[key] = value end end
  rawset(self, "options", next(options) and options or false)
  local known = facts[a.fn]
  if known and known.check_shapes then rawset(self, "check_shapes", known.check_shapes) end
end

function Wrapper:call(y_true, y_pred)
  y_true, y_pred = reduction.same_rank(y_true, y_pred)
  if not self.options then return self.fn(y_true, y_pred) end
  local record = {y_true, y_pred}
  for key, value in pairs(self.options) do record[key] = value end
  return self.fn(record)
end

function Wrapper:get_config()
  local config = Loss.get_config(self)
  config.fn = self.fn
  for key, value in pairs(self.options or {}) do config[key] = value end
  return config
end

local wrapper = {LossFunctionWrapper = Wrapper}

--- A float32 tensor of what a user passes.
function wrapper.float(v)
  if not core.is_tensor(v) then
    if class.is(v, Variable) then return v.tensor end
    return core.new(v)
  end
  return v.dtype == "float32" and v or ops.cast(v, "float32")
end

--- A tensor of what a user passes, class ids included.
function wrapper.tensor(v)
  if core.is_tensor(v) then return v end
  return class.is(v, Variable) and v.tensor or core.new(v)
end

--- A public function of losses.
--- ids: labels stay as they are (class ids, or what an op reads in any dtype); else both arguments
--- become float32.
function wrapper.fn(name, text, fn, options)
  options = options or {}
  local label = options.ids and wrapper.tensor or wrapper.float
  local public = args.fn(name, "y_true, y_pred" .. (text ~= "" and ", " .. text or ""),
    function(y_true, y_pred, ...) return fn(label(y_true), wrapper.float(y_pred), ...) end)
  facts[public] = options
  return public
end

--- A class over a function: `own` are the arguments handed on to it, in its order.
---@param d {args: string, own: string[], fn: function, ids: boolean?, check_shapes: function?}
function wrapper.class(name, d)
  local cls = Loss:extend(name, {args = d.args, own = d.own or {}})
  local label = d.ids and wrapper.tensor or wrapper.float
  local own = d.own or {}
  local keep_ranks = d.keep_ranks
  function cls:init(a, given)
    Loss.init(self, a, given)
    if d.check then d.check(self) end
  end
  function cls:call(y_true, y_pred)
    if not keep_ranks then y_true, y_pred = reduction.same_rank(y_true, y_pred) end
    y_true, y_pred = label(y_true), wrapper.float(y_pred)
    local list = {}
    for i, key in ipairs(own) do list[i] = self[key] end
    return d.fn(y_true, y_pred, table.unpack(list, 1, #own))
  end
  if d.check_shapes then cls.check_shapes = d.check_shapes end
  return cls
end

--- The signature of a class without arguments of its own.
function wrapper.common(name)
  return ('reduction="sum_over_batch_size", name="%s", dtype=None'):format(name)
end

--- Raises where axis is a boolean: the place of a flag that was meant for another argument.
function wrapper.check_axis(self)
  if type(self.axis) == "boolean" then
    err.raise("%s: axis is %s, expected an integer", self.class_name, tostring(self.axis))
  end
end

--- The logits behind y_pred where it is the direct result of `op` ("softmax", "sigmoid") while a
--- step is recorded: crossentropies then need no clipping. nil elsewhere.
function wrapper.logits(y_pred, op)
  local made_by, inputs, attributes = core.producer(y_pred)
  if made_by ~= op then return nil end
  if op == "softmax" then
    local axis = attributes[1]
    if axis ~= -1 and axis ~= y_pred.ndim - 1 then return nil end
  end
  return inputs[1]
end

return wrapper
