-- Rules of the ops of numbers that single cases do not show: dtypes, broadcasting, ties, large and
-- special numbers, texts of errors.

local nn = require "nnlua"
local core = require "nnlua.core"
local ops = nn.ops

local function i32(t) return core.new(t, "int32") end
local function u8(t) return core.new(t, "uint8") end

local function close(expected, got, tolerance)
  local a, b = expected, got:totable()
  local function walk(x, y)
    if type(x) == "table" then
      assert.equal(#x, #y)
      for i = 1, #x do walk(x[i], y[i]) end
    elseif x ~= x then
      assert(y ~= y, tostring(y))
    else
      assert(x == y or math.abs(x - y) <= (tolerance or 1e-6) * math.max(1, math.abs(x)),
        ("%s, expected %s"):format(y, x))
    end
  end
  walk(a, b)
end

describe("dtypes", function()
  it("of two integers are int32, of anything with floats float32", function()
    local whole = {"add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod"}
    for _, name in ipairs(whole) do
      assert.equal("int32", ops[name](i32{7, -7}, u8{2, 2}).dtype)
      assert.equal("float32", ops[name](i32{7, -7}, core.new{2, 2}).dtype)
    end
    assert.equal("float32", ops.divide(i32{7}, i32{2}).dtype)
    assert.equal("float32", ops.exp(i32{1}).dtype)
    assert.equal("uint8", ops.equal(i32{1}, 1).dtype)
  end)

  it("stay integers beside whole numbers", function()
    assert.equal("int32", (i32{1, 2} + 1).dtype)
    assert.equal("float32", (i32{1, 2} + 0.5).dtype)
    assert.equal("float32", (core.new{1, 2} + 1).dtype)
    close({16777218, 3}, i32{16777217, 2} + 1)
  end)

  it("of sums, means and truth", function()
    assert.equal("int32", ops.sum(u8{200, 100}).dtype)
    assert.equal(300, ops.sum(u8{200, 100}):item())
    assert.equal("float32", ops.mean(i32{1, 2}).dtype)
    assert.equal(1.5, ops.mean(i32{1, 2}):item())
    assert.equal("uint8", ops.any(core.new{0, 0.5}).dtype)
    assert.equal(1, ops.any(core.new{0, 0.5}):item())
    assert.equal(0, ops.all(core.new{0, 0.5}):item())
    assert.equal("int32", ops.argmax(core.new{1, 3, 2}).dtype)
  end)

  it("integers divide downwards", function()
    close({3, -4, -4, 3}, ops.floor_divide(i32{7, 7, -7, -7}, i32{2, -2, 2, -2}))
    close({1, -1, 1, -1}, ops.mod(i32{7, 7, -7, -7}, i32{2, -2, 2, -2}))
    close({1, 1, -1, -1}, ops.fmod(core.new{7, 7, -7, -7}, core.new{2, -2, 2, -2}))
    close({0, 0}, ops.mod(i32{7, 1}, 0))
    close({1024, 0, -1}, ops.power(i32{2, 2, -1}, i32{10, -1, 3}))
  end)
end)

describe("broadcasting", function()
  it("follows NumPy, at every size", function()
    close({{11, 21}, {12, 22}}, core.new{{1}, {2}} + core.new{10, 20})
    local a = ops.reshape(ops.arange(3 * 700 * 5), {3, 700, 5})
    local b = ops.reshape(ops.arange(3 * 5), {3, 1, 5})
    local c = a + b
    for _, at in ipairs {{1, 1, 1}, {2, 700, 5}, {3, 412, 2}} do
      local i, j, k = table.unpack(at)
      local expected = (i - 1) * 3500 + (j - 1) * 5 + k - 1 + (i - 1) * 5 + k - 1
      assert.equal(expected, c[i][j][k])
    end
  end)

  it("says which shapes do not fit", function()
    local ok, text = pcall(ops.add, core.new{1, 2, 3}, core.new{1, 2})
    assert.is_false(ok)
    assert.matches("add: the shapes %(3%) and %(2%) do not broadcast", text)
    ok, text = pcall(ops.matmul, core.new{{1, 2}}, core.new{{1, 2}})
    assert.is_false(ok)
    assert.matches("matmul: the shapes %(1, 2%) and %(1, 2%) do not fit", text)
  end)
end)

describe("sums", function()
  it("of a million floats are good to 1e-6", function()
    local x = ops.full({1000, 1000}, 0.1)
    local exact = 0.100000001490116
    assert(math.abs(ops.sum(x):item() / (exact * 1e6) - 1) < 1e-6)
    assert(math.abs(ops.sum(x, 1)[500] / (exact * 1e3) - 1) < 1e-6)
    assert(math.abs(ops.sum(x, 2)[500] / (exact * 1e3) - 1) < 1e-6)
    local tall = ops.full({200000, 3}, 0.1)
    assert(math.abs(ops.mean(tall, 1)[3] / exact - 1) < 2e-6)
  end)

  it("over any axes agree with sums one after the other", function()
    local x = ops.reshape(ops.arange(2 * 3 * 4 * 5), {2, 3, 4, 5})
    x = ops.cast(x, "float32")
    close(ops.sum(ops.sum(x, 4), 2):totable(), ops.sum(x, {axis = {2, 4}}))
    close(ops.sum(ops.sum(x, 3), 1):totable(), ops.sum(x, {axis = {-2, 1}}))
    close(ops.max(ops.max(x, 3), 1):totable(), ops.max(x, {axis = {1, 3}}))
    assert.same({2, 1, 4, 1}, ops.sum(x, {axis = {2, 4}, keepdims = true}).shape)
  end)

  it("refuse an axis twice and one that is not there", function()
    local x = core.new{{1, 2}}
    assert.has_error(function() ops.sum(x, {axis = {1, -2}}) end)
    assert.has_error(function() ops.sum(x, {axis = 3}) end)
    assert.has_error(function() ops.max(core.full({0}, 0)) end)
  end)
end)

describe("extremes", function()
  it("neither overflow nor lose the small", function()
    local x = core.new{-1e4, -100, 0, 100, 1e4}
    close({0, 0, 0.5, 1, 1}, ops.sigmoid(x))
    close({0, 0, math.log(2), 100, 1e4}, ops.softplus(x))
    close({-1e4, -100, -math.log(2), 0, 0}, ops.log_sigmoid(x))
    close({0, 0, 0, 0, 1}, ops.softmax(x))
    assert.equal(1e4, ops.logsumexp(x):item())
    close({1e4}, ops.logaddexp(core.new{1e4}, core.new{-1e4}))
    close({{0, 1e4}}, -ops.log_softmax(core.new{{1e4, 0}}))
  end)

  it("of crossentropies are exact", function()
    local z, t = core.new{{40, -40}, {-1e4, 1e4}}, core.new{{0, 1}, {0, 1}}
    close({80, 0}, core.apply("softmax_crossentropy", {z, t}))
    close({80, 0}, core.apply("sparse_softmax_crossentropy", {z, i32{1, 1}}))
    close({{40, 40}, {0, 0}}, core.apply("sigmoid_crossentropy", {z, t}))
    local inf = core.new{{0, -math.huge, 0}}
    close({math.log(2)}, core.apply("softmax_crossentropy", {inf, core.new{{1, 0, 0}}}))
  end)

  it("of reductions pass NaN on", function()
    local x = core.new{1, 0 / 0, 3}
    close({0 / 0, 0 / 0, 0 / 0}, ops.stack{ops.max(x), ops.min(x), ops.sum(x)})
    close({3, 4, 2}, ops.stack{ops.nanmax(x), ops.nansum(x), ops.nanmean(x)})
  end)
end)

describe("class ids out of range", function()
  it("are an error that names the row", function()
    local ok, text = pcall(core.apply, "sparse_softmax_crossentropy",
      {core.new{{1, 2}, {3, 4}}, i32{0, 2}})
    assert.is_false(ok)
    assert.matches("class id 2 in row 2, expected 0 to 1", text)
  end)
end)

describe("products", function()
  it("of einsum agree with loops", function()
    local a = ops.cast(ops.reshape(ops.arange(24), {2, 3, 4}), "float32")
    local b = ops.cast(ops.reshape(ops.arange(40), {2, 4, 5}), "float32") / 7
    local c = ops.einsum("bij,bjk->bik", a, b)
    local sum = 0
    for j = 1, 4 do sum = sum + a[2][3][j] * b[2][j][4] end
    assert(math.abs(sum - c[2][3][4]) < 1e-4)
    close(ops.matmul(a, b):totable(), c)
    close(ops.transpose(c, {3, 1, 2}):totable(), ops.einsum("bij,bjk->kbi", a, b), 1e-5)
    close(ops.sum(a, {axis = {1, 3}}):totable(), ops.einsum("bij->i", a))
    local square = core.new{{1, 2}, {3, 4}}
    close({1, 4}, ops.einsum("ii->i", square))
    assert.equal(5, ops.einsum("ii", square):item())
    close(ops.matmul(a, b):totable(), ops.einsum("...ij,...jk->...ik", a, b))
    local c3 = ops.einsum("abc,abd,c->abd", core.new{{{1, 2}}}, core.new{{{1}}}, core.new{1, 1})
    close({{{3}}}, c3)
  end)

  it("of distances are those of all pairs", function()
    local a, b = core.new{{0, 0}, {3, 4}}, core.new{{0, 0}, {0, 4}, {3, 0}}
    close({{0, 4, 3}, {5, 3, 4}}, ops.cdist(a, b))
  end)

  it("of integers are integers", function()
    local c = ops.matmul(i32{{1, 2}, {3, 4}}, i32{{5}, {6}})
    assert.equal("int32", c.dtype)
    close({{17}, {39}}, c)
  end)

  it("of attention look at no later position", function()
    local q = ops.reshape(ops.cast(ops.arange(6), "float32") / 3, {1, 3, 1, 2})
    local v = core.reshape(core.new{1, 10, 100}, {1, 3, 1, 1})
    local y = ops.dot_product_attention{q, q, v, is_causal = true}
    assert.same({1, 3, 1, 1}, y.shape)
    assert.equal(1, y[1][1][1][1])
    local function weight(i, j)
      local function at(r, d) return (2 * (r - 1) + d - 1) / 3 end
      return math.exp((at(i, 1) * at(j, 1) + at(i, 2) * at(j, 2)) / math.sqrt(2))
    end
    local w1, w2 = weight(2, 1), weight(2, 2)
    assert(math.abs((w1 + 10 * w2) / (w1 + w2) - y[1][2][1][1]) < 1e-4)
  end)
end)

describe("assign", function()
  it("writes into the variable, converting and broadcasting", function()
    local v = nn.Variable(core.new{{1, 2}, {3, 4}})
    core.apply("assign", {v.tensor, i32{7, 8}})
    close({{7, 8}, {7, 8}}, v.tensor)
    core.apply("assign_add", {v.tensor, 0.5})
    close({{7.5, 8.5}, {7.5, 8.5}}, v.tensor)
    local ok, text = pcall(core.apply, "assign", {v.tensor, core.new{1, 2, 3}})
    assert.is_false(ok)
    assert.matches("assign: a value %(3%) for a variable %(2, 2%)", text)
  end)
end)

describe("dropout", function()
  it("keeps 1 - rate of the elements, scaled, and whole axes of a noise shape", function()
    local x = ops.ones{{200, 300}}
    local y = core.apply("dropout", {x}, {3}, {0.25})
    assert(math.abs(ops.mean(y):item() - 1) < 0.02)
    close({0, 4 / 3}, ops.unique(y))
    local rows = core.apply("dropout", {x}, {3, 2, 200, 1}, {0.5})
    close(ops.zeros{{200}}:totable(), ops.max(rows, 2) - ops.min(rows, 2))
    close({0}, ops.unique(core.apply("dropout", {x}, {3}, {1})))
  end)
end)

describe("the number of threads", function()
  local x = ops.reshape(ops.sin(ops.arange(300 * 401) * 0.37), {300, 401})
  local row = ops.cos(ops.arange(401) * 0.11)
  local jobs = {
    add = function(v) return v + row end,
    gelu = function(v) return ops.gelu(v) end,
    clip = function(v) return ops.clip(v, -0.5, row) end,
    mean = function(v) return ops.mean(v, 1) end,
    var = function(v) return ops.var(v, 2) end,
    softmax = function(v) return ops.softmax(v) end,
    normalization = function(v) return ops.layer_normalization{v, row, row, epsilon = 1e-3} end,
    batch = function(v)
      return (core.apply("batch_norm", {v, row, row}, {3}, {1e-3}))
    end,
    dropout = function(v) return core.apply("dropout", {v}, {5}, {0.3}) end,
    crossentropy = function(v) return core.apply("softmax_crossentropy", {v, ops.softmax(v)}) end,
    matmul = function(v) return ops.matmul(v, ops.transpose(v)) end,
  }

  local function values_and_gradients(f, threads)
    nn.config.set_num_threads(threads)
    nn.set_random_seed(11)
    local v, y = nn.Variable(x), nil
    local _, g = nn.value_and_grad(function()
      y = f(v.tensor)
      return ops.sum(y * y)
    end, {v})
    return y, g[1]
  end

  for name, f in pairs(jobs) do
    it("changes no bit of " .. name, function()
      finally(function() nn.config.set_num_threads(0) end)
      local y1, g1 = values_and_gradients(f, 1)
      local y2, g2 = values_and_gradients(f, 3)
      assert.equal(1, ops.all(ops.equal(y1, y2)):item())
      assert.equal(1, ops.all(ops.equal(g1, g2)):item())
    end)
  end
end)

describe("class ids as targets", function()
  for _, classes in ipairs {2, 3, 10, 40} do
    it(("of %d classes give what the same probabilities give"):format(classes), function()
      local z = core.rng.normal({11, classes}, 0, 2, 5, 1, 0)
      for _, dtype in ipairs {"int32", "float32", "uint8"} do
        local ids = core.astype(core.rng.randint({11}, 0, classes, 5, 2, 0), dtype)
        local targets = ops.one_hot(ids, classes)
        close(core.apply("softmax_crossentropy", {z, targets}):totable(),
          core.apply("sparse_softmax_crossentropy", {z, ids}, {0, 0}))
        local p = ops.softmax(z)
        close(core.apply("categorical_match", {targets, p}):totable(),
          core.apply("sparse_match", {ids, p}))
      end
    end)
  end

  it("out of range are an error, ignored ones give 0", function()
    local z = core.new({{1, 2}, {3, 4}, {5, 6}}, "float32")
    close({math.log(1 + math.exp(1)), 0, 0}, core.apply("sparse_softmax_crossentropy",
      {z, i32 {0, 9, 9}}, {1, 9}))
    assert.error_matches(function()
      return core.apply("sparse_softmax_crossentropy", {z, i32 {0, 1, 2}}, {0, 0})
    end, "class id 2 in row 3, expected 0 to 1")
  end)
end)
