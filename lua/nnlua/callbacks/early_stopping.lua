-- Ends training when the watched value has stopped improving.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local monitor = require "nnlua.callbacks.monitor"
local state_check = require "nnlua.saving.state_check"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.EarlyStopping: nn.callbacks.Callback
local EarlyStopping = Callback:extend("EarlyStopping", {
  args = [[monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
    restore_best_weights=False, start_from_epoch=0]],
})

--- Stops after `patience` epochs without an improvement by more than `min_delta`; never before
--- `start_from_epoch` epochs are over. With a `baseline` only what beats it resets the patience.
--- `restore_best_weights`: at the end of fit the weights of the best epoch come back.
function EarlyStopping:init(a)
  for key, value in pairs(a) do self[key] = value end
  monitor.check(self)
  err.check(type(self.patience) == "number", "EarlyStopping: patience is %s, expected a number",
    err.show(self.patience))
  self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
end

function EarlyStopping:on_train_begin()
  self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
  self.best, self.best_weights, self.warned = nil, nil, nil
end

local function keep(self, epoch)
  if self.restore_best_weights then self.best_weights = self.model:get_weights() end
  self.best_epoch = epoch
end

function EarlyStopping:on_epoch_end(epoch, logs)
  local value = monitor.value(self, logs, "Early stopping conditioned")
  if value == nil then return end
  monitor.direction(self)
  if epoch <= self.start_from_epoch then return end
  if self.restore_best_weights and not self.best_weights then keep(self, epoch) end
  self.wait = self.wait + 1
  if monitor.improves(self, value, self.best) then
    self.best = value
    keep(self, epoch)
    if self.baseline == nil or monitor.improves(self, value, self.baseline) then self.wait = 0 end
  elseif self.wait >= self.patience and epoch > 1 then
    self.stopped_epoch = epoch
    self.model.stop_training = true
    self.model.stop_reason = "early stopping"
  end
end

--- What a resumed fit needs.
function EarlyStopping:get_state()
  return {wait = self.wait, stopped_epoch = self.stopped_epoch, best_epoch = self.best_epoch,
    best = self.best, best_weights = self.best_weights}
end

function EarlyStopping:set_state(state)
  state_check.take(self, state, {wait = "number", stopped_epoch = "number", best_epoch = "number",
    best = "number", best_weights = "table"})
end

function EarlyStopping:on_train_end()
  if self.stopped_epoch > 0 and self.verbose > 0 then
    terminal.print(("Epoch %d: early stopping"):format(self.stopped_epoch))
  end
  if not self.best_weights then return end
  if self.verbose > 0 then
    terminal.print(("Restoring model weights from the end of the best epoch: %d."):format(
      self.best_epoch))
  end
  self.model:set_weights(self.best_weights)
end

return EarlyStopping
