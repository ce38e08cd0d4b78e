-- nn.data.Dataset: steps, passes, and what fit, evaluate and predict make of data sets, iterators
-- and factories.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises = support.raises
local Dataset = nn.data.Dataset

local function numbers(n) return Dataset.from_tensors{nn.arange{0, n}, nn.arange{0, n} * 10} end

-- The x of all elements of a pass, in one list; batches joined.
local function pass(dataset)
  local out, sizes = {}, {}
  for x, y in dataset:iterate() do
    local list = x:reshape{-1}:totable()
    sizes[#sizes + 1] = #list
    if y then
      for i, v in ipairs(y:reshape{-1}:totable()) do assert.equal(list[i] * 10, v) end
    end
    table.move(list, 1, #list, #out + 1, out)
  end
  return out, sizes
end

local function sorted(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return copy
end

local function upto(n)
  local out = {}
  for i = 1, n do out[i] = i - 1 end
  return out
end

-- The same elements through an iterator, whose rows no tensor holds.
local function counted(n)
  return Dataset.from_iterator(function()
    local i = -1
    return function()
      i = i + 1
      if i < n then return nn.tensor(i), nn.tensor(i * 10) end
    end
  end)
end

describe("nn.data.Dataset", function()
  it("batches rows, the last one short or left out", function()
    local list, sizes = pass(numbers(10):batch(4))
    assert.same(upto(10), list)
    assert.same({4, 4, 2}, sizes)
    assert.same({4, 4}, select(2, pass(numbers(10):batch{4, drop_remainder = true})))
    assert.equal(3, numbers(10):batch(4):cardinality())
    assert.equal(2, numbers(10):batch(4, {drop_remainder = true}):cardinality())
    assert.same({4, 4, 2}, select(2, pass(counted(10):batch(4))))
    assert.is_nil(counted(10):batch(4):cardinality())
    raises("batch: n is 0, expected an integer above 0", numbers(3).batch, numbers(3), 0)
    raises("is batched already", function() numbers(3):batch(2):batch(2) end)
  end)

  it("shuffles anew each pass, the same by the same seed", function()
    for _, make in ipairs {numbers, counted} do
      local d = make(50):shuffle{seed = 3, buffer_size = 50}:batch(8)
      local first, second = pass(d), pass(d)
      assert.same(upto(50), sorted(first))
      assert.same(upto(50), sorted(second))
      assert.not_same(first, second)
      assert.not_same(upto(50), first)
      local again = make(50):shuffle{seed = 3, buffer_size = 50}:batch(8)
      assert.same(first, (pass(again)))
      local still = make(50):shuffle{seed = 3, reshuffle_each_iteration = false}
      assert.same((pass(still)), (pass(still)))
      -- a small buffer keeps elements near their place
      for i, v in ipairs((pass(make(50):shuffle{buffer_size = 5, seed = 1}))) do
        assert.is_true(v <= i + 4)
      end
    end
    raises("buffer_size is 0", numbers(3).shuffle, numbers(3), 0)
    raises("unknown argument 'size'", numbers(3).shuffle, numbers(3), {size = 3})
  end)

  it("takes, skips, repeats and maps", function()
    for _, make in ipairs {numbers, counted} do
      assert.same({0, 1, 2}, (pass(make(9):take(3))))
      assert.same({0, 1}, (pass(make(2):take(30))))
      assert.same({7, 8}, (pass(make(9):skip(7))))
      assert.same({}, (pass(make(9):skip(70))))
      assert.same({0, 1, 0, 1, 0, 1}, (pass(make(2):repeat_(3))))
      assert.same({}, (pass(make(2):repeat_(0))))
      assert.same({0, 1, 0, 1, 0}, (pass(make(2):repeat_():take(5))))
      assert.same({1, 2, 3}, (pass(make(3):map(function(x) return x + 1 end))))
      assert.same({2, 3}, (pass(make(5):skip(2):take(2))))
    end
    assert.equal(6, numbers(2):repeat_(3):cardinality())
    assert.is_nil(numbers(2):repeat_():cardinality())
    assert.equal(2, numbers(9):skip(7):cardinality())
    raises("take: n is -1", numbers(3).take, numbers(3), -1)
    raises("map: expected a function", numbers(3).map, numbers(3), 3)
    raises("map: the function returned nil", function() pass(numbers(3):map(function() end)) end)
  end)

  it("splits without an element in common, shuffled or not", function()
    local a, b, c = numbers(10):split{0.5, 0.3, 0.2}
    assert.same({5, 3, 2}, {a.count, b.count, c.count})
    local whole = numbers(40):shuffle{seed = 7}
    local train, test = whole:split{0.75, 0.25}
    local list = pass(train)
    for _, v in ipairs((pass(test))) do list[#list + 1] = v end
    assert.same(upto(40), sorted(list))
    assert.same((pass(test)), (pass(test)))
    local shuffled = train:shuffle{seed = 1}
    assert.not_same((pass(shuffled)), (pass(shuffled)))
    raises("split: the number of elements is not known", counted(3).split, counted(3), {0.5})
    raises("the fractions add up to 1.5", whole.split, whole, {0.75, 0.75})
    raises("fraction 1 is 0", whole.split, whole, {0})
  end)

  it("keeps lists and tables of tensors, and dtypes", function()
    local d = Dataset.from_tensors{{a = nn.arange{0, 4}, b = nn.zeros{4, 2, 3}},
      nn.tensor({{1}, {2}, {3}, {4}}, "int32")}
    for _, one in ipairs {d, d:shuffle{seed = 1}, d:map(function(x, y) return x, y end)} do
      for x, y in one:batch(3):iterate() do
        assert.same({#y}, x.a.shape)
        assert.same({#y, 2, 3}, x.b.shape)
        assert.same({#y, 1}, y.shape)
        assert.equal("int32", y.dtype)
      end
    end
    raises("Dataset: x has 3 rows but y has 4", Dataset.from_tensors, {nn.zeros{3}, nn.zeros{4}})
  end)
end)

-- y = 2 x1 - x2; the loss of a model that learned says that the right rows met.
local function problem(n)
  local x = nn.random.uniform{{n, 2}, seed = 1}
  local y = (x:slice{{}, {1, 1}} * 2 - x:slice{{}, {2, 2}}):clone()
  return x, y
end

local function model_of()
  nn.set_random_seed(1)
  local m = nn.Sequential{nn.layers.Dense{1, input_shape = {2}}}
  m:compile{optimizer = nn.optimizers.SGD{0.1}, loss = "mse"}
  return m
end

local function iterator(x, y, size)
  local at = 0
  return function()
    if at >= #x then return nil end
    local from, to = at + 1, math.min(#x, at + size)
    at = to
    return x:slice{{from, to}}, y:slice{{from, to}}
  end
end

describe("fit, evaluate and predict", function()
  local x, y = problem(70)

  it("take tensors, data sets, iterators and factories alike", function()
    local m = model_of()
    local want = m:fit{x, y, batch_size = 16, epochs = 3, shuffle = false, verbose = 0}.history.loss
    local function factory() return iterator(x, y, 16) end
    local sources = {
      Dataset.from_tensors{x, y}:batch(16),
      Dataset.from_iterator(factory, {batched = true}),
      Dataset.from_tensors{x, y}:map(function(a, b) return a, b end):batch(16),
      factory,
    }
    for _, source in ipairs(sources) do
      local other = model_of()
      local h = other:fit{source, epochs = 3, verbose = 0}
      support.near(want, h.history.loss, 1e-6, "loss")
      support.near({m:evaluate{x, y, batch_size = 16, verbose = 0}},
        {other:evaluate{source, verbose = 0}}, 1e-6, "evaluate")
    end
    local p = m:predict{x, verbose = 0}:reshape{-1}:totable()
    local q = m:predict{Dataset.from_tensors{x}:batch(9), verbose = 0}:reshape{-1}:totable()
    support.near(p, q, 1e-6, "predict")
  end)

  it("run a plain iterator once, or steps_per_epoch of it an epoch", function()
    local m = model_of()
    local h = m:fit{iterator(x, y, 16), verbose = 0}
    assert.equal(1, #h.history.loss)
    local endless = Dataset.from_tensors{x, y}:shuffle{seed = 1}:batch(10):repeat_()
    h = m:fit{endless, epochs = 2, steps_per_epoch = 7, verbose = 0,
      validation_data = Dataset.from_tensors{x, y}:batch(35)}
    assert.equal(2, #h.history.val_loss)
  end)

  it("say what an iterator gave wrong", function()
    local m = model_of()
    raises("fit: x has no rows", m.fit, m, {function() end, verbose = 0})
    raises("validation_split needs tensors", m.fit, m,
      {Dataset.from_tensors{x, y}, validation_split = 0.5, verbose = 0})
    raises("x has 3 rows but y has 2", m.fit, m, {Dataset.from_iterator(function()
      return function() return nn.zeros{3, 2}, nn.zeros{2, 1} end
    end, {batched = true}), verbose = 0})
    raises("the function returned 3, expected an iterator", m.fit, m,
      {Dataset.from_iterator(function() return 3 end), verbose = 0})
  end)

  it("take tables of columns", function()
    local t = nn.data.Table.from_columns{{"a", x:slice{{}, {1, 1}}:clone()},
      {"b", x:slice{{}, {2, 2}}:clone()}, {"y", y}}
    local m, n = model_of(), model_of()
    local h = m:fit{x, y, shuffle = false, verbose = 0}
    local k = n:fit{t:select{"a", "b"}, t:select{"y"}, shuffle = false, verbose = 0}
    support.near(h.history.loss, k.history.loss, 1e-6, "loss")
  end)
end)
