-- Half a cosine from the rate down to alpha times the rate, after an optional linear warm-up.
-- Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2016), without
-- the restarts.

local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

---@class nn.optimizers.schedules.CosineDecay: nn.optimizers.schedules.LearningRateSchedule
local CosineDecay = LearningRateSchedule:extend("CosineDecay", {
  args = [[initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None,
    warmup_steps=0]],
})

function CosineDecay:init(a)
  LearningRateSchedule.init(self, a)
  self:check_numbers("initial_learning_rate", "alpha", "warmup_steps")
  self:check_positive("decay_steps")
  if a.warmup_target ~= nil then self:check_numbers "warmup_target" end
end

local function decayed(self, step, from)
  local cosine = 0.5 * (1 + math.cos(math.pi * step / self.decay_steps))
  return from * ((1 - self.alpha) * cosine + self.alpha)
end

function CosineDecay:rate(step)
  local start, target, warmup = self.initial_learning_rate, self.warmup_target, self.warmup_steps
  if not target then return decayed(self, math.min(step, self.decay_steps), start) end
  step = math.min(step, self.decay_steps + warmup)
  if step < warmup then return start + (target - start) * step / warmup end
  return decayed(self, step - warmup, target)
end

return CosineDecay
