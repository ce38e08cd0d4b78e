-- Gradients of Lua functions, and recordings that always end.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local Variable = require "nnlua.variable"

local autograd = {}

--- Runs f(graph, ...) while ops are recorded ("trace" or "tape"); gives the graph and f's results.
function autograd.record(mode, f, ...)
  local graph = core.record(mode)
  local function finish(ok, ...)
    core.done(graph)
    if not ok then error((...), 0) end
    return graph, ...
  end
  return finish(core.sealed(f, graph, ...))
end

local function tensor_of(v)
  if core.is_tensor(v) then return core.mark_variable(v) end
  if class.is(v, Variable) then return v.tensor end
  return err.raise("value_and_grad: expected variables, got %s", err.show(v))
end

--- Runs f(...), returns its scalar loss and the gradients for `variables` (nn.Variable or tensors).
--- A variable that the loss does not depend on gets nil (`false` in the list).
---@param f fun(...): nn.Tensor  returns a scalar
---@param variables (nn.Variable|nn.Tensor)[]
---@return nn.Tensor loss
---@return nn.Tensor[] gradients in the order of `variables`
function autograd.value_and_grad(f, variables, ...)
  if type(f) ~= "function" and type(f) ~= "table" then
    err.raise("value_and_grad: f is %s, expected a function", err.show(f))
  end
  err.check(type(variables) == "table", "value_and_grad: expected a list of variables")
  local tensors = {}
  for i, v in ipairs(variables) do tensors[i] = tensor_of(v) end
  local loss
  local graph = autograd.record("tape", function(_, ...) loss = f(...) end, ...)
  if not core.is_tensor(loss) then
    err.raise("value_and_grad: f returned %s, expected a scalar tensor", err.show(loss))
  end
  if loss.size ~= 1 then
    err.raise("value_and_grad: the loss has shape (%s), expected one number",
      table.concat(loss.shape, ", "))
  end
  local wants = {}
  for i, t in ipairs(tensors) do wants[i] = {t, core.full(t.shape, 0)} end
  local plan, reached = core.plan(graph, {loss = loss, wants = wants})
  plan:backward()
  plan:close()
  local grads = {}
  for i = 1, #tensors do grads[i] = reached[i] and wants[i][2] or false end
  return loss, grads
end

return autograd
