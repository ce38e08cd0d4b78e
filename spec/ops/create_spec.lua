-- Tensors made from numbers.

local nn = require "nnlua"
local failure = require "spec.support.failure"
local core = require "nnlua.core"

local ops = nn.ops

local function same(want, got, dtype)
  assert.same(want, core.totable(got))
  if dtype then assert.equal(dtype, got.dtype) end
end

local function near(want, got)
  local list = core.totable(got)
  assert.equal(#want, #list)
  for i, v in ipairs(want) do
    assert.is_true(math.abs(v - list[i]) <= 1e-6 * math.max(1, math.abs(v)), i .. ": " .. list[i])
  end
end

describe("nn.zeros and kin", function()
  it("take a shape, a list of arguments or a record", function()
    same({{0, 0, 0}, {0, 0, 0}}, nn.zeros{2, 3}, "float32")
    same({{0, 0, 0}, {0, 0, 0}}, nn.zeros({2, 3}, "int32"), "int32")
    same({{0, 0, 0}, {0, 0, 0}}, nn.zeros{shape = {2, 3}, dtype = "int32"}, "int32")
    same({0, 0}, nn.zeros(2))
    same({1, 1}, nn.ones{2, dtype = "uint8"}, "uint8")
    assert.equal(0, nn.zeros{}:item())
    same({{7, 7}}, nn.full{{1, 2}, 7})
    same({{7, 7}}, nn.full({1, 2}, 7, "int32"), "int32")
    same({{1, 2}, {1, 2}}, nn.full({2, 2}, nn.tensor{1, 2}))
  end)

  it("count and divide ranges", function()
    same({0, 1, 2}, nn.arange(3), "int32")
    same({5, 3, 1}, nn.arange(5, 0, -2), "int32")
    same({0, 0.5}, nn.arange(0, 1, 0.5), "float32")
    same({}, nn.arange(3, 1))
    same({0, 0.25, 0.5, 0.75, 1}, nn.linspace(0, 1, 5), "float32")
    same({{1, 2}, {2, 4}}, ops.linspace(nn.tensor{1, 2}, nn.tensor{2, 4}, 2))
    near({1, 10, 100, 1000}, ops.geomspace(1, 1000, 4))
    near({1, 10, 100}, ops.logspace(0, 2, 3))
    local _, step = ops.linspace{0, 1, 5, retstep = true}
    assert.equal(0.25, step:item())
  end)

  it("make diagonals", function()
    same({{1, 0}, {0, 1}}, nn.eye(2))
    same({{0, 1, 0}, {0, 0, 1}}, nn.eye{2, 3, k = 1})
    same({{1, 0}, {1, 1}, {1, 1}}, ops.tri(3, 2))
  end)

  it("make windows", function()
    near({0, 0.5, 1, 0.5, 0}, ops.bartlett(5))
    near({0, 0.75, 0.75, 0}, ops.hanning(4))
    near({0.08, 0.77, 0.77, 0.08}, ops.hamming(4))
    near({0, 0.63, 0.63, 0}, ops.blackman(4))
    near({0.43867627, 0.83476144, 1, 0.83476144, 0.43867627}, ops.kaiser(5, 2)) -- by NumPy
  end)

  it("convert", function()
    same({{1, 2}}, ops.convert_to_tensor{{1, 2}}, "int32")
    same({1, 2}, ops.convert_to_tensor({1, 2}, "float32"), "float32")
    same({1, 2.5}, ops.array({1, 2.5}), "float32")
    same({1, 0, 1}, ops.cast(nn.tensor{2, 0, -1}, "bool"), "uint8")
    same({255, 0}, ops.cast(nn.tensor{300, -5}, "uint8"), "uint8")
    assert.same({{1, 2}}, ops.convert_to_numpy(nn.tensor{{1, 2}}))
  end)

  it("tell shapes and dtypes, of symbolic tensors too", function()
    local x, symbolic = nn.zeros({2, 3}, "int32"), nn.Input{shape = {4}}
    assert.same({2, 3}, ops.shape(x))
    assert.same({2, 6, "int32"}, {ops.ndim(x), ops.size(x), ops.dtype(x)})
    assert.same({false, 4}, ops.shape(symbolic))
    assert.same({2, "float32"}, {ops.ndim(symbolic), ops.dtype(symbolic)})
    assert.is_nil(ops.size(symbolic))
  end)

  it("follow another tensor", function()
    same({0, 0}, ops.zeros_like(nn.tensor({5, 6}, "int32")), "int32")
    same({1, 1}, ops.ones_like(nn.tensor({5, 6}, "int32"), "float32"), "float32")
    same({2, 2}, ops.full_like(nn.tensor{5, 6}, 2))
  end)

  it("tell what is wrong", function()
    local raises = failure.says
    raises("zeros: unknown dtype 'float7'", nn.zeros, {2}, "float7")
    raises("arange: step is 0", nn.arange, 0, 1, 0)
    raises("eye: N is -1, expected an integer of at least 0", nn.eye, -1)
    raises("full: dimension 1 is a string, expected an integer", nn.full, {"x"}, 1)
  end)
end)

describe("control flow", function()
  it("branches and loops on values", function()
    local ten = function() return 10 end
    assert.equal(10, ops.cond(nn.tensor(1), ten, function() return 20 end))
    assert.equal(3, ops.switch(2, {function(x) return x end, function(x) return x + 1 end}, 2))
    local state = ops.while_loop(function(i) return ops.less(i, 5) end,
      function(i, s) return i + 1, s + i end, {nn.tensor(0), nn.tensor(0)})
    assert.equal(10, state[2]:item())
    assert.equal(6, ops.fori_loop(1, 4, function(i, v) return v + i end, 0))
  end)

  it("scans and maps rows", function()
    local x = nn.tensor{{1, 2}, {3, 4}, {5, 6}}
    same({{1, 4}, {9, 16}, {25, 36}}, ops.map(function(row) return row * row end, x))
    same({{1, 2}, {4, 6}, {9, 12}}, ops.associative_scan(function(a, b) return a + b end, x))
    local f = ops.vectorize(function(a, b) return ops.maximum(a, b) end)
    same({{2, 2}, {3, 4}}, f(nn.tensor{{1, 2}, {3, 4}}, 2))
  end)
end)
