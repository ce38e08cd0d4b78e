-- Evaluates and predicts with the optimizer's averaged weights, and trains on with the others.
--
-- `model:swap_ema_weights()` exchanges weights and averages; `model:copy_ema_weights()` writes the
-- weights into the averages.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"

local SwapEMAWeights = Callback:extend("SwapEMAWeights", {args = "swap_on_epoch=False"})

--- `swap_on_epoch`: the averages are in the model from each epoch's end to the next one's begin, so
--- that checkpoints save them; after the last epoch they stay.
function SwapEMAWeights:init(a)
  self.swap_on_epoch = a.swap_on_epoch
  self.averaged = false
end

local function swap(self)
  local optimizer = self.model.optimizer
  if not (optimizer and optimizer.use_ema) then
    err.raise("SwapEMAWeights: the optimizer keeps no averages; give it use_ema=true")
  end
  self.model:swap_ema_weights()
  self.averaged = not self.averaged
end

function SwapEMAWeights:on_epoch_begin()
  if self.swap_on_epoch and self.averaged then swap(self) end
end

function SwapEMAWeights:on_epoch_end(epoch)
  if not self.swap_on_epoch or self.averaged then return end
  swap(self)
  if epoch == self.params.epochs then self.model:copy_ema_weights() end
end

function SwapEMAWeights:on_test_begin()
  if not self.averaged then swap(self) end
end

function SwapEMAWeights:on_test_end()
  if self.averaged then swap(self) end
end

function SwapEMAWeights:on_predict_begin()
  if not self.averaged then swap(self) end
end

function SwapEMAWeights:on_predict_end()
  if self.averaged then swap(self) end
end

return SwapEMAWeights
