-- .weights.h5: weights and the optimizer's variables as Keras lays them out.

local core = require "nnlua.core"
local store = require "nnlua.saving.store"

local format = {}

function format.save_weights(model, path) core.hdf5.save(path, store.items(model)) end

function format.load_weights(model, path, options)
  local file = core.hdf5.open(path, options.limits)
  store.load(store.from_hdf5(file, "load_weights: " .. path), model, options)
  file:close()
end

return format
