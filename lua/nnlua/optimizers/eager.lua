-- The steps around the rule of an optimizer made by a script, in Keras's order: loss scale,
-- accumulation, clipping, weight decay, the rule, averages. Built-in optimizers do this in C.

local core = require "nnlua.core"
local state = require "nnlua.optimizers.state"

local eager = {}

local function shadows(o, suffix)
  local list = {}
  for i, v in ipairs(o.trainable_variables) do
    local name = state.slot_name(v, suffix)
    list[i] = state.over(core.mark_variable(core.full(v.shape, 0)), name, o.name .. "/" .. name)
  end
  return list
end

--- Makes averages and accumulators where they are asked for.
function eager.build(o)
  if o.use_ema then o.own_averages = shadows(o, "average") end
  if o.gradient_accumulation_steps then
    o.own_accumulators = shadows(o, "gradient_accumulator")
  end
end

local function norm_squared(g) return (g * g):sum() end

local function clip(o, grads)
  if o.clipvalue and o.clipvalue > 0 then
    for i, g in pairs(grads) do grads[i] = g:clip(-o.clipvalue, o.clipvalue) end
  elseif o.clipnorm and o.clipnorm > 0 then
    for i, g in pairs(grads) do
      grads[i] = g * (o.clipnorm / (norm_squared(g) ^ 0.5):maximum(o.clipnorm))
    end
  elseif o.global_clipnorm and o.global_clipnorm > 0 then
    local total = 0
    for _, g in pairs(grads) do total = total + norm_squared(g) end
    local factor = o.global_clipnorm / (total ^ 0.5):maximum(o.global_clipnorm)
    for i, g in pairs(grads) do grads[i] = g * factor end
  end
end

-- Adds to the accumulators; true when it is time to update, with the mean in `grads`.
local function accumulate(o, grads)
  local every = o.gradient_accumulation_steps
  if not every then return true end
  local due = (o.own_calls + 1) % every == 0
  for i, g in pairs(grads) do
    local sum = o.own_accumulators[i]
    if due then
      grads[i] = (g + sum.tensor) / every
      sum:assign(core.full(sum.shape, 0))
    else
      sum:assign(sum.tensor + g)
    end
  end
  return due
end

local function update(o, grads)
  local lr = o.learning_rate
  clip(o, grads)
  for i, v in ipairs(o.trainable_variables) do
    if grads[i] and o.weight_decay and o:uses_weight_decay(v) then
      v:assign(v.tensor - v.tensor * (o.weight_decay * lr))
    end
  end
  for i, v in ipairs(o.trainable_variables) do
    if grads[i] then o:update_step(grads[i], v, lr) end
  end
end

local function follow(o)
  local n, every = o.iterations, o.ema_overwrite_frequency
  local m = n == 0 and 0 or o.ema_momentum
  for i, v in ipairs(o.trainable_variables) do
    local a = o.own_averages[i]
    a:assign(a.tensor * m + v.tensor * (1 - m))
    if every and (n + 1) % every == 0 then v:assign(a.tensor) end
  end
end

--- One call of apply.
function eager.apply(o, grads, variables)
  local mine = {} -- by position among the optimizer's variables
  for k, v in ipairs(variables) do
    local g = grads[k]
    if g then
      g = state.tensor(g) or core.new(g)
      mine[o.positions[v]] = o.loss_scale_factor and g / o.loss_scale_factor or g
    end
  end
  if accumulate(o, mine) then update(o, mine) end
  if o.use_ema then follow(o) end
  o.own_calls = o.own_calls + 1
end

--- The update as ops, for a plan: `grads` by position (false where there is none). Accumulation and
--- averages change from step to step, and stay with `apply`.
function eager.record(o, grads)
  local mine = {}
  for i, g in pairs(grads) do
    if g then mine[i] = o.loss_scale_factor and g / o.loss_scale_factor or g end
  end
  update(o, mine)
end

return eager
