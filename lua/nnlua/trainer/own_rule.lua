-- Optimizers made by a script, as plans: their update_step is traced once, and runs on the
-- gradients after each step. Learning rate and iterations are tensors then. A rule that needs their
-- values (it branches, or calls math) cannot be traced and runs batch by batch.

local core = require "nnlua.core"
local autograd = require "nnlua.autograd"
local eager = require "nnlua.optimizers.eager"

local own_rule = {}

--- Whether training with this optimizer may run as plans.
function own_rule.fits(o)
  if not o.is_custom then return true end
  local Optimizer = require "nnlua.optimizers.optimizer"
  return o.apply == Optimizer.apply and not o.use_ema and not o.gradient_accumulation_steps
    and not o.untraceable
end

local function scalar(value) return core.mark_variable(core.full({}, value)) end

local function record(o, gradients, reached)
  local traced = {rate = scalar(0), count = scalar(0)}
  local by_position = {}
  for i = 1, #o.trainable_variables do
    by_position[i] = reached[i] and core.mark_variable(gradients[i])
  end
  o.traced = traced
  local ok, graph = pcall(autograd.record, "trace", function() eager.record(o, by_position) end)
  o.traced = nil
  if not ok then return nil end
  return core.plan(graph, {effects = true}), traced
end

--- The plan of a training step: forward and backward, and the update as a plan of its own. `retry`
--- says that the rule cannot be traced.
function own_rule.plan(model, graph, inputs, loss, variables)
  local o = model.optimizer
  local wants, gradients = {}, {}
  for i, v in ipairs(o.trainable_variables) do gradients[i] = core.full(v.shape, 0) end
  for i, v in ipairs(variables) do wants[i] = {v.tensor, gradients[o.positions[v]]} end
  local plan, found = core.plan(graph, {inputs = inputs, loss = loss, wants = wants,
    effects = true})
  local reached = {}
  for i, v in ipairs(variables) do reached[o.positions[v]] = found[i] end
  local update, traced = record(o, gradients, reached)
  if not update then
    o.untraceable = true
    return {plan = plan, retry = true}
  end
  return {plan = plan, update = update, traced = traced}
end

--- Adds to the specification of plan:run what the update reads.
function own_rule.fill(spec, o, entry, steps)
  spec.update, spec.rate, spec.count = entry.update, entry.traced.rate, entry.traced.count
  core.copy(spec.count, o.calls)
  spec.lr = o:rates(steps)
  spec.loss_scale = o.loss_scale_factor or 1
end

--- So many more calls are done.
function own_rule.count(o, done) o.own_calls = o.own_calls + done end

return own_rule
