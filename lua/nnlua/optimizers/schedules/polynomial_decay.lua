-- (lr - end) * (1 - step / steps)^power + end; held after `decay_steps`, or with `cycle` over the
-- next multiple of them.

local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

---@class nn.optimizers.schedules.PolynomialDecay: nn.optimizers.schedules.LearningRateSchedule
local PolynomialDecay = LearningRateSchedule:extend("PolynomialDecay", {
  args = [[initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
    name="PolynomialDecay"]],
})

function PolynomialDecay:init(a)
  LearningRateSchedule.init(self, a)
  self:check_numbers("initial_learning_rate", "end_learning_rate", "power")
  self:check_positive("decay_steps")
end

function PolynomialDecay:rate(step)
  local steps, last = self.decay_steps, self.end_learning_rate
  if self.cycle then
    steps = steps * math.max(1, math.ceil(step / steps))
  else
    step = math.min(step, steps)
  end
  return (self.initial_learning_rate - last) * (1 - step / steps) ^ self.power + last
end

return PolynomialDecay
