-- Evaluates and predicts with the optimizer's averaged weights, and trains on with the others.
--
-- Weights and averages change places, so nothing else has to know.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"

---@class nn.callbacks.SwapEMAWeights: nn.callbacks.Callback
local SwapEMAWeights = Callback:extend("SwapEMAWeights", {args = "swap_on_epoch=False"})

--- `swap_on_epoch`: the averages are in the model from each epoch's end to the next one's begin, so
--- that checkpoints save them; after the last epoch they stay.
function SwapEMAWeights:init(a)
  self.swap_on_epoch = a.swap_on_epoch
  self.averaged = false
end

-- Calls f(weight, average) for each trained weight.
local function each(self, f)
  local optimizer = self.model.optimizer
  if not (optimizer and optimizer.use_ema) then
    err.raise("SwapEMAWeights: the optimizer keeps no averages; give it use_ema=true")
  end
  if not optimizer.built then return false end
  local averages = optimizer.averages
  for i, weight in ipairs(optimizer.trainable_variables) do f(weight, averages[i]) end
  return true
end

local function exchange(weight, average)
  local before = weight:numpy()
  weight:assign(average.value)
  average:assign(before)
end

local function swap(self)
  if each(self, exchange) then self.averaged = not self.averaged end
end

function SwapEMAWeights:on_epoch_begin()
  if self.swap_on_epoch and self.averaged then swap(self) end
end

function SwapEMAWeights:on_epoch_end(epoch)
  if not self.swap_on_epoch or self.averaged then return end
  swap(self)
  if epoch == self.params.epochs then
    each(self, function(weight, average) average:assign(weight.value) end)
  end
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
