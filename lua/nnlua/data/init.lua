-- nn.data: files of data and data sets.

local core = require "nnlua.core"

local data = {}

local lazy = {csv = "csv", Table = "table", Dataset = "dataset"}

--- A tensor from a NumPy .npy file.
function data.npy(path) return core.io.npy(path) end

--- A tensor from an IDX file (MNIST's format), plain or gzip-compressed.
function data.idx(path) return core.io.idx(path) end

--- Writes a tensor as .npy.
function data.save_npy(path, tensor) core.io.save_npy(path, tensor) end

return setmetatable(data, {__index = function(_, name)
  local file = lazy[name]
  if not file then return nil end
  data[name] = require("nnlua.data." .. file)
  return data[name]
end})
