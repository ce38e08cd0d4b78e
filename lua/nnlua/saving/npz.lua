-- .npz: weights by path, for NumPy.

local core = require "nnlua.core"
local state = require "nnlua.saving.state"

local format = {}

function format.save_weights(model, path) core.zip.save_npz(path, state.weights(model)) end

function format.load_weights(model, path, options)
  local values = core.zip.npz(path, options.limits)
  state.put(model, values, options, "load_weights: " .. path)
end

return format
