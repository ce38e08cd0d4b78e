-- lr / (1 + rate * step / steps); staircase: the quotient rounded down.

local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

---@class nn.optimizers.schedules.InverseTimeDecay: nn.optimizers.schedules.LearningRateSchedule
local InverseTimeDecay = LearningRateSchedule:extend("InverseTimeDecay", {
  args = [[initial_learning_rate, decay_steps, decay_rate, staircase=False,
    name="InverseTimeDecay"]],
})

function InverseTimeDecay:init(a)
  LearningRateSchedule.init(self, a)
  self:check_numbers("initial_learning_rate", "decay_rate")
  self:check_positive("decay_steps")
end

function InverseTimeDecay:rate(step)
  local p = step / self.decay_steps
  if self.staircase then p = math.floor(p) end
  return self.initial_learning_rate / (1 + self.decay_rate * p)
end

return InverseTimeDecay
