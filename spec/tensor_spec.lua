local nn = require "nnlua"
local failure = require "spec.support.failure"

local message = failure.of

describe("tensors", function()
  it("are made of nested tables, numbers and tensors", function()
    local t = nn.tensor{{1, 2, 3}, {4, 5, 6}}
    assert.same({2, 3}, t.shape)
    assert.equal("float32", t.dtype)
    assert.equal(6, t.size)
    assert.equal(2, #t)
    assert.equal(0, nn.tensor(3).ndim)
    assert.equal("int32", nn.tensor({1, 2}, "int32").dtype)
    assert.same({{1, 2}, {3, 4}}, nn.tensor{nn.tensor{1, 2}, nn.tensor{3, 4}}:totable())
  end)

  it("name the row that is ragged and the element that is no number", function()
    assert.matches("row 2 has 3 numbers, row 1 has 4",
      message(nn.tensor, {{1, 2, 3, 4}, {1, 2, 3}}))
    assert.matches("x%[1%]%[1%] is a string, expected a number", message(nn.tensor, {{"a"}}))
  end)

  it("are indexed from 1, and from the end with negative numbers", function()
    local t = nn.tensor{{1, 2}, {3, 4}}
    assert.equal(3, t[2][1])
    assert.equal(4, t[-1][-1])
    assert.matches("index 5 of dimension 1, expected 1 to 2", message(function() return t[5] end))
    assert.is_nil(t[3])
  end)

  it("give views that share storage and keep it alive", function()
    local row
    do
      local t = nn.tensor{{1, 2}, {3, 4}}
      row = t[2]
      t[2][1] = 9
    end
    collectgarbage()
    collectgarbage()
    assert.same({9, 4}, row:totable())
  end)

  it("are written by element, row and broadcast", function()
    local t = nn.tensor{{1, 2}, {3, 4}}
    t[1] = {7, 8}
    t[2] = 0
    assert.same({{7, 8}, {0, 0}}, t:totable())
    assert.matches("cannot put shape %(3%) into %(2%)", message(function() t[1] = {1, 2, 3} end))
  end)

  it("are sliced, reshaped and transposed as views", function()
    local t = nn.tensor{{1, 2, 3}, {4, 5, 6}}
    assert.same({{2}, {5}}, t:slice{{}, {2, 2}}:totable())
    assert.same({{1, 2}, {3, 4}, {5, 6}}, t:reshape{3, -1}:totable())
    assert.same({{1, 4}, {2, 5}, {3, 6}}, t:transpose():totable())
    t:slice{{1, 1}}[1] = 0
    assert.equal(0, t[1][2])
  end)

  it("convert dtypes by truncating and saturating", function()
    assert.same({1, -1, 300}, nn.tensor{1.9, -1.9, 300}:astype("int32"):totable())
    assert.same({255, 0}, nn.tensor{300, -5}:astype("uint8"):totable())
    assert.same({0}, nn.tensor{0 / 0}:astype("int32"):totable())
    assert.matches("unknown dtype 'float64x'", message(nn.tensor, {1}, "float64x"))
  end)

  it("have operators that broadcast", function()
    local t = nn.tensor{{1, 2}, {3, 4}}
    assert.same({{11, 22}, {13, 24}}, (t + nn.tensor{10, 20}):totable())
    assert.same({{-1, -2}, {-3, -4}}, (-t):totable())
    assert.same({{2, 4}, {6, 8}}, (2 * t):totable())
    assert.same({{1, 4}, {9, 16}}, (t ^ 2):totable())
  end)
end)

describe("value_and_grad", function()
  it("gives the loss and the gradients of variables", function()
    local w = nn.Variable(nn.tensor{2, 3})
    local loss, grads = nn.value_and_grad(function() return nn.ops.sum(w.value * w.value) end, {w})
    assert.equal(13, loss:item())
    assert.same({4, 6}, grads[1]:totable())
  end)

  it("says false for a variable that plays no part", function()
    local v, w = nn.Variable(nn.tensor{1}), nn.Variable(nn.tensor{1})
    local _, grads = nn.value_and_grad(function() return nn.ops.sum(v.value) end, {v, w})
    assert.is_false(grads[2])
  end)

  it("needs a scalar", function()
    local w = nn.Variable(nn.tensor{1, 2})
    assert.matches("the loss has shape %(2%), expected one number",
      message(nn.value_and_grad, function() return w.value * 2 end, {w}))
  end)

  it("leaves no recording open after an error", function()
    pcall(nn.value_and_grad, function() error "x" end, {})
    assert.is_nil(nn.core.recording())
  end)
end)
