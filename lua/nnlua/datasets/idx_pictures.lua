-- MNIST and Fashion-MNIST: four IDX files in a folder, or Keras's .npz.

local core = require "nnlua.core"
local err = require "nnlua.err"
local files = require "nnlua.datasets.files"

local parts = {"train-images", "train-labels", "t10k-images", "t10k-labels"}
local dims = {3, 1, 3, 1}

-- Names as published, with a dot instead of the dash (as some programs unpack them), compressed.
local function endings(dim)
  return {("-idx%d-ubyte"):format(dim), ("-idx%d-ubyte.gz"):format(dim),
    (".idx%d-ubyte"):format(dim), (".idx%d-ubyte.gz"):format(dim)}
end

local function read_folder(name, folder)
  local out, missing = {}, {}
  for i, part in ipairs(parts) do
    local path = files.variant(folder, part, endings(dims[i]))
    if path then
      out[i] = core.io.idx(path)
      if out[i].ndim ~= dims[i] then
        err.raise("%s: %s has %d dimensions, expected %d", name, path, out[i].ndim, dims[i])
      end
    else
      missing[#missing + 1] = ("%s-idx%d-ubyte[.gz]"):format(part, dims[i])
    end
  end
  if #missing > 0 then
    err.raise("%s: %s lacks %s", name, folder, table.concat(missing, ", "))
  end
  for i = 1, 3, 2 do
    if #out[i] ~= #out[i + 1] then
      err.raise("%s: %s: %d pictures, %d labels", name, folder, #out[i], #out[i + 1])
    end
  end
  return {out[1], out[2]}, {out[3], out[4]}
end

--- A load_data for such files; `cached` names them in Keras's folder of downloads.
return function(name, cached)
  return function(path)
    if type(path) == "table" then path = path.path or path[1] end
    local at = files.find(name, path, cached,
      "a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
      .. "t10k-labels-idx1-ubyte (plain or .gz), or a .npz with x_train, y_train, x_test, y_test")
    if at:sub(-4) ~= ".npz" then return read_folder(name, at) end
    local x, y, x_test, y_test = files.arrays(name, at, {"x_train", "y_train", "x_test", "y_test"})
    return {x, y}, {x_test, y_test}
  end
end
