-- CIFAR-10 and CIFAR-100 from their binary versions: records of one or two label bytes and 3072
-- bytes of picture, planes of red, green and blue, row by row.

local core = require "nnlua.core"
local err = require "nnlua.err"
local files = require "nnlua.datasets.files"

local pixels = 32 * 32 * 3

-- Records of a file: pictures (n, 32, 32, 3) and the label bytes at `column`.
local function read(name, path, labels, column)
  local bytes, size = files.read(name, path), labels + pixels
  if #bytes == 0 or #bytes % size ~= 0 then
    err.raise("%s: %s has %d bytes, expected records of %d", name, path, #bytes, size)
  end
  local n = #bytes // size
  local all = core.frombytes(bytes, {n, size}, "uint8")
  local planes = core.reshape(core.view(all, {{}, {labels + 1, size}}), {n, 3, 32, 32})
  return core.astype(core.permute(planes, {1, 3, 4, 2})),
    core.astype(core.view(all, {{}, {column, column}}))
end

local function joined(list)
  return #list == 1 and list[1] or require("nnlua.ops").concatenate{list, axis = 1}
end

local function read_all(name, folder, file_names, labels, column)
  local x, y = {}, {}
  for i, one in ipairs(file_names) do
    local path = folder .. "/" .. one
    err.check(core.sys.exists(path), "%s: %s lacks %s", name, folder, one)
    x[i], y[i] = read(name, path, labels, column)
  end
  return {joined(x), joined(y)}
end

local cifar = {}

--- Pictures uint8 (n, 32, 32, 3) and labels uint8 (n, 1): {x_train, y_train}, {x_test, y_test}.
---@param path string? the folder cifar-10-batches-bin
function cifar.cifar10(path)
  if type(path) == "table" then path = path.path or path[1] end
  local at = files.find("cifar10", path, {"cifar-10-batches-bin"},
    "the folder of the binary version, with data_batch_1.bin ... data_batch_5.bin, test_batch.bin")
  local train = {}
  for i = 1, 5 do train[i] = ("data_batch_%d.bin"):format(i) end
  return read_all("cifar10", at, train, 1, 1), read_all("cifar10", at, {"test_batch.bin"}, 1, 1)
end

--- As cifar10, with the 100 fine labels or the 20 coarse ones.
---@param a {label_mode: string?, path: string?}|string|nil
function cifar.cifar100(a)
  if type(a) ~= "table" then a = {label_mode = a} end
  local mode = a.label_mode or a[1] or "fine"
  if mode ~= "fine" and mode ~= "coarse" then
    err.raise("cifar100: label_mode is %s, expected fine or coarse", tostring(mode))
  end
  local at = files.find("cifar100", a.path, {"cifar-100-binary"},
    "the folder of the binary version, with train.bin and test.bin")
  local column = mode == "fine" and 2 or 1
  return read_all("cifar100", at, {"train.bin"}, 2, column),
    read_all("cifar100", at, {"test.bin"}, 2, column)
end

return cifar
