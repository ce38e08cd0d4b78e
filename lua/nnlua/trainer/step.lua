-- One training, test or prediction step: traced once for each shape of batch and compiled into a
-- plan, or run as it is (run_eagerly, an own train_step).

local core = require "nnlua.core"
local autograd = require "nnlua.autograd"
local compile = require "nnlua.trainer.compile"
local data = require "nnlua.trainer.data"
local err = require "nnlua.err"
local own_rule = require "nnlua.trainer.own_rule"
local tree = require "nnlua.tree"

local step = {}

-- loss and metrics of one batch, on real or traced tensors
-- --------------------------------------------

local function check_target_shapes(r, ys, ps)
  for i, loss in pairs(r.losses) do
    if ys[i] == nil then
      err.raise("fit: y is missing but the model was compiled with a loss")
    end
    if loss.check_shapes then loss:check_shapes(ys[i], ps[i]) end
  end
end

local function add_all(list)
  local total
  for _, t in ipairs(list) do
    if t.ndim > 0 then t = require("nnlua.ops").sum(t) end
    total = total and total + t or t
  end
  return total
end

--- The total loss (a scalar) and the unweighted losses by output.
function step.loss(model, y, y_pred, w, penalties)
  local r = compile.resolve(model, y, y_pred)
  local ps, ys = tree.flatten(y_pred), compile.match_targets(y, y_pred, r.names)
  local ws = compile.match_weights(w, r.names)
  check_target_shapes(r, ys, ps)
  local parts, by_output = {}, {}
  for i = 1, #r.names do
    local loss = r.losses[i]
    if loss then
      local value = loss(ys[i], ps[i], ws[i])
      by_output[i] = value
      parts[#parts + 1] = r.weights[i] == 1 and value or value * r.weights[i]
    end
  end
  for _, penalty in ipairs(model:weight_losses()) do parts[#parts + 1] = penalty end
  for _, penalty in ipairs(penalties) do parts[#parts + 1] = penalty end
  if #parts == 0 then err.raise("fit: compile was given no loss") end
  return add_all(parts), by_output
end

-- The mean over rows: a batch's value counts once for each of its rows.
local function track(metric, value, rows)
  core.apply("track_mean", {metric.total.tensor, metric.count.tensor, value, rows})
end

local function update_metrics(model, r, y, y_pred, w, total, by_output, rows)
  track(model.loss_tracker, total, rows)
  for _, t in ipairs(r.trackers) do track(t.metric, by_output[t.output], rows) end
  if #r.metrics == 0 then return end
  local ps, ys = tree.flatten(y_pred), compile.match_targets(y, y_pred, r.names)
  local ws = compile.match_weights(w, r.names)
  for _, m in ipairs(r.metrics) do
    m.metric:update_state(ys[m.output], ps[m.output], m.weighted and ws[m.output] or nil)
  end
end

--- Forward pass, loss and metrics of a batch; gives the total loss.
function step.forward(model, x, y, w, rows, training)
  local penalties = {}
  local y_pred = model(x, {training = training, losses = penalties})
  local total, by_output = step.loss(model, y, y_pred, w, penalties)
  update_metrics(model, model.resolved, y, y_pred, w, total, by_output, rows)
  return total
end

-- plans ------------------------------------------------------------------------------------------

local function input_dtypes(model, x)
  local dtypes = {}
  for i, t in ipairs(tree.flatten(x)) do
    local input = model.flat_inputs and model.flat_inputs[i]
    dtypes[i] = input and input.dtype or (t.dtype == "uint8" and "float32" or t.dtype)
  end
  return dtypes
end

--- What plans of this batch are keyed by, and the specification of their inputs.
function step.spec(model, chunk)
  local spec = {
    x = data.spec(chunk.x, chunk.batch, input_dtypes(model, chunk.x)),
    y = data.spec(chunk.y, chunk.batch), w = data.spec(chunk.w, chunk.batch), rows = chunk.batch,
  }
  spec.key = data.spec_key(spec.x) .. "|" .. data.spec_key(spec.y) .. "|" .. data.spec_key(spec.w)
  return spec
end

local function traced_inputs(graph, spec)
  local inputs = {}
  local function feed(leaf)
    local t = core.input(graph, leaf.shape, leaf.dtype)
    inputs[#inputs + 1] = t
    return t
  end
  local x = tree.map(feed, spec.x)
  local y = tree.map(feed, spec.y)
  local w = tree.map(feed, spec.w)
  return inputs, x, y, w
end

--- Gradients wanted: {storage, gradient} for each trainable variable of the optimizer.
local function wants_of(model, variables)
  local optimizer, wants = model.optimizer, {}
  for i, v in ipairs(variables) do
    wants[i] = {v.tensor, optimizer.native:gradient(optimizer.positions[v])}
  end
  return wants
end

-- Embeddings offer the squares of their gradients (a tensor `squares` of the variable) to
-- optimizers that use them. A regularizer makes the gradient an ordinary one. Adds to the wants;
-- gives the places by variable.
local function want_squares(wants, model, variables, memory)
  local places = {}
  for i, v in ipairs(variables) do
    local to = v.squares and not v.regularizer
      and memory(model.optimizer.native, model.optimizer.positions[v])
    if to then
      wants[#wants + 1] = {v.squares, to}
      places[i] = #wants
    end
  end
  return places
end

local function native_squares(native, position) return native:squares(position) end

local function train_plan(model, spec)
  local inputs, loss, variables
  local graph = autograd.record("trace", function(graph)
    local x, y, w
    inputs, x, y, w = traced_inputs(graph, spec)
    loss = step.forward(model, x, y, w, spec.rows, true)
    variables = model.trainable_variables
  end)
  if #variables == 0 then
    return {plan = (core.plan(graph, {inputs = inputs, loss = nil, effects = true})), idle = true}
  end
  step.build_optimizer(model, variables)
  if not model.optimizer.native then return own_rule.plan(model, graph, inputs, loss, variables) end
  local wants = wants_of(model, variables)
  local places = want_squares(wants, model, variables, native_squares)
  local plan, reached = core.plan(graph, {inputs = inputs, loss = loss, wants = wants,
    effects = true})
  local flags = {} -- by the optimizer's positions: which variables get a gradient
  for i = 1, #model.optimizer.trainable_variables do flags[i] = false end
  local squares = {}
  for i, v in ipairs(variables) do
    local position = model.optimizer.positions[v]
    flags[position], squares[position] = reached[i], places[i] and reached[places[i]]
  end
  return {plan = plan, wants = wants, reached = flags, squares = squares}
end

local function test_plan(model, spec)
  local inputs
  local graph = autograd.record("trace", function(graph)
    local x, y, w
    inputs, x, y, w = traced_inputs(graph, spec)
    step.forward(model, x, y, w, spec.rows, false)
  end)
  return {plan = (core.plan(graph, {inputs = inputs, effects = true}))}
end

local function predict_plan(model, spec)
  local inputs, outputs
  local graph = autograd.record("trace", function(graph)
    local x
    inputs, x = traced_inputs(graph, spec)
    outputs = model(x, {training = false})
  end)
  local flat = tree.flatten(outputs)
  local shapes = {}
  for i, t in ipairs(flat) do shapes[i] = {shape = t.shape, dtype = t.dtype} end
  return {plan = (core.plan(graph, {inputs = inputs, outputs = flat})), shapes = shapes,
    like = tree.map(function() return true end, outputs)}
end

local makers = {train = train_plan, test = test_plan, predict = predict_plan}


--- Forgets plans that no longer fit: another set of trainable variables, or another compile.
function step.refresh(model)
  local ids = {}
  for _, v in ipairs(model.trainable_variables) do ids[v] = true end
  local old, same = model.plan_variables, true
  for v in pairs(ids) do same = same and old and old[v] end
  for v in pairs(old or {}) do same = same and ids[v] end
  if not same or not model.plans then
    rawset(model, "plans", {})
    rawset(model, "plan_variables", ids)
    rawset(model, "after_plan", nil)
  end
end

local most_plans = 64

local find_plan

--- The plan of a kind ("train", "test", "predict") for the chunk's shapes. A source whose batches
-- differ in their number of rows alone remembers plans in chunk.plans.
function step.plan(model, kind, chunk)
  if not model.plans then step.refresh(model) end
  local of_kind = chunk.plans and chunk.plans[kind]
  local known = of_kind and of_kind[chunk.batch]
  if known and known.plans == model.plans then return known.entry end
  local entry = find_plan(model, kind, chunk)
  if chunk.plans then
    chunk.plans[kind] = of_kind or {}
    chunk.plans[kind][chunk.batch] = {plans = model.plans, entry = entry}
  end
  return entry
end

function find_plan(model, kind, chunk)
  local spec = step.spec(model, chunk)
  local key = kind .. spec.key
  local entry = model.plans[key]
  if not entry then
    local count = 0
    for _ in pairs(model.plans) do count = count + 1 end
    if count >= most_plans then rawset(model, "plans", {}) end
    entry = makers[kind](model, spec)
    model.plans[key] = entry
  end
  return entry
end

-- optimizer --------------------------------------------------------------------------------------

function step.build_optimizer(model, variables)
  local o = model.optimizer
  if o.built then
    o:check_variables(variables)
  else
    o:build(variables)
  end
end

--- A plan that applies the constraints of the variables, nil when there is none.
function step.after_plan(model)
  if model.after_plan ~= nil then return model.after_plan or nil end
  local constrained = {}
  for _, v in ipairs(model.trainable_variables) do
    if v.constraint then constrained[#constrained + 1] = v end
  end
  local plan = false
  if #constrained > 0 then
    local graph = autograd.record("trace", function()
      for _, v in ipairs(constrained) do v:assign(v.constraint(v.tensor)) end
    end)
    plan = core.plan(graph, {effects = true})
  end
  rawset(model, "after_plan", plan)
  return plan or nil
end

-- one batch without a plan
-- -------------------------------------------------------------------------

--- Forward, backward and update of one batch as ordinary Lua (run_eagerly).
function step.eager_train(model, x, y, w, rows)
  local loss
  if not model.built then model(x) end
  local graph = autograd.record("tape", function()
    loss = step.forward(model, x, y, w, rows, true)
  end)
  local variables = model.trainable_variables
  if #variables == 0 then return end
  step.build_optimizer(model, variables)
  local wants = {}
  for i, v in ipairs(variables) do wants[i] = {v.tensor, core.full(v.shape, 0)} end
  local places = want_squares(wants, model, variables, function(native, position)
    local memory = native:squares(position)
    return memory and core.full(memory.shape, 0)
  end)
  local scale = model.optimizer.loss_scale_factor or 1
  local plan, reached = core.plan(graph, {loss = loss, wants = wants})
  plan:backward(scale)
  plan:close()
  local grads, squares = {}, {}
  for i = 1, #variables do
    grads[i] = reached[i] and wants[i][2] or false
    squares[i] = places[i] and reached[places[i]] and wants[places[i]][2] or false
  end
  model.optimizer:apply(grads, variables, squares)
end

return step
