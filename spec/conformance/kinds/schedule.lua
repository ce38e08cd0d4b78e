-- A schedule: its value at some steps.

local nn = require "nnlua"
local values = require "spec.conformance.values"

return function(case)
  local cls = nn.optimizers.schedules[case.name]
  if not cls then return nil, ("no keras.optimizers.schedules.%s yet"):format(case.name) end
  local schedule = cls(values.config(case.config))
  for i, step in ipairs(case.inputs.steps) do
    local d = values.differs_deep(schedule(step), case.expected.values[i], case.tolerance,
      "expected.values at step " .. step)
    if d then return d end
  end
end
