-- Sets the learning rate at the start of each epoch.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local repr = require "nnlua.repr"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.LearningRateScheduler: nn.callbacks.Callback
local LearningRateScheduler = Callback:extend("LearningRateScheduler", {
  args = "schedule, verbose=0",
})

--- `schedule(epoch, learning_rate)` gives the rate of the epoch (from 1).
function LearningRateScheduler:init(a)
  self.schedule, self.verbose = a.schedule, a.verbose
  local callable = type(a.schedule) == "function"
    or type(a.schedule) == "table" and getmetatable(a.schedule) ~= nil
  err.check(callable, "LearningRateScheduler: schedule is %s, expected a function",
    err.show(a.schedule))
end

function LearningRateScheduler:on_epoch_begin(epoch)
  local optimizer = self.model.optimizer
  local rate = self.schedule(epoch, repr.float32(optimizer.learning_rate))
  if type(rate) ~= "number" then
    err.raise("LearningRateScheduler: schedule returned %s, expected a number", err.show(rate))
  end
  optimizer.learning_rate = rate
  if self.verbose > 0 then
    terminal.print(("\nEpoch %d: LearningRateScheduler setting learning rate to %s."):format(epoch,
      repr.float(rate + 0.0)))
  end
end

function LearningRateScheduler:on_epoch_end(_, logs)
  logs.learning_rate = repr.float32(self.model.optimizer.learning_rate)
end

return LearningRateScheduler
