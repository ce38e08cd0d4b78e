-- A loss: its value, and the gradient of the sum of its values for the predictions.

local nn = require "nnlua"
local values = require "spec.conformance.values"

local function loss_of(case)
  local config = values.config(case.config)
  if case.name == "identifier" then
    return nn.losses.get(config.identifier), "losses." .. config.identifier
  end
  local cls = nn.losses[case.name]
  return cls and cls(config)
end

return function(case)
  local loss = loss_of(case)
  if not loss then return nil, ("no keras.losses.%s yet"):format(case.name) end
  local y_true = values.tensor(case.inputs.y_true)
  local weight = case.inputs.sample_weight and values.tensor(case.inputs.sample_weight)
  local v = nn.Variable(values.tensor(case.inputs.y_pred))
  local function call(p)
    if type(loss) == "function" then return loss(y_true, p) end
    return loss(y_true, p, weight)
  end
  local d = values.differs(call(values.tensor(case.inputs.y_pred)), case.expected.loss,
    case.tolerance)
  if d then return "expected.loss: " .. d end
  local _, gradients = nn.value_and_grad(function() return nn.ops.sum(call(v.tensor)) end, {v})
  d = values.differs(gradients[1], case.expected.d_y_pred, case.tolerance)
  return d and "expected.d_y_pred: " .. d
end
