-- values[1] up to and with step boundaries[1], values[2] up to and with boundaries[2], ...

local err = require "nnlua.err"
local LearningRateSchedule = require "nnlua.optimizers.schedules.learning_rate_schedule"

-- longer than 100 columns because a class and its parent stand in one annotation
-- luacheck: push ignore 631
---@class nn.optimizers.schedules.PiecewiseConstantDecay: nn.optimizers.schedules.LearningRateSchedule
-- luacheck: pop
local PiecewiseConstantDecay = LearningRateSchedule:extend("PiecewiseConstantDecay", {
  args = 'boundaries, values, name="PiecewiseConstant"',
})

function PiecewiseConstantDecay:init(a)
  LearningRateSchedule.init(self, a)
  err.check(type(a.boundaries) == "table", "%s: boundaries is %s, expected a list of steps",
    self.class_name, err.show(a.boundaries))
  err.check(type(a.values) == "table", "%s: values is %s, expected a list of rates",
    self.class_name, err.show(a.values))
  err.check(#a.values == #a.boundaries + 1,
    "%s: %d boundaries need %d values, got %d", self.class_name, #a.boundaries,
    #a.boundaries + 1, #a.values)
end

function PiecewiseConstantDecay:rate(step)
  for i, boundary in ipairs(self.boundaries) do
    if step <= boundary then return self.values[i] end
  end
  return self.values[#self.values]
end

return PiecewiseConstantDecay
