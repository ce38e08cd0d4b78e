-- A constraint: the weight as it may be.

local nn = require "nnlua"
local values = require "spec.conformance.values"

return function(case)
  local config = values.config(case.config)
  local constraint
  if case.name == "identifier" then
    constraint = nn.constraints.get(config.identifier)
  else
    local cls = nn.constraints[case.name]
    if not cls then return nil, ("no keras.constraints.%s yet"):format(case.name) end
    constraint = cls(config)
  end
  local d = values.differs(constraint(values.tensor(case.inputs.w)), case.expected.w,
    case.tolerance)
  return d and "expected.w: " .. d
end
