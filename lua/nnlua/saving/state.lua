-- Weights and optimizer state by path, and putting them back: all values are checked before the
-- first one is written, so a failed load leaves the model as it was.

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local terminal = require "nnlua.terminal"

local state = {}

--- {{path, tensor}, ...} of the weights, in order. Paths that occur twice get .1, .2 ...
function state.weights(model)
  local list, seen = {}, {}
  for i, v in ipairs(model.weights) do
    local path = v.path
    seen[path] = (seen[path] or -1) + 1
    if seen[path] > 0 then path = ("%s.%d"):format(path, seen[path]) end
    list[i] = {path, v.tensor, v}
  end
  return list
end

--- Puts values[path] into the weights. options: skip_mismatch.
function state.put_weights(model, values, options, where)
  local writes = {}
  for _, w in ipairs(state.weights(model)) do
    local path, tensor, variable = w[1], w[2], w[3]
    local value = values[path]
    local problem
    if not value then
      problem = ("%s: no values for '%s'"):format(where, path)
    elseif not shapes.same(value.shape, variable.shape) then
      problem = ("%s: '%s' is %s in the file, expected %s"):format(where, path,
        shapes.text(value.shape), shapes.text(variable.shape))
    end
    if problem and options.skip_mismatch then
      terminal.warn(problem)
    elseif problem then
      err.raise("%s", problem)
    else
      writes[#writes + 1] = {tensor, value}
    end
  end
  for _, w in ipairs(writes) do core.copy(w[1], w[2]) end
end

--- {{path, tensor}, ...} of a built optimizer, in Keras's order; empty before that.
function state.optimizer(model)
  local list = {}
  local optimizer = model.optimizer
  if not optimizer or not optimizer.built then return list end
  for i, v in ipairs(optimizer.variables) do
    list[i] = {v.path, core.is_tensor(v) and v or v.tensor or v.value, v}
  end
  return list
end

--- Puts a list of values (in Keras's order) into the model's optimizer, which is built first.
function state.put_optimizer(model, values, where)
  local optimizer = model.optimizer
  if not optimizer.built then optimizer:build(model.trainable_variables) end
  local own = optimizer.variables
  if #own ~= #values then
    terminal.warn(("%s: the file holds %d optimizer variables, %s has %d; they are left out"):format(
      where, #values, optimizer.class_name, #own))
    return
  end
  optimizer:set_weights(values)
end

return state
