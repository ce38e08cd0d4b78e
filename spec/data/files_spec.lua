-- Arrays in files: .npy, .npz and IDX, read and mapped.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises, with_file, write = support.raises, support.with_file, support.write

-- A version 1 .npy as NumPy writes it.
local function npy(descr, order, shape, bytes)
  local head = ("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }"):format(descr, order, shape)
  head = head .. (" "):rep((-(#head + 11)) % 64) .. "\n"
  return "\x93NUMPY\1\0" .. string.pack("<I2", #head) .. head .. bytes
end

describe("nn.data.npy", function()
  it("reads and maps what it wrote", function()
    with_file(".npy", function(path)
      for _, dtype in ipairs {"float32", "int32", "uint8"} do
        local t = nn.arange{0, 24}:reshape{2, 3, 4}:astype(dtype)
        nn.data.save_npy(path, t)
        for _, back in ipairs {nn.data.npy(path), nn.data.npy(path, {mmap = true}),
          nn.data.npy{path, mmap = true}} do
          assert.equal(dtype, back.dtype)
          assert.same(t:totable(), back:totable())
        end
      end
    end)
  end)

  it("converts other types, and refuses to map them", function()
    with_file(".npy", function(path)
      write(path, npy("<f8", "False", "2, 2", string.pack("<dddd", 1, 2, 3, 4)))
      assert.same({{1, 2}, {3, 4}}, nn.data.npy(path):totable())
      raises("holds float64, only float32, int32 and uint8 can be mapped", nn.data.npy, path,
        {mmap = true})
      write(path, npy("<f4", "True", "2, 2", string.pack("<ffff", 1, 2, 3, 4)))
      assert.same({{1, 3}, {2, 4}}, nn.data.npy(path):totable())
      raises("fortran_order", nn.data.npy, path, {mmap = true})
      write(path, npy(">f4", "False", "1,", string.pack(">f", 1)))
      assert.same({1}, nn.data.npy(path):totable())
      raises("in the other byte order", nn.data.npy, path, {mmap = true})
    end)
  end)

  it("refuses malformed files, read or mapped", function()
    with_file(".npy", function(path)
      for _, options in ipairs {{}, {mmap = true}} do
        raises("cannot open", nn.data.npy, path .. ".absent", options)
        write(path, "no npy at all")
        raises("is no npy file", nn.data.npy, path, options)
        write(path, npy("<f4", "False", "3,", string.pack("<ff", 1, 2)))
        raises("its shape needs 12 bytes, the file has 8", nn.data.npy, path, options)
        write(path, npy("|O", "False", "3,", "xxx"))
        raises("descr '|O' is not supported", nn.data.npy, path, options)
        write(path, npy("<U3", "False", "1,", ("x"):rep(12)))
        raises("is not supported", nn.data.npy, path, options)
      end
      write(path, "")
      raises("is empty", nn.data.npy, path, {mmap = true})
    end)
  end)
end)

describe("a mapped tensor", function()
  it("is read only, and so are its views; copies are not", function()
    with_file(".npy", function(path)
      nn.data.save_npy(path, nn.arange{0, 6}:reshape{2, 3})
      local t = nn.data.npy(path, {mmap = true})
      local text = "lies in a mapped file and is read only"
      raises(text, function() t[1] = 5 end)
      raises(text, function() t[2][1] = 5 end)
      raises(text, function() t:slice{{1, 1}}[1] = 5 end)
      raises(text, function() t:reshape{6}[1] = 5 end)
      raises(text, nn.core.copy, t, nn.zeros{2, 3})
      local copy = t:clone()
      copy[1] = 9
      assert.same({{9, 9, 9}, {3, 4, 5}}, copy:totable())
      assert.same({{0, 1, 2}, {3, 4, 5}}, t:totable())
      local v = nn.Variable(t)
      v:assign(nn.zeros{2, 3})
      assert.same({{0, 1, 2}, {3, 4, 5}}, t:totable())
    end)
  end)

  it("lives as long as a view of it, and the file may be replaced meanwhile", function()
    with_file(".npy", function(path)
      nn.data.save_npy(path, nn.arange{0, 6})
      local view = nn.data.npy(path, {mmap = true}):slice{{3, 4}}
      collectgarbage()
      collectgarbage()
      nn.data.save_npy(path, nn.zeros{6})
      assert.same({2, 3}, view:totable())
    end)
  end)

  it("trains as a tensor in memory does", function()
    local x, y = nn.random.uniform{{100, 3}, seed = 1}, nn.random.uniform{{100, 1}, seed = 2}
    local function losses(a, b)
      nn.set_random_seed(5)
      local m = nn.Sequential{nn.layers.Dense{1, input_shape = {3}}}
      m:compile{optimizer = "adam", loss = "mse"}
      return m:fit{a, b, epochs = 3, verbose = 0}.history.loss
    end
    with_file(".npy", function(px)
      nn.data.save_npy(px, x)
      with_file(".npy", function(py)
        nn.data.save_npy(py, y)
        assert.same(losses(x, y),
          losses(nn.data.npy(px, {mmap = true}), nn.data.npy(py, {mmap = true})))
      end)
    end)
  end)
end)

describe("nn.data.npz", function()
  it("reads what save_npz wrote", function()
    with_file(".npz", function(path)
      nn.data.save_npz(path, {x = nn.arange{0, 4}:reshape{2, 2}, y = nn.tensor({1, 2}, "int32")})
      local all = nn.data.npz(path)
      assert.same({{0, 1}, {2, 3}}, all.x:totable())
      assert.same({1, 2}, all.y:totable())
      assert.equal("int32", all.y.dtype)
    end)
  end)

  it("refuses what is none", function()
    with_file(".npz", function(path)
      raises("save_npz: tensors is nil", nn.data.save_npz, path)
      raises("the name 1 is no string", nn.data.save_npz, path, {nn.zeros{1}})
      write(path, "no zip")
      assert.is_false((pcall(nn.data.npz, path)))
      raises("npz: path is missing", nn.data.npz)
    end)
  end)
end)

-- MNIST as published: sums of the bytes of a file, counted with NumPy.
describe("nn.data.idx", function()
  it("reads and maps pictures", function()
    with_file("-idx3-ubyte", function(path)
      write(path, "\0\0\8\3" .. string.pack(">I4I4I4", 2, 2, 3) .. "\0\1\2\3\4\5\6\7\8\9\10\255")
      for _, t in ipairs {nn.data.idx(path), nn.data.idx(path, {mmap = true})} do
        assert.equal("uint8", t.dtype)
        assert.same({{{0, 1, 2}, {3, 4, 5}}, {{6, 7, 8}, {9, 10, 255}}}, t:totable())
      end
      write(path, "\0\0\13\1" .. string.pack(">I4f", 1, 1.5))
      assert.same({1.5}, nn.data.idx(path):totable())
      raises("in the other byte order", nn.data.idx, path, {mmap = true})
      write(path, "\0\0\8\1" .. string.pack(">I4", 5) .. "abc")
      raises("its shape needs 5 bytes, the file has 3", nn.data.idx, path)
      write(path, "abcdefgh")
      raises("is no IDX file", nn.data.idx, path)
    end)
  end)

  if not support.has_shared() then return end

  it("reads MNIST", function()
    local folder = support.shared .. "mnist/"
    local train, test = nn.datasets.mnist.load_data(folder)
    assert.same({60000, 28, 28}, train[1].shape)
    assert.same({60000}, train[2].shape)
    assert.same({10000, 28, 28}, test[1].shape)
    assert.same({10000}, test[2].shape)
    assert.same({5, 0, 4, 1, 9, 2, 1, 3}, train[2]:slice{{1, 8}}:totable())
    assert.same({7, 2, 1, 0, 4, 1, 4, 9}, test[2]:slice{{1, 8}}:totable())
    -- the published mean of the training pictures over 255
    local sum, chunk = 0, 6000
    for a = 1, 60000, chunk do
      sum = sum + train[1]:slice{{a, a + chunk - 1}}:astype("float32"):mean():item() * chunk / 60000
    end
    assert.is_true(math.abs(sum / 255 - 0.1307) < 5e-5)
    raises("cannot be mapped", nn.data.idx, folder .. "t10k-labels-idx1-ubyte.gz", {mmap = true})
  end)
end)
