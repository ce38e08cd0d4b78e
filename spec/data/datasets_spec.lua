-- nn.datasets: published data from files that are there; errors name the files that are wanted.

local nn = require "nnlua"
local support = require "spec.data.support"
local scratch = require "spec.support.scratch"

local raises = support.raises

local function idx(dims, bytes)
  local head = "\0\0\8" .. string.char(#dims)
  for _, n in ipairs(dims) do head = head .. string.pack(">I4", n) end
  return head .. bytes
end

local function with_folder(f)
  scratch.with(function(folder) f(folder .. "/") end)
end

describe("nn.datasets", function()
  it("reads MNIST's four files, by either name", function()
    with_folder(function(folder)
      raises("lacks train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], t10k-images",
        nn.datasets.mnist.load_data, folder)
      support.write(folder .. "train-images-idx3-ubyte", idx({3, 1, 2}, "\1\2\3\4\5\6"))
      support.write(folder .. "train-labels.idx1-ubyte", idx({3}, "\7\8\9"))
      support.write(folder .. "t10k-images-idx3-ubyte", idx({1, 1, 2}, "\1\2"))
      support.write(folder .. "t10k-labels-idx1-ubyte", idx({1}, "\5"))
      for _, name in ipairs {"mnist", "fashion_mnist"} do
        local train, test = nn.datasets[name].load_data{path = folder}
        assert.same({{{1, 2}}, {{3, 4}}, {{5, 6}}}, train[1]:totable())
        assert.same({7, 8, 9}, train[2]:totable())
        assert.same({5}, test[2]:totable())
      end
      support.write(folder .. "t10k-labels-idx1-ubyte", idx({2}, "\5\5"))
      raises("1 pictures, 2 labels", nn.datasets.mnist.load_data, folder)
    end)
  end)

  it("reads Keras's .npz", function()
    support.with_file(".npz", function(path)
      nn.data.save_npz(path, {x_train = nn.ones{2, 3}, y_train = nn.zeros{2},
        x_test = nn.ones{1, 3}, y_test = nn.zeros{1}})
      local train, test = nn.datasets.mnist.load_data(path)
      assert.same({2, 3}, train[1].shape)
      assert.same({1}, test[2].shape)
      nn.data.save_npz(path, {x_train = nn.ones{2, 3}})
      raises("has no array 'y_train'", nn.datasets.mnist.load_data, path)
    end)
  end)

  it("splits housing as NumPy's RandomState(113) mixes it", function()
    -- numpy.random.RandomState(113).shuffle(numpy.arange(20640))
    local order = require("nnlua.datasets.housing").shuffled(20640, 113)
    assert.same({4380, 8381, 15859, 10108, 9370, 19830, 18186, 11254},
      order:slice{{1, 8}}:totable())
    assert.same({16236, 4828, 14501}, order:slice{{20638, 20640}}:totable())
    support.with_file(".npz", function(path)
      nn.data.save_npz(path, {x = nn.arange{0, 20}:reshape{10, 2}, y = nn.arange{0, 10}})
      local train, test = nn.datasets.boston_housing.load_data{path = path}
      assert.same({8, 2}, train[1].shape)
      assert.same({2}, test[2].shape)
      for i = 1, 8 do assert.equal(train[2][i] * 2, train[1][i][1]) end
      raises("test_split is 1", nn.datasets.boston_housing.load_data, {path, test_split = 1})
    end)
  end)

  it("reads CIFAR's binary version", function()
    local function record(labels, red) return labels .. red:rep(1024) .. ("\2"):rep(2048) end
    with_folder(function(folder)
      for i = 1, 5 do
        support.write(folder .. ("data_batch_%d.bin"):format(i), record(string.char(i), "\9"))
      end
      raises("lacks test_batch.bin", nn.datasets.cifar10.load_data, folder)
      support.write(folder .. "test_batch.bin", record("\3", "\1"))
      local train, test = nn.datasets.cifar10.load_data(folder)
      assert.same({5, 32, 32, 3}, train[1].shape)
      assert.same({{1}, {2}, {3}, {4}, {5}}, train[2]:totable())
      assert.same({9, 2, 2}, train[1][1][1][1]:totable())
      assert.same({{3}}, test[2]:totable())
      support.write(folder .. "train.bin", record("\1\7", "\1"))
      support.write(folder .. "test.bin", record("\2\8", "\1"))
      assert.equal(7, (nn.datasets.cifar100.load_data{path = folder})[2][1][1])
      local coarse = nn.datasets.cifar100.load_data{"coarse", path = folder}
      assert.equal(1, coarse[2][1][1])
      support.write(folder .. "test.bin", "x")
      raises("has 1 bytes, expected records of 3074", nn.datasets.cifar100.load_data,
        {path = folder})
    end)
  end)

  it("says which files are wanted, and downloads nothing", function()
    raises("/absent is not there; wanted: a folder with train-images-idx3-ubyte",
      nn.datasets.mnist.load_data, "/absent")
    raises("pickled Python objects", nn.datasets.imdb.load_data)
  end)
end)
