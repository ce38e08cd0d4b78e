-- An optimizer: variables after some steps, its own variables, learning rate and counter.

local nn = require "nnlua"
local values = require "spec.conformance.values"

local function check_steps(case, optimizer, variables)
  for step, list in ipairs(case.inputs.gradients) do
    local grads = {}
    for i, g in ipairs(list) do grads[i] = values.tensor(g) end
    optimizer:apply(grads, variables)
    for i, want in ipairs(case.expected.after[tostring(step)] or {}) do
      local d = values.differs(variables[i].tensor, want, case.tolerance)
      if d then return ("expected.after step %d, variable %d: %s"):format(step, i, d) end
    end
  end
end

-- Names that Keras numbers through the process lose their number.
local function description(list)
  local out = {}
  for i, v in ipairs(list) do
    out[i] = v.name:gsub("^variable_%d+$", "variable") .. "(" .. table.concat(v.shape, ",") .. ")"
  end
  return table.concat(out, " ")
end

return function(case)
  local cls = nn.optimizers[case.name]
  if not cls then return nil, ("no keras.optimizers.%s yet"):format(case.name) end
  local optimizer, variables = cls(values.config(case.config)), {}
  for i, t in ipairs(case.inputs.variables) do
    variables[i] = nn.Variable{values.tensor(t), name = "var" .. (i - 1)}
  end
  local d = check_steps(case, optimizer, variables)
  if d then return d end
  local e = case.expected
  local got, want = description(optimizer.variables), description(e.optimizer_variables)
  if got ~= want then return ("optimizer_variables: %s, expected %s"):format(got, want) end
  local rate = optimizer.learning_rate
  if math.abs(rate - e.learning_rate_after) > 1e-6 * math.abs(e.learning_rate_after) then
    return ("learning_rate_after: %.9g, expected %.9g"):format(rate, e.learning_rate_after)
  end
  if optimizer.iterations ~= e.iterations then
    return ("iterations: %s, expected %s"):format(optimizer.iterations, e.iterations)
  end
end
