-- Cosine decay that starts again, each period `t_mul` times as long and `m_mul` times as high.
-- Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2016).

local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

---@class nn.optimizers.schedules.CosineDecayRestarts: nn.optimizers.schedules.LearningRateSchedule
local CosineDecayRestarts = LearningRateSchedule:extend("CosineDecayRestarts", {
  args = [[initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0,
    name="SGDRDecay"]],
})

function CosineDecayRestarts:init(a)
  LearningRateSchedule.init(self, a)
  self:check_numbers("initial_learning_rate", "t_mul", "m_mul", "alpha")
  self:check_positive("first_decay_steps")
end

-- The number of finished periods and the fraction of the present one. Periods are 1, t, t^2, ...
-- times the first, so i of them take (1 - t^i) / (1 - t) first periods. The logarithm may come out
-- just below a whole number where a period ends.
local function place(self, step)
  local done, t = step / self.first_decay_steps, self.t_mul
  if t == 1 then return math.floor(done), done - math.floor(done) end
  local i = math.floor(math.log(1 - done * (1 - t)) / math.log(t) + 1e-9)
  return i, math.max(0, (done - (1 - t ^ i) / (1 - t)) / t ^ i)
end

function CosineDecayRestarts:rate(step)
  local i, fraction = place(self, step)
  local cosine = 0.5 * self.m_mul ^ i * (1 + math.cos(math.pi * fraction))
  return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)
end

return CosineDecayRestarts
