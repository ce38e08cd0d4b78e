-- A callback made of functions: LambdaCallback{on_epoch_end = function(epoch, logs) ... end}.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"

---@class nn.callbacks.LambdaCallback: nn.callbacks.Callback
local LambdaCallback = Callback:extend("LambdaCallback", {
  args = [[on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
    on_train_batch_begin=None, on_train_batch_end=None]],
  extra_args = true,
})

--- The functions get what the hook gets, without the callback. Other hooks may be given too; what
--- is no hook becomes a field.
function LambdaCallback:init(a)
  for key, value in pairs(a) do
    if not Callback[key] then
      self[key] = value
    elseif type(value) ~= "function" then
      err.raise("LambdaCallback: %s is %s, expected a function", key, err.show(value))
    else
      self[key] = function(_, ...) return value(...) end
    end
  end
end

return LambdaCallback
