-- Losses of margins: labels are -1 and 1 (0 and 1 are mapped to them) or one-hot rows.

local ops = require "nnlua.ops"
local w = require "nnlua.losses.wrapper"

local hinge = {}

-- -1 and 1, where every label of the batch is 0 or 1; other labels are left alone.
local function signed(t)
  local binary = ops.all(ops.logical_or(ops.equal(t, 0), ops.equal(t, 1)))
  return ops.where(binary, t * 2 - 1, t)
end

local function margin(t, p) return ops.maximum(1 - signed(t) * p, 0) end

local function declare(class_name, name, fn)
  hinge[name] = w.fn(name, "", fn)
  hinge[class_name] = w.class(class_name, {args = w.common(name), fn = fn})
end

--- mean(max(1 - y_true y_pred, 0))
declare("Hinge", "hinge", function(t, p) return ops.mean(margin(t, p), -1) end)

--- mean(max(1 - y_true y_pred, 0)^2)
declare("SquaredHinge", "squared_hinge", function(t, p)
  return ops.mean(ops.square(margin(t, p)), -1)
end)

--- max(largest of the wrong classes - the right one + 1, 0)
declare("CategoricalHinge", "categorical_hinge", function(t, p)
  local right = ops.sum(t * p, -1)
  local wrong = ops.max((1 - t) * p, -1)
  return ops.maximum(wrong - right + 1, 0)
end)

return hinge
