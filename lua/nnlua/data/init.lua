-- nn.data: files of data and data sets.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"

local data = {}

local lazy = {csv = "csv", csv_dataset = "csv_dataset", Table = "table", Dataset = "dataset"}

--- A tensor from a NumPy .npy file: float types become float32, whole numbers int32, uint8 and bool
--- uint8. `mmap=true` maps the file instead of reading it: a read-only tensor that may be larger
--- than memory (float32, int32, uint8 in row-major order alone). A malformed file is an error.
---@type fun(path: string, options: {mmap: boolean?}?): nn.Tensor
data.npy = args.fn("npy", "path, mmap=False", function(path, mmap)
  return (mmap and core.io.map_npy or core.io.npy)(path)
end)

--- A tensor from an IDX file (MNIST's format), plain or gzip-compressed. `mmap=true` maps a plain
--- file of uint8 as a read-only tensor.
---@type fun(path: string, options: {mmap: boolean?}?): nn.Tensor
data.idx = args.fn("idx", "path, mmap=False", function(path, mmap)
  return (mmap and core.io.map_idx or core.io.idx)(path)
end)

--- The tensors of a NumPy .npz file by name.
---@type fun(path: string): table<string, nn.Tensor>
data.npz = args.fn("npz", "path", function(path) return core.zip.npz(path) end)

--- Writes a tensor as .npy, with the bytes that numpy.save writes. The file is replaced as a whole.
---@type fun(path: string, tensor: nn.Tensor)
data.save_npy = args.fn("save_npy", "path, tensor", function(path, tensor)
  core.io.save_npy(path, tensor)
end)

--- Writes tensors by name as .npz: save_npz(path, {x = ..., y = ...}).
---@param path string
---@param tensors table<string, nn.Tensor>
function data.save_npz(path, tensors)
  if args.is_record(path) and tensors == nil then path, tensors = path[1], path[2] end
  err.check(type(path) == "string", "save_npz: path is %s, expected a string", err.show(path))
  if type(tensors) ~= "table" or core.is_tensor(tensors) then
    err.raise("save_npz: tensors is %s, expected a table name -> tensor", err.show(tensors))
  end
  local list = {}
  for name, t in pairs(tensors) do
    if type(name) ~= "string" then
      err.raise("save_npz: the name %s is no string", tostring(name))
    end
    list[#list + 1] = {name, core.new(t)}
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  core.zip.save_npz(path, list)
end

return setmetatable(data, {__index = function(_, name)
  local file = lazy[name]
  if not file then return nil end
  data[name] = require("nnlua.data." .. file)
  return data[name]
end})
