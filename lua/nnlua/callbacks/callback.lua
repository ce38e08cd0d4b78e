-- The base of callbacks: every hook, doing nothing.
--
--   local Mine = nn.callbacks.Callback:extend("Mine")
--   function Mine:on_epoch_end(epoch, logs) print(epoch, logs.loss) end
--
-- Epochs and batches count from 1. All callbacks of one hook share one `logs` table. A callback
-- stops training by `self.model.stop_training = true`.

local class = require "nnlua.class"

---@class nn.callbacks.Callback
---@field model nn.Model
---@field params {verbose: integer, epochs: integer, steps: integer?}
local Callback = class.new("Callback")

--- The hooks, by name.
Callback.HOOKS = {
  "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end",
  "on_train_batch_begin", "on_train_batch_end",
  "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
  "on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end",
  "on_batch_begin", "on_batch_end",
}

for _, hook in ipairs(Callback.HOOKS) do
  Callback[hook] = function() end
end

--- By default what on_batch_begin does.
function Callback:on_train_batch_begin(batch, logs) self:on_batch_begin(batch, logs) end

--- By default what on_batch_end does.
function Callback:on_train_batch_end(batch, logs) self:on_batch_end(batch, logs) end

--- `params`: {verbose=, epochs=, steps=}; steps is nil while it is not known.
function Callback:set_params(params) self.params = params end

function Callback:set_model(model) self.model = model end

return Callback
