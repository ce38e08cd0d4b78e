-- Ends training when the loss is no longer a finite number.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local repr = require "nnlua.repr"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.TerminateOnNaN: nn.callbacks.Callback
local TerminateOnNaN = Callback:extend("TerminateOnNaN", {args = "raise_error=False"})

--- With `raise_error` the end is an error.
function TerminateOnNaN:init(a) self.raise_error = a.raise_error end

-- The message is Keras's, which counts the batches of an epoch from 0.
function TerminateOnNaN:on_batch_end(batch, logs)
  local loss = logs.loss
  if loss == nil or (loss == loss and math.abs(loss) ~= math.huge) then return end
  self.model.stop_training = true
  self.model.stop_reason = "nan"
  if self.raise_error then
    err.raise("TerminateOnNaN: the loss of batch %d is %s", batch, repr.float(loss))
  end
  terminal.print(("Batch %d: Invalid loss, terminating training"):format(batch - 1))
end

return TerminateOnNaN
