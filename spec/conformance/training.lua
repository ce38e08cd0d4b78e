-- Whole training runs: builds the model of a case, trains it and compares everything that is
-- expected.

local nn = require "nnlua"
local core = require "nnlua.core"
local build = require "spec.conformance.build"
local scratch = require "spec.support.scratch"
local values = require "spec.conformance.values"

local function check(failures, name, got, want, tolerance)
  if want == nil or want == values.null or tolerance == values.null then return end
  local d = values.differs_deep(got, want, tolerance, name)
  if d then failures[#failures + 1] = d end
end

local exact = {rtol = 0, atol = 0}

local function plus_one(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = v + 1 end
  return out
end

local function weight_names(model)
  local out = {}
  for i, v in ipairs(model.weights) do out[i] = v.path end
  return out
end

local function learning_rate(model) return model.optimizer.learning_rate end

local function slots(model)
  local out = {}
  for i, v in ipairs(model.optimizer.variables) do
    out[i] = {path = v.path, value = v.tensor or v.value}
  end
  return out
end

local function check_slots(failures, model, want, tolerance)
  if not want then return end
  local got = slots(model)
  if #got ~= #want then
    failures[#failures + 1] = ("optimizer_variables: %d, expected %d"):format(#got, #want)
    return
  end
  for i, w in ipairs(want) do
    if got[i].path ~= w.path then
      failures[#failures + 1] = ("optimizer_variables[%d] is %s, expected %s"):format(i,
        got[i].path, w.path)
      return
    end
    check(failures, "optimizer_variables " .. w.path, got[i].value, w.value, tolerance)
  end
end

local function only_shapes(history, want, failures)
  for key, list in pairs(want) do
    local got = history[key] or {}
    if #got ~= #list then failures[#failures + 1] = key .. " has another length" end
    for i, w in ipairs(list) do
      local number = values.number(w)
      local odd = type(number) == "number" and (number ~= number or math.abs(number) == math.huge)
      local g = got[i]
      local got_odd = g ~= nil and (g ~= g or math.abs(g) == math.huge)
      if odd ~= got_odd then failures[#failures + 1] = ("%s[%d] is %s, expected %s"):format(key, i,
        tostring(g), tostring(w)) end
    end
  end
end

local function predict_first_rows(model, x, callbacks)
  local function first(t) return core.astype(core.view(t, {{1, math.min(5, t.shape[1])}})) end
  local five = core.is_tensor(x) and first(x) or require("nnlua.tree").map(first, x)
  return model:predict{five, batch_size = 2, verbose = 0, callbacks = callbacks}
end

local function run_fit(case, context, failures, folder)
  local model = build.model(case.model)
  build.set_initial(model, case)
  model:compile(build.compile(case.compile))
  local x, y = build.data(case.data.x, context), build.data(case.data.y, context)
  local callbacks, recorders = build.callbacks(case, model, folder)
  local fit = build.fit_arguments(case.fit, context)
  fit.x, fit.y, fit.callbacks, fit.verbose = x, y, callbacks, 0
  local history = model:fit(fit)
  local e, t = case.expected, case.tolerance
  if case.diverges then
    only_shapes(history.history, e.history, failures)
  else
    check(failures, "history", history.history, e.history, t.history)
  end
  check(failures, "epoch", history.epoch, plus_one(e.epoch), exact)
  local evaluate = build.fit_arguments(case.evaluate or {}, context)
  evaluate.x = evaluate.x or x
  evaluate.callbacks = recorders.list
  evaluate.y, evaluate.return_dict, evaluate.verbose = evaluate.y or y, true, 0
  check(failures, "evaluate", model:evaluate(evaluate), e.evaluate, t.evaluate)
  check(failures, "predict", predict_first_rows(model, x, recorders.list), e.predict, t.predict)
  check(failures, "final_weights", model:get_weights(), e.final_weights, t.final_weights)
  check(failures, "weight_names", weight_names(model), e.weight_names, exact)
  check(failures, "iterations", model.optimizer.iterations, e.iterations, exact)
  check(failures, "learning_rate", learning_rate(model), e.learning_rate,
    {rtol = 1e-6, atol = 1e-9})
  check_slots(failures, model, e.optimizer_variables, t.optimizer_variables or t.final_weights)
  build.check_callbacks(failures, case, callbacks, recorders, t.history, folder)
end

local function run_calls(case, context, failures)
  local model = build.model(case.model)
  build.set_initial(model, case)
  model:compile(build.compile(case.compile))
  for i, call in ipairs(case.calls) do
    local got = build.call(model, call, context, case)
    local want = case.expected.results and case.expected.results[i]
    if want ~= nil and want ~= values.null then
      check(failures, ("results[%d] %s"):format(i, call.op), got, want, case.tolerance.results)
    end
  end
  check(failures, "final_weights", model:get_weights(), case.expected.final_weights,
    case.tolerance.final_weights)
  check(failures, "weight_names", weight_names(model), case.expected.weight_names, exact)
end

return function(case, context)
  local missing = build.missing(case)
  if missing then return nil, missing end
  nn.utils.clear_session()
  local failures = {}
  scratch.with(function(folder)
    if case.calls then run_calls(case, context, failures)
    else run_fit(case, context, failures, folder) end
  end)
  if #failures > 0 then return table.concat(failures, " | ", 1, math.min(3, #failures)) end
end
