-- .weights.h5: weights and the optimizer's variables as Keras lays them out.

local core = require "nnlua.core"
local store = require "nnlua.saving.store"
local version = require "nnlua.saving.version"
local writer = require "nnlua.saving.behind"

local format = {}

function format.save_weights(model, path, options)
  local items, behind = store.items(model), options.behind
  items[#items + 1] = version.item()
  if not behind then return core.hdf5.save(path, items) end
  return writer.file(path, core.hdf5.block(items, true, behind.spare),
    behind.previous)
end

function format.load_weights(model, path, options)
  local file = core.hdf5.open(path, options.limits)
  store.load(store.from_hdf5(file, "load_weights: " .. path), model, options)
  file:close()
end

return format
