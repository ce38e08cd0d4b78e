-- Class ids are looked at before training starts: where the output's classes are known, one that is
-- none of them is named with its place in y.

local core = require "nnlua.core"
local class = require "nnlua.class"
local compile = require "nnlua.trainer.compile"
local err = require "nnlua.err"

local labels = {}

-- Whether a compiled loss takes class ids, and the id that it passes over.
local function takes_ids(id, y, shape)
  local losses = require "nnlua.losses"
  local sparse = losses.SparseCategoricalCrossentropy
  if class.is(id, sparse) then return true, id.ignore_class end
  if type(id) ~= "string" then return false end
  local lower = id:lower()
  if lower == "crossentropy" or lower == "ce" then
    return compile.kind_by_shape(y, {shape = shape}) == "sparse_categorical"
  end
  local loss = losses.get(id)
  return loss == losses.sparse_categorical_crossentropy or loss == sparse or class.is(loss, sparse)
end

local function place(shape, at)
  local parts = {}
  for i = #shape, 1, -1 do
    table.insert(parts, 1, ("[%d]"):format(at % shape[i] + 1))
    at = at // shape[i]
  end
  return table.concat(parts)
end

local function check_one(y, classes, ignored, what, where)
  local ops = require "nnlua.ops"
  if y.size == 0 then return end
  local low, high = ops.min(y):item(), ops.max(y):item()
  if low >= 0 and high < classes then return end
  local bad = ops.logical_or(ops.less(y, 0), ops.greater_equal(y, classes))
  if ignored then bad = ops.logical_and(bad, ops.not_equal(y, ignored)) end
  local flat = core.astype(bad, "int32"):reshape{-1}
  if ops.max(flat):item() == 0 then return end
  local at = ops.argmax(flat):item()
  err.raise("%s: %s%s is class %s but the output has %d classes, 0 to %d", where, what,
    place(y.shape, at - 1), ("%.14g"):format(y:reshape{-1}[at]), classes, classes - 1)
end

--- Raises for a class id of y that the output it belongs to does not have. A model that is not
--- built yet says so at its first batch.
function labels.check(model, y, where)
  if not model.flat_outputs or not model.compiled_with or y == nil then return end
  local names = model.output_names
  local given = compile.per_output(model.compiled_with.loss, names, "loss")
  local ys = compile.match_targets(y, model.outputs_as_given, names)
  for i, id in pairs(given) do
    local shape, t = model.flat_outputs[i].shape, ys[i]
    local classes = shape[#shape]
    if classes and core.is_tensor(t) then
      local sparse, ignored = takes_ids(id, t, shape)
      local fits = t.ndim == #shape - 1 or t.ndim == #shape and t.shape[t.ndim] == 1
      if sparse and fits then
        check_one(t, classes, ignored, #names > 1 and ("y '%s'"):format(names[i]) or "y", where)
      end
    end
  end
end

--- The classes of a model's only output, nil where they are not known.
function labels.classes(model)
  local outputs = model.flat_outputs
  if not outputs or #outputs ~= 1 then return nil end
  local shape = outputs[1].shape
  local n = shape[#shape]
  return n and n > 1 and n or nil
end

return labels
