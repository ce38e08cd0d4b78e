-- nn.datasets: published data sets from files that are there. `load_data(path)` gives {x_train,
-- y_train}, {x_test, y_test} as Keras does; nothing is downloaded.

local err = require "nnlua.err"

local datasets = {}

local function lazy(module, field, ...)
  local rest = table.pack(...)
  return function(...)
    local value = require("nnlua.datasets." .. module)
    if field then return value[field](...) end
    return value(table.unpack(rest, 1, rest.n))(...)
  end
end

--- Hand-written digits: uint8 (60000, 28, 28) and labels, 10000 for testing.
datasets.mnist = {load_data = lazy("idx_pictures", nil, "mnist", {"mnist.npz", "mnist"})}
--- Pictures of clothes, shaped as mnist.
datasets.fashion_mnist = {load_data = lazy("idx_pictures", nil, "fashion_mnist",
  {"fashion-mnist", "fashion_mnist"})}
datasets.cifar10 = {load_data = lazy("cifar", "cifar10")}
datasets.cifar100 = {load_data = lazy("cifar", "cifar100")}
datasets.boston_housing = {load_data = lazy("housing", "boston_housing")}
datasets.california_housing = {load_data = lazy("housing", "california_housing")}

-- Keras keeps these two as pickled Python lists, which are programs and not data.
for _, name in ipairs {"imdb", "reuters"} do
  datasets[name] = {load_data = function()
    return err.raise("%s: Keras's file holds pickled Python objects, which are not read here; "
      .. "write its sequences as .npy (keras.utils.pad_sequences) and read them with nn.data.npy",
      name)
  end}
end

return datasets
