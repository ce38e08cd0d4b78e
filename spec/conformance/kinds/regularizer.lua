-- A regularizer: the penalty of a weight and its gradient.

local nn = require "nnlua"
local values = require "spec.conformance.values"

return function(case)
  local config = values.config(case.config)
  local regularizer
  if case.name == "identifier" then
    regularizer = nn.regularizers.get(config.identifier)
  else
    local cls = nn.regularizers[case.name]
    if not cls then return nil, ("no keras.regularizers.%s yet"):format(case.name) end
    regularizer = cls(config)
  end
  local w = nn.Variable(values.tensor(case.inputs.w))
  local value, gradients = nn.value_and_grad(function() return regularizer(w.tensor) end, {w})
  local d = values.differs(value, case.expected.value, case.tolerance)
  if d then return "expected.value: " .. d end
  d = values.differs(gradients[1], case.expected.dw, case.tolerance)
  return d and "expected.dw: " .. d
end
