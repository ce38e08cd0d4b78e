-- lr * rate^(step / steps); staircase: the exponent rounded down.

local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

---@class nn.optimizers.schedules.ExponentialDecay: nn.optimizers.schedules.LearningRateSchedule
local ExponentialDecay = LearningRateSchedule:extend("ExponentialDecay", {
  args = [[initial_learning_rate, decay_steps, decay_rate, staircase=False,
    name="ExponentialDecay"]],
})

function ExponentialDecay:init(a)
  LearningRateSchedule.init(self, a)
  self:check_numbers("initial_learning_rate", "decay_rate")
  self:check_positive("decay_steps")
end

function ExponentialDecay:rate(step)
  local p = step / self.decay_steps
  if self.staircase then p = math.floor(p) end
  return self.initial_learning_rate * self.decay_rate ^ p
end

return ExponentialDecay
