-- A metric: the result after each of several updates, after a reset, and its variables.

local nn = require "nnlua"
local values = require "spec.conformance.values"

local function make(case)
  local config = values.config(case.config)
  if case.name == "identifier" then return nn.metrics.get(config.identifier) end
  local cls = nn.metrics[case.name]
  return cls and cls(config)
end

local function update(metric, u)
  local weight = u.sample_weight and values.tensor(u.sample_weight)
  if u.values then return metric:update_state(values.tensor(u.values), weight) end
  metric:update_state(values.tensor(u.y_true), values.tensor(u.y_pred), weight)
end

local function variables_differ(metric, want)
  local list = metric:variables()
  if #list ~= #want then return ("%d variables, expected %d"):format(#list, #want) end
  for i, w in ipairs(want) do
    local got = list[i].name .. "(" .. table.concat(list[i].shape, ",") .. ")"
    local expected = w.name .. "(" .. table.concat(w.shape, ",") .. ")"
    if got ~= expected then return ("variable %d is %s, expected %s"):format(i, got, expected) end
  end
end

return function(case)
  local metric = make(case)
  if not metric then return nil, ("no keras.metrics.%s yet"):format(case.name) end
  for i, u in ipairs(case.inputs.updates) do
    update(metric, u)
    local d = values.differs(metric:result(), case.expected.results[i], case.tolerance)
    if d then return ("expected.results[%d]: %s"):format(i, d) end
  end
  local d = variables_differ(metric, case.expected.variables)
  if d then return "expected.variables: " .. d end
  metric:reset_state()
  d = values.differs(metric:result(), case.expected.after_reset, case.tolerance)
  return d and "expected.after_reset: " .. d
end
