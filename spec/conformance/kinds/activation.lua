-- An activation: its value and the gradient of sum(upstream * y).

local nn = require "nnlua"
local args = require "nnlua.args"
local values = require "spec.conformance.values"

local function record(x, config)
  local a = {x}
  for key, v in pairs(config) do a[key] = v end
  return a
end

return function(case)
  local fn, config = nn.activations[case.name], values.config(case.config)
  if case.name == "identifier" then
    local id = config.identifier
    if id == nn.None then id = nil end
    fn, config = nn.activations.get(id), {}
  end
  if not fn then return nil, ("no keras.activations.%s yet"):format(case.name) end
  for key in pairs(config) do
    local sig = args.describe(fn)
    if sig and not sig.index[key] then
      return nil, ("keras.activations.%s has no argument %s"):format(case.name, key)
    end
  end
  local x, up = nn.Variable(values.tensor(case.inputs.x)), values.tensor(case.inputs.upstream)
  local y
  local _, grads = nn.value_and_grad(function()
    y = fn(record(x.tensor, config))
    return nn.ops.sum(y * up)
  end, {x})
  local d = values.differs(y, case.expected.y, case.tolerance)
  if d then return "expected.y: " .. d end
  d = values.differs(grads[1] or nn.ops.zeros_like(x.tensor), case.expected.dx, case.tolerance)
  return d and "expected.dx: " .. d
end
