-- Lowers the learning rate when the watched value has stopped improving.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local monitor = require "nnlua.callbacks.monitor"
local repr = require "nnlua.repr"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.ReduceLROnPlateau: nn.callbacks.Callback
local ReduceLROnPlateau = Callback:extend("ReduceLROnPlateau", {
  args = [[monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=0.0001,
    cooldown=0, min_lr=0.0]],
})

--- After `patience` epochs without an improvement the rate becomes max(rate * factor, min_lr);
--- then `cooldown` epochs pass before waiting begins again.
function ReduceLROnPlateau:init(a)
  for key, value in pairs(a) do self[key] = value end
  monitor.check(self)
  err.check(type(self.factor) == "number" and self.factor < 1,
    "ReduceLROnPlateau: factor is %s, expected below 1", err.show(self.factor))
  self.wait, self.cooldown_counter = 0, 0
end

function ReduceLROnPlateau:on_train_begin()
  self.wait, self.cooldown_counter, self.best, self.warned = 0, 0, nil, nil
end

local function reduce(self, epoch)
  local optimizer = self.model.optimizer
  local rate = repr.float32(optimizer.learning_rate)
  if rate <= repr.float32(self.min_lr) then return end
  rate = math.max(rate * self.factor, self.min_lr)
  optimizer.learning_rate = rate
  if self.verbose > 0 then
    terminal.print(("\nEpoch %d: ReduceLROnPlateau reducing learning rate to %s."):format(epoch,
      repr.float(rate)))
  end
  self.cooldown_counter = self.cooldown
  self.wait = 0
end

function ReduceLROnPlateau:on_epoch_end(epoch, logs)
  logs.learning_rate = repr.float32(self.model.optimizer.learning_rate)
  local value = monitor.value(self, logs, "Learning rate reduction is conditioned")
  if value == nil then return end
  monitor.direction(self)
  if self.cooldown_counter > 0 then
    self.cooldown_counter = self.cooldown_counter - 1
    self.wait = 0
  end
  if monitor.improves(self, value, self.best) then
    self.best, self.wait = value, 0
  elseif self.cooldown_counter <= 0 then
    self.wait = self.wait + 1
    if self.wait >= self.patience then reduce(self, epoch) end
  end
end

return ReduceLROnPlateau
